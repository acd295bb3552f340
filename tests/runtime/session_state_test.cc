// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Session -> bytes -> session: goes on as if nothing had been, in this process and in another one;
// the size of the bytes, and the bytes themselves written down.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "tests/runtime/state_bytes.h"

namespace stint {
namespace {

constexpr GruForm kAfter = GruForm::kResetAfter;
constexpr GruForm kBefore = GruForm::kResetBefore;

// On every target: export after some clicks, import into a used session of the same file opened
// once more, and go on in both.
void GoesOn(const AlignedBytes& bytes, uint32_t items) {
  const ModelPointer model = OpenModel(bytes);
  const AlignedBytes again = CopyOf(bytes);
  const ModelPointer reopened = OpenModel(again);
  for (const uint32_t clicks : {0u, 1u, 9u}) {
    SCOPED_TRACE(clicks);
    StateBytes first;
    ForEachTarget([&] {
      const SessionPointer session = Clicked(model.get(), items, clicks);
      const StateBytes state = Export(session.get());
      if (first.empty()) first = state;
      EXPECT_EQ(state, first) << "the same bytes on every target";
      const SessionPointer other = NewSession(reopened.get(), items);
      ASSERT_EQ(stint_observe(other.get(), items - 1), STINT_OK);
      Everything(other.get(), reopened.get());
      ASSERT_EQ(Import(state, other.get()), STINT_OK);
      EXPECT_EQ(Export(other.get()), state);
      for (uint32_t step = 0; step < 4; ++step) {
        EXPECT_EQ(Everything(other.get(), reopened.get()), Everything(session.get(), model.get()));
        ASSERT_EQ(stint_observe(session.get(), Click(100 + step, items)), STINT_OK);
        ASSERT_EQ(stint_observe(other.get(), Click(100 + step, items)), STINT_OK);
      }
    });
  }
}

TEST(SessionState, GoesOnAsTheUninterruptedSession) {
  const uint32_t items = 130;
  for (const DType dtype : {DType::kInt8, DType::kF32}) {
    for (const GruForm form : {kAfter, kBefore}) {
      for (const std::vector<size_t>& layers : {std::vector<size_t>{21}, {7, 21}}) {
        for (const bool names : {false, true}) {
          SCOPED_TRACE(std::string(Name(dtype)) + " " + Name(form) + (names ? " names " : " ") +
                       std::to_string(layers.size()));
          const Parameters parameters = RandomParameters(items, layers, form, 31);
          GoesOn(
              BuildTestModel(parameters, names ? NameCatalog(items) : NumberCatalog(items), dtype),
              items);
        }
      }
    }
  }
}

TEST(SessionState, OfEveryKindOfModel) {
  for (const ModelKind& kind : ModelKinds()) {
    SCOPED_TRACE(kind.name);
    const Parameters parameters = RandomParameters(kind, 70, {9, 13}, 5);
    GoesOn(BuildTestModel(kind, parameters, NumberCatalog(70)), 70);
  }
}

AlignedBytes FixedModel(bool names) {
  const Parameters parameters =
      names ? RandomParameters(70, {4, 3}, kBefore, 7) : RandomParameters(20, {3}, kAfter, 7);
  return BuildTestModel(parameters, names ? NameCatalog(70) : NumberCatalog(20),
                        names ? DType::kF32 : DType::kInt8);
}

std::string Hex(const StateBytes& bytes) {
  std::string text;
  char digits[3];
  for (const uint8_t byte : bytes) {
    std::snprintf(digits, sizeof(digits), "%02x", byte);
    text += digits;
  }
  return text;
}

// States live on devices: the format, and with it this text, changes with the version only. (The
// fingerprints in the third line change with what the exporter makes of the same weights.)
TEST(SessionState, BytesAreThoseWrittenDown) {
  const AlignedBytes with_numbers = FixedModel(false);
  const ModelPointer numbers = OpenModel(with_numbers);
  EXPECT_EQ(Hex(Export(Clicked(numbers.get(), 20, 5).get())),
            "53544e5301000000"
            "7400000000000000"
            "e9e79a63c252c4a9359b7437fbf48f73"
            "05000000000000000200000000000000"
            "0300000005000000"
            "dcce66be699dc9bdb489e83d"
            "0000000000000000481e9f2a952324d67dac10e35d2c7402e9130b9d4dc89412"
            "958de1ee44192cf3"
            "d85c139ee1ae8985");
  const AlignedBytes with_names = FixedModel(true);
  const ModelPointer names = OpenModel(with_names);
  EXPECT_EQ(Hex(Export(Clicked(names.get(), 70, 9).get())),
            "53544e5302000000"
            "a400000002000000"
            "f5fad5c3432e37173aa377bb5c5f9b98"
            "09000000000000000300000000000000"
            "0700000009000000"
            "8c7f693e3fc5933ef0029a3d4c538b3da289513d181bc03e01d7dabd"
            "140090752e060f45200060a13a5ee7530200e0073afd28853e00f046bcb2099c3200207d4a8008c2"
            "00007049f4b51acd4500d007c4a874dd2c00e0877a5956e82e00501a7e003dff"
            "d7f6d8f885c120ce");
}

// Run by the next test in a process of its own.
TEST(SessionState, DISABLED_ExportsForAnotherProcess) {
  for (const bool names : {false, true}) {
    const AlignedBytes bytes = FixedModel(names);
    const ModelPointer model = OpenModel(bytes);
    const uint32_t items = names ? 70 : 20;
    std::printf("\nSTATE %s\n", Hex(Export(Clicked(model.get(), items, 6).get())).c_str());
  }
}

TEST(SessionState, GoesOnInAnotherProcess) {
  char self[4096];
  const ssize_t length = readlink("/proc/self/exe", self, sizeof(self));
  ASSERT_GT(length, 0);
  const std::string command = "'" + std::string(self, static_cast<size_t>(length)) +
                              "' --gtest_also_run_disabled_tests "
                              "--gtest_filter=SessionState.DISABLED_ExportsForAnotherProcess";
  const std::unique_ptr<FILE, int (*)(FILE*)> output(popen(command.c_str(), "r"), pclose);
  ASSERT_TRUE(output);
  std::vector<StateBytes> states;
  char line[4096];
  while (std::fgets(line, sizeof(line), output.get())) {
    if (std::strncmp(line, "STATE ", 6) != 0) continue;
    StateBytes state;
    unsigned byte;
    for (const char* at = line + 6; std::sscanf(at, "%2x", &byte) == 1; at += 2) {
      state.push_back(static_cast<uint8_t>(byte));
    }
    states.push_back(state);
  }
  ASSERT_EQ(states.size(), 2u);
  for (const bool names : {false, true}) {
    const AlignedBytes bytes = FixedModel(names);
    const ModelPointer model = OpenModel(bytes);
    const uint32_t items = names ? 70 : 20;
    const SessionPointer unbroken = Clicked(model.get(), items, 6);
    const SessionPointer session = NewSession(model.get(), items);
    ASSERT_EQ(Import(states[names], session.get()), STINT_OK);
    for (uint32_t step = 0; step < 5; ++step) {
      EXPECT_EQ(Everything(session.get(), model.get()), Everything(unbroken.get(), model.get()));
      ASSERT_EQ(stint_observe(session.get(), step), STINT_OK);
      ASSERT_EQ(stint_observe(unbroken.get(), step), STINT_OK);
    }
  }
}

TEST(SessionState, TakesNoMoreThanAKilobyte) {
  const Parameters parameters = RandomParameters(500, {100}, kAfter, 3);
  for (const bool names : {false, true}) {
    const AlignedBytes bytes =
        BuildTestModel(parameters, names ? NameCatalog(500) : NumberCatalog(500), DType::kInt8);
    const ModelPointer model = OpenModel(bytes);
    const SessionPointer session = NewSession(model.get(), 20);
    const size_t item_bytes = 8;
    EXPECT_EQ(stint_session_state_size(session.get()), 464u);
    for (uint32_t item = 0; item < 70; ++item) {
      for (int click = 0; click < 3; ++click) {  // repeats take no room
        ASSERT_EQ(stint_observe(session.get(), item), STINT_OK);
      }
      ASSERT_EQ(stint_observe(session.get(), 500), STINT_UNKNOWN_ITEM);  // nor do unknown items
      ASSERT_EQ(stint_session_state_size(session.get()), 464 + (item + 1) * item_bytes);
    }
    EXPECT_LE(stint_session_state_size(session.get()), 1024u);
    StateBytes state(2000, 0xEE);
    size_t size = 99;
    const size_t needed = stint_session_state_size(session.get());
    EXPECT_EQ(stint_session_export(session.get(), state.data(), needed - 1, &size),
              STINT_INVALID_ARGUMENT);
    EXPECT_EQ(size, 0u);
    EXPECT_EQ(state, StateBytes(2000, 0xEE)) << "nothing written where it does not fit";
    EXPECT_EQ(stint_session_export(session.get(), state.data(), state.size(), &size), STINT_OK);
    EXPECT_EQ(size, needed);
    EXPECT_EQ(state[needed], 0xEE);
    ASSERT_EQ(stint_session_reset(session.get()), STINT_OK);
    EXPECT_EQ(stint_session_state_size(session.get()), 464u);
  }
}

}  // namespace
}  // namespace stint
