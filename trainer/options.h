// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Everything a training run can be told, with its defaults. Printed in full at the
// start of a run and stored in the model file.
#ifndef STINT_TRAINER_OPTIONS_H_
#define STINT_TRAINER_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace stint {

enum class Loss { kCrossEntropy, kBprMax };
enum class FinalActivation { kSoftmax, kLinear, kElu };
enum class GruForm { kResetAfter, kResetBefore };
enum class DType { kInt8, kF32 };

struct Options {
  // Network.
  std::vector<size_t> layers = {
      100};  // hidden units of each GRU layer; the last is the embedding's width
  GruForm gru_form =
      GruForm::kResetAfter;  // reset gate after (PyTorch) or before (Theano) the recurrent product

  // Loss.
  Loss loss = Loss::kCrossEntropy;
  FinalActivation final_activation =
      FinalActivation::kSoftmax;  // softmax goes with cross-entropy alone
  double elu_alpha = 0.5;         // of the ELU final activation, > 0
  double bpreg = 1.0;  // score regularization of BPR-max, >= 0 (arXiv 1706.03847, eq. 13)
  double logq = 0.0;   // popularity correction of cross-entropy, 0 = off

  // Sampling.
  size_t batch_size = 32;     // sessions side by side; at most as many as there are
  size_t negatives = 2048;    // extra negative samples a mini-batch, shared by its rows
  double sample_alpha = 0.5;  // P(item) ~ count^alpha

  // Regularization.
  double dropout_embedding = 0.0;  // in [0, 1)
  double dropout_hidden = 0.0;     // in [0, 1)

  // Optimizer: Adagrad with classical momentum on coalesced rows.
  double learning_rate = 0.05;
  double momentum = 0.0;          // in [0, 1)
  double adagrad_epsilon = 1e-6;  // inside the root

  // Run.
  size_t epochs = 10;
  size_t patience = 0;  // epochs without a better validation recall@20 before stopping; 0 = never
  uint64_t seed = 42;
  size_t threads = 0;  // 0 = all that OpenMP gives; never changes the result
};

// The options as a JSON object (names as on the command line, values as typed there).
std::string ToJson(const Options& options);
// Throws std::invalid_argument that names the option, its value and its range.
void Validate(const Options& options);

const char* Name(Loss loss);                   // "cross-entropy", "bpr-max"
const char* Name(FinalActivation activation);  // "softmax", "linear", "elu"
const char* Name(GruForm form);                // "reset_after", "reset_before"
const char* Name(DType dtype);                 // "int8", "f32"

}  // namespace stint

#endif  // STINT_TRAINER_OPTIONS_H_
