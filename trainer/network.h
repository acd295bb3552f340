// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// One training step: mini-batch and negatives -> loss -> gradients -> updated parameters
// (stages 5 to 7 of the data flow), for any number of layers, either GRU form, and input rows
// shared with the output, of their own, or one-hot.
#ifndef STINT_TRAINER_NETWORK_H_
#define STINT_TRAINER_NETWORK_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "trainer/aligned_floats.h"
#include "trainer/ema.h"
#include "trainer/gru.h"
#include "trainer/loss.h"
#include "trainer/minibatch.h"
#include "trainer/optimizer.h"
#include "trainer/options.h"
#include "trainer/pairwise_sum.h"
#include "trainer/parameters.h"
#include "trainer/products.h"
#include "trainer/team.h"

namespace stint {

// An array that later steps depend on.
struct StateArray {
  std::string name;
  void* data = nullptr;
  size_t bytes = 0;
};

// The work is cut into blocks whose number does not depend on the number of threads, and every
// sum runs in one fixed order: the parameters after a step have the same bits for any number
// of threads.
class Network {
 public:
  // Takes over `parameters`. `counts` [items]: training counts, for the logQ correction.
  Network(const Options& options, std::span<const uint32_t> counts, Parameters parameters);

  // Work that has nothing to do with a step and is done by its threads meanwhile, where they would
  // wait for each other: run(0) to run(tasks - 1), in any order. Must not throw.
  struct Beside {
    size_t tasks = 0;
    std::function<void(size_t)> run;
  };

  // One step; `step` numbers the mini-batches of a run (it selects the dropout masks).
  // Returns the loss: sum over rows / nominal batch size. If that is not finite or beyond
  // kDivergedLoss, parameters and optimizer are left as they were before the step.
  double Step(const MiniBatch& batch, std::span<const uint32_t> negatives, uint64_t step,
              const Beside& beside);
  double Step(const MiniBatch& batch, std::span<const uint32_t> negatives, uint64_t step) {
    return Step(batch, negatives, step, {});
  }
  static constexpr double kDivergedLoss = 1e12;

  // The threads that the stages run on. Keep it open over many steps: see Train().
  Team& team() { return team_; }

  // Zero hidden state in all rows (start of an epoch).
  void ResetHidden();
  // Of the steps from now on.
  void SetLearningRate(double rate) { optimizer_.learning_rate = static_cast<float>(rate); }

  // What a model is made of: the parameters or their running mean, with normalized items folded
  // into their rows.
  Parameters Exported() const;

  // All that the next step depends on besides its arguments: copied out and in again, training
  // goes on with the same bits.
  std::vector<StateArray> State();

  // The stages of Step(), for tests; in this order. Backward() already updates the rows and
  // biases of items that occur once; Update() does the rest.
  void DrawDropout(uint64_t step);
  void Forward(const MiniBatch& batch, std::span<const uint32_t> negatives, const Beside& beside);
  void Forward(const MiniBatch& batch, std::span<const uint32_t> negatives) {
    Forward(batch, negatives, {});
  }
  double ComputeLoss();
  void Backward();
  void Update();

  const Parameters& parameters() const { return parameters_; }
  Parameters& parameters() { return parameters_; }
  // The optimizer's slots (OptimizerSlots), laid out as the parameters; empty where it has none.
  const Parameters& first() const { return first_; }
  const Parameters& accumulators() const { return first_; }  // as Adagrad calls it
  const Parameters& second() const { return second_; }
  const Parameters& velocities() const { return velocities_; }
  float item_scale() const { return item_scale_[0]; }

  // Floats in a row of a mini-batch array: the nominal batch size, rounded up.
  size_t batch_stride() const { return stride_; }
  size_t columns() const { return columns_.size(); }
  // [columns, batch_stride] raw scores after Forward(), their gradients after Backward().
  const float* scores() const { return scores_.data(); }
  // [units, batch_stride] hidden state of a layer after Forward(), dropout applied.
  const float* hidden(size_t layer) const { return layers_[layer].a.hidden; }
  // Dropout multipliers, [input width or units, batch_stride]; tests may overwrite them between
  // DrawDropout() and Forward(). Size 0 where there is no dropout.
  AlignedFloats& embedding_mask() { return embedding_mask_; }
  AlignedFloats& hidden_mask(size_t layer) { return layers_[layer].mask; }

 private:
  // Score columns handled together: their item rows (64 x 400 bytes at 100 units) and scores fit
  // the first-level cache.
  static constexpr size_t kColumnBlock = 64;
  // Partial sums of a gradient: as many as threads can share.
  static constexpr size_t kMaxGroups = PairwiseSum::kMaxParts;
  // Of these as many as the layer allows: partial sums beyond the second-level cache cost more than
  // threads gain.
  size_t Groups(size_t features) const { return features * stride_ > 32768 ? 8 : kMaxGroups; }
  // Features in a task.
  static constexpr size_t kRowBlock = 32;
  // Units of a layer are handled in blocks of about 28, of an even number where there are several:
  // two threads then have equal work.
  static size_t UnitBlocks(size_t units) {
    const size_t blocks = units / 28;
    return blocks < 2 ? 1 : blocks - blocks % 2;
  }
  static size_t UnitBlockBegin(size_t units, size_t block) {
    return std::min(units, RoundUp(units * block / UnitBlocks(units), 4));
  }
  static constexpr size_t kMaxUnitBlock = 64;
  static size_t Blocks(size_t n, size_t block) { return (n + block - 1) / block; }
  // Floats in a session's row of features with a 1 behind, padded.
  static size_t RowStride(size_t features) { return RoundUp(features + 1, kRowAlignment); }

  struct Layer {
    GruActivations a;  // views into the arrays below
    AlignedFloats input_gates, hidden_gates, old_hidden, reset, update, candidate, reset_hidden,
        hidden;
    AlignedFloats mask;              // [units, batch] dropout of the output
    AlignedFloats old_rows;          // [batch, row_stride(units)] session by session, then 1
    AlignedFloats reset_rows;        // the same of r h (reset_before)
    AlignedFloats hidden_rows;       // the same of the output
    AlignedFloats d_hidden;          // [units, batch] gradient of the output
    AlignedFloats d_input_gates;     // [3 units, batch]
    AlignedFloats d_hidden_gates;    // [3 units, batch] (reset_after; else equal to d_input_gates)
    AlignedFloats d_reset_hidden;    // [units, batch] (reset_before)
    AlignedFloats d_input_weights;   // [3 units, row_stride(inputs)], last the bias; with
                                     // updates_at_once() [threads, kMaxUnitBlock, ..] scratch
    AlignedFloats d_hidden_weights;  // [3 units, row_stride(units)], likewise
  };

  void AssignColumns(const MiniBatch& batch, std::span<const uint32_t> negatives);
  void GatherInputs(const MiniBatch& batch);
  void EmbedSessions(const Rows& rows, size_t begin, size_t end);
  void ForwardLayer(size_t l);
  void ForwardScores(const Beside& beside);
  void CorrectScores(size_t begin, size_t end);
  void NormalizeRows();
  void BackwardScores();
  void BackwardLayer(size_t l);
  template <class Part, class Run>
  void ForGroups(size_t blocks, size_t features, const Part& part, const Run& run);
  void BackwardWeights(const Matrix& weights, const Matrix& bias, size_t begin, size_t end,
                       const float* d_gates, const float* input_rows, AlignedFloats* d_weights);
  void BackwardInputs();
  void UpdateGates(const Matrix& weights, const Matrix& bias, size_t begin, size_t end,
                   const float* gradient);
  void UpdateItems();
  void UpdateInputs();
  size_t GradientsStride(const TouchedRows& touched);
  // Updates of single elements that wait to be done side by side.
  struct OnceUpdates {
    static constexpr size_t kCapacity = 64;
    size_t size = 0;
    OptimizerSlots slots[kCapacity];
    alignas(64) float gradient[kCapacity], parameter[kCapacity], first[kCapacity],
        second[kCapacity], velocity[kCapacity];
  };
  void UpdateElement(const OptimizerSlots& slots, float gradient, OnceUpdates* updates);
  void UpdateBias(size_t item, float gradient, OnceUpdates* updates);
  void FlushBiases(OnceUpdates* updates);
  void UpdateItem(size_t item, const float* const* gradients, size_t occurrences);
  void BackwardNormalize();
  void ClipGradients();
  // Parameters and up to three slots.
  static constexpr size_t kMaxSlots = 4;
  // Rows from one that is updated to one that is fetched for it.
  static constexpr size_t kUpdatesAhead = 6;
  static constexpr size_t kItemsAhead = 2;
  size_t ItemSlots(size_t begin, size_t end, const float** rows) const;
  size_t ItemRows(size_t begin, size_t end, const float** rows) const;
  size_t UpdatedRows(const Matrix& m, size_t begin, size_t end, const float** rows) const;
  void PrefetchItem(size_t item) const;

  bool shared() const { return parameters_.shape.embedding == Embedding::kShared; }
  bool one_hot() const { return parameters_.shape.embedding == Embedding::kNone; }
  // Whether rows of items that occur once are updated inside BackwardScores(): not where all
  // gradients must be known before the first update.
  bool updates_at_once() const { return options_.clip_norm == 0 && !options_.normalize_items; }
  // Width of the rows that items enter by.
  size_t input_width() const { return parameters_.InputRows().cols; }
  // Rows of the scored items, one a column.
  Rows ColumnRows() const;
  float* GradientRow(size_t occurrence) const;
  void SetOnes(size_t features, AlignedFloats* rows) const;
  const float* LayerInput(size_t l) const;      // [inputs, batch]
  const float* LayerInputRows(size_t l) const;  // [batch, row_stride(inputs)]
  LossBatch ScoreBatch() const;
  OptimizerSlots SlotsOf(const Matrix& m, size_t offset);

  Options options_;
  Products products_;
  Team team_;
  LossConfig loss_config_;
  OptimizerConfig optimizer_;
  Parameters parameters_;
  Parameters first_, second_, velocities_;  // see first()
  std::vector<uint32_t> steps_;  // [floats of the parameters] Adam's, by row's first float
  std::vector<float> item_scale_ = {1.0f};  // [1] of normalize_items
  std::vector<float> item_scale_slots_;     // [3] its first, second and velocity
  uint32_t item_scale_steps_ = 0;
  std::optional<WeightMean> mean_;        // with ema_decay
  uint64_t done_ = 0;                     // steps
  double d_item_scale_ = 0;               // gradient of the scale
  std::vector<float> log_counts_;         // [items] log of the count, with logQ alone
  std::vector<double> mixture_in_batch_;  // [items] count / sum, with the mixture logQ alone
  std::vector<double> mixture_sampled_;   // [items] count^alpha / sum

  size_t stride_;                      // batch_stride()
  size_t rows_ = 0;                    // of the current mini-batch
  std::vector<uint32_t> columns_;      // [rows + negatives] items: targets, then negatives
  std::vector<uint32_t> inputs_;       // [rows] items that enter
  std::vector<uint32_t> moved_;        // rows that go on from another row's hidden state, or none
  std::vector<uint32_t> occurrences_;  // columns, then inputs if their rows are the same
  std::vector<float> correction_;      // [columns], with logQ alone
  std::vector<float> column_bias_;     // [columns], with normalize_items alone
  std::vector<int32_t> target_items_;  // [batch] targets, -1 beyond the rows
  TouchedRows touched_;                // of `items`, by occurrences_
  TouchedRows touched_inputs_;         // of `inputs`, where there is one

  AlignedFloats embedded_;        // [input width, batch] input of the first layer
  AlignedFloats embedded_rows_;   // [batch, row_stride(inputs of the first layer)]
  AlignedFloats embedding_mask_;  // [input width, batch]
  AlignedFloats d_embedded_;      // [input width, batch]
  AlignedFloats thresholds_;      // [batch], with `hardest` alone
  AlignedFloats unit_rows_;       // [columns + batch, stride of items] row / |row|, with
                                  // normalize_items alone, as the two below
  AlignedFloats scaled_rows_;     // the same times the scale
  std::vector<float> row_norms_;  // [columns + batch]
  AlignedFloats scores_;          // [columns, batch]
  AlignedFloats partials_;        // [blocks, kLossStatistics, batch]
  AlignedFloats statistics_;      // [kLossStatistics, batch]
  AlignedFloats d_parts_;         // [groups - 1, features, batch] partial sums of all groups but
                                  // the first, which is begun in place
  PairwiseSum parts_sum_;
  AlignedFloats d_block_rows_;  // [threads, kColumnBlock, row_stride(width)], last the bias
  AlignedFloats d_rows_;        // [columns, row_stride(width)], last the bias; filled where an
                                // item occurs more than once, or everywhere without
                                // updates_at_once()
  std::vector<const float*> gradients_;  // [threads, GradientsStride()] scratch
  AlignedFloats d_input_rows_;           // [batch, row_stride(input width)]
  std::vector<Layer> layers_;
};

}  // namespace stint

#endif  // STINT_TRAINER_NETWORK_H_
