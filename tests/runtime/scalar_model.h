// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Parameters + items -> hidden states and scores, in plain scalar code: once exactly as the model
// file defines the arithmetic (bit for bit), once in float64 with the library's tanh.
#ifndef STINT_TESTS_RUNTIME_SCALAR_MODEL_H_
#define STINT_TESTS_RUNTIME_SCALAR_MODEL_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "trainer/parameters.h"
#include "trainer/quantize.h"

namespace stint {

// tanh of runtime/math-inl.h, written down a second time.
inline float ScalarTanh(float x) {
  const float p[] = {1.0f,
                     0x1.0bf5e4p-3f,
                     0x1.96d776p-9f,
                     0x1.7646b8p-17f,
                     -0x1.5b7764p-26f,
                     0x1.d040a6p-35f,
                     -0x1.7e4bfep-44f};
  const float q[] = {1.0f, 0x1.db5044p-2f, 0x1.915436p-6f, 0x1.0afb8ap-12f};
  const float a = std::min(std::fabs(x), 9.0f);
  const float t = a * a;
  float top = p[6];
  for (int i = 5; i >= 0; --i) top = top * t + p[i];
  float bottom = q[3];
  for (int i = 2; i >= 0; --i) bottom = bottom * t + q[i];
  return std::copysign(std::min(a * top / bottom, 1.0f), x);
}
inline float ScalarSigmoid(float x) { return 0.5f + 0.5f * ScalarTanh(0.5f * x); }

// exp of runtime/math-inl.h, written down a second time. Not for NaN.
inline float ScalarExp(float x) {
  if (x < -87.3f) return 0.0f;
  const float c = std::min(x, 88.7f);
  const float n = std::nearbyint(c * 0x1.715476p+0f);
  float r = c - n * 0x1.62e400p-1f;
  r = r - n * 0x1.7f7d1cp-20f;
  const float p[] = {0.5f, 0x1.5554dep-3f, 0x1.5555bap-5f, 0x1.120b1cp-7f, 0x1.6c69f2p-10f};
  float sum = p[4];
  for (int i = 3; i >= 0; --i) sum = sum * r + p[i];
  sum = sum * (r * r) + r + 1.0f;
  return std::ldexp(sum, static_cast<int>(n));
}

// The activations of runtime/activation-inl.h, likewise.
inline float ScalarActivate(const ActivationParams& f, float x) {
  switch (f.kind) {
    case ActivationKind::kSoftmax:
    case ActivationKind::kLinear:
      return x;
    case ActivationKind::kTanh:
      return ScalarTanh(x);
    case ActivationKind::kRelu:
      return x < 0 ? 0.0f : x;
    case ActivationKind::kLeakyRelu:
      return x < 0 ? f.alpha * x : x;
    case ActivationKind::kElu:
      return x < 0 ? f.alpha * (ScalarExp(x) - 1.0f) : x;
    case ActivationKind::kSelu:
      return f.scale * (x < 0 ? f.alpha * (ScalarExp(x) - 1.0f) : x);
  }
  return 0;
}
inline double Activate64(const ActivationParams& f, double x) {
  const double alpha = f.alpha, scale = f.scale;
  switch (f.kind) {
    case ActivationKind::kSoftmax:
    case ActivationKind::kLinear:
      return x;
    case ActivationKind::kTanh:
      return std::tanh(x);
    case ActivationKind::kRelu:
      return std::max(x, 0.0);
    case ActivationKind::kLeakyRelu:
      return x < 0 ? alpha * x : x;
    case ActivationKind::kElu:
      return x < 0 ? alpha * std::expm1(x) : x;
    case ActivationKind::kSelu:
      return scale * (x < 0 ? alpha * std::expm1(x) : x);
  }
  return 0;
}

// To eight significant bits, half to even.
inline float ScalarBf16(float x) {
  int exponent;
  const double mantissa = std::frexp(static_cast<double>(x), &exponent);
  return static_cast<float>(std::ldexp(std::nearbyint(mantissa * 256), exponent - 8));
}

// A weight matrix with biases in the form of the file.
struct ScalarMatrix {
  size_t rows, cols;
  bool integers;               // int8 or int4
  std::vector<float> weights;  // [rows, cols] as the file has them
  std::vector<int8_t> codes;   // [rows, cols] of integers: weight = scale * code
  std::vector<float> scales;   // [rows] of integers
  std::vector<float> biases;   // [rows]

  ScalarMatrix(const Matrix& m, const float* bias, DType dtype)
      : rows(m.rows),
        cols(m.cols),
        integers(dtype == DType::kInt8 || dtype == DType::kInt4),
        codes(m.rows * m.cols),
        scales(m.rows),
        biases(m.rows) {
    for (size_t r = 0; r < rows; ++r) {
      if (bias) biases[r] = bias[r];
      int8_t* const row = codes.data() + r * cols;
      if (dtype == DType::kInt8) scales[r] = QuantizeRow(m.Row(r), cols, row);
      if (dtype == DType::kInt4) {
        std::vector<uint8_t> nibbles(cols);
        scales[r] = QuantizeRow4(m.Row(r), cols, nibbles.data());
        for (size_t c = 0; c < cols; ++c) row[c] = static_cast<int8_t>(nibbles[c] - 8);
      }
      for (size_t c = 0; c < cols; ++c) {
        weights.push_back(integers                ? scales[r] * static_cast<float>(row[c])
                          : dtype == DType::kBf16 ? ScalarBf16(m.Row(r)[c])
                                                  : m.Row(r)[c]);
      }
    }
  }

  // q with its step: x_j ~ step * q_j.
  struct Quantized {
    std::vector<int32_t> q;
    float step = 0;
  };
  static Quantized Quantize(const std::vector<float>& x) {
    const int64_t columns = static_cast<int64_t>((x.size() + 3) / 4 * 4);
    const float levels =
        static_cast<float>(std::min<int64_t>(32512, int64_t{0x7FFFFFFF} / (127 * columns)));
    float largest = 0;
    for (const float v : x) largest = std::max(largest, std::fabs(v));
    Quantized out{std::vector<int32_t>(x.size()), 0};
    if (largest < 1e-30f) return out;
    const float factor = levels / largest;
    for (size_t j = 0; j < x.size(); ++j) {
      out.q[j] = static_cast<int32_t>(std::nearbyint(x[j] * factor));
    }
    out.step = largest / levels;
    return out;
  }

  float Value(size_t r, const Quantized& x) const {
    int64_t sum = 0;
    for (size_t j = 0; j < cols; ++j) sum += int64_t{codes[r * cols + j]} * x.q[j];
    return static_cast<float>(sum) * (scales[r] * x.step) + biases[r];
  }
  float Value(size_t r, const std::vector<float>& x) const {
    float sum = 0;
    for (size_t j = 0; j < cols; ++j) sum += x[j] * weights[r * cols + j];
    return sum + biases[r];
  }
  std::vector<float> Times(const std::vector<float>& x) const {
    std::vector<float> out(rows);
    const Quantized q = integers ? Quantize(x) : Quantized();
    for (size_t r = 0; r < rows; ++r) out[r] = integers ? Value(r, q) : Value(r, x);
    return out;
  }
  // Times a row of `m`: its codes, or its weights.
  std::vector<float> TimesRow(const ScalarMatrix& m, size_t row) const {
    if (!integers || !m.integers) {
      return Times({m.weights.begin() + row * m.cols, m.weights.begin() + (row + 1) * m.cols});
    }
    Quantized q;
    q.q.assign(m.codes.begin() + row * m.cols, m.codes.begin() + (row + 1) * m.cols);
    q.step = m.scales[row];
    std::vector<float> out(rows);
    for (size_t r = 0; r < rows; ++r) out[r] = Value(r, q);
    return out;
  }
  double Weight(size_t r, size_t c) const {
    return integers ? static_cast<double>(scales[r]) * codes[r * cols + c] : weights[r * cols + c];
  }
};

// The whole network with one session.
struct ScalarModel {
  struct Layer {
    ScalarMatrix input, hidden;
    std::vector<float> h;     // [units] as the file defines it
    std::vector<double> h64;  // [units] float64 with the same (dequantized) weights
    GruForm form;
  };
  std::vector<Layer> layers;
  ScalarMatrix items;
  std::vector<ScalarMatrix> inputs;  // separate: one [items, width]; none: [items, units] a gate
  std::vector<float> one_hot_bias;   // none: [3 units]
  ActivationParams hidden_activation;

  ScalarModel(const Parameters& p, DType item_dtype,
              const Activation& activation = {ActivationKind::kTanh}, bool f32_layers = false)
      : items(p.items, p.item_bias.data, item_dtype), hidden_activation(activation.Params()) {
    const DType dtype = f32_layers ? DType::kF32 : LayerDType(item_dtype);
    const bool one_hot = p.shape.embedding == Embedding::kNone;
    for (size_t part = 0; p.inputs.rows > 0 && part < (one_hot ? 3 : 1); ++part) {
      Matrix m = p.inputs;
      m.cols = one_hot ? p.shape.layers[0] : m.cols;
      m.data += part * m.cols;
      inputs.emplace_back(m, nullptr, dtype);
    }
    if (one_hot) {
      const float* bias = p.layers[0].input_bias.data;
      one_hot_bias.assign(bias, bias + 3 * p.shape.layers[0]);
    }
    for (size_t l = 0; l < p.layers.size(); ++l) {
      const GruParameters& layer = p.layers[l];
      layers.push_back(
          {ScalarMatrix(layer.input_weights, layer.input_bias.data, dtype),
           ScalarMatrix(layer.hidden_weights,
                        layer.hidden_bias.rows ? layer.hidden_bias.data : nullptr, dtype),
           std::vector<float>(layer.units()), std::vector<double>(layer.units()),
           p.shape.FormOf(l)});
    }
  }

  void Reset() {
    for (Layer& layer : layers) {
      std::fill(layer.h.begin(), layer.h.end(), 0.0f);
      std::fill(layer.h64.begin(), layer.h64.end(), 0.0);
    }
  }

  void Step(uint32_t item) {
    for (size_t l = 0; l < layers.size(); ++l) {
      Layer& layer = layers[l];
      const size_t units = layer.h.size();
      const std::vector<float> a = l > 0 ? layer.input.Times(layers[l - 1].h) : FirstGates(item);
      const std::vector<float> b = layer.hidden.Times(layer.h);
      std::vector<float> r(units), z(units), rh(units);
      for (size_t j = 0; j < units; ++j) {
        r[j] = ScalarSigmoid(a[j] + b[j]);
        z[j] = ScalarSigmoid(a[units + j] + b[units + j]);
        rh[j] = r[j] * layer.h[j];
      }
      const std::vector<float> c =
          layer.form == GruForm::kResetBefore ? layer.hidden.Times(rh) : std::vector<float>();
      for (size_t j = 0; j < units; ++j) {
        const float h = layer.h[j];
        if (layer.form == GruForm::kResetAfter) {
          const float n =
              ScalarActivate(hidden_activation, a[2 * units + j] + r[j] * b[2 * units + j]);
          layer.h[j] = n + z[j] * (h - n);
        } else {
          const float n = ScalarActivate(hidden_activation, a[2 * units + j] + c[2 * units + j]);
          layer.h[j] = h + z[j] * (n - h);
        }
      }
    }
    Step64(item);
  }

  std::vector<float> Scores() const { return items.Times(layers.back().h); }
  std::vector<double> Scores64() const { return Times64(items, layers.back().h64); }

 private:
  // W_ih x + b_ih of the first layer.
  std::vector<float> FirstGates(uint32_t item) const {
    if (one_hot_bias.empty()) {
      return layers[0].input.TimesRow(inputs.empty() ? items : inputs[0], item);
    }
    std::vector<float> gates = one_hot_bias;
    for (size_t i = 0; i < gates.size(); ++i) {
      const ScalarMatrix& m = inputs[i / inputs[0].cols];
      const size_t at = item * m.cols + i % m.cols;
      gates[i] += m.integers ? m.scales[item] * static_cast<float>(m.codes[at]) : m.weights[at];
    }
    return gates;
  }

  static std::vector<double> Times64(const ScalarMatrix& m, const std::vector<double>& x) {
    std::vector<double> out(m.rows);
    for (size_t r = 0; r < m.rows; ++r) {
      out[r] = m.biases[r];
      for (size_t j = 0; j < m.cols; ++j) out[r] += m.Weight(r, j) * x[j];
    }
    return out;
  }

  void Step64(uint32_t item) {
    const ScalarMatrix& rows = inputs.empty() ? items : inputs[0];
    std::vector<double> x(rows.cols);
    for (size_t j = 0; j < rows.cols; ++j) x[j] = rows.Weight(item, j);
    for (Layer& layer : layers) {
      const size_t units = layer.h.size();
      const auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
      std::vector<double> a;
      if (&layer == &layers[0] && !one_hot_bias.empty()) {
        for (size_t i = 0; i < 3 * units; ++i) {
          a.push_back(inputs[i / units].Weight(item, i % units) + one_hot_bias[i]);
        }
      } else {
        a = Times64(layer.input, x);
      }
      const std::vector<double> b = Times64(layer.hidden, layer.h64);
      std::vector<double> r(units), z(units), rh(units);
      for (size_t j = 0; j < units; ++j) {
        r[j] = sigmoid(a[j] + b[j]);
        z[j] = sigmoid(a[units + j] + b[units + j]);
        rh[j] = r[j] * layer.h64[j];
      }
      const std::vector<double> c = Times64(layer.hidden, rh);
      for (size_t j = 0; j < units; ++j) {
        double& h = layer.h64[j];
        if (layer.form == GruForm::kResetAfter) {
          const double n =
              Activate64(hidden_activation, a[2 * units + j] + r[j] * b[2 * units + j]);
          h = (1 - z[j]) * n + z[j] * h;
        } else {
          h = (1 - z[j]) * h +
              z[j] * Activate64(hidden_activation, a[2 * units + j] + c[2 * units + j]);
        }
      }
      x = layer.h64;
    }
  }
};

}  // namespace stint

#endif  // STINT_TESTS_RUNTIME_SCALAR_MODEL_H_
