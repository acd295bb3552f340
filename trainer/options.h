// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Everything a training run can be told, with its defaults. Printed in full at the
// start of a run and stored in the model file.
#ifndef STINT_TRAINER_OPTIONS_H_
#define STINT_TRAINER_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "trainer/activation.h"

namespace stint {

enum class GruForm { kResetAfter, kResetBefore };
// What enters the first layer: the item's row of the scoring matrix, a row of a matrix of its own,
// or one-hot (a row of the first layer's input weights).
enum class Embedding { kShared, kSeparate, kNone };
enum class Loss { kCrossEntropy, kXeLogit, kBpr, kTop1, kTop1Max, kBprMax };
enum class LogqForm { kOfficial, kMixture };
// Which items a row's target is compared with.
enum class NegativeSource { kBoth, kBatch, kSampled, kAll };
enum class Optimizer { kSgd, kAdagrad, kRmsprop, kAdadelta, kAdam };
enum class MomentumForm { kClassical, kMean, kNesterov };
enum class EpsilonPlace { kInside, kOutside };
enum class Schedule { kConstant, kStep, kCosine };
enum class Initialization { kUniform, kNormal, kCompat42 };
enum class SessionOrder { kTime, kRandom, kId };
// Of the weights in a model file. Bf16 and int4 are kinds of item rows, over layers of int8.
enum class DType { kInt8, kF32, kBf16, kInt4 };
// How the runtime finds a top-k: by a scan of all item rows; by a cascade, exact in the int8 model;
// by a cascade over item rows that stay float32, exact in these.
enum class Scoring { kScan, kInt8, kExact };
enum class Matmul { kF32, kBf16 };  // of the factors in products

struct Options {
  // Network.
  std::vector<size_t> layers = {100};       // hidden units of each GRU layer
  GruForm gru_form = GruForm::kResetAfter;  // reset gate after (PyTorch) or before (Theano) the
                                            // recurrent product; the first layer under
                                            // Embedding::kNone is always kResetBefore
  Embedding embedding = Embedding::kShared;
  size_t embedding_width = 0;  // of Embedding::kSeparate; 0: as wide as the first layer
  Activation hidden_activation = {ActivationKind::kTanh};  // of the GRU candidate; not softmax

  // Loss.
  Loss loss = Loss::kCrossEntropy;
  Activation final_activation = {ActivationKind::kSoftmax};  // softmax: cross-entropy, xe_logit
  double bpreg = 1.0;            // score regularization of BPR-max, >= 0 (arXiv 1706.03847, eq. 13)
  double label_smoothing = 0.0;  // of cross-entropy and xe_logit, in [0, 1)
  double logq = 0.0;             // popularity correction of cross-entropy and xe_logit, 0 = off
  // q of a column: count in-batch and count^alpha sampled (as the official code), or the expected
  // number of times that either source puts the item into the mini-batch.
  LogqForm logq_form = LogqForm::kOfficial;

  // Sampling.
  size_t batch_size = 32;     // sessions side by side; at most as many as there are
  size_t negatives = 2048;    // extra negative samples a mini-batch, shared by its rows
  double sample_alpha = 0.5;  // P(item) ~ count^alpha
  // kBoth: other targets and samples; kBatch: negatives = 0; kSampled: samples alone; kAll: every
  // item once (full softmax), `negatives` is not used.
  NegativeSource negative_source = NegativeSource::kBoth;
  bool remove_hits = false;  // negatives equal to the row's target count for nothing
  size_t hardest = 0;        // only the so many largest negative scores of a row count; 0 = all
  SessionOrder session_order = SessionOrder::kTime;

  // Regularization.
  double dropout_embedding = 0.0;  // in [0, 1); must be 0 for Embedding::kNone
  double dropout_hidden = 0.0;     // in [0, 1)
  double l2 = 0.0;                 // added to the direction of touched weights: l2 * weight
  double clip_norm = 0.0;          // largest Euclidean norm of all gradients together; 0 = off
  bool normalize_items = false;    // rows enter as item_scale * row / |row|; folded at export
  double item_scale = 3.0;         // start value of normalize_items
  bool learn_item_scale = true;    // else it stays item_scale

  // Optimizer, on coalesced rows.
  Optimizer optimizer = Optimizer::kAdagrad;
  double learning_rate = 0.05;
  double momentum = 0.0;  // in [0, 1)
  MomentumForm momentum_form = MomentumForm::kClassical;
  double epsilon = 1e-6;
  EpsilonPlace epsilon_place = EpsilonPlace::kInside;  // of the root, Adagrad alone
  double rho = 0.9;                                    // decay of RMSprop and Adadelta, in (0, 1)
  double beta1 = 0.9;                                  // of Adam, in [0, 1)
  double beta2 = 0.999;
  Schedule schedule = Schedule::kConstant;
  double schedule_factor = 0.5;  // kStep: the rate is multiplied by it every so many epochs
  size_t schedule_epochs = 1;    // kStep
  double warmup_epochs = 0.0;    // the rate rises linearly over this share of epochs
  double ema_decay = 0.0;        // of a running mean of the weights that is exported; 0 = off

  // Start values.
  Initialization initialization = Initialization::kUniform;
  double init_sigma = 0.0;  // half-width (uniform) or deviation (normal); 0: by fan

  // Run.
  size_t epochs = 10;
  size_t patience = 0;  // epochs without a better validation recall@20 before stopping; 0 = never
  uint64_t seed = 42;
  Matmul matmul = Matmul::kF32;  // kBf16: only where the CPU has it (HasBf16Products())
  size_t threads = 0;            // 0 = all that OpenMP gives; never changes the result

  bool UsesSamples() const {
    return (negative_source == NegativeSource::kBoth ||
            negative_source == NegativeSource::kSampled) &&
           negatives > 0;
  }
};

// The options as a JSON object (names as on the command line, values as typed there).
std::string ToJson(const Options& options);
// What Validate() refuses. The message names the option, its value and its range or reason.
class OptionError : public std::invalid_argument {
 public:
  enum class Kind {
    kRange,        // wrong whatever the other options are
    kCombination,  // does not go with the others
  };
  OptionError(Kind kind, const std::string& option, const std::string& what);

  Kind kind() const { return kind_; }
  const std::string& option() const { return option_; }  // as on the command line, without --

 private:
  Kind kind_;
  std::string option_;
};

// Throws OptionError.
void Validate(const Options& options);
// The same for what is written: whether a model file of these options may have that scoring.
void ValidateScoring(Scoring scoring, DType dtype, const Options& options);
// What goes with a loss where nothing is said: softmax for the cross-entropies, linear for BPR,
// tanh for TOP1 and TOP1-max, elu-0.5 for BPR-max.
Activation DefaultFinalActivation(Loss loss);

// The words of the command line and of ToJson().
const char* Name(GruForm form);           // reset_after, reset_before
const char* Name(Embedding embedding);    // shared, separate, none
const char* Name(Loss loss);              // cross-entropy, xe_logit, bpr, top1, top1-max, bpr-max
const char* Name(LogqForm form);          // official, mixture
const char* Name(NegativeSource source);  // both, batch, sampled, all
const char* Name(Optimizer optimizer);    // sgd, adagrad, rmsprop, adadelta, adam
const char* Name(MomentumForm form);      // classical, mean, nesterov
const char* Name(EpsilonPlace place);     // inside, outside
const char* Name(Schedule schedule);      // constant, step, cosine
const char* Name(Initialization init);    // uniform, normal, compat42
const char* Name(SessionOrder order);     // time, random, id
const char* Name(DType dtype);            // int8, f32, bf16, int4
const char* Name(Scoring scoring);        // scan, int8, exact
const char* Name(Matmul matmul);          // f32, bf16

}  // namespace stint

#endif  // STINT_TRAINER_OPTIONS_H_
