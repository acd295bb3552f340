// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/initialize.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "trainer/exact_math.h"
#include "trainer/mt19937.h"
#include "trainer/random.h"

namespace stint {
namespace {

// ---- Own streams: every element of every matrix, row by row, takes the next draw.

// Draw `index` of N(0, 1): the draws 2k and 2k + 1 share two uniform numbers (Box and Muller,
// Annals of Mathematical Statistics 1958).
double Normal(const RandomCounter& random, uint64_t index) {
  const uint64_t pair = index / 2 * 2;
  const double radius = std::sqrt(-2 * Log(1 - random.Unit(pair)));  // of (0, 1]
  const double turn = 2 * random.Unit(pair + 1);
  return radius * (index % 2 == 0 ? CosPi(turn) : SinPi(turn));
}

class Filler {
 public:
  explicit Filler(const Options& options)
      : normal_(options.initialization == Initialization::kNormal),
        sigma_(options.init_sigma),
        random_(options.seed, uint64_t(RandomStream::kInitialize)) {}

  // A matrix of gate blocks with this many inputs and outputs each.
  void Fill(const Matrix& m, size_t fan_in, size_t fan_out) {
    const double s = sigma_ != 0 ? sigma_ : std::sqrt(6.0 / double(fan_in + fan_out));
    for (size_t r = 0; r < m.rows; ++r) {
      for (size_t c = 0; c < m.cols; ++c, ++drawn_) {
        const double draw = normal_ ? Normal(random_, drawn_) : 2.0 * random_.Unit(drawn_) - 1.0;
        m.Row(r)[c] = float(draw * s);
      }
    }
  }

 private:
  bool normal_;
  double sigma_;
  RandomCounter random_;
  uint64_t drawn_ = 0;
};

void InitializeByFan(const Options& options, Parameters* parameters) {
  Filler filler(options);
  for (const GruParameters& layer : parameters->layers) {
    filler.Fill(layer.input_weights, layer.inputs(), layer.units());
    filler.Fill(layer.hidden_weights, layer.units(), layer.units());
  }
  filler.Fill(parameters->items, parameters->items.cols, parameters->items.rows);
  const Matrix& inputs = parameters->inputs;
  const bool one_hot = parameters->shape.embedding == Embedding::kNone;
  filler.Fill(inputs, inputs.rows, one_hot ? inputs.cols / 3 : inputs.cols);
}

// ---- Seed-42 streams of the official codes (ALGORITHM section 4). Gates by their place here.

enum Gate : size_t { kReset, kUpdate, kCandidate };

struct OfficialStream {
  NumpyRandom random{42};
  BlockRounding rounding;

  // A block of rows of items: columns [first, first + cols) of m.
  void DrawColumns(const Matrix& m, size_t first, size_t cols) {
    const std::vector<float> block = random.Block(m.rows, cols, rounding);
    for (size_t r = 0; r < m.rows; ++r) {
      std::copy_n(block.data() + r * cols, cols, m.Row(r) + first);
    }
  }

  // A gate's block of the Theano form, drawn as [inputs, units]; its rows here are the units.
  void DrawTransposedGate(const Matrix& m, Gate gate) {
    const size_t units = m.rows / 3;
    const std::vector<float> block = random.Block(m.cols, units, rounding);
    for (size_t i = 0; i < m.cols; ++i) {
      for (size_t u = 0; u < units; ++u) m.Row(gate * units + u)[i] = block[i * units + u];
    }
  }

  // A gate's block of the PyTorch form, drawn as it stands: [units, inputs].
  void DrawGate(const Matrix& m, Gate gate) {
    const size_t units = m.rows / 3;
    const std::vector<float> block = random.Block(units, m.cols, rounding);
    for (size_t u = 0; u < units; ++u) {
      std::copy_n(block.data() + u * m.cols, m.cols, m.Row(gate * units + u));
    }
  }
};

// The PyTorch code draws an input block as [inputs, units] of the first layer and takes it for
// [units, inputs]: it runs only where all these widths are equal. Here every block has the shape it
// needs, which is the same draw in that case.
void InitializeCompat42(Parameters* parameters) {
  const bool torch = parameters->shape.gru_form == GruForm::kResetAfter;
  OfficialStream stream{.rounding = torch ? BlockRounding::kFirst : BlockRounding::kLast};
  const Matrix& inputs = parameters->inputs;
  const Embedding embedding = parameters->shape.embedding;
  if (embedding == Embedding::kSeparate) stream.DrawColumns(inputs, 0, inputs.cols);
  for (size_t l = 0; l < parameters->layers.size(); ++l) {
    const GruParameters& layer = parameters->layers[l];
    const size_t units = layer.units();
    if (layer.form == GruForm::kResetAfter) {
      for (const Gate gate : {kReset, kUpdate, kCandidate}) {
        stream.DrawGate(layer.input_weights, gate);
      }
      for (const Gate gate : {kReset, kUpdate, kCandidate}) {
        stream.DrawGate(layer.hidden_weights, gate);
      }
      continue;
    }
    for (const Gate gate : {kCandidate, kReset, kUpdate}) {
      if (layer.inputs() == 0) {  // one-hot
        stream.DrawColumns(inputs, gate * units, units);
      } else {
        stream.DrawTransposedGate(layer.input_weights, gate);
      }
    }
    // The Theano code draws Wh, then Wrz; the PyTorch code, with one-hot input, the reverse.
    if (!torch) stream.DrawTransposedGate(layer.hidden_weights, kCandidate);
    stream.DrawTransposedGate(layer.hidden_weights, kReset);
    stream.DrawTransposedGate(layer.hidden_weights, kUpdate);
    if (torch) stream.DrawTransposedGate(layer.hidden_weights, kCandidate);
  }
  stream.DrawColumns(parameters->items, 0, parameters->items.cols);
}

}  // namespace

void Initialize(const Options& options, Parameters* parameters) {
  if (options.initialization == Initialization::kCompat42) {
    InitializeCompat42(parameters);
  } else {
    InitializeByFan(options, parameters);
  }
}

}  // namespace stint
