// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/train.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <sstream>
#include <utility>

#include "trainer/initialize.h"
#include "trainer/minibatch.h"
#include "trainer/negative_sampler.h"
#include "trainer/network.h"
#include "trainer/team.h"

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

// Draws the negatives of a mini-batch; draw numbers go on over a whole run.
void SampleNegatives(const NegativeSampler& sampler, uint64_t step, Team* team,
                     std::vector<uint32_t>* negatives) {
  constexpr size_t kBlock = 256;
  const size_t n = negatives->size();
  team->Run((n + kBlock - 1) / kBlock, [&](size_t t) {
    const size_t begin = t * kBlock;
    sampler.Sample(step * n + begin,
                   std::span(*negatives).subspan(begin, std::min(kBlock, n - begin)));
  });
}

}  // namespace

TrainResult Train(const Options& asked, const Catalog& catalog, const Sessions& sessions,
                  const TrainCallbacks& callbacks) {
  Options options = asked;  // no more rows than sessions: neither memory nor a smaller gradient
  options.batch_size = std::max<size_t>(1, std::min(asked.batch_size, sessions.size()));
  Parameters initial(NetworkShape::Of(options, catalog.size()));
  Initialize(options, &initial);
  Network network(options, catalog.counts, std::move(initial));
  const NegativeSampler sampler(catalog.counts, options.sample_alpha, options.seed);
  MiniBatchIterator batches(sessions, options.batch_size, options.negatives == 0 ? 2 : 1);
  std::vector<uint32_t> negatives(options.negatives);
  const uint64_t epoch_targets = sessions.Targets();

  TrainResult result;
  Parameters best;
  double best_recall = -1;
  size_t epochs_since_best = 0;
  MiniBatch batch;
  uint64_t step = 0;
  for (size_t epoch = 1; epoch <= options.epochs; ++epoch) {
    TrainProgress progress{
        .epoch = epoch, .epochs = options.epochs, .epoch_targets = epoch_targets};
    const Clock::time_point start = Clock::now();
    double loss_sum = 0;
    network.ResetHidden();
    batches.Restart();
    network.team().Open([&] {
      while (!result.interrupted && batches.Next(&batch)) {
        SampleNegatives(sampler, step, &network.team(), &negatives);
        const double loss = network.Step(batch, negatives, step);
        ++step;
        ++progress.minibatch;
        if (!(loss < Network::kDivergedLoss)) {
          std::ostringstream text;
          text << "epoch " << epoch << ", mini-batch " << progress.minibatch << ": the loss is "
               << loss << "; " << DescribeBatch(batch, catalog);
          result.diverged = text.str();
          break;
        }
        progress.targets += batch.rows();
        loss_sum += loss * static_cast<double>(options.batch_size);
        progress.loss = loss_sum / static_cast<double>(progress.targets);
        progress.seconds = SecondsSince(start);
        if (callbacks.on_minibatch) callbacks.on_minibatch(progress);
        result.interrupted = callbacks.stop && callbacks.stop();
      }
    });
    if (result.interrupted || !result.diverged.empty()) {
      const uint64_t undone = result.diverged.empty() ? 0 : 1;  // the step that diverged
      if (best_recall < 0) result.partial_minibatches = progress.minibatch - undone;
      break;
    }

    EpochResult done;
    done.epoch = epoch;
    done.loss = progress.loss;
    done.minibatches = progress.minibatch;
    done.targets = progress.targets;
    done.seconds = SecondsSince(start);
    if (callbacks.validate) {
      const Clock::time_point validation_start = Clock::now();
      done.validation = callbacks.validate(network.parameters());
      done.validated = done.validation.targets > 0;
      done.validation_seconds = SecondsSince(validation_start);
    }
    result.epochs.push_back(done);
    if (callbacks.on_epoch) callbacks.on_epoch(done);
    result.interrupted = callbacks.stop && callbacks.stop();
    if (!done.validated) {
      // Stopped in the middle of a validation: an earlier epoch that finished its own is kept.
      if (best_recall < 0) result.best_epoch = epoch;
    } else if (done.validation.RecallAt(20) > best_recall) {
      best_recall = done.validation.RecallAt(20);
      best = network.parameters();
      result.best_epoch = epoch;
      epochs_since_best = 0;
    } else if (options.patience > 0 && ++epochs_since_best >= options.patience) {
      break;
    }
    if (result.interrupted) break;
  }
  // Nothing validated: what there is.
  result.parameters = best_recall >= 0 ? std::move(best) : std::move(network.parameters());
  return result;
}

}  // namespace stint
