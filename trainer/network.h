// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// One training step: mini-batch and negatives -> loss -> gradients -> updated parameters
// (stages 5 to 7 of the data flow), for any number of layers and either GRU form.
#ifndef STINT_TRAINER_NETWORK_H_
#define STINT_TRAINER_NETWORK_H_

#include <hwy/aligned_allocator.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "trainer/gru.h"
#include "trainer/loss.h"
#include "trainer/matmul.h"
#include "trainer/minibatch.h"
#include "trainer/optimizer.h"
#include "trainer/options.h"
#include "trainer/parameters.h"
#include "trainer/team.h"

namespace stint {

// Zeroed floats at a 64-byte boundary.
class AlignedFloats {
 public:
  AlignedFloats() = default;
  explicit AlignedFloats(size_t size);

  float* data() const { return data_.get(); }
  size_t size() const { return size_; }

 private:
  hwy::AlignedFreeUniquePtr<float[]> data_;
  size_t size_ = 0;
};

// The work is cut into blocks whose number does not depend on the number of threads, and every
// sum runs in one fixed order: the parameters after a step have the same bits for any number
// of threads.
class Network {
 public:
  // Takes over `parameters`. `counts` [items]: training counts, for the logQ correction.
  Network(const Options& options, std::span<const uint32_t> counts, Parameters parameters);

  // One step; `step` numbers the mini-batches of a run (it selects the dropout masks).
  // Returns the loss: sum over rows / nominal batch size. If that is not finite or beyond
  // kDivergedLoss, parameters and optimizer are left as they were before the step.
  double Step(const MiniBatch& batch, std::span<const uint32_t> negatives, uint64_t step);
  static constexpr double kDivergedLoss = 1e12;

  // The threads that the stages run on. Keep it open over many steps: see Train().
  Team& team() { return team_; }

  // Zero hidden state in all rows (start of an epoch).
  void ResetHidden();

  // The stages of Step(), for tests; in this order. Backward() already updates the rows and
  // biases of items that occur once; Update() does the rest.
  void DrawDropout(uint64_t step);
  void Forward(const MiniBatch& batch, std::span<const uint32_t> negatives);
  double ComputeLoss();
  void Backward();
  void Update();

  const Parameters& parameters() const { return parameters_; }
  Parameters& parameters() { return parameters_; }
  const Parameters& accumulators() const { return accumulators_; }
  const Parameters& velocities() const { return velocities_; }

  // Floats in a row of a mini-batch array: the nominal batch size, rounded up.
  size_t batch_stride() const { return stride_; }
  size_t columns() const { return columns_.size(); }
  // [columns, batch_stride] raw scores after Forward(), their gradients after Backward().
  const float* scores() const { return scores_.data(); }
  // [units, batch_stride] hidden state of a layer after Forward(), dropout applied.
  const float* hidden(size_t layer) const { return layers_[layer].a.hidden; }
  // Dropout multipliers, [width or units, batch_stride]; tests may overwrite them between
  // DrawDropout() and Forward(). Size 0 where there is no dropout.
  AlignedFloats& embedding_mask() { return embedding_mask_; }
  AlignedFloats& hidden_mask(size_t layer) { return layers_[layer].mask; }

 private:
  // Score columns handled together: their item rows (64 x 400 bytes at 100 units) and scores fit
  // the first-level cache.
  static constexpr size_t kColumnBlock = 64;
  // Partial sums of the hidden state's gradient, added in order: as many as threads can share.
  static constexpr size_t kMaxGroups = 16;
  // Gate rows, features and units in a task.
  static constexpr size_t kRowBlock = 32;
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
    AlignedFloats d_input_weights;   // [3 units, row_stride(inputs)], last the bias
    AlignedFloats d_hidden_weights;  // [3 units, row_stride(units)], last the bias
  };

  void ForwardEmbedding();
  void ForwardLayer(size_t l, const MiniBatch& batch);
  void ForwardScores();
  void BackwardScores();
  void BackwardLayer(size_t l);
  void UpdateLayer(size_t l);
  void UpdateItems();
  void UpdateItem(size_t item, const float* const* gradients, size_t occurrences);
  void PrefetchSlots(size_t item) const;

  const float* LayerInput(size_t l) const;      // [inputs, batch]
  const float* LayerInputRows(size_t l) const;  // [batch, row_stride(inputs)]
  LossBatch ScoreBatch() const;
  OptimizerSlots SlotsOf(const Matrix& m, size_t offset) const;

  Options options_;
  Team team_;
  LossConfig loss_config_;
  OptimizerConfig optimizer_;
  Parameters parameters_;
  Parameters accumulators_;
  Parameters velocities_;          // empty without momentum
  std::vector<float> log_counts_;  // [items] log of the count, with logQ alone

  size_t stride_;                      // batch_stride()
  size_t rows_ = 0;                    // of the current mini-batch
  std::vector<uint32_t> columns_;      // [rows + negatives] items: targets, then negatives
  std::vector<uint32_t> occurrences_;  // columns, then inputs
  std::vector<float> correction_;      // [columns], with logQ alone
  TouchedRows touched_;

  AlignedFloats embedded_;        // [width, batch] input of the first layer
  AlignedFloats embedded_rows_;   // [batch, row_stride(width)]
  AlignedFloats embedding_mask_;  // [width, batch]
  AlignedFloats d_embedded_;      // [width, batch]
  AlignedFloats scores_;          // [columns, batch]
  AlignedFloats partials_;        // [blocks, kLossStatistics, batch]
  AlignedFloats statistics_;      // [kLossStatistics, batch]
  AlignedFloats d_hidden_parts_;  // [groups, width, batch] partial sums over column groups
  AlignedFloats d_block_rows_;    // [groups, kColumnBlock, row_stride(width)], last the bias
  AlignedFloats d_rows_;          // [columns + batch, row_stride(width)], last the bias; filled
                                  // where an item occurs more than once
  std::vector<Layer> layers_;
};

}  // namespace stint

#endif  // STINT_TRAINER_NETWORK_H_
