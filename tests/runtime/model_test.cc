// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Opening models: what was written comes back, from buffers and files, through C and C++.
#include <gtest/gtest.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "stint/stint.hpp"
#include "tests/runtime/scalar_model.h"
#include "tests/runtime/test_model.h"
#include "tests/temporary_folder.h"

namespace stint {
namespace {

TEST(Model, DescribesWhatWasWritten) {
  for (const DType dtype : kDTypes) {
    for (const GruForm form : {GruForm::kResetAfter, GruForm::kResetBefore}) {
      const Parameters parameters = RandomParameters(150, {9, 33}, form, 4);
      const Catalog catalog = NumberCatalog(150);
      ExportInput input;
      input.parameters = &parameters;
      input.catalog = &catalog;
      input.dtype = dtype;
      input.final_activation = {ActivationKind::kElu, 0.5};
      input.hyperparameters = R"({"a": 1, "b": "\u00e9"})";
      input.training_summary = R"({"epochs": 3})";
      input.self_test_sessions = {{1, 2}, {}};
      const AlignedBytes bytes = BuildModel(input);
      const ModelPointer model = OpenModel(bytes);
      stint_model_info info;
      ASSERT_EQ(stint_model_describe(model.get(), &info), STINT_OK);
      EXPECT_EQ(info.format_version, dtype == LayerDType(dtype) ? 1u : 3u);
      EXPECT_STREQ(info.layer_dtype, Name(LayerDType(dtype)));
      EXPECT_EQ(info.items, 150u);
      EXPECT_EQ(info.layers, 2u);
      EXPECT_EQ(info.units[0], 9u);
      EXPECT_EQ(info.units[1], 33u);
      EXPECT_STREQ(info.gru_form, Name(form));
      EXPECT_STREQ(info.dtype, Name(dtype));
      EXPECT_STREQ(info.final_activation, "elu-0.5");
      EXPECT_EQ(info.ids_are_names, 0);
      EXPECT_EQ(info.file_size, bytes.size());
      EXPECT_EQ(info.self_tests, 2u);
      EXPECT_STREQ(info.hyperparameters, input.hyperparameters.c_str());
      EXPECT_STREQ(info.training_summary, input.training_summary.c_str());
      uint64_t events = 0;
      for (uint32_t item = 0; item < 150; ++item) {
        uint32_t count, found;
        int64_t id;
        ASSERT_EQ(stint_item_count(model.get(), item, &count), STINT_OK);
        EXPECT_EQ(count, catalog.counts[item]);
        events += count;
        ASSERT_EQ(stint_item_id(model.get(), item, &id), STINT_OK);
        EXPECT_EQ(id, catalog.ids.numbers[item]);
        ASSERT_EQ(stint_item_from_id(model.get(), id, &found), STINT_OK);
        EXPECT_EQ(found, item);
      }
      EXPECT_EQ(info.training_events, events);
    }
  }
}

TEST(Model, DescribesEveryKind) {
  for (const ModelKind& kind : ModelKinds()) {
    SCOPED_TRACE(kind.name);
    const Parameters parameters = RandomParameters(kind, 80, {9, 33}, 4);
    const AlignedBytes bytes =
        BuildTestModel(kind, parameters, NumberCatalog(80), {{1, 2}}, {ActivationKind::kTanh});
    const ModelPointer model = OpenModel(bytes);
    stint_model_info info;
    ASSERT_EQ(stint_model_describe(model.get(), &info), STINT_OK);
    const bool is_old = kind.dtype == LayerDType(kind.dtype) && kind.scoring == Scoring::kScan;
    EXPECT_EQ(info.format_version, is_old ? 2u : 3u);
    const bool is_exact = kind.scoring == Scoring::kExact;
    EXPECT_STREQ(info.dtype, Name(is_exact ? DType::kF32 : kind.dtype));
    EXPECT_STREQ(info.embedding, Name(kind.embedding));
    EXPECT_EQ(info.embedding_width,
              kind.embedding == Embedding::kShared ? 33u : kind.embedding_width);
    EXPECT_EQ(info.hidden_activation, Name(kind.hidden));
    EXPECT_STREQ(info.final_activation, "tanh");
    EXPECT_STREQ(info.gru_form, Name(kind.form));
    EXPECT_STREQ(info.layer_gru_forms[0],
                 kind.embedding == Embedding::kNone ? "reset_before" : Name(kind.form));
    EXPECT_STREQ(info.layer_gru_forms[1], Name(kind.form));
    std::set<std::string> sections;
    stint_section_info section;
    for (uint32_t i = 0; stint_model_section(model.get(), i, &section) == STINT_OK; ++i) {
      EXPECT_TRUE(sections.insert(section.name).second);
      EXPECT_EQ(section.xxh3, XXH3_64bits(bytes.data() + section.offset, section.size));
    }
    EXPECT_EQ(sections.count("input_rows"), kind.embedding != Embedding::kShared);
    ForEachTarget([&] {
      stint_error error;
      EXPECT_EQ(stint_model_self_test(model.get(), &error), STINT_OK) << error.message;
    });
  }
}

// Files of version 1 stay as they were before there was a version 2, byte for byte: old runtimes
// read them. The hashes were made by the exporter of that time.
TEST(Model, FilesOfVersion1KeepTheirBytes) {
  const uint64_t expected[] = {0xbce08288007d1080, 0x389413faaee689c7, 0x6ed0d2b3e6c40d3f,
                               0x51af06ff258fd13b};
  size_t turn = 0;
  for (const GruForm form : {GruForm::kResetAfter, GruForm::kResetBefore}) {
    for (const DType dtype : {DType::kInt8, DType::kF32}) {
      const Activation final = form == GruForm::kResetAfter ? Activation{ActivationKind::kSoftmax}
                                                            : Activation{ActivationKind::kElu, 0.5};
      const AlignedBytes bytes =
          BuildTestModel(RandomParameters(70, {9, 21}, form, 5),
                         dtype == DType::kF32 ? NameCatalog(70) : NumberCatalog(70), dtype,
                         {{1, 2, 3}, {}}, {ActivationKind::kTanh}, final);
      EXPECT_EQ(XXH3_64bits(bytes.data(), bytes.size()), expected[turn++]);
    }
  }
}

TEST(Model, FinalActivationOfAScore) {
  struct Case {
    Activation activation;
    const char* name;
    uint32_t version;
  };
  const Case cases[] = {
      {{ActivationKind::kSoftmax}, "softmax", 1},
      {{ActivationKind::kLinear}, "linear", 1},
      {{ActivationKind::kElu, 0.5}, "elu-0.5", 1},
      {{ActivationKind::kElu, 123456.0}, "elu-123456", 1},
      {{ActivationKind::kTanh}, "tanh", 2},
      {{ActivationKind::kRelu}, "relu", 2},
      {{ActivationKind::kLeakyRelu, 0.01}, "leaky-0.01", 2},
      {{ActivationKind::kSelu, 1.67326, 1.0507}, "selu-1.0507-1.67326", 2},
  };
  const Parameters parameters = RandomParameters(7, {3}, GruForm::kResetAfter, 4);
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const AlignedBytes bytes = BuildTestModel(parameters, NumberCatalog(7), DType::kInt8, {},
                                              {ActivationKind::kTanh}, c.activation);
    stint::Model model;
    ASSERT_EQ(stint::Model::FromBuffer(bytes.data(), bytes.size(), &model), STINT_OK);
    stint_model_info info;
    ASSERT_EQ(model.Describe(&info), STINT_OK);
    EXPECT_STREQ(info.final_activation, c.name);
    EXPECT_EQ(info.format_version, c.version);
    const ActivationParams f = c.activation.Params();
    float before = model.FinalActivation(-100.0f);
    for (float x = -100; x <= 100; x += 0.0625f) {
      const float y = model.FinalActivation(x);
      EXPECT_EQ(FloatBits(y), FloatBits(ScalarActivate(f, x))) << x;
      EXPECT_NEAR(y, Activate64(f, x), 4e-7 * std::max(1.0, std::fabs(Activate64(f, x)))) << x;
      // The rational tanh is flat to rounding near 1.
      EXPECT_GE(y, before - 1.2e-7f * std::fabs(before)) << x;
      before = y;
    }
    EXPECT_TRUE(std::isnan(model.FinalActivation(std::numeric_limits<float>::quiet_NaN())));
    ForEachTarget([&] { EXPECT_EQ(model.FinalActivation(-1.5f), ScalarActivate(f, -1.5f)); });
  }
  EXPECT_EQ(stint_final_activation(nullptr, 3.0f), 3.0f);
}

TEST(Model, SectionsAreWhereTheySayTheyAre) {
  const Parameters parameters = RandomParameters(70, {9, 5}, GruForm::kResetAfter, 4);
  for (const bool names : {false, true}) {
    const AlignedBytes bytes =
        BuildTestModel(parameters, names ? NameCatalog(70) : NumberCatalog(70), DType::kInt8);
    const ModelPointer model = OpenModel(bytes);
    std::set<std::string> found;
    stint_section_info section;
    for (uint32_t i = 0; stint_model_section(model.get(), i, &section) == STINT_OK; ++i) {
      EXPECT_TRUE(found.insert(section.name).second) << section.name;
      EXPECT_EQ(section.offset % 64, 0u) << section.name;
      ASSERT_LE(section.offset + section.size, bytes.size());
      EXPECT_EQ(section.xxh3, XXH3_64bits(bytes.data() + section.offset, section.size));
    }
    std::set<std::string> expected = {"layer0.input_weights",
                                      "layer0.hidden_weights",
                                      "layer1.input_weights",
                                      "layer1.hidden_weights",
                                      "item_rows",
                                      "id_order",
                                      "counts"};
    if (names) {
      expected.insert({"id_names", "id_name_offsets"});
    } else {
      expected.insert("id_numbers");
    }
    EXPECT_EQ(found, expected);
    EXPECT_EQ(stint_model_section(model.get(), UINT32_MAX, &section), STINT_INVALID_ARGUMENT);
    EXPECT_EQ(stint_model_section(nullptr, 0, &section), STINT_INVALID_ARGUMENT);
  }
}

TEST(Model, SameInputSameBytes) {
  const Parameters parameters = RandomParameters(70, {9}, GruForm::kResetAfter, 4);
  const AlignedBytes a = BuildTestModel(parameters, NumberCatalog(70), DType::kInt8, {{1, 2, 3}});
  const AlignedBytes b = BuildTestModel(parameters, NumberCatalog(70), DType::kInt8, {{1, 2, 3}});
  ASSERT_EQ(a.size(), b.size());
  EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size()), 0);
}

TEST(Model, SelfTestsPassOnEveryTarget) {
  for (const DType dtype : kDTypes) {
    const Parameters parameters = RandomParameters(500, {20, 24}, GruForm::kResetBefore, 4);
    const AlignedBytes bytes = BuildTestModel(parameters, NumberCatalog(500), dtype,
                                              {{1, 2, 3}, {}, {499, 0, 499, 7, 7, 7, 8}});
    const ModelPointer model = OpenModel(bytes);
    ForEachTarget([&] {
      stint_error error;
      EXPECT_EQ(stint_model_self_test(model.get(), &error), STINT_OK) << error.message;
    });
  }
}

TEST(Model, SelfTestsOfATinyCatalog) {
  const Parameters parameters = RandomParameters(1, {1}, GruForm::kResetAfter, 4);
  const AlignedBytes bytes = BuildTestModel(parameters, NumberCatalog(1), DType::kInt8, {{0}, {}});
  const ModelPointer model = OpenModel(bytes);
  EXPECT_EQ(stint_model_self_test(model.get(), nullptr), STINT_OK);
}

TEST(Model, OneItemWithAnEmptyName) {  // a section of no bytes
  const Parameters parameters = RandomParameters(1, {2}, GruForm::kResetAfter, 4);
  Catalog catalog = NameCatalog(1);
  catalog.ids.names[0] = "";
  const AlignedBytes bytes = BuildTestModel(parameters, catalog, DType::kInt8, {{0}});
  const ModelPointer model = OpenModel(bytes);
  ASSERT_TRUE(model);
  EXPECT_EQ(stint_model_self_test(model.get(), nullptr), STINT_OK);
  uint32_t item = 9;
  EXPECT_EQ(stint_item_from_name(model.get(), nullptr, 0, &item), STINT_OK);
  EXPECT_EQ(item, 0u);
  EXPECT_EQ(stint_item_from_name(model.get(), "a", 1, &item), STINT_UNKNOWN_ITEM);
}

TEST(Model, FromFile) {
  const TemporaryFolder folder;
  const Parameters parameters = RandomParameters(70, {9}, GruForm::kResetAfter, 4);
  const AlignedBytes bytes = BuildTestModel(parameters, NumberCatalog(70), DType::kInt8, {{1, 2}});
  const std::string path = folder / "m.stint";
  WriteFileAtomically(path, {bytes.data(), bytes.size()});
  stint_model* model = nullptr;
  stint_error error;
  ASSERT_EQ(stint_model_from_file(path.c_str(), &model, &error), STINT_OK) << error.message;
  EXPECT_EQ(stint_model_self_test(model, &error), STINT_OK) << error.message;
  stint_model_destroy(model);
}

TEST(Model, FilesThatAreNone) {
  const TemporaryFolder folder;
  stint_model* model = nullptr;
  stint_error error;
  const auto open = [&](const std::string& path) {
    const stint_status status = stint_model_from_file(path.c_str(), &model, &error);
    EXPECT_EQ(model, nullptr);
    EXPECT_EQ(error.status, status);
    EXPECT_NE(std::string(error.message).find(path.substr(0, 100)), std::string::npos)
        << error.message;
    return status;
  };
  EXPECT_EQ(open(folder / "missing"), STINT_IO_ERROR);
  EXPECT_NE(std::string(error.message).find("no such file"), std::string::npos) << error.message;
  EXPECT_EQ(open(folder / ""), STINT_IO_ERROR);  // a folder
  EXPECT_EQ(open("/dev/null"), STINT_IO_ERROR);
  EXPECT_EQ(open(std::string(5000, 'x')), STINT_IO_ERROR);
  std::ofstream(folder / "empty");
  EXPECT_EQ(open(folder / "empty"), STINT_NOT_A_MODEL);
  std::ofstream(folder / "text") << std::string(200, 'x');
  stint_model_from_file((folder / "text").c_str(), &model, &error);
  EXPECT_EQ(error.status, STINT_NOT_A_MODEL);
}

TEST(Model, ArgumentsOutOfRange) {
  stint_model* model = reinterpret_cast<stint_model*>(&model);
  stint_error error;
  EXPECT_EQ(stint_model_from_buffer(nullptr, 100, &model, &error), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(model, nullptr);
  EXPECT_EQ(stint_model_from_buffer("", 0, nullptr, &error), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_model_from_file(nullptr, &model, nullptr), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_model_from_file("x", nullptr, nullptr), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_model_describe(nullptr, nullptr), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_model_self_test(nullptr, nullptr), STINT_INVALID_ARGUMENT);
  stint_model_destroy(nullptr);

  const Parameters parameters = RandomParameters(7, {3}, GruForm::kResetAfter, 4);
  const AlignedBytes bytes = BuildTestModel(parameters, NumberCatalog(7), DType::kInt8);
  const ModelPointer opened = OpenModel(bytes);
  int64_t id;
  uint32_t value;
  const char* name;
  size_t length;
  EXPECT_EQ(stint_item_id(opened.get(), 7, &id), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_item_count(opened.get(), 7, &value), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_item_name(opened.get(), 0, &name, &length), STINT_UNSUPPORTED);
  EXPECT_EQ(stint_item_from_name(opened.get(), "a", 1, &value), STINT_UNSUPPORTED);
  EXPECT_EQ(stint_item_from_id(opened.get(), 0, nullptr), STINT_INVALID_ARGUMENT);
  EXPECT_EQ(stint_item_from_id(opened.get(), 1, &value), STINT_UNKNOWN_ITEM);
}

TEST(Model, EveryStatusHasAMessage) {
  std::set<std::string> messages;
  for (int status = STINT_OK; status <= STINT_SELF_TEST_FAILED; ++status) {
    const std::string message = stint_status_message(static_cast<stint_status>(status));
    EXPECT_FALSE(message.empty());
    EXPECT_NE(message, "unknown status");
    EXPECT_TRUE(messages.insert(message).second) << message;
  }
  EXPECT_STREQ(stint_status_message(static_cast<stint_status>(99)), "unknown status");
}

TEST(Model, Targets) {
  const std::vector<std::string> names = TargetNames();
  ASSERT_FALSE(names.empty());
  EXPECT_EQ(stint_target(), names.front());
  ASSERT_EQ(stint_set_target(names.back().c_str()), STINT_OK);
  EXPECT_EQ(stint_target(), names.back());
  EXPECT_EQ(stint_set_target("no such target"), STINT_UNSUPPORTED);
  EXPECT_EQ(stint_target(), names.back()) << "a failed call changes nothing";
  std::string lower;
  for (const char c : names.front()) lower += static_cast<char>(std::tolower(c));
  ASSERT_EQ(stint_set_target(lower.c_str()), STINT_OK);
  EXPECT_EQ(stint_target(), names.front());
  ASSERT_EQ(stint_set_target(nullptr), STINT_OK);
  EXPECT_EQ(stint_target(), names.front());
}

TEST(Cpp, WrapperDoesTheSame) {
  static_assert(!std::is_copy_constructible_v<stint::Model>);
  static_assert(std::is_nothrow_move_constructible_v<stint::Model>);
  static_assert(!std::is_copy_constructible_v<stint::Session>);
  static_assert(std::is_nothrow_move_constructible_v<stint::Session>);
  const Parameters parameters = RandomParameters(70, {9}, GruForm::kResetAfter, 4);
  const AlignedBytes bytes = BuildTestModel(parameters, NameCatalog(70), DType::kInt8, {{1, 2}});
  stint::Model model;
  EXPECT_FALSE(model);
  ASSERT_EQ(stint::Model::FromBuffer(bytes.data(), bytes.size(), &model), STINT_OK);
  EXPECT_EQ(model.SelfTest(), STINT_OK);
  std::string_view name;
  uint32_t item = 99;
  ASSERT_EQ(model.ItemName(3, &name), STINT_OK);
  ASSERT_EQ(model.ItemFromName(name, &item), STINT_OK);
  EXPECT_EQ(item, 3u);
  stint::Session session;
  EXPECT_EQ(session.Observe(1), STINT_INVALID_ARGUMENT);  // empty
  ASSERT_EQ(session.Create(model, 5), STINT_OK);
  ASSERT_EQ(session.ObserveName(name), STINT_OK);
  const SessionPointer c = NewSession(model.get(), 5);
  ASSERT_EQ(stint_observe(c.get(), 3), STINT_OK);
  stint_recommendation a[5], b[5];
  size_t count_a, count_b;
  const stint::Session moved = std::move(session);
  EXPECT_FALSE(session);
  ASSERT_EQ(stint_recommend(moved.get(), 5, nullptr, a, &count_a), STINT_OK);
  ASSERT_EQ(stint_recommend(c.get(), 5, nullptr, b, &count_b), STINT_OK);
  ASSERT_EQ(count_a, count_b);
  for (size_t i = 0; i < count_a; ++i) EXPECT_EQ(a[i].item, b[i].item);
  EXPECT_EQ(moved.Observed(), 1u);

  uint8_t state[200];
  size_t size = 0;
  ASSERT_EQ(moved.StateSize(), 64u + 4 * 9 + 8);
  ASSERT_EQ(moved.Export(state, sizeof(state), &size), STINT_OK);
  stint::Session imported, copied;
  EXPECT_EQ(imported.Import(state, size), STINT_INVALID_ARGUMENT);  // empty
  ASSERT_EQ(imported.Create(model, 5), STINT_OK);
  ASSERT_EQ(copied.Create(model, 5), STINT_OK);
  ASSERT_EQ(imported.Import(state, size), STINT_OK);
  ASSERT_EQ(copied.CopyFrom(imported), STINT_OK);
  ASSERT_EQ(copied.Recommend(5, nullptr, a, &count_a), STINT_OK);
  for (size_t i = 0; i < count_a; ++i) EXPECT_EQ(a[i].item, b[i].item);
}

}  // namespace
}  // namespace stint
