// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What the tests of ONNX share: programs beside, models as the runtime answers by them.
#ifndef STINT_TESTS_TOOLS_ONNX_FIXTURE_H_
#define STINT_TESTS_TOOLS_ONNX_FIXTURE_H_

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "tests/reference/folders.h"
#include "tests/runtime/test_model.h"
#include "tests/temporary_folder.h"
#include "tools/convert/onnx_import.h"

namespace stint {

using Words = std::vector<std::string>;
constexpr uint32_t kTop = 20;

// The exit status of a program, -1 if a signal ended it; its outputs as one text.
inline int RunProgram(const Words& words, std::string* output) {
  const TemporaryFolder folder;
  std::string line = "PYTHONDONTWRITEBYTECODE=1";
  for (const std::string& word : words) {
    line += " '";
    for (const char c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
    line += "'";
  }
  // What a sanitizer of this program is told is not for those.
  line = "unset LD_PRELOAD; " + line + " >'" + (folder / "out") + "' 2>&1 </dev/null";
  const int status = std::system(line.c_str());
  *output = ReadFile(folder / "out");
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Skips, or fails where CI is set.
#define STINT_REQUIRE_PROGRAM(words, reason)                        \
  do {                                                              \
    std::string stint_ignored;                                      \
    if (::stint::RunProgram(words, &stint_ignored) != 0) {          \
      if (::stint::reference::AbsenceIsFailure()) FAIL() << reason; \
      GTEST_SKIP() << reason;                                       \
    }                                                               \
  } while (false)

// A made-up catalog: ids 0, 1, ...
inline Catalog PlainCatalog(size_t items) {
  Catalog catalog;
  catalog.counts.assign(items, 1);
  catalog.ids.numbers.resize(items);
  std::iota(catalog.ids.numbers.begin(), catalog.ids.numbers.end(), int64_t{0});
  return catalog;
}

inline AlignedBytes BuildF32(const TrainedModel& trained) {
  const Catalog catalog = PlainCatalog(trained.parameters.items.rows);
  return BuildTestModel(trained.parameters, catalog, DType::kF32, {}, trained.hidden_activation,
                        trained.final_activation);
}

struct Answers {
  std::vector<std::vector<uint32_t>> best;  // [sessions][kTop]
  std::vector<std::vector<float>> scores;   // [sessions][items]
};

// What the runtime answers after the last click of each session.
inline Answers Answer(const AlignedBytes& bytes,
                      const std::vector<std::vector<uint32_t>>& sessions) {
  const ModelPointer model = OpenModel(bytes);
  stint_model_info info = {};
  EXPECT_EQ(stint_model_describe(model.get(), &info), STINT_OK);
  const SessionPointer session = NewSession(model.get(), kTop);
  Answers answers;
  for (const std::vector<uint32_t>& items : sessions) {
    EXPECT_EQ(stint_session_reset(session.get()), STINT_OK);
    for (const uint32_t item : items) EXPECT_EQ(stint_observe(session.get(), item), STINT_OK);
    std::vector<stint_recommendation> top(kTop);
    size_t count = 0;
    EXPECT_EQ(stint_recommend(session.get(), kTop, nullptr, top.data(), &count), STINT_OK);
    std::vector<uint32_t> best;
    for (size_t i = 0; i < count; ++i) best.push_back(top[i].item);
    answers.best.push_back(best);
    std::vector<float> scores(info.items);
    EXPECT_EQ(stint_scores(session.get(), scores.data()), STINT_OK);
    answers.scores.push_back(std::move(scores));
  }
  return answers;
}

// The best of a row of scores, ties by lower index.
template <typename T>
std::vector<uint32_t> BestOf(const T* scores, size_t items) {
  std::vector<uint32_t> order(items);
  std::iota(order.begin(), order.end(), 0u);
  const size_t k = std::min<size_t>(kTop, items);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k), order.end(),
                    [&](uint32_t a, uint32_t b) {
                      return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
                    });
  order.resize(k);
  return order;
}

}  // namespace stint

#endif  // STINT_TESTS_TOOLS_ONNX_FIXTURE_H_
