// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The log reader on files: compressed ones, damaged ones, other kinds of files, and several at
// once.
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/trainer/events_fixture.h"
#include "trainer/random.h"

namespace stint {
namespace {

using LogFilesTest = EventsTest;

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

// Rows enough to cross every buffer several times.
std::string LongLog() {
  std::string text = kHeader;
  for (int i = 0; i < 60000; ++i) {
    text += std::to_string(i / 7) + "\titem" + std::to_string(i * 7919 % 1000) + "\t" +
            std::to_string(i) + "\n";
  }
  return text;
}

TEST_F(LogFilesTest, CompressedIsTheSameAsPlain) {
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

TEST_F(LogFilesTest, EveryCutOfCompressedDataIsAnError) {
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

TEST_F(LogFilesTest, CorruptCompressedData) {
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
TEST_F(LogFilesTest, RandomChangesNeverCrash) {
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

TEST_F(LogFilesTest, OtherKindsOfFilesAreNamed) {
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

TEST_F(LogFilesTest, UnreadableFiles) {
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
TEST_F(LogFilesTest, SeveralFilesAreOneLog) {
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

TEST_F(LogFilesTest, IdsOfSeveralFilesAreIntegersIfAllAre) {
  const std::vector<std::string> paths = {
      folder_.Write("a.tsv", std::string(kHeader) + "1\t70\t5\n1\t71\t6\n"),
      folder_.Write("b.tsv", std::string(kHeader) + "1\t71\t5\n1\t071\t5\n2\tx\t6\n")};
  const Events events = ReadEvents(paths, {});
  EXPECT_TRUE(events.item_ids.are_names);
  EXPECT_EQ(events.item_ids.names, (std::vector<std::string>{"70", "71", "071", "x"}));
  EXPECT_FALSE(events.session_ids.are_names);
}

TEST_F(LogFilesTest, ErrorsNameTheFileOfSeveral) {
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
TEST_F(LogFilesTest, ManyEventsOfSeveralFiles) {
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
