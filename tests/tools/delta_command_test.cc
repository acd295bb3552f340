// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// `stint delta`, `stint apply` and `stint diff` as processes.
#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>

#include "tests/runtime/forgery.h"
#include "tests/tools/cli_fixture.h"

namespace stint {
namespace {

class DeltaTest : public CliTest {
 protected:
  static void SetUpTestSuite() {
    CliTest::SetUpTestSuite();
    // New items, and most weights moved.
    Must({"synth", "--sessions", "400", "--first-session", "1500", "--items", "170", "--out",
          File("more.tsv")});
    Must({"train", File("more.tsv"), "--out", File("new.stint"), "--warm-start",
          File("model.stint"), "--layers", "24", "--epochs", "1", "--negatives", "32", "--quiet"});
    Must({"delta", File("model.stint"), File("new.stint"), "-o", File("new.patch")});
  }
  static void ExpectError(const Words& words, int status, const std::string& beginning) {
    const RunResult result = RunStint(words);
    EXPECT_EQ(result.status, status) << result.error;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.ErrorLine().rfind(beginning, 0), 0u) << result.error;
  }
};

TEST_F(DeltaTest, MakesTheNewFile) {
  const json delta = MustJson(
      {"delta", File("model.stint"), File("new.stint"), "-o", File("again.patch"), "--json"});
  EXPECT_TRUE(ReadFile(File("again.patch")) == ReadFile(File("new.patch")));
  EXPECT_EQ(delta.at("patch_size"), std::filesystem::file_size(File("new.patch")));
  EXPECT_EQ(delta.at("old_size"), std::filesystem::file_size(File("model.stint")));
  EXPECT_EQ(delta.at("new_size"), std::filesystem::file_size(File("new.stint")));
  EXPECT_NEAR(delta.at("percent").get<double>(),
              100.0 * delta.at("patch_size").get<double>() / delta.at("new_size").get<double>(),
              1e-9);
  const json old_info = MustJson({"inspect", File("model.stint"), "--json"});
  const json new_info = MustJson({"inspect", File("new.stint"), "--json"});
  const json items = delta.at("items");
  EXPECT_EQ(items.at("gone"), 0);
  EXPECT_EQ(items.at("same").get<int>() + items.at("changed").get<int>(), old_info.at("items"));
  EXPECT_EQ(items.at("added").get<int>() + old_info.at("items").get<int>(), new_info.at("items"));
  EXPECT_GT(items.at("added"), 0);

  const json apply = MustJson(
      {"apply", File("model.stint"), File("new.patch"), "-o", File("made.stint"), "--json"});
  EXPECT_TRUE(ReadFile(File("made.stint")) == ReadFile(File("new.stint")));
  EXPECT_EQ(apply.at("items"), items);
  EXPECT_EQ(apply.at("patch_size"), delta.at("patch_size"));
  Must({"verify", File("made.stint")});
  const std::string text =
      Must({"apply", File("model.stint"), File("new.patch"), "-o", File("made.stint")}).out;
  EXPECT_NE(text.find(" % of the new model\n"), std::string::npos) << text;
  EXPECT_NE(text.find(" new, 0 gone\n"), std::string::npos) << text;
}

TEST_F(DeltaTest, InPlace) {
  std::filesystem::copy_file(File("model.stint"), File("place.stint"));
  Must({"apply", File("place.stint"), File("new.patch"), "-o", File("place.stint")});
  EXPECT_TRUE(ReadFile(File("place.stint")) == ReadFile(File("new.stint")));
  // An update that is tried again.
  ExpectError({"apply", File("place.stint"), File("new.patch"), "-o", File("place.stint")}, 3,
              "stint apply: " + File("place.stint") + ": is already the model that " +
                  File("new.patch") + " makes");
  EXPECT_TRUE(ReadFile(File("place.stint")) == ReadFile(File("new.stint")));
}

// What fails leaves the file as it was, and nothing beside it.
TEST_F(DeltaTest, NothingOrAll) {
  const TemporaryFolder folder;
  const std::string out = folder.Write("out.stint", "what was here");
  std::string patch = ReadFile(File("new.patch"));
  const auto files = [&] {
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      count += entry.is_regular_file();
    }
    return count;
  };
  for (const size_t at : {size_t{0}, size_t{20}, patch.size() / 2, patch.size() - 1}) {
    std::string damaged = patch;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    const std::string path = shared_->Write("damaged.patch", damaged);
    ExpectError({"apply", File("model.stint"), path, "-o", out}, 3, "stint apply: " + path + ": ");
    EXPECT_EQ(ReadFile(out), "what was here");
  }
  const std::string cut = shared_->Write("cut.patch", patch.substr(0, patch.size() - 100));
  ExpectError({"apply", File("model.stint"), cut, "-o", out}, 3, "stint apply: " + cut + ": ");
  ExpectError({"apply", File("names.stint"), File("new.patch"), "-o", out}, 3,
              "stint apply: " + File("names.stint") + ": not the model that ");
  ExpectError({"delta", File("model.stint"), cut, "-o", out}, 3, "stint delta: " + cut + ": ");
  // A file system that takes no more.
  RunSetting full;
  full.file_size = 1000;
  for (const Words& words : {Words{"apply", File("model.stint"), File("new.patch"), "-o", out},
                             Words{"delta", File("model.stint"), File("new.stint"), "-o", out}}) {
    const RunResult result = RunStint(words, full);
    EXPECT_EQ(result.status, 3);
    EXPECT_NE(result.error.find(out + ": "), std::string::npos) << result.error;
  }
  EXPECT_EQ(ReadFile(out), "what was here");
  EXPECT_EQ(files(), 1u);
}

// What is read is not written to, by whatever name; OLD of apply is the exception.
TEST_F(DeltaTest, InputsAreNotOutputs) {
  const TemporaryFolder folder;
  for (const char* name : {"model.stint", "new.stint", "new.patch"}) {
    std::filesystem::copy_file(File(name), folder / name);
  }
  std::filesystem::create_symlink("new.stint", folder / "link.stint");
  const std::string old_model = folder / "model.stint", new_model = folder / "new.stint";
  const std::string patch = folder / "new.patch";
  const std::string other_name = folder / "../" + folder.path().filename().string() + "/new.patch";
  for (const std::string& out : {old_model, new_model, folder / "link.stint"}) {
    ExpectError({"delta", old_model, new_model, "-o", out}, 2,
                "stint delta: '" + out + "' would overwrite the input '");
  }
  for (const std::string& out : {patch, other_name}) {
    ExpectError({"apply", old_model, patch, "-o", out}, 2,
                "stint apply: '" + out + "' would overwrite the input '" + patch);
  }
  for (const char* name : {"model.stint", "new.stint", "new.patch"}) {
    EXPECT_TRUE(ReadFile(folder / name) == ReadFile(File(name))) << name;
  }
}

TEST_F(DeltaTest, Usage) {
  ExpectError({"delta", File("model.stint"), File("new.stint")}, 2, "stint delta: ");
  ExpectError({"apply", File("model.stint")}, 2, "stint apply: ");
  ExpectError({"apply", File("none"), File("new.patch"), "-o", File("x")}, 3,
              "stint apply: " + File("none") + ": cannot be read");
  ExpectError({"delta", File("model.stint"), shared_->path().string(), "-o", File("x")}, 3,
              "stint delta: " + shared_->path().string() + ": not a regular file");
  ExpectError({"diff", File("model.stint"), File("train.tsv")}, 3,
              "stint diff: " + File("train.tsv") + ": ");
  ExpectError({"diff", File("model.stint"), File("new.stint"), "-k", "0"}, 2, "stint diff: ");
  ExpectError({"diff", File("model.stint"), File("new.stint"), "--sessions", File("none")}, 3,
              "stint diff: " + File("none"));
  EXPECT_FALSE(std::filesystem::exists(File("x")));
}

// ---- diff

TEST_F(DeltaTest, TheSameFileDoesNotDiffer) {
  const RunResult text = Must({"diff", File("model.stint"), File("model.stint"), "--exit-code"});
  EXPECT_EQ(text.out, "the two files are the same, byte for byte\n");
  const json diff = MustJson({"diff", File("model.stint"), File("model.stint"), "--json"});
  EXPECT_EQ(diff.at("same"), true);
  for (const char* part : {"header", "hyperparameters", "training_summary", "sections"}) {
    EXPECT_EQ(diff.at(part), json::object()) << part;
  }
  EXPECT_EQ(diff.at("items").at("moved"), 0);
  EXPECT_EQ(diff.at("items").at("counts_changed"), 0);
  const json& answers = diff.at("answers");
  EXPECT_GT(answers.at("sessions"), 100);
  EXPECT_EQ(answers.at("overlap"), 1.0);
  EXPECT_EQ(answers.at("same_top"), 1.0);
  EXPECT_EQ(answers.at("same_list"), 1.0);
  EXPECT_EQ(answers.at("compared_scores"), 20 * answers.at("sessions").get<int>());
  EXPECT_EQ(answers.at("largest_score_difference"), 0.0);
  // A log is read all the same.
  const Words words = {"diff", File("model.stint"), File("model.stint"), "--sessions"};
  Words none = words, log = words;
  none.push_back(File("none"));
  log.push_back(File("test.tsv"));
  ExpectError(none, 3, "stint diff: " + File("none"));
  EXPECT_NE(Must(log).out.find("  the same list      100.00 % of the sessions\n"),
            std::string::npos);
}

TEST_F(DeltaTest, AWarmStartDiffers) {
  const Words words = {"diff", File("model.stint"), File("new.stint")};
  EXPECT_EQ(RunStint({"diff", File("model.stint"), File("new.stint"), "--exit-code"}).status, 1);
  const json diff = MustJson({"diff", File("model.stint"), File("new.stint"), "--json"});
  EXPECT_EQ(diff.at("same"), false);
  const json old_info = MustJson({"inspect", File("model.stint"), "--json"});
  const json new_info = MustJson({"inspect", File("new.stint"), "--json"});
  EXPECT_EQ(diff.at("header").at("items"),
            json({{"a", old_info.at("items")}, {"b", new_info.at("items")}}));
  EXPECT_FALSE(diff.at("header").contains("layers"));
  EXPECT_FALSE(diff.at("header").contains("dtype"));
  EXPECT_EQ(diff.at("hyperparameters").at("epochs").at("a"), 4);
  EXPECT_EQ(diff.at("hyperparameters").at("epochs").at("b"), 1);
  EXPECT_TRUE(diff.at("sections").contains("item_rows"));
  const json& items = diff.at("items");
  const int added = items.at("added");
  EXPECT_EQ(added, new_info.at("items").get<int>() - old_info.at("items").get<int>());
  EXPECT_EQ(items.at("added_ids").size(), static_cast<size_t>(added));
  EXPECT_EQ(items.at("gone"), 0);
  EXPECT_EQ(items.at("both"), old_info.at("items"));
  const json& answers = diff.at("answers");
  EXPECT_GT(answers.at("overlap"), 0.0);
  EXPECT_LT(answers.at("overlap"), 1.0);
  EXPECT_LT(answers.at("same_list"), 1.0);
  EXPECT_GT(answers.at("largest_score_difference"), answers.at("mean_score_difference"));
  EXPECT_GT(answers.at("mean_score_difference"), 0.0);
  // The other way round: those added are gone.
  const json back = MustJson({"diff", File("new.stint"), File("model.stint"), "--json"});
  EXPECT_EQ(back.at("items").at("gone_ids"), items.at("added_ids"));
  EXPECT_EQ(back.at("items").at("added_ids"), json::array());
  const std::string text = Must(words).out;
  for (const char* part :
       {"header\n", "hyperparameters\n", "sections\n", "items\n", "best after"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part;
  }
}

TEST_F(DeltaTest, OverSessionsOfALog) {
  const json diff = MustJson({"diff", File("model.stint"), File("new.stint"), "--sessions",
                              File("test.tsv"), "-k", "5", "--json"});
  const json& answers = diff.at("answers");
  EXPECT_EQ(answers.at("k"), 5);
  EXPECT_EQ(answers.at("sessions").get<int>() + answers.at("skipped").get<int>(), 300);
  // What `stint recommend` says of one session is what is compared.
  shared_->Write("one.tsv", "SessionId\tItemId\tTime\n1\t5\t1\n1\t6\t2\n1\t999999\t3\n");
  const json one = MustJson({"diff", File("model.stint"), File("new.stint"), "--sessions",
                             File("one.tsv"), "-k", "5", "--json"});
  std::vector<json> ids[2];
  for (const int m : {0, 1}) {
    const json top = MustJson({"recommend", File(m == 0 ? "model.stint" : "new.stint"), "-k", "5",
                               "--session", "5,6", "--json"});
    for (const json& item : top.at("items")) ids[m].push_back(item.at("id"));
  }
  size_t both = 0;
  for (const json& id : ids[0])
    both += static_cast<size_t>(std::count(ids[1].begin(), ids[1].end(), id));
  EXPECT_DOUBLE_EQ(one.at("answers").at("overlap").get<double>(), static_cast<double>(both) / 5);
  EXPECT_EQ(one.at("answers").at("same_top"), ids[0][0] == ids[1][0] ? 1.0 : 0.0);
  EXPECT_EQ(one.at("answers").at("same_list"), ids[0] == ids[1] ? 1.0 : 0.0);
}

// Ids of another kind, other shapes: all is another model.
TEST_F(DeltaTest, ModelsWithNothingInCommon) {
  const json diff = MustJson({"diff", File("model.stint"), File("names.stint"), "--json"});
  EXPECT_EQ(diff.at("header").at("ids"), json({{"a", "integers"}, {"b", "names"}}));
  EXPECT_EQ(diff.at("header").at("layers"), json({{"a", {24}}, {"b", {8}}}));
  EXPECT_EQ(diff.at("items").at("both"), 0);
  const json& answers = diff.at("answers");
  EXPECT_EQ(answers.at("sessions"), 0);
  for (const char* key :
       {"overlap", "same_top", "same_list", "mean_score_difference", "largest_score_difference"}) {
    EXPECT_TRUE(answers.at(key).is_null()) << key;  // nothing was compared
  }
  const std::string text = Must({"diff", File("model.stint"), File("names.stint")}).out;
  EXPECT_NE(text.find("\nno session has an item that both know (" +
                      std::to_string(answers.at("skipped").get<int>()) + " skipped)\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find('%'), std::string::npos) << text;
  // One training row, as a line of JSON, is longer than the terminal.
  for (const auto& line : Table(text)) {
    for (const std::string& field : line) EXPECT_LT(field.size(), 200u) << field;
  }
  Must({"delta", File("model.stint"), File("names.stint"), "-o", File("names.patch")});
  Must({"apply", File("model.stint"), File("names.patch"), "-o", File("names2.stint")});
  EXPECT_TRUE(ReadFile(File("names2.stint")) == ReadFile(File("names.stint")));
}

// What models say of themselves is any text.
class HostileText : public DeltaTest {
 protected:
  static AlignedBytes Model(const std::string& hyperparameters, bool odd_ids) {
    const Parameters parameters = RandomParameters(3, {4}, GruForm::kResetAfter, 5);
    Catalog catalog = NameCatalog(3);
    if (odd_ids) catalog.ids.names = {"a\x1b[31m", "b\nc", "d"};
    ExportInput input;
    input.parameters = &parameters;
    input.catalog = &catalog;
    input.self_test_sessions = {{0, 1}};
    input.hyperparameters = hyperparameters;
    return BuildModel(input);
  }
  static void Save(const std::string& name, const AlignedBytes& model) {
    shared_->Write(name, {reinterpret_cast<const char*>(model.data()), model.size()});
  }
  // A text that BuildModel() refuses takes the place of another one.
  static void SaveDeep(const std::string& name, char fill) {
    constexpr size_t kDeep = 1'000'000;
    const Forgery forgery(Model("{\"a\": \"" + std::string(2 * kDeep, 'x') + "\"}", false));
    Bytes bytes = forgery.bytes();
    const std::string deep = std::string(kDeep, '[') + fill + " " + std::string(kDeep, ']');
    const std::string_view start = "\"xxxx";
    const auto at = std::search(bytes.begin(), bytes.end(), start.begin(), start.end());
    ASSERT_GT(bytes.end() - at, static_cast<ptrdiff_t>(deep.size()));
    std::copy(deep.begin(), deep.end(), at);
    bytes = forgery.Seal(std::move(bytes));
    shared_->Write(name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
};

TEST_F(HostileText, IsEscapedAndShortened) {
  Save("plain.stint", Model(R"({"note": "x", "list": []})", false));
  Save("odd.stint", Model(R"({"note": "\u001b]0;title\u0007\u009b1m", "k\u001b": 1, "list": [")" +
                              std::string(500, 'y') + R"(\u007f"]})",
                          true));
  const std::string text = Must({"diff", File("plain.stint"), File("odd.stint")}).out;
  const std::string inspected = Must({"inspect", File("odd.stint")}).out;
  for (const char c : text + inspected) {
    const unsigned byte = static_cast<unsigned char>(c);
    ASSERT_TRUE(byte == '\n' || (byte >= 0x20 && byte != 0x7f)) << text << inspected;
  }
  EXPECT_EQ((text + inspected).find("\u009b"), std::string::npos) << text << inspected;
  for (const char* part : {"  \\x1b]0;title\\x07\\xc2\\x9b1m\n", "  k\\x1b "}) {
    EXPECT_NE(inspected.find(part), std::string::npos) << part << " in " << inspected;
  }
  for (const char* part :
       {"\\x1b]0;title\\x07\\xc2\\x9b1m\n", "k\\x1b ", "a\\x1b[31m", "b\\x0ac"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
  EXPECT_NE(text.find("[]  ->  [\"" + std::string(58, 'y') + "...\n"), std::string::npos) << text;
  const json diff = MustJson({"diff", File("plain.stint"), File("odd.stint"), "--json"});
  EXPECT_EQ(diff.at("hyperparameters").at("list").at("b").at(0), std::string(500, 'y') + "\x7f");
  EXPECT_EQ(diff.at("items").at("added_ids").at(0), "a\x1b[31m");
}

// The JSON library copies, compares and prints by recursion.
TEST_F(HostileText, IsNotNestedWithoutEnd) {
  SaveDeep("deep0.stint", '0');
  SaveDeep("deep1.stint", '1');
  const json diff = MustJson({"diff", File("deep0.stint"), File("deep1.stint"), "--json"});
  EXPECT_EQ(diff.at("hyperparameters"), json::object());  // the beginnings are the same
  EXPECT_TRUE(diff.at("header").empty());
  const json inspected = MustJson({"inspect", File("deep0.stint"), "--json"});
  EXPECT_EQ(inspected.at("hyperparameters").at("text"), "{\"a\": " + std::string(54, '[') + "...");
  Must({"inspect", File("deep0.stint")});
  Must({"diff", File("deep0.stint"), File("model.stint")});
  // As deep as it may be, it is an object.
  const std::string nested = "{\"a\":" + std::string(99, '[') + std::string(99, ']') + "}";
  Save("nested.stint", Model(nested, false));
  EXPECT_EQ(MustJson({"inspect", File("nested.stint"), "--json"}).at("hyperparameters"),
            json::parse(nested));
}

}  // namespace
}  // namespace stint
