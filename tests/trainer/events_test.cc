// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The log reader on one file of text: every format that it takes, and one clear line for every bad
// input.
#include "trainer/events.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/trainer/events_fixture.h"
#include "trainer/id_index.h"
#include "trainer/random.h"

namespace stint {
namespace {

TEST_F(EventsTest, NumbersInOrderOfAppearance) {
  const Events events = Read(std::string(kHeader) + "9\t5\t3\n-4\t5\t1\n9\t1\t2\n");
  EXPECT_EQ(Show(events), (Rows{"9:5:3", "-4:5:1", "9:1:2"}));
  EXPECT_EQ(events.session, (std::vector<uint32_t>{0, 1, 0}));
  EXPECT_EQ(events.item, (std::vector<uint32_t>{0, 0, 1}));
  EXPECT_FALSE(events.session_ids.are_names);
  EXPECT_EQ(events.session_ids.numbers, (std::vector<int64_t>{9, -4}));
  EXPECT_EQ(events.item_ids.numbers, (std::vector<int64_t>{5, 1}));
}

TEST_F(EventsTest, ColumnsInAnyOrderAmongOthers) {
  EXPECT_EQ(Show(Read("note\tTime\tItemId\tx\tSessionId\n\t7\t5\t\t1\n")), (Rows{"1:5:7"}));
  ReadOptions options;
  options.session_column = "visit";
  options.item_column = "sku";
  options.time_column = "at";
  options.separator = ';';
  EXPECT_EQ(Show(Read("at;sku;visit\n7;a,b;1\n", options)), (Rows{"1:a,b:7"}));
}

TEST_F(EventsTest, LineEndsAndByteOrderMark) {
  EXPECT_EQ(Show(Read("SessionId\tItemId\tTime\r\n1\t2\t3\r\n4\t5\t6\r\n")),
            (Rows{"1:2:3", "4:5:6"}));
  EXPECT_EQ(Show(Read("\xef\xbb\xbfSessionId\tItemId\tTime\n1\t2\t3")), (Rows{"1:2:3"}));
  EXPECT_EQ(Show(Read(std::string(kHeader) + "\n1\t2\t3\n\r\n\n")), (Rows{"1:2:3"}));
}

TEST_F(EventsTest, CsvWithQuotes) {
  EXPECT_EQ(Show(Read("SessionId,ItemId,Time\n1,\"a,b\",3\n1,\"say \"\"hi\"\"\",4\n\"2\",\"\"\"\","
                      "\"5\"\r\n")),
            (Rows{"1:a,b:3", "1:say \"hi\":4", "2:\":5"}));
  // A line break in quotes; the error after it still has the right line.
  EXPECT_EQ(Show(Read("\"Session\"\"Id\",SessionId,ItemId,Time\n\"x\ny\r\n\",1,\"a\nb\",3\n")),
            (Rows{"1:a\nb:3"}));
  EXPECT_EQ(Error("SessionId,ItemId,Time,note\n1,2,3,\"x\n\ny\"\n1,2,z,\n"),
            "train.tsv:5: time 'z' is not a number");
  // Tab-separated text has no quotes.
  EXPECT_EQ(Show(Read(std::string(kHeader) + "1\t5\" nail\t3\n1\t\"x\"\t4\n")),
            (Rows{"1:5\" nail:3", "1:\"x\":4"}));
}

TEST_F(EventsTest, BadQuotes) {
  EXPECT_EQ(Error("SessionId,ItemId,Time\n1,5\" nail,3\n"),
            "train.tsv:2: quote inside field 2, which does not start with one");
  EXPECT_EQ(Error("SessionId,ItemId,Time\n1,\"a\"b,3\n"),
            "train.tsv:2: text after the closing quote of field 2");
  EXPECT_EQ(Error("SessionId,ItemId,Time\n1,\"a,3\n1,b,4\n"),
            "train.tsv:2: quote of field 2 is never closed");
  EXPECT_EQ(Error("SessionId,ItemId,Time\n1,\"a,3"),
            "train.tsv:2: quote of field 2 is never closed");
}

TEST_F(EventsTest, IntegersTurnIntoNamesAtTheFirstOtherId) {
  const Events events =
      Read(std::string(kHeader) + "1\t7\t1\n1\t-3\t2\n1\t007\t3\n1\t7\t4\n1\t-3\t5\n");
  EXPECT_TRUE(events.item_ids.are_names);
  EXPECT_FALSE(events.session_ids.are_names);
  EXPECT_EQ(events.item_ids.names, (std::vector<std::string>{"7", "-3", "007"}));
  EXPECT_EQ(events.item, (std::vector<uint32_t>{0, 1, 2, 0, 1}));
}

TEST_F(EventsTest, ManyIdsOfBothKinds) {
  std::string text = kHeader;
  for (int i = 0; i < 5000; ++i) text += "1\t" + std::to_string(i * 64) + "\t1\n";
  for (int i = 0; i < 5000; ++i) text += "1\t" + std::to_string(i * 64) + "\t1\n";
  Events events = Read(text);
  ASSERT_EQ(events.item_ids.size(), 5000u);
  for (uint32_t i = 0; i < 10000; ++i) ASSERT_EQ(events.item[i], i % 5000);
  events = Read(text + "1\tx\t1\n" + text.substr(sizeof(kHeader) - 1));
  ASSERT_EQ(events.item_ids.size(), 5001u);
  for (uint32_t i = 0; i < 10000; ++i) ASSERT_EQ(events.item[10001 + i], i % 5000);
}

TEST(ParseCanonicalInt64, ItsLimits) {
  int64_t value = 0;
  EXPECT_TRUE(ParseCanonicalInt64("9223372036854775807", &value));
  EXPECT_EQ(value, INT64_MAX);
  EXPECT_TRUE(ParseCanonicalInt64("-9223372036854775808", &value));
  EXPECT_EQ(value, INT64_MIN);
  EXPECT_TRUE(ParseCanonicalInt64("0", &value));
  EXPECT_EQ(value, 0);
  for (const char* text : {"", "-", "+7", "-0", "00", "07", "-07", "7.0", " 7", "7 ", "1e3", "0x7",
                           "9223372036854775808", "-9223372036854775809", "99999999999999999999",
                           "18446744073709551617"}) {
    EXPECT_FALSE(ParseCanonicalInt64(text, &value)) << text;
  }
}

TEST_F(EventsTest, Times) {
  const auto time = [&](const std::string& text) {
    return Show(Read(std::string(kHeader) + "1\t1\t" + text + "\n"))[0].substr(4);
  };
  EXPECT_EQ(time("0"), "0");
  EXPECT_EQ(time("-0.0"), "0");
  EXPECT_EQ(time("1593470836000"), "1593470836000");
  EXPECT_EQ(time("1593470836.25"), "1593470836+250000000");
  EXPECT_EQ(time("1593470836123456789"), "1593470836123456789");  // nanoseconds
  EXPECT_EQ(time("9223372036854775806"), "9223372036854775806");
  EXPECT_EQ(time("-1.5"), "-2+500000000");
  EXPECT_EQ(time("+7"), "7");
  EXPECT_EQ(time(".5"), "0+500000000");
  EXPECT_EQ(time("5."), "5");
  EXPECT_EQ(time("1.5934708361e+09"), "1593470836+100000000");
  EXPECT_EQ(time("15E-1"), "1+500000000");
  EXPECT_EQ(time("0.0000000019999"), "0+1");
  EXPECT_EQ(time("1e-400"), "0");
  EXPECT_EQ(time("0e999999999999"), "0");
  EXPECT_EQ(time("000000000000000000000000000012"), "12");
}

TEST_F(EventsTest, TimesThatAreNone) {
  for (const char* text : {"",   "abc", "nan", "NaN",        "inf",   "-inf", "infinity", "0x10",
                           "1e", "1e+", "--1", "1.2.3",      " 1",    "1 ",   "1,5",      ".",
                           "-",  "+",   "e5",  "2014-04-07", "1_000", "1f"}) {
    EXPECT_EQ(Error(std::string(kHeader) + "1\t1\t" + text + "\n"),
              "train.tsv:2: time '" + std::string(text) + "' is not a number");
  }
  for (const char* text :
       {"9223372036854775807", "1e19", "-99999999999999999999", "1e999999999999"}) {
    EXPECT_EQ(Error(std::string(kHeader) + "1\t1\t" + text + "\n"),
              "train.tsv:2: time '" + std::string(text) + "' is out of range (+-9.2e18)");
  }
}

TEST_F(EventsTest, BadHeaders) {
  EXPECT_EQ(Error(""), "train.tsv:1: no header: the file is empty");
  EXPECT_EQ(Error("\n\n"), "train.tsv:3: no header: the file is empty");
  EXPECT_EQ(Error("\xef\xbb\xbf"), "train.tsv:1: no header: the file is empty");
  EXPECT_EQ(Error(kHeader), "train.tsv:2: no events after the header");
  EXPECT_EQ(Error("SessionId\tItemId\tTime"), "train.tsv:2: no events after the header");
  EXPECT_EQ(
      Error("SessionId\tItem\tTime\n1\t2\t3\n"),
      "train.tsv:1: no column 'ItemId'; the header has 'SessionId', 'Item', 'Time' (separator "
      "tab)");
  EXPECT_EQ(Error("SessionId;ItemId;Time\n1;2;3\n"),
            "train.tsv:1: no column 'SessionId'; the header has 'SessionId;ItemId;Time' (separator "
            "',')");
  EXPECT_EQ(Error("1\t2\t3\n"),
            "train.tsv:1: no column 'SessionId'; the header has '1', '2', '3' (separator tab)");
  EXPECT_EQ(Error("SessionId\tItemId\tTime\tItemId\n1\t2\t3\t4\n"),
            "train.tsv:1: column 'ItemId' stands twice in the header");
  ReadOptions same;
  same.item_column = "SessionId";
  EXPECT_THROW(Read(std::string(kHeader) + "1\t2\t3\n", same), std::invalid_argument);
}

TEST_F(EventsTest, BadRows) {
  EXPECT_EQ(Error(std::string(kHeader) + "1\t2\t3\n1\t2\n"),
            "train.tsv:3: 2 fields where the header has 3");
  EXPECT_EQ(Error(std::string(kHeader) + "1\n"), "train.tsv:2: 1 field where the header has 3");
  EXPECT_EQ(Error(std::string(kHeader) + "1\t2\t3\t4\n"),
            "train.tsv:2: 4 fields where the header has 3");
  EXPECT_EQ(Error(std::string(kHeader) + "\t2\t3\n"), "train.tsv:2: empty session id");
  EXPECT_EQ(Error(std::string(kHeader) + "1\t\t3\n"), "train.tsv:2: empty item id");
  EXPECT_EQ(Error(std::string(kHeader) + "1\t2" + std::string(1, '\0') + "\t3\n"),
            "train.tsv:2: NUL byte in column 4; not a text file?");
  EXPECT_EQ(Error("SessionId,ItemId,Time\n1,\"a\n" + std::string(1, '\0') + "\",3\n"),
            "train.tsv:2: NUL byte in a quoted field; not a text file?");
  EXPECT_EQ(Error(std::string(kHeader) + "1\t2\tx\x01y\n"),
            "train.tsv:2: time 'x\\x01y' is not a number");
}

TEST_F(EventsTest, OverlongLines) {
  ReadOptions options;
  options.max_line_bytes = 100;
  const std::string fits = std::string(kHeader) + "1\t" + std::string(96, 'x') + "\t3";
  EXPECT_EQ(Read(fits + "\n", options).size(), 1u);
  EXPECT_EQ(Read(fits, options).size(), 1u);
  const std::string longer = std::string(kHeader) + "1\t" + std::string(97, 'x') + "\t3";
  EXPECT_EQ(Error(longer + "\n", options), "train.tsv:2: line longer than 100 bytes");
  EXPECT_EQ(Error(longer, options), "train.tsv:2: line longer than 100 bytes");
  // The limit of users, over several buffers; and a quoted field over many lines.
  EXPECT_EQ(Read(std::string(kHeader) + "1\t" + std::string((1 << 20) - 4, 'x') + "\t3\n").size(),
            1u);
  EXPECT_EQ(Error(std::string(kHeader) + std::string(size_t{1} << 22, 'x')),
            "train.tsv:2: line longer than 1048576 bytes");
  std::string lines = "SessionId,ItemId,Time\n1,\"";
  for (int i = 0; i < 600000; ++i) lines += "x\n";
  EXPECT_EQ(Error(lines), "train.tsv:2: line longer than 1048576 bytes");
}

TEST_F(EventsTest, TooManyEvents) {
  ReadOptions options;
  options.max_events = 2;
  const std::string two = std::string(kHeader) + "1\t2\t3\n1\t2\t4\n";
  EXPECT_EQ(Read(two, options).size(), 2u);
  EXPECT_EQ(Error(two + "1\t2\t5\n", options), "train.tsv:4: more than 2 events");
}

}  // namespace
}  // namespace stint
