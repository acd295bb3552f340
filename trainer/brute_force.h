// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The bytes of a model and hidden states -> the best items by what a score is defined as, in plain
// code over all items that shares nothing with the runtime. What the runtime answers is compared
// with this.
#ifndef STINT_TRAINER_BRUTE_FORCE_H_
#define STINT_TRAINER_BRUTE_FORCE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "stint/stint.h"
#include "trainer/sessions.h"

namespace stint {

struct ScoredItem {
  uint32_t item = 0;
  float score = 0;
};

// A score is, in the words of schema/panel.h:
//   int8, int4     the whole number sum_j code_j q_j of runtime/dot-inl.h as a float, times scale
//                  and step, plus bias
//   f32, bf16      floats, one column added after the other, then the bias
//   float rows     sums in double, in the order of runtime/cascade_kernels.h, rounded once
class BruteForce {
 public:
  // `bytes`: the file that `model` was opened from; it outlives this.
  BruteForce(const stint_model* model, const uint8_t* bytes);

  size_t items() const { return items_; }
  size_t width() const { return width_; }  // numbers of a hidden state of the last layer

  // hidden [n, width] -> best[n], each of min(k, items) items, best first, ties by lower index.
  // Faster with more at a time.
  void TopK(const float* hidden, size_t n, uint32_t k, std::vector<ScoredItem>* best) const;

  // <hidden, item row> + bias in double, of the vector that the item rows take.
  double TrueScore(const float* hidden, uint32_t item) const;

 private:
  struct Quantized {
    std::vector<int16_t> q;  // [n, stride_]
    std::vector<float> step;
  };
  void ReadIntegers(const uint8_t* panels, bool int4);
  void ReadFloats(const uint8_t* panels, bool bf16);
  Quantized Quantize(const float* hidden, size_t n) const;
  template <class Add>
  void IntegerScores(const float* hidden, size_t n, const Add& add) const;
  template <class Add>
  void TileScores(const float* hidden, size_t n, const Add& add) const;
  template <class Add>
  void RowScores(const float* hidden, size_t n, const Add& add) const;

  size_t items_ = 0;
  size_t width_ = 0;
  size_t stride_ = 0;            // of codes_
  std::vector<int16_t> codes_;   // int8, int4: [items, stride], zeros behind the columns
  std::vector<float> scales_;    // int8, int4: [items]
  std::vector<float> tiles_;     // f32, bf16: [tiles, width, 64]
  const float* rows_ = nullptr;  // float rows: [items, width]
  std::vector<float> biases_;    // [items up to whole tiles]
};

// A top-k that is not the brute force's.
struct WrongAnswer {
  size_t session = 0;
  size_t events = 0;       // of the session, before the recommendation
  size_t place = 0;        // from 0 on, the first that differs
  ScoredItem got, wanted;  // of the runtime, of the brute force
};

struct AnswerCheck {
  uint64_t recommendations = 0;  // a top-k each
  uint64_t wrong = 0;
  std::vector<WrongAnswer> first_wrong;  // some of them, by session
  // |score of the runtime - TrueScore()|, the largest of all recommended items: rounding.
  double largest_gap = 0;
};

struct AnswerCheckOptions {
  uint32_t k = 20;
  uint64_t most = UINT64_MAX;  // recommendations
  size_t threads = 0;          // 0: all; never changes the result
  // As in EvaluateOptions, but from one thread after the other.
  std::function<void(uint64_t done, uint64_t total)> progress;
  std::function<bool()> stop;
};

// Recommends after every event of every session. Item indices of `sessions` are the model's.
AnswerCheck CheckAnswers(const stint_model* model, const BruteForce& brute_force,
                         const Sessions& sessions, const AnswerCheckOptions& options);

// The self-tests of a model's file, and made-up sessions of 1 to 12 events of any items: 100 of
// them. Session ids say which is which.
Sessions SelfTestsAndMadeUp(const uint8_t* bytes, size_t items);

}  // namespace stint

#endif  // STINT_TRAINER_BRUTE_FORCE_H_
