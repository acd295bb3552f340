// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/train.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>
#include <utility>

#include "schema/panel.h"
#include "trainer/initialize.h"
#include "trainer/schedule.h"
#include "trainer/training.h"

namespace stint {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// The last few items that the mini-batch fed and expected, for a report of divergence.
std::string DescribeBatch(const MiniBatch& batch, const Catalog& catalog) {
  constexpr size_t kShown = 8;
  std::ostringstream text;
  text << "input -> target items";
  for (size_t i = 0; i < std::min(batch.rows(), kShown); ++i) {
    text << (i == 0 ? " " : ", ") << catalog.ids.ToString(batch.inputs[i]) << " -> "
         << catalog.ids.ToString(batch.targets[i]);
  }
  if (batch.rows() > kShown) text << ", and " << batch.rows() - kShown << " more rows";
  return text.str();
}

constexpr char kBadWeight[] = "a weight is not finite or beyond 1e15";

// No more rows than sessions: neither memory nor a smaller gradient.
Options WithRowsFor(Options options, const Sessions& sessions) {
  options.batch_size = std::max<size_t>(1, std::min(options.batch_size, sessions.size()));
  return options;
}

Options WithSeed(Options options, uint64_t seed) {
  options.seed = seed;
  return options;
}

// In how small a mini-batch a row still has a negative.
size_t MinimumRows(const Options& options) {
  const bool in_batch_alone =
      options.negative_source == NegativeSource::kBatch ||
      (options.negative_source == NegativeSource::kBoth && options.negatives == 0);
  return in_batch_alone ? 2 : 1;
}

}  // namespace

Training::Training(const Options& options, const Catalog& catalog, const Sessions& sessions,
                   const TrainCallbacks& callbacks, const TrainStart& start)
    : options_(WithRowsFor(options, sessions)),
      catalog_(catalog),
      sessions_(sessions),
      callbacks_(callbacks),
      start_(start),
      seed_(start.seed.value_or(options.seed)),
      epoch_targets_(sessions.Targets()),
      network_(WithSeed(options_, seed_), catalog.counts,
               start.resume != nullptr ? Parameters(NetworkShape::Of(options_, catalog.size()))
                                       : StartValues()),
      sampler_(catalog.counts, options_.sample_alpha, seed_),
      batches_(sessions, options_.batch_size, MinimumRows(options_)),
      negatives_(options_.UsesSamples() ? options_.negatives : 0),
      next_negatives_(negatives_) {
  if (options_.negative_source == NegativeSource::kAll) {
    negatives_.resize(catalog.size());
    std::iota(negatives_.begin(), negatives_.end(), 0u);
  }
  progress_ = {.epoch = 1, .epochs = options_.epochs, .epoch_targets = epoch_targets_};
  if (start.resume != nullptr) {
    Load(*start.resume);
  } else if (start.prepare) {
    start.prepare(&network_);
  }
}

Parameters Training::StartValues() const {
  Parameters values(NetworkShape::Of(options_, catalog_.size()));
  if (start_.initialize) {
    start_.initialize(&values);
  } else {
    Initialize(WithSeed(options_, seed_), &values);
  }
  return values;
}

TrainResult Training::Run() {
  while (!Done()) {
    StartEpoch();
    TrainEpoch();
    if (result_.interrupted || !result_.diverged.empty()) break;
    if (!FinishEpoch()) break;
  }
  if (result_.diverged.empty() && !result_.interrupted) Save(SaveReason::kEnd);
  const bool validated = best_recall_ >= 0;
  if (validated) {
    result_.best_epoch = kept_epoch_;
    result_.parameters = std::move(kept_);
  } else if (result_.diverged.empty()) {
    result_.parameters = network_.Exported();
    if (result_.interrupted && !AllGood(result_.parameters)) {
      Diverge("epoch " + std::to_string(progress_.epoch) + ", mini-batch " +
              std::to_string(progress_.minibatch) + ": " + kBadWeight);
    }
  }
  return std::move(result_);
}

bool Training::Done() const {
  return progress_.epoch > options_.epochs ||
         (options_.patience > 0 && epochs_since_best_ >= options_.patience);
}

// Resumed in the middle of an epoch, everything is loaded already.
void Training::StartEpoch() {
  epoch_start_ = Clock::now();
  if (progress_.minibatch > 0) return;
  network_.ResetHidden();
  order_ = EpochOrder(sessions_, options_.session_order, seed_, progress_.epoch);
  batches_.Restart(order_);
  loss_sum_ = 0;
  seconds_before_ = 0;
}

void Training::TrainEpoch() {
  MiniBatch batch;
  network_.team().Open([&] {
    while (!result_.interrupted && batches_.Next(&batch)) {
      if (!Step(batch)) return;
      if (callbacks_.on_minibatch) callbacks_.on_minibatch(progress_);
      result_.interrupted = callbacks_.stop && callbacks_.stop();
      if (!result_.interrupted && callbacks_.save_due && callbacks_.save_due(progress_, false)) {
        Save(SaveReason::kDue);
      }
    }
  });
  if (!result_.interrupted || !result_.diverged.empty()) return;
  Save(SaveReason::kEnd);
  if (best_recall_ < 0) result_.partial_minibatches = progress_.minibatch;
}

// The tasks that draw the negatives of mini-batch `step` of the run into next_negatives_; draw
// numbers go on over a whole run.
Network::Beside Training::DrawNegatives(uint64_t step) {
  static constexpr size_t kBlock = 256;
  const size_t n = next_negatives_.size();
  return {(n + kBlock - 1) / kBlock, [this, step, n](size_t t) {
            const size_t begin = t * kBlock;
            sampler_.Sample(step * n + begin,
                            std::span(next_negatives_).subspan(begin, std::min(kBlock, n - begin)));
          }};
}

// False if the step diverged; the position is then the one before it.
bool Training::Step(const MiniBatch& batch) {
  const double done = static_cast<double>(progress_.epoch - 1) +
                      static_cast<double>(progress_.targets) / static_cast<double>(epoch_targets_);
  network_.SetLearningRate(LearningRateAt(options_, done));
  Network::Beside draw_next;
  if (options_.UsesSamples()) {
    if (next_step_ != result_.steps) {
      const Network::Beside draw = DrawNegatives(result_.steps);
      network_.team().Run(draw.tasks, draw.run);
    }
    std::swap(negatives_, next_negatives_);
    next_step_ = result_.steps + 1;
    draw_next = DrawNegatives(next_step_);
  }
  const double loss = network_.Step(batch, negatives_, result_.steps, draw_next);
  if (!(loss < Network::kDivergedLoss)) {
    std::ostringstream text;
    text << "epoch " << progress_.epoch << ", mini-batch " << progress_.minibatch + 1
         << ": the loss is " << loss << "; " << DescribeBatch(batch, catalog_);
    Diverge(text.str());
    return false;
  }
  ++result_.steps;
  ++progress_.minibatch;
  progress_.targets += batch.rows();
  loss_sum_ += loss * static_cast<double>(options_.batch_size);
  progress_.loss = loss_sum_ / static_cast<double>(progress_.targets);
  progress_.seconds = seconds_before_ + SecondsSince(epoch_start_);
  return true;
}

// False if training ends here.
bool Training::FinishEpoch() {
  // A weight may have left the range that a model can hold, in a row that no later mini-batch of
  // the epoch has asked for; what is written in its place, a mean or a row times the scale, in a
  // way that no mini-batch ever sees.
  Parameters exported = network_.Exported();
  if (!AllGood(network_.parameters()) || !AllGood(exported)) {
    Diverge("epoch " + std::to_string(progress_.epoch) + ": at its end " + kBadWeight);
    return false;
  }
  EpochResult done;
  done.epoch = progress_.epoch;
  done.loss = progress_.loss;
  done.minibatches = progress_.minibatch;
  done.targets = progress_.targets;
  done.seconds = seconds_before_ + SecondsSince(epoch_start_);
  bool is_best = false;
  if (callbacks_.validate) {
    const Clock::time_point validation_start = Clock::now();
    done.validation = callbacks_.validate(exported);
    done.validated = done.validation.targets > 0;
    done.validation_seconds = SecondsSince(validation_start);
    is_best = done.validated && done.validation.RecallAt(20) > best_recall_;
    if (is_best) kept_ = std::move(exported);
  }
  const bool stop = callbacks_.stop && callbacks_.stop();
  // Stopped in the middle of a validation: a resumed run begins with that again.
  if (stop && callbacks_.validate && !done.validated) Save(SaveReason::kEnd);
  result_.epochs.push_back(done);
  if (callbacks_.on_epoch) callbacks_.on_epoch(done);
  const bool broken_off = callbacks_.validate && !done.validated;
  if (is_best) {
    best_recall_ = done.validation.RecallAt(20);
    kept_epoch_ = done.epoch;
    epochs_since_best_ = 0;
  } else if (done.validated) {
    ++epochs_since_best_;
  } else if (best_recall_ < 0) {
    result_.best_epoch = done.epoch;  // an earlier epoch that was measured is kept
  }
  result_.interrupted = stop;
  if (broken_off) {
    // `stop` itself says so, or there was nothing to measure: then go on as without validation.
    if (stop) return false;
  }
  progress_ = {.epoch = done.epoch + 1, .epochs = options_.epochs, .epoch_targets = epoch_targets_};
  if (best_recall_ < 0 && progress_.epoch <= options_.epochs) {
    KeepLastGood(std::move(exported));
  }
  if (is_best) Save(SaveReason::kBest);
  if (stop) {
    Save(SaveReason::kEnd);
    return false;
  }
  if (callbacks_.save_due && !Done() && callbacks_.save_due(progress_, true)) {
    Save(SaveReason::kDue);
  }
  return true;
}

bool Training::AllGood(const Parameters& parameters) {
  const float* weights = parameters.block();
  return std::all_of(weights, weights + parameters.block_floats(),
                     [](float w) { return std::fabs(w) <= kLargestWeight; });
}

void Training::KeepLastGood(Parameters exported) {
  kept_ = std::move(exported);
  kept_epoch_ = progress_.epoch - 1;
}

// The parameters of the last good step where they can be written, else of the last good epoch: a
// step may have spoiled rows that only a later one looked at.
void Training::Diverge(const std::string& what) {
  result_.diverged = what;
  if (best_recall_ >= 0) return;
  result_.parameters = network_.Exported();
  if (AllGood(result_.parameters) && AllGood(network_.parameters())) {
    result_.partial_minibatches = progress_.minibatch;
    return;
  }
  result_.partial_minibatches = 0;
  result_.best_epoch = kept_epoch_;
  result_.parameters = kept_epoch_ > 0 ? std::move(kept_) : StartValues();
}

TrainResult Train(const Options& asked, const Catalog& catalog, const Sessions& sessions,
                  const TrainCallbacks& callbacks, const TrainStart& start) {
  return Training(asked, catalog, sessions, callbacks, start).Run();
}

}  // namespace stint
