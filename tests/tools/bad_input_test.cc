// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What can go wrong outside of stint: bad logs and models, full disks, closed pipes, Ctrl-C. One
// clear line, the right exit status, and an existing model left as it was.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "stint/stint.h"
#include "tests/temporary_folder.h"
#include "tests/tools/run_stint.h"

namespace stint {
namespace {

using Words = std::vector<std::string>;
constexpr char kHeader[] = "SessionId\tItemId\tTime\n";

// Four sessions that can be trained on.
std::string GoodLog() {
  return std::string(kHeader) +
         "1\t10\t1\n1\t11\t2\n2\t10\t3\n2\t12\t4\n3\t11\t5\n3\t12\t6\n3\t10\t7\n4\t10\t8\n4\t11\t9"
         "\n";
}

class BadInputTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(Train(folder_.Write("good.tsv", GoodLog()), model()).status, 0);
    before_ = ReadFile(model());
  }
  std::string model() const { return folder_ / "model.stint"; }

  static RunResult Train(const std::string& log, const std::string& out, const Words& more = {},
                         const RunSetting& setting = {}) {
    Words words = {"train", log, "--out", out, "--quiet"};
    for (const Words& option : {Words{"--layers", "4"}, {"--negatives", "8"}, {"--epochs", "2"}}) {
      if (std::find(more.begin(), more.end(), option[0]) == more.end()) {
        words.insert(words.end(), option.begin(), option.end());
      }
    }
    words.insert(words.end(), more.begin(), more.end());
    return RunStint(words, setting);
  }
  // The model is the one of SetUp(), and nothing else was left beside it.
  void ExpectModelAsBefore() {
    EXPECT_EQ(ReadFile(model()), before_);
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      EXPECT_EQ(entry.path().string().find(".tmp"), std::string::npos) << entry.path();
      EXPECT_EQ(entry.path().string().find(".probe"), std::string::npos) << entry.path();
    }
  }
  // Trains on a log with these bytes over the existing model.
  void ExpectRefused(const std::string& bytes, const std::string& message, const Words& more = {}) {
    SCOPED_TRACE(message);
    const RunResult result = Train(folder_.Write("train.tsv", bytes), model(), more);
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.error, "stint train: " + (folder_ / message) + "\n");
    ExpectModelAsBefore();
  }

  TemporaryFolder folder_;
  std::string before_;
};

TEST_F(BadInputTest, Logs) {
  ExpectRefused("", "train.tsv:1: no header: the file is empty");
  ExpectRefused(kHeader, "train.tsv:2: no events after the header");
  ExpectRefused("SessionId\tTime\n1\t2\n",
                "train.tsv:1: no column 'ItemId'; the header has 'SessionId', 'Time' (separator "
                "tab)");
  ExpectRefused("SessionId\tItemId\tItemId\tTime\n1\t2\t2\t3\n",
                "train.tsv:1: column 'ItemId' stands twice in the header");
  ExpectRefused(GoodLog() + "5\t10\n", "train.tsv:11: 2 fields where the header has 3");
  ExpectRefused(GoodLog() + "5\t10\tabc\n", "train.tsv:11: time 'abc' is not a number");
  ExpectRefused(GoodLog() + "5\t10\tnan\n", "train.tsv:11: time 'nan' is not a number");
  ExpectRefused(GoodLog() + "5\t\t10\n", "train.tsv:11: empty item id");
  ExpectRefused(GoodLog() + "5\t1" + std::string(1, '\0') + "\t10\n",
                "train.tsv:11: NUL byte in column 4; not a text file?");
  ExpectRefused(GoodLog() + "5\t" + std::string(1 << 21, 'x') + "\t10\n",
                "train.tsv:11: line longer than 1048576 bytes");
  ExpectRefused(std::string("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10), "train.tsv: gzip data cut short");
  // A model is no log, whatever its first bytes are.
  EXPECT_EQ(Train(model(), folder_ / "other.stint").status, 3);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "other.stint"));
}

TEST_F(BadInputTest, CutGzip) {
  const std::string path = folder_ / "train.tsv";
  gzFile file = gzopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  const std::string log = GoodLog();
  ASSERT_GT(gzwrite(file, log.data(), static_cast<unsigned>(log.size())), 0);
  ASSERT_EQ(gzclose(file), Z_OK);
  const std::string whole = ReadFile(path);
  EXPECT_EQ(Train(path, folder_ / "other.stint").status, 0);
  for (const size_t size : {whole.size() - 1, whole.size() - 9, whole.size() / 2}) {
    ExpectRefused(whole.substr(0, size), "train.tsv: gzip data cut short");
  }
}

TEST_F(BadInputTest, NothingToTrainOrValidateOn) {
  ExpectRefused(std::string(kHeader) + "1\t10\t1\n2\t11\t2\n",
                "train.tsv: nothing to train on: no session has two events");
  ExpectRefused(std::string(kHeader) + "1\t10\t1\n1\t11\t2\n",
                "train.tsv: one session gives no negatives; set --negatives",
                {"--negatives", "0", "--batch-size", "4"});
  // "batch" draws no samples, and refuses the --negatives of Train() above.
  const std::string log = folder_.Write("train.tsv", std::string(kHeader) + "1\t10\t1\n1\t11\t2\n");
  const RunResult in_batch =
      RunStint({"train", log, "--out", model(), "--quiet", "--negative-source", "batch"});
  EXPECT_EQ(in_batch.status, 3);
  EXPECT_EQ(
      in_batch.error,
      "stint train: " + log + ": one session gives no negatives; set another --negative-source\n");
  ExpectModelAsBefore();
  ExpectRefused(GoodLog(),
                "train.tsv: --validate-last leaves nothing to train on: the log has 4 sessions",
                {"--validate-last", "4"});
  ExpectRefused(std::string(kHeader) + "1\t10\t1\n1\t11\t2\n",
                "train.tsv: --validate-last leaves nothing to train on: the log has 1 session",
                {"--validate-last", "50%"});
  ExpectRefused(std::string(kHeader) + "1\t10\t1\n1\t11\t2\n2\t77\t3\n2\t78\t4\n",
                "train.tsv: nothing to validate on: no session kept for it has two events with "
                "items of the training part; raise --validate-last or "
                "--validate-span",
                {"--validate-last", "1"});
}

// Unusual, but fine.
TEST_F(BadInputTest, SmallLogsTrain) {
  const std::vector<std::string> logs = {
      std::string(kHeader) + "1\t10\t1\n1\t10\t2\n",            // one item, one session
      std::string(kHeader) + "1\t10\t1\n1\t10\t2\n2\t10\t3\n",  // and a session of length 1
      GoodLog() + "5\t10\t1\n6\t11\t1\n",                       // sessions of length 1
      "SessionId\tItemId\tTime\r\n1\t10\t1\r\n1\t11\t2\r\n",    // CRLF
      "\xef\xbb\xbfSessionId,ItemId,Time\n1,10,1\n1,11,2"};     // byte-order mark, no line end
  for (const std::string& log : logs) {
    SCOPED_TRACE(log);
    const std::string out = folder_ / "small.stint";
    const RunResult trained = Train(folder_.Write("small.tsv", log), out, {"--batch-size", "512"});
    EXPECT_EQ(trained.status, 0) << trained.error;
    const RunResult verified = RunStint({"verify", out});
    EXPECT_EQ(verified.status, 0) << verified.error;
    const RunResult evaluated = RunStint({"evaluate", out, folder_ / "small.tsv"});
    EXPECT_EQ(evaluated.status, 0) << evaluated.error;
  }
}

TEST_F(BadInputTest, LogsOfEvaluate) {
  const auto error = [&](const std::string& bytes) {
    const RunResult result = RunStint({"evaluate", model(), folder_.Write("test.tsv", bytes)});
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.out, "");
    return result.ErrorLine();
  };
  EXPECT_EQ(error(GoodLog() + "5\t10\tabc\n"),
            "stint evaluate: " + (folder_ / "test.tsv:11: time 'abc' is not a number"));
  EXPECT_EQ(error(""), "stint evaluate: " + (folder_ / "test.tsv:1: no header: the file is empty"));
  EXPECT_NE(error(std::string(kHeader) + "1\t10\t1\n2\t11\t2\n").find("test.tsv: nothing to rank"),
            std::string::npos);
  const RunResult input = RunStint({"evaluate", model(), "-"});
  EXPECT_EQ(input.status, 3);
  EXPECT_EQ(input.ErrorLine(), "stint evaluate: <stdin>:1: no header: the file is empty");
}

TEST_F(BadInputTest, Models) {
  const auto expect_refused = [&](const std::string& path) {
    for (const Words& words :
         {Words{"inspect", path}, Words{"verify", path}, Words{"recommend", path},
          Words{"evaluate", path, folder_ / "good.tsv"}}) {
      const RunResult result = RunStint(words);
      EXPECT_EQ(result.status, 3);
      EXPECT_EQ(result.out, "");
      EXPECT_EQ(result.error.rfind("stint " + words[0] + ": " + path + ": ", 0), 0u)
          << result.error;
      EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1) << result.error;
    }
    // A program that reads the JSON learns of it there.
    const RunResult result = RunStint({"verify", path, "--json"});
    EXPECT_EQ(result.status, 3);
    const nlohmann::json json = nlohmann::json::parse(result.out);
    EXPECT_EQ(json.at("ok"), false);
    EXPECT_EQ(result.error, "stint verify: " + json.at("message").get<std::string>() + "\n");
  };
  expect_refused(folder_ / "absent.stint");
  EXPECT_EQ(RunStint({"evaluate", "absent.stint", folder_ / "good.tsv"}).error,
            "stint evaluate: absent.stint: no such file\n");
  expect_refused(folder_.path().string());
  expect_refused(folder_ / "good.tsv");
  expect_refused(folder_.Write("empty.stint", ""));
  expect_refused(folder_.Write("cut.stint", before_.substr(0, before_.size() / 2)));
  for (const size_t at : {size_t{5}, before_.size() / 2, before_.size() - 1}) {
    std::string changed = before_;
    changed[at] ^= 0x20;
    expect_refused(folder_.Write("changed.stint", changed));
  }
}

TEST_F(BadInputTest, UnwritableModel) {
  const std::string log = folder_ / "good.tsv";
  const auto error = [&](const std::string& out) {
    const RunResult result = Train(log, out);
    EXPECT_EQ(result.status, 3);
    return result.ErrorLine();
  };
  EXPECT_EQ(error(folder_ / "no/such/model.stint"),
            "stint train: " + (folder_ / "no/such/model.stint") +
                ": cannot be written: No such file or directory");
  EXPECT_EQ(error(folder_.path().string()),
            "stint train: " + folder_.path().string() + ": cannot be written: Is a directory");
  EXPECT_EQ(error(log + "/model.stint"),
            "stint train: " + log + "/model.stint: cannot be written: Not a directory");
  if (geteuid() != 0) {  // root may write everywhere
    std::filesystem::create_directory(folder_ / "locked");
    std::filesystem::permissions(folder_ / "locked", std::filesystem::perms::owner_read);
    EXPECT_EQ(error(folder_ / "locked/model.stint"),
              "stint train: " + (folder_ / "locked/model.stint") +
                  ": cannot be written: Permission denied");
    std::filesystem::permissions(folder_ / "locked", std::filesystem::perms::owner_all);
  }
  // It is said before the log is read, let alone trained on.
  EXPECT_NE(Train(folder_ / "absent.tsv", folder_ / "no/model.stint").error.find("no/model.stint"),
            std::string::npos);
}

TEST_F(BadInputTest, FullDisk) {
  const std::string log = folder_ / "good.tsv";
  const RunResult full = Train(log, "/dev/full");
  EXPECT_EQ(full.status, 3);
  EXPECT_EQ(full.ErrorLine(), "stint train: /dev/full: No space left on device");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));  // and not replaced by a file

  RunSetting limited;
  limited.file_size = 1024;  // less than the model; OpenMP runtimes write small files too
  limited.out_path = "/dev/null";
  const RunResult result = Train(log, model(), {}, limited);
  EXPECT_EQ(result.status, 3);
  ExpectModelAsBefore();

  const std::string synth = folder_ / "synth.tsv.gz";
  EXPECT_EQ(RunStint({"synth", "--out", synth}, limited).status, 3);
  EXPECT_FALSE(std::filesystem::exists(synth));
  EXPECT_EQ(RunStint({"synth", "--out", "/dev/full"}).ErrorLine(),
            "stint synth: /dev/full: No space left on device");
  ExpectModelAsBefore();
}

TEST_F(BadInputTest, StandardOutputThatCannotBeWritten) {
  const std::vector<Words> commands = {{"--help"},
                                       {"--version"},
                                       {"inspect", model()},
                                       {"inspect", model(), "--json"},
                                       {"verify", model()},
                                       {"recommend", model(), "--session", "10"},
                                       {"evaluate", model(), folder_ / "good.tsv"},
                                       {"synth", "--sessions", "10"}};
  for (const Words& words : commands) {
    for (const char* out : {"/dev/full", "closed", "broken pipe"}) {
      SCOPED_TRACE(words[0] + " " + out);
      RunSetting setting;
      setting.out_path = out;
      const RunResult result = RunStint(words, setting);
      EXPECT_EQ(result.status, 3);
      EXPECT_NE(result.error.find("standard output: "), std::string::npos) << result.error;
    }
  }
  // A model is written even so, and nothing of it to a descriptor that happened to be free.
  RunSetting closed;
  closed.out_path = "closed";
  EXPECT_EQ(Train(folder_ / "good.tsv", model(), {"--json"}, closed).status, 3);
  ExpectModelAsBefore();  // the same bytes, for it is the same training
}

// ---- Interruption

class InterruptTest : public BadInputTest {
 protected:
  // Starts a training of many epochs and sends it a signal in the third.
  RunResult Interrupt(int signal, const Words& more = {}) {
    RunSetting setting;
    setting.meanwhile = [&](pid_t pid, const std::string& error) {
      EXPECT_TRUE(WaitForText(error, "epoch  2: "));
      kill(pid, signal);
    };
    return RunStint(TrainWords(model(), more), setting);
  }
  Words TrainWords(const std::string& out, const Words& more) const {
    Words words = {"train", log_,          "--out", out,        "--layers",
                   "16",    "--negatives", "64",    "--epochs", "1000000"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  void SetUp() override {
    BadInputTest::SetUp();
    log_ = folder_ / "synth.tsv";
    ASSERT_EQ(RunStint({"synth", "--sessions", "400", "--items", "60", "--out", log_}).status, 0);
  }
  std::string log_;
};

TEST_F(InterruptTest, FirstSignalWritesWhatThereIs) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const RunResult result = Interrupt(signal);
    EXPECT_EQ(result.status, 130) << result.error;
    EXPECT_NE(result.error.find("stint train: interrupted: "), std::string::npos) << result.error;
    EXPECT_TRUE(std::regex_search(
        result.error, std::regex("\nwrote .*, epoch [0-9]+( and [0-9]+ mini-batches of epoch "
                                 "[0-9]+)?, [0-9:]+\n$")))
        << result.error;
    EXPECT_NE(ReadFile(model()), before_);
    EXPECT_EQ(RunStint({"verify", model()}).status, 0);
    const RunResult info = RunStint({"inspect", model()});
    EXPECT_NE(info.out.find("interrupted           true"), std::string::npos) << info.out;
  }
}

TEST_F(InterruptTest, WithValidationTheBestEpochIsKept) {
  const RunResult result = Interrupt(SIGINT, {"--validate-last", "20%"});
  EXPECT_EQ(result.status, 130) << result.error;
  EXPECT_EQ(RunStint({"verify", model()}).status, 0);
  EXPECT_EQ(RunStint({"evaluate", model(), log_}).status, 0);
}

// As a script's background job inherits it.
TEST_F(InterruptTest, IgnoredSignalsStayIgnored) {
  RunSetting setting;
  setting.ignore_interrupts = true;
  setting.meanwhile = [&](pid_t pid, const std::string& error) {
    EXPECT_TRUE(WaitForText(error, "epoch  1: "));
    kill(pid, SIGINT);
    kill(pid, SIGTERM);
  };
  Words words = TrainWords(model(), {});
  words.back() = "60";
  const RunResult result = RunStint(words, setting);
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_NE(result.error.find("epoch 60: "), std::string::npos) << result.error;
}

TEST_F(InterruptTest, SecondSignalKills) {
  // The run cannot end by itself: its model goes to a pipe that nobody opens to read.
  const std::string pipe = folder_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  RunSetting setting;
  setting.meanwhile = [&](pid_t pid, const std::string& error) {
    EXPECT_TRUE(WaitForText(error, "epoch  2: "));
    kill(pid, SIGINT);
    EXPECT_TRUE(WaitForText(error, "stint train: interrupted: "));
    kill(pid, SIGINT);
  };
  const RunResult result = RunStint(TrainWords(pipe, {}), setting);
  EXPECT_EQ(result.status, -1);
  EXPECT_EQ(result.signal, SIGINT);
  ExpectModelAsBefore();
}

}  // namespace
}  // namespace stint
