// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// oneDNN: an int8 product of one row with the items' matrix, laid out as the library likes best,
// then scales, bias and the k best.
#include <dnnl.hpp>

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "bench/peers/peers.h"
#include "trainer/quantize.h"

namespace stint::bench {
namespace {

using dnnl::memory;

// Codes of the rows transposed, [units, items], scales and sums of codes.
struct Codes {
  std::vector<int8_t> transposed;
  std::vector<float> scales;   // [items]
  std::vector<float> offsets;  // [items] 128 * sum of the codes: hidden codes are shifted by 128
};

Codes CodesOf(const Matrix& rows) {
  Codes codes;
  codes.transposed.resize(rows.rows * rows.cols);
  codes.scales.resize(rows.rows);
  codes.offsets.resize(rows.rows);
  std::vector<int8_t> row(rows.cols);
  for (size_t i = 0; i < rows.rows; ++i) {
    codes.scales[i] = QuantizeRow(rows.Row(i), rows.cols, row.data());
    int sum = 0;
    for (size_t j = 0; j < rows.cols; ++j) {
      codes.transposed[j * rows.rows + i] = row[j];
      sum += row[j];
    }
    codes.offsets[i] = 128.0f * static_cast<float>(sum);
  }
  return codes;
}

struct Product {
  dnnl::engine cpu{dnnl::engine::kind::cpu, 0};
  dnnl::matmul::primitive_desc description;
  memory weights;
  std::vector<float> scales, offsets;  // [items]

  Product(const Parameters& parameters) {
    const auto items = static_cast<memory::dim>(parameters.items.rows);
    const auto units = static_cast<memory::dim>(parameters.width());
    using Type = memory::data_type;
    using Tag = memory::format_tag;
    const memory::desc in({1, units}, Type::u8, Tag::ab), out({1, items}, Type::s32, Tag::ab);
    const memory::desc any({units, items}, Type::s8, Tag::any);
#if DNNL_VERSION_MAJOR >= 3
    description = dnnl::matmul::primitive_desc(cpu, in, any, out);
#else
    description = dnnl::matmul::primitive_desc(dnnl::matmul::desc(in, any, out), cpu);
#endif
    Codes codes = CodesOf(parameters.items);
    memory plain({{units, items}, Type::s8, Tag::ab}, cpu, codes.transposed.data());
    weights = memory(description.weights_desc(), cpu);
    dnnl::stream stream(cpu);
    dnnl::reorder(plain, weights).execute(stream, plain, weights);
    stream.wait();
    scales = std::move(codes.scales);
    offsets = std::move(codes.offsets);
  }
};

struct Scratch {
  dnnl::matmul matmul;
  dnnl::stream stream;
  std::vector<uint8_t> hidden;  // [units] codes + 128
  std::vector<int32_t> sums;    // [items]
  std::vector<float> scores;    // [items]
  std::unordered_map<int, memory> arguments;
  Selection selection;

  Scratch(const Product& product, size_t items, size_t units)
      : matmul(product.description),
        stream(product.cpu),
        hidden(units),
        sums(items),
        scores(items),
        arguments{
            {DNNL_ARG_SRC, memory(product.description.src_desc(), product.cpu, hidden.data())},
            {DNNL_ARG_WEIGHTS, product.weights},
            {DNNL_ARG_DST, memory(product.description.dst_desc(), product.cpu, sums.data())}} {}
};

float QuantizeHidden(const float* hidden, size_t units, uint8_t* codes) {
  float largest = 1e-30f;
  for (size_t j = 0; j < units; ++j) largest = std::max(largest, std::fabs(hidden[j]));
  const float scale = largest / 127;
  for (size_t j = 0; j < units; ++j) {
    codes[j] = static_cast<uint8_t>(std::nearbyint(hidden[j] / scale) + 128);
  }
  return scale;
}

Engine MakeEngine(const Source& source) {
  const Parameters& parameters = source.work->parameters;
  auto product = std::make_shared<Product>(parameters);
  const size_t items = parameters.items.rows, units = parameters.width();
  Engine engine;
  engine.bytes = static_cast<double>(items * (units + 3 * sizeof(float)));
  engine.call = [source, product, items, units](uint32_t k) {
    auto scratch = std::make_shared<Scratch>(*product, items, units);
    const float* bias = source.work->parameters.item_bias.Row(0);
    return MakePeerCaller(source, k, [=](const float* hidden, std::vector<uint32_t>* top) {
      const float scale = QuantizeHidden(hidden, units, scratch->hidden.data());
      scratch->matmul.execute(scratch->stream, scratch->arguments);
      scratch->stream.wait();
      const float *scales = product->scales.data(), *offsets = product->offsets.data();
      const int32_t* sums = scratch->sums.data();
      float* scores = scratch->scores.data();
      for (size_t i = 0; i < items; ++i) {
        scores[i] = (static_cast<float>(sums[i]) - offsets[i]) * (scale * scales[i]) + bias[i];
      }
      scratch->selection.Best(scores, items, k, top);
    });
  };
  return engine;
}

}  // namespace

std::vector<EngineKind> OneDnnPeers() {
  const dnnl_version_t* version = dnnl_version();
  return {{"onednn_int8",
           "oneDNN " + std::to_string(version->major) + "." + std::to_string(version->minor) +
               " u8 x s8 matmul, partial sort",
           MakeEngine}};
}

}  // namespace stint::bench
