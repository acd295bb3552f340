// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What a config, its tensors, a list of items and test sessions may get wrong: each has a reason
// that names file, key or tensor and value. That right ones are read right: networks_test.cc.
#include "tools/convert/import_network.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/message_of.h"
#include "tests/temporary_folder.h"
#include "tools/convert/item_list.h"
#include "tools/convert/test_sessions.h"

namespace stint {
namespace {

constexpr char kStart[] = R"({"format": "stint-network", "version": 1, )";

std::string Config(const std::string& rest) { return kStart + rest + "}"; }
std::string ConfigReason(const std::string& text) {
  return MessageOf([&] { ParseImportConfig(text, "c"); });
}

TEST(ImportConfigTest, EveryKeyIsChecked) {
  const std::string good = R"("embedding": "shared", "layers": [2], "convention": "pytorch")";
  EXPECT_EQ(ConfigReason(Config(good)), "");
  for (const auto& [text, reason] : std::vector<std::pair<std::string, std::string>>{
           {"{", "c: no JSON: parse error at line 1, column 2"},
           {"[]", "c: is no JSON object"},
           {"{}", "c: key 'format': is not there"},
           {R"({"format": "other"})", "c: key 'format': is not stint-network"},
           {R"({"format": "stint-network", "version": 2})",
            "c: key 'version': 2 is no whole number from 1 to 1"},
           {Config(R"("embedding": "tied")"),
            "c: key 'embedding': 'tied' is none of shared, separate, none"},
           {Config(R"("embedding": "shared")"), "c: key 'layers': is not there"},
           {Config(R"("embedding": "shared", "layers": [])"),
            "c: key 'layers': [] is no list of the units of 1 to 16 layers"},
           {Config(R"("embedding": "shared", "layers": [0])"),
            "c: key 'layers': 0 is no whole number from 1 to 16384"},
           {Config(R"("embedding": "shared", "layers": [1.5])"),
            "c: key 'layers': 1.5 is no whole number from 1 to 16384"},
           {Config(R"("embedding": "shared", "layers": [2])"), "c: key 'convention': is not there"},
           {Config(R"("embedding": "shared", "layers": [2], "convention": "jax")"),
            "c: convention 'jax' is none of pytorch, keras, theano, onnx, stint"},
           {Config(R"("embedding": "shared", "layers": [2], "convention": "keras")"),
            "c: convention 'keras' needs the key 'reset_after', true or false"},
           {Config(good + R"(, "reset_after": true)"),
            "c: convention 'pytorch' does not go with the key 'reset_after'"},
           {Config(good + R"(, "layer_conventions": [{"convention": "theano"}])"),
            "c: key 'convention': does not go with layer_conventions"},
           {Config(R"("embedding": "shared", "layers": [2], "layer_conventions": [])"),
            "c: key 'layer_conventions': is no list of one object for each of the 1 layers"},
           {Config(R"("embedding": "shared", "layers": [2], )"
                   R"("layer_conventions": [{"convention": "theano", "x": 1}])"),
            "c: layer_conventions: key 'x': is not known"},
           {Config(good + R"(, "gru_biases": "no")"),
            "c: key 'gru_biases': \"no\" is neither true nor false"},
           {Config(good + R"(, "hidden_activation": "gelu")"), "c: key 'hidden_activation': "},
           {Config(good + R"(, "hidden_activation": "softmax")"),
            "c: key 'hidden_activation': softmax is none of hidden states"},
           {Config(good + R"(, "padding_rows": -1)"),
            "c: key 'padding_rows': -1 is no whole number from 0 to 2147483647"},
           {Config(good + R"(, "ids": "strings")"),
            "c: key 'ids': 'strings' is neither names nor integers"},
           {Config(good + R"(, "tensors": {"item_rows": 1})"),
            "c: key 'tensors': the name of 'item_rows' is no string"},
           {Config(good + R"(, "ignored": "all")"), "c: key 'ignored': is no list"},
           {Config(good + R"(, "hyperparameters": 1)"), "c: key 'hyperparameters': is no object"},
           {Config(good + R"(, "learning_rate": 1)"), "c: key 'learning_rate': is not known"},
           {Config(good + R"(, "layers": [3])"), "c: the key 'layers' stands twice"},
           {Config(good + R"(, "hyperparameters": {"a": )" + std::string(100000, '[') +
                   std::string(100000, ']') + "}"),
            "c: nested more than 100 deep"},
           {R"({"format": )" + std::string(100000, '[') + std::string(100000, ']') + "}",
            "c: nested more than 100 deep"},
       }) {
    EXPECT_EQ(ConfigReason(text).substr(0, reason.size()), reason) << text;
  }
}

// A network of 3 items, an embedding of 2 and a layer of 1 unit, as PyTorch has it.
class ImportTest : public testing::Test {
 protected:
  ImportTest() : tensors_("f") {
    Add("item_rows", {3, 1});
    Add("item_biases", {3});
    Add("input_rows", {3, 2});
    Add("layer0.input_weights", {3, 2});
    Add("layer0.hidden_weights", {3, 1});
    Add("layer0.input_biases", {3});
    Add("layer0.hidden_biases", {3});
  }
  void Add(const std::string& name, std::vector<uint64_t> shape) {
    uint64_t size = 1;
    for (const uint64_t n : shape) size *= n;
    std::vector<float> values(size);
    for (float& value : values) value = next_++;
    tensors_.Add(name, std::move(shape), values);
  }
  TrainedModel Import(const std::string& more = "") const {
    return ImportNetwork(tensors_,
                         ParseImportConfig(Config(R"("embedding": "separate", "layers": [1], )"
                                                  R"("convention": "pytorch")" +
                                                  more),
                                           "c"));
  }
  std::string Reason(const std::string& more = "") const {
    return MessageOf([&] { Import(more); });
  }

  Tensors tensors_;
  float next_ = 1;
};

TEST_F(ImportTest, TakesWhatIsAsTheConfigSays) {
  const TrainedModel model = Import();
  const Parameters& p = model.parameters;
  EXPECT_EQ(p.items.Row(2)[0], 3);
  EXPECT_EQ(p.item_bias.data[0], 4);
  EXPECT_EQ(p.inputs.Row(1)[1], 10);
  EXPECT_EQ(p.layers[0].input_weights.Row(2)[0], 17);
  EXPECT_EQ(p.layers[0].hidden_bias.data[2], 27);
  EXPECT_EQ(p.shape.gru_form, GruForm::kResetAfter);
}

TEST_F(ImportTest, PaddingRowsAreLeftOut) {
  const TrainedModel model = Import(R"(, "padding_rows": 1)");
  EXPECT_EQ(model.parameters.shape.items, 2u);
  EXPECT_EQ(model.parameters.items.Row(0)[0], 2);
  EXPECT_EQ(model.parameters.item_bias.data[0], 5);
  EXPECT_EQ(model.parameters.inputs.Row(0)[0], 9);
  EXPECT_EQ(Reason(R"(, "padding_rows": 3)"),
            "f: tensor 'item_rows': has 3 rows, 3 of them padding: 1 to 2^31 - 1 items are left in "
            "a network");
}

TEST_F(ImportTest, TensorsThatAreMissing) {
  tensors_.tensors.erase("layer0.hidden_biases");
  EXPECT_EQ(Reason(),
            "f: tensor 'layer0.hidden_biases': is not there; expected [3] or [1, 3]; the file has "
            "input_rows, item_biases, item_rows, layer0.hidden_weights, layer0.input_biases, "
            "layer0.input_weights (the config's 'tensors' says which is which)");
  tensors_.tensors.erase("item_rows");
  EXPECT_EQ(Reason().find("f: tensor 'item_rows': is not there: a tensor of the network; the file "
                          "has input_rows, "),
            0u);
  EXPECT_EQ(Reason(R"(, "tensors": {"item_rows": "Wy"})")
                .find("f: tensor 'Wy': is not there: the network's 'item_rows'; the file has "),
            0u);
}

TEST_F(ImportTest, TensorsOfAnotherShape) {
  Add("layer0.input_weights", {2, 3});
  EXPECT_EQ(Reason(), "f: tensor 'layer0.input_weights': has shape [2, 3]; expected [3, 2]");
  EXPECT_EQ(Reason(R"(, "transposed": ["layer0.input_weights"])"), "");
  Add("item_biases", {2});
  EXPECT_EQ(Reason(R"(, "tensors": {"item_biases": "item_biases"})"),
            "f: tensor 'item_biases': has shape [2]; expected [3] or [3, 1]");
  Add("item_rows", {3});
  EXPECT_EQ(Reason(),
            "f: tensor 'item_rows': has shape [3], not two axes: a tensor of the network");
  Add("item_rows", {1, 3});
  EXPECT_EQ(Reason(),
            "f: tensor 'item_rows': has rows of 3 numbers; expected [items, 1], the units of the "
            "last layer; if it is [1, items], name 'item_rows' in the config's 'transposed'");
}

TEST_F(ImportTest, TensorsThatAreNotUsed) {
  Add("step", {1});
  EXPECT_EQ(Reason(),
            "f: tensor 'step': of shape [1] is not used; if it is not to be, name it in "
            "the config's 'ignored'");
  EXPECT_EQ(Reason(R"(, "ignored": ["step"])"), "");
  EXPECT_EQ(Reason(R"(, "ignored": ["step", "other"])"),
            "f: tensor 'other': in the config's 'ignored', is not there");
  EXPECT_EQ(Reason(R"(, "ignored": ["step", "item_rows"])"),
            "f: tensor 'item_rows': is used, and in the config's 'ignored'");
  EXPECT_EQ(Reason(R"(, "ignored": ["step"], "tensors": {"layer1.biases": "x"})"),
            "c: key 'tensors': this network has no 'layer1.biases'");
  EXPECT_EQ(Reason(R"(, "ignored": ["step"], "transposed": ["layer7.input_weights"])"),
            "c: key 'transposed': this network has no 'layer7.input_weights'");
}

TEST_F(ImportTest, MixedFormsAreNoModel) {
  const std::string config =
      Config(R"("embedding": "separate", "layers": [1, 1], )"
             R"("layer_conventions": [{"convention": "theano"}, {"convention": "pytorch"}])");
  EXPECT_EQ(MessageOf([&] { ImportNetwork(tensors_, ParseImportConfig(config, "c")); }),
            "c: layer 0 is theano, the last one is pytorch: the reset gates of a model act all "
            "before or all after the product");
}

// Sixteen layers of 16384 units are nothing that a few numbers pay for.
TEST_F(ImportTest, NothingIsAllocatedForWhatIsNotThere) {
  std::string layers;
  for (int i = 0; i < 15; ++i) layers += "16384, ";
  EXPECT_NE(MessageOf([&] {
              ImportNetwork(tensors_,
                            ParseImportConfig(Config(R"("embedding": "separate", "layers": [)" +
                                                     layers + R"(1], "convention": "pytorch")"),
                                              "c"));
            }).find("f: tensor 'layer0.input_weights': has shape [3, 2]; expected [49152, 2]"),
            std::string::npos);
}

// ---- items

class ItemListTest : public testing::Test {
 protected:
  std::string Reason(const std::string& text, size_t items, const std::string& ids = "") {
    path_ = folder_.Write("items.tsv", text);
    const std::string message = MessageOf([&] { ReadItemList(path_, items, ids); });
    return message.rfind(path_, 0) == 0 ? message.substr(path_.size()) : message;
  }
  TemporaryFolder folder_;
  std::string path_;
};

TEST_F(ItemListTest, WhatIsWrong) {
  EXPECT_EQ(Reason("ItemId\tCount\n7\t1\n8\t0\n", 2), "");
  EXPECT_EQ(Reason("Name\tItemId\na b\t7\n", 1), "");
  EXPECT_EQ(Reason("ItemId\nsocks, red\n", 1), "");  // one column is TSV too
  EXPECT_EQ(Reason("Count,ItemId\n1,\"socks, red\"\n", 1), "");
  EXPECT_EQ(Reason("Item\n7\n", 1), ":1: no column 'ItemId' in the header 'Item'");
  EXPECT_EQ(Reason("ItemId\tItemId\n", 1), ":1: column 'ItemId' stands twice in the header");
  EXPECT_EQ(Reason("ItemId\n7\n7\n", 2), ":3: item id '7' stands twice");
  EXPECT_EQ(Reason("ItemId\n7\n8\n9\n", 2),
            ":4: item '9' is one more than the 2 that the network has");
  EXPECT_EQ(Reason("ItemId\n7\n", 2), ": 1 items, the network has 2");
  EXPECT_EQ(Reason("ItemId\tCount\n7\n", 1), ":2: 1 fields, the header has 2");
  EXPECT_EQ(Reason("ItemId\tCount\n7\t-1\n", 1),
            ":2: count '-1' is no whole number from 0 to 4294967295");
  EXPECT_EQ(Reason("ItemId\tCount\n\t1\n", 1), ":2: an empty item id");
  EXPECT_EQ(Reason("ItemId\nx\n", 1, "integers"),
            ": ids are no 64-bit integers, as those of the network are");
}

TEST_F(ItemListTest, ComesBack) {
  Catalog catalog;
  catalog.ids.are_names = true;
  catalog.ids.names = {"plain", "a\tb", "c\nd", "\"e\", f", "7"};
  catalog.counts = {5, 4, 3, 2, 0};
  ItemList list = ReadItemList(folder_.Write("l", ItemListText(catalog)), 5);
  EXPECT_EQ(list.catalog.ids.names, catalog.ids.names);
  EXPECT_EQ(list.catalog.counts, catalog.counts);
  EXPECT_TRUE(list.has_counts);
  catalog.ids.names = {"1", "2", "3", "4", "7"};  // names that read as integers
  list = ReadItemList(folder_.Write("l", ItemListText(catalog)), 5, "names");
  EXPECT_EQ(list.catalog.ids.names, catalog.ids.names);
  EXPECT_TRUE(list.catalog.ids.are_names);
  EXPECT_FALSE(ReadItemList(folder_ / "l", 5).catalog.ids.are_names);
}

// ---- test sessions

TEST(TestSessionsTest, WhatIsWrong) {
  Catalog catalog;
  catalog.ids.numbers = {7, 8};
  catalog.counts = {1, 1};
  const std::string start = R"({"format": "stint-sessions", "version": 1, "tolerance": 0.5, )";
  const auto reason = [&](const std::string& text) {
    return MessageOf([&] { ParseTestSessions(text, "s", catalog); });
  };
  const auto session = [&](const std::string& text) {
    return reason(start + R"("sessions": [{"items": [7], "scored": [8], "scores": [1]}, )" + text +
                  "]}");
  };
  EXPECT_EQ(session(R"({"items": ["8", 7], "scored": ["7"], "scores": [-1e3]})"), "");
  EXPECT_EQ(reason("{}"), "s: no key 'format'");
  EXPECT_EQ(reason(R"({"format": "x"})"), "s: 'format' is not stint-sessions");
  EXPECT_EQ(reason(start + R"("sessions": []})"),
            "s: 'sessions' has none: nothing would be compared");
  EXPECT_EQ(reason(start + R"("session": []})"), "s: key 'session' is not known");
  EXPECT_EQ(reason(R"({"format": "stint-sessions", "version": 1, "tolerance": -1})"),
            "s: 'tolerance' is below 0");
  EXPECT_EQ(session(R"({"items": [9], "scored": [8], "scores": [1]})"),
            "s: session 1: 'items': item 9 is not in the list of items");
  EXPECT_EQ(session(R"({"items": [7.5], "scored": [8], "scores": [1]})"),
            "s: session 1: 'items': 7.5 is no item id");
  EXPECT_EQ(session(R"({"items": [], "scored": [8], "scores": [1]})"),
            "s: session 1: no items: an empty session has no scores");
  EXPECT_EQ(session(R"({"items": [7], "scored": [8, 7], "scores": [1]})"),
            "s: session 1: 1 scores of 2 items");
  EXPECT_EQ(session(R"({"items": [7], "scored": [], "scores": []})"), "s: session 1: no scores");
  EXPECT_EQ(session(R"({"items": [7], "scored": [8], "scores": ["1"]})"),
            "s: session 1: 'scores': \"1\" is no finite number");
  EXPECT_EQ(session(R"({"items": [7], "scored": [8], "scores": [1], "k": 2})"),
            "s: session 1: key 'k' is not known");
}

}  // namespace
}  // namespace stint
