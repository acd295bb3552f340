// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Reference weights, steps and settings <-> those of the trainer, and one trainer step with
// everything it computes read out.
#ifndef STINT_TESTS_REFERENCE_TRAINER_BRIDGE_H_
#define STINT_TESTS_REFERENCE_TRAINER_BRIDGE_H_

#include <cstring>
#include <utility>
#include <vector>

#include "tests/reference/network.h"
#include "trainer/minibatch.h"
#include "trainer/network.h"
#include "trainer/options.h"
#include "trainer/parameters.h"

namespace stint::reference {

// Calls f(reference array, trainer matrix) for every pair of the two.
template <class AnyWeights, class F>
void ForEachPair(AnyWeights& weights, const Parameters& parameters, const F& f) {
  for (size_t l = 0; l < weights.layers.size(); ++l) {
    auto& layer = weights.layers[l];
    const GruParameters& p = parameters.layers[l];
    f(layer.input_weights, p.input_weights);
    f(layer.hidden_weights, p.hidden_weights);
    f(layer.input_bias, p.input_bias);
    f(layer.hidden_bias, p.hidden_bias);
  }
  f(weights.inputs, parameters.inputs);
  f(weights.items, parameters.items);
  f(weights.item_bias, parameters.item_bias);
}

// Rounded to float32. The scale of normalized items is no parameter but an option: ToOptions().
inline Parameters ToParameters(const Weights& weights) {
  Parameters parameters(weights.shape);
  ForEachPair(weights, parameters, [](const Array& from, const Matrix& to) {
    for (size_t r = 0; r < from.rows; ++r) {
      for (size_t c = 0; c < from.cols; ++c) to.Row(r)[c] = static_cast<float>(from(r, c));
    }
  });
  return parameters;
}

inline Weights FromParameters(const Parameters& parameters) {
  Weights weights(parameters.shape);
  ForEachPair(weights, parameters, [](Array& to, const Matrix& from) {
    for (size_t r = 0; r < to.rows; ++r) {
      for (size_t c = 0; c < to.cols; ++c) to(r, c) = from.Row(r)[c];
    }
  });
  return weights;
}

// With the scale of normalized items, if they are.
inline Weights WeightsOf(const Network& network, const Settings& settings) {
  Weights weights = FromParameters(network.parameters());
  if (settings.normalize_items) {
    weights.item_scale = Array(1, 1);
    weights.item_scale(0, 0) = network.item_scale();
  }
  return weights;
}

// The same bits in every element.
inline bool SameBits(const Parameters& a, const Parameters& b) {
  const auto same = [](const Matrix& x, const Matrix& y) {
    if (x.rows != y.rows || x.cols != y.cols) return false;
    for (size_t r = 0; r < x.rows; ++r) {
      if (std::memcmp(x.Row(r), y.Row(r), x.cols * sizeof(float)) != 0) return false;
    }
    return true;
  };
  const std::vector<Matrix> dense_a = a.Dense(), dense_b = b.Dense();
  if (dense_a.size() != dense_b.size()) return false;
  for (size_t i = 0; i < dense_a.size(); ++i) {
    if (!same(dense_a[i], dense_b[i])) return false;
  }
  return same(a.inputs, b.inputs) && same(a.items, b.items) && same(a.item_bias, b.item_bias);
}

// `keep_*` 1: no dropout.
inline Options ToOptions(const Settings& settings, const Weights& weights, size_t negatives,
                         double keep_embedding, double keep_hidden) {
  Options options = settings;
  options.layers = weights.shape.layers;
  options.gru_form = weights.shape.gru_form;
  options.embedding = weights.shape.embedding;
  options.embedding_width = weights.shape.embedding_width;
  options.negatives = negatives;
  options.dropout_embedding = 1 - keep_embedding;
  options.dropout_hidden = 1 - keep_hidden;
  if (settings.normalize_items) options.item_scale = weights.item_scale(0, 0);
  options.threads = 1;
  return options;
}

inline std::vector<uint32_t> ToCounts(const Settings& settings) {
  return {settings.counts.begin(), settings.counts.end()};
}

inline MiniBatch ToMiniBatch(const StepInput& input) {
  MiniBatch batch;
  batch.inputs = input.inputs;
  batch.targets = input.targets;
  batch.hidden_from = input.hidden_from;
  return batch;
}

// Session by session -> the trainer's features x batch.
inline void CopyMask(const Array& mask, size_t stride, AlignedFloats* out) {
  for (size_t m = 0; m < mask.rows; ++m) {
    for (size_t c = 0; c < mask.cols; ++c) {
      out->data()[c * stride + m] = static_cast<float>(mask(m, c));
    }
  }
}

// Network::Step() by its stages, with the masks of `input` and what it computed read out.
inline StepOutput StepByStages(const StepInput& input, uint64_t step, Network* network) {
  const size_t stride = network->batch_stride(), rows = input.rows();
  network->DrawDropout(step);
  if (!input.embedding_mask.values.empty()) {
    CopyMask(input.embedding_mask, stride, &network->embedding_mask());
  }
  for (size_t l = 0; l < input.hidden_masks.size(); ++l) {
    CopyMask(input.hidden_masks[l], stride, &network->hidden_mask(l));
  }
  network->Forward(ToMiniBatch(input), input.negatives);
  StepOutput output;
  output.scores = Array(rows, network->columns());
  for (size_t m = 0; m < rows; ++m) {
    for (size_t c = 0; c < network->columns(); ++c) {
      output.scores(m, c) = network->scores()[c * stride + m];
    }
  }
  for (size_t l = 0; l < network->parameters().layers.size(); ++l) {
    Array hidden(rows, network->parameters().layers[l].units());
    for (size_t m = 0; m < rows; ++m) {
      for (size_t u = 0; u < hidden.cols; ++u) hidden(m, u) = network->hidden(l)[u * stride + m];
    }
    output.hidden.push_back(std::move(hidden));
  }
  output.loss = network->ComputeLoss();
  network->Backward();
  network->Update();
  return output;
}

}  // namespace stint::reference

#endif  // STINT_TESTS_REFERENCE_TRAINER_BRIDGE_H_
