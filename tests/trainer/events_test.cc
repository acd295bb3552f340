// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The log reader: every format that it takes, and one clear line for every bad input.
#include "trainer/events.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"
#include "trainer/id_index.h"
#include "trainer/random.h"

namespace stint {
namespace {

std::string Gzip(const std::string& text) {
  z_stream z = {};
  EXPECT_EQ(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&z, text.size()) + 32, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::string Zstd(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  const size_t size = ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3);
  EXPECT_FALSE(ZSTD_isError(size));
  out.resize(size);
  return out;
}

class EventsTest : public testing::Test {
 protected:
  Events Read(const std::string& bytes, const ReadOptions& options = {}) {
    return ReadEvents(folder_.Write("train.tsv", bytes), options);
  }
  // The message without the folder.
  std::string Error(const std::string& bytes, const ReadOptions& options = {}) {
    const std::string path = folder_.Write("train.tsv", bytes);
    try {
      ReadEvents(path, options);
    } catch (const std::runtime_error& e) {
      const std::string message = e.what();
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
      const std::string prefix = folder_ / "";
      EXPECT_EQ(message.rfind(prefix, 0), 0u) << message;
      return message.substr(prefix.size());
    }
    ADD_FAILURE() << "no error";
    return "";
  }
  TemporaryFolder folder_;
};

constexpr char kHeader[] = "SessionId\tItemId\tTime\n";

// session:item:time of every event.
std::vector<std::string> Show(const Events& events) {
  std::vector<std::string> rows;
  for (size_t i = 0; i < events.size(); ++i) {
    rows.push_back(events.session_ids.ToString(events.session[i]) + ":" +
                   events.item_ids.ToString(events.item[i]) + ":" +
                   std::to_string(events.time[i].whole) +
                   (events.time[i].nanos != 0 ? "+" + std::to_string(events.time[i].nanos) : ""));
  }
  return rows;
}
using Rows = std::vector<std::string>;

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

// Rows enough to cross every buffer several times.
std::string LongLog() {
  std::string text = kHeader;
  for (int i = 0; i < 60000; ++i) {
    text += std::to_string(i / 7) + "\titem" + std::to_string(i * 7919 % 1000) + "\t" +
            std::to_string(i) + "\n";
  }
  return text;
}

TEST_F(EventsTest, CompressedIsTheSameAsPlain) {
  const std::string text = LongLog();
  const Rows plain = Show(Read(text));
  ASSERT_EQ(plain.size(), 60000u);
  EXPECT_EQ(Show(Read(Gzip(text))), plain);
  EXPECT_EQ(Show(Read(Zstd(text))), plain);
  // Several members and frames, cut in the middle of a row; zero padding after gzip.
  const std::string head = text.substr(0, 300001);
  const std::string tail = text.substr(300001);
  EXPECT_EQ(Show(Read(Gzip(head) + Gzip("") + Gzip(tail) + std::string(512, '\0'))), plain);
  EXPECT_EQ(Show(Read(Zstd(head) + Zstd("") + Zstd(tail))), plain);
  // A skippable frame before the data.
  EXPECT_EQ(Show(Read(std::string("\x50\x2a\x4d\x18\x02\x00\x00\x00xy", 10) + Zstd(text))), plain);
}

TEST_F(EventsTest, EveryCutOfCompressedDataIsAnError) {
  std::string text = kHeader;
  for (int i = 0; i < 40; ++i) text += "1\t" + std::to_string(i * i) + "\t3\n";
  for (const std::string& whole : {Gzip(text), Zstd(text)}) {
    const bool gzip = whole[0] == '\x1f';
    for (size_t size = 4; size < whole.size(); ++size) {
      EXPECT_EQ(Error(whole.substr(0, size)),
                gzip ? "train.tsv: gzip data cut short" : "train.tsv: zstd data cut short");
    }
    ASSERT_EQ(Read(whole).size(), 40u);
  }
}

TEST_F(EventsTest, CorruptCompressedData) {
  const std::string text = LongLog();
  std::string gzip = Gzip(text);
  gzip[gzip.size() - 8] ^= 1;  // its CRC
  EXPECT_EQ(Error(gzip), "train.tsv: corrupt gzip data: incorrect data check");
  EXPECT_EQ(Error(Gzip(text) + "more"), "train.tsv: other data after the gzip data");
  EXPECT_EQ(
      Error(std::string("\x1f\x8b\x07garbage", 10)).rfind("train.tsv: corrupt gzip data: ", 0), 0u);
  std::string zstd = Zstd(text);
  zstd[zstd.size() / 2] ^= 0x55;
  EXPECT_EQ(Error(zstd).rfind("train.tsv: corrupt zstd data: ", 0), 0u);
  EXPECT_EQ(Error(Zstd(text) + "more").rfind("train.tsv: corrupt zstd data: ", 0), 0u);
}

// Whatever the bytes are: events that hold together, or one line that names the file.
TEST_F(EventsTest, RandomChangesNeverCrash) {
  std::string csv = "SessionId,ItemId,Time,note\n";
  std::string tsv = kHeader;
  for (int i = 0; i < 12; ++i) {
    const std::string n = std::to_string(i * i % 7);
    csv += "s" + n + ",\"a,\"\"" + n + "\",1." + n + "e3,\"x\ny\"\r\n";
    tsv += n + "\t-" + n + "1\t" + n + "\n";
  }
  const std::vector<std::string> seeds = {csv, tsv, Gzip(csv), Gzip(tsv) + Gzip(tsv), Zstd(csv)};
  const RandomCounter random(11, 1);
  uint64_t draw = 0;
  ReadOptions options;
  options.max_line_bytes = 200;
  size_t read = 0;
  size_t refused = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = seeds[random.Bits(draw++) % seeds.size()];
    for (uint64_t changes = random.Bits(draw++) % 4; changes > 0; --changes) {
      const size_t at = random.Bits(draw++) % bytes.size();
      static constexpr char kSpecial[] = "\"\n\r\t,.e-+0\0\xff";
      switch (random.Bits(draw++) % 4) {
        case 0:
          bytes[at] = static_cast<char>(random.Bits(draw++));
          break;
        case 1:
          bytes[at] = kSpecial[random.Bits(draw++) % sizeof(kSpecial)];
          break;
        case 2:
          bytes.erase(at, 1 + random.Bits(draw++) % 9);
          break;
        default:
          bytes.insert(at, bytes.substr(random.Bits(draw++) % bytes.size(), 9));
      }
      if (bytes.empty()) bytes = ",";
    }
    try {
      const Events events = Read(bytes, options);
      ++read;
      ASSERT_GT(events.size(), 0u);
      ASSERT_EQ(events.session.size(), events.size());
      ASSERT_EQ(events.time.size(), events.size());
      for (const uint32_t item : events.item) ASSERT_LT(item, events.item_ids.size());
      for (const uint32_t session : events.session) ASSERT_LT(session, events.session_ids.size());
    } catch (const std::runtime_error& e) {
      ++refused;
      const std::string message = e.what();
      ASSERT_NE(message.find("train.tsv:"), std::string::npos);
      ASSERT_EQ(message.find('\n'), std::string::npos);
      ASSERT_LT(message.size(), 2500u);
    }
  }
  EXPECT_GT(read, 250u);
  EXPECT_GT(refused, 250u);
}

TEST_F(EventsTest, OtherKindsOfFilesAreNamed) {
  EXPECT_EQ(Error(std::string("\xfd"
                              "7zXZ\0\0\0",
                              8)),
            "train.tsv: compressed by xz; only gzip, zstd and plain text can be read");
  EXPECT_EQ(Error("BZh91AY&SY"),
            "train.tsv: compressed by bzip2; only gzip, zstd and plain text can be read");
  EXPECT_EQ(Error("PK\x03\x04xxxx"),
            "train.tsv: a zip archive; only gzip, zstd and plain text can be read");
  EXPECT_EQ(Error(std::string("\xff\xfeS\0e\0", 6)), "train.tsv: text in UTF-16; save it as UTF-8");
}

TEST_F(EventsTest, UnreadableFiles) {
  try {
    ReadEvents(folder_ / "absent.tsv", {});
    FAIL();
  } catch (const std::runtime_error& e) {
    EXPECT_EQ(e.what(), (folder_ / "absent.tsv") + ": No such file or directory");
  }
  try {
    ReadEvents(folder_.path().string(), {});
    FAIL();
  } catch (const std::runtime_error& e) {
    EXPECT_EQ(e.what(), folder_.path().string() + ": Is a directory");
  }
}

// Files with columns, separators and compression of their own; sessions and items go across.
TEST_F(EventsTest, SeveralFilesAreOneLog) {
  const std::vector<std::string> paths = {
      folder_.Write("a.tsv", std::string(kHeader) + "1\t70\t5\n2\t71\t6\n"),
      folder_.Write("b.csv", Gzip("Time,Other,ItemId,SessionId\n9.5,x,71,1\n8,y,72,3\n")),
      folder_.Write("c.tsv", Zstd(std::string(kHeader) + "3\t70\t10"))};
  const Events events = ReadEvents(paths, {});
  EXPECT_EQ(Show(events), (std::vector<std::string>{"1:70:5", "2:71:6", "1:71:9+500000000",
                                                    "3:72:8", "3:70:10"}));
  EXPECT_EQ(events.session, (std::vector<uint32_t>{0, 1, 0, 2, 2}));
  EXPECT_EQ(events.item, (std::vector<uint32_t>{0, 1, 1, 2, 0}));
  EXPECT_FALSE(events.item_ids.are_names);

  const Events back = ReadEvents(std::vector<std::string>(paths.rbegin(), paths.rend()), {});
  EXPECT_EQ(back.item_ids.numbers, (std::vector<int64_t>{70, 71, 72}));
  EXPECT_EQ(back.session_ids.numbers, (std::vector<int64_t>{3, 1, 2}));
}

TEST_F(EventsTest, IdsOfSeveralFilesAreIntegersIfAllAre) {
  const std::vector<std::string> paths = {
      folder_.Write("a.tsv", std::string(kHeader) + "1\t70\t5\n1\t71\t6\n"),
      folder_.Write("b.tsv", std::string(kHeader) + "1\t71\t5\n1\t071\t5\n2\tx\t6\n")};
  const Events events = ReadEvents(paths, {});
  EXPECT_TRUE(events.item_ids.are_names);
  EXPECT_EQ(events.item_ids.names, (std::vector<std::string>{"70", "71", "071", "x"}));
  EXPECT_FALSE(events.session_ids.are_names);
}

TEST_F(EventsTest, ErrorsNameTheFileOfSeveral) {
  const std::string good = folder_.Write("good.tsv", std::string(kHeader) + "1\t7\t5\n2\t7\t6\n");
  const auto error = [&](const std::vector<std::string>& paths, const ReadOptions& options = {}) {
    try {
      ReadEvents(paths, options);
    } catch (const std::exception& e) {
      const std::string message = e.what();
      const std::string prefix = folder_ / "";
      return message.rfind(prefix, 0) == 0 ? message.substr(prefix.size()) : message;
    }
    return std::string("no error");
  };
  const auto bad = [&](const std::string& text) { return folder_.Write("bad.tsv", text); };
  EXPECT_EQ(error({good, bad(std::string(kHeader) + "1\t7\t5\n\n1\t7\tx\n")}),
            "bad.tsv:4: time 'x' is not a number");
  EXPECT_EQ(error({bad(std::string(kHeader) + "1\t7\n"), good}),
            "bad.tsv:2: 2 fields where the header has 3");
  EXPECT_EQ(error({good, bad("a\tItemId\tTime\n1\t2\t3\n")}),
            "bad.tsv:1: no column 'SessionId'; the header has 'a', 'ItemId', 'Time' "
            "(separator tab)");
  EXPECT_EQ(error({good, bad("")}), "bad.tsv:1: no header: the file is empty");
  EXPECT_EQ(error({good, bad(kHeader)}), "bad.tsv:2: no events after the header");
  EXPECT_EQ(error({good, folder_ / "absent"}), "absent: No such file or directory");
  ReadOptions few;
  few.max_events = 3;
  EXPECT_EQ(error({good, bad(std::string(kHeader) + "1\t7\t5\n2\t7\t6\n")}, few),
            "bad.tsv:3: more than 3 events");
  EXPECT_EQ(error({}), "no log to read");
  EXPECT_EQ(error({"-", good, "-"}), "standard input is given twice");
  EXPECT_EQ(error({good, good}), "log '" + good + "' is given twice");
}

// Enough events that the columns are sized by the share of the file that was read.
TEST_F(EventsTest, ManyEventsOfSeveralFiles) {
  constexpr uint32_t kEvents = 400000;
  std::string text = kHeader;
  for (uint32_t i = 0; i < kEvents; ++i) {
    text +=
        std::to_string(i / 7) + "\t" + std::to_string(i % 1009) + "\t" + std::to_string(i) + "\n";
  }
  const std::vector<std::string> paths = {
      folder_.Write("a.tsv", text), folder_.Write("b.tsv", text), folder_.Write("c.gz", Gzip(text)),
      folder_.Write("d.zst", Zstd(text))};
  for (size_t files = 1; files <= paths.size(); ++files) {
    const Events events =
        ReadEvents(std::vector<std::string>(paths.begin(), paths.begin() + files), {});
    ASSERT_EQ(events.size(), files * kEvents);
    for (size_t i = 0; i < events.size(); ++i) {
      ASSERT_EQ(events.time[i].whole, i % kEvents);
      ASSERT_EQ(events.item[i], (i % kEvents) % 1009);
      ASSERT_EQ(events.session[i], (i % kEvents) / 7);
    }
    // Room for a quarter more or so, not for twice as many.
    EXPECT_LT(events.time.capacity(), events.size() * 3 / 2 + 100000) << files;
  }
}

}  // namespace
}  // namespace stint
