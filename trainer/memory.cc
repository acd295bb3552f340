// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Options and size of a log -> the memory that a training run will need, before it starts.
#include "trainer/memory.h"

#include <algorithm>
#include <bit>
#include <cstdio>

#include "schema/panel.h"
#include "trainer/cascade.h"
#include "trainer/loss.h"
#include "trainer/optimizer.h"
#include "trainer/projection.h"
#include "trainer/quantize.h"

namespace stint {
namespace {

// Program, libraries, read buffers.
constexpr uint64_t kProgramBytes = 16 << 20;

// Slots of an IdIndex: at most half full, powers of two.
uint64_t IndexBytes(uint64_t ids) { return 4 * std::bit_ceil(2 * ids + 2); }

// Arrays of Sessions: items; offsets, order and ids.
uint64_t SessionBytes(const MemoryInput& input) {
  return 4 * input.events + (8 + 4) * input.sessions + input.session_id_bytes;
}

uint64_t CatalogBytes(const MemoryInput& input) { return input.item_id_bytes + 4 * input.items; }

uint64_t LogBytes(const MemoryInput& input) {
  return (4 + 4 + sizeof(EventTime)) * input.events + input.session_id_bytes + input.item_id_bytes;
}

// What a cascade adds to a model file, with as many columns as it may have.
uint64_t CascadeBytes(uint64_t items, uint64_t width) {
  const uint64_t columns = std::min<uint64_t>(width, kMaxCascadeColumns);
  return items * CandidateRowBytes(width) + PanelTiles(items) * ScanTileBytes(columns) +
         PanelBytes(false, columns + 1, width);
}

// While it is made: numbers in double of a sample of the rows.
uint64_t CascadeWorkBytes(const NetworkShape& shape, Scoring scoring) {
  const uint64_t width = shape.layers.back();
  return scoring == Scoring::kScan
             ? 0
             : 8 * width * (std::min<uint64_t>(shape.items, kMostSampledRows) + 4 * width);
}

// A model file: packed weights and what is known of the items.
uint64_t ModelBytes(const NetworkShape& shape, const MemoryInput& input, DType dtype,
                    Scoring scoring) {
  const bool int8 = LayerDType(dtype) == DType::kInt8;
  uint64_t bytes = input.item_id_bytes + (4 + 4) * input.items;
  uint64_t inputs =
      shape.embedding == Embedding::kSeparate ? shape.embedding_width : shape.layers.back();
  if (shape.embedding == Embedding::kSeparate) bytes += RowsBytes(int8, shape.items, inputs);
  if (shape.embedding == Embedding::kNone) {
    bytes += RowsBytes(int8, 3 * shape.items, shape.layers[0]);
    inputs = 0;
  }
  for (const size_t units : shape.layers) {
    bytes += PanelBytes(int8, 3 * units, inputs) + PanelBytes(int8, 3 * units, units);
    inputs = units;
  }
  const uint64_t width = shape.layers.back();
  if (scoring != Scoring::kScan) bytes += CascadeBytes(shape.items, width);
  return bytes + (scoring == Scoring::kExact ? 4 * shape.items * (width + 1)
                                             : PackedSize(dtype, shape.items, width));
}

// While BuildModel() puts a file together there are the packed sections, the builder's buffer,
// and the buffer that it grows out of or the finished file.
uint64_t BuildBytes(uint64_t model_bytes) { return 3 * model_bytes; }

// Floats from row to row of a weight matrix (trainer/parameters.cc).
uint64_t MatrixStride(uint64_t cols) {
  const uint64_t stride = RoundUp(cols, kRowAlignment);
  return stride % 256 == 0 ? stride + kRowAlignment : stride;
}

// The arrays of Network and of the loop around it.
uint64_t WorkBytes(const Options& options, const MemoryInput& input, const NetworkShape& shape) {
  const uint64_t rows = std::max<uint64_t>(1, std::min(options.batch_size, input.sessions));
  const uint64_t batch = RoundUp(rows, kRowAlignment);
  const uint64_t columns = rows + (options.negative_source == NegativeSource::kAll ? input.items
                                   : options.UsesSamples() ? options.negatives
                                                           : 0);
  const auto row = [](uint64_t features) { return RoundUp(features + 1, kRowAlignment); };
  const uint64_t width = shape.layers.back();
  uint64_t inputs = width;
  if (shape.embedding == Embedding::kSeparate) inputs = shape.embedding_width;
  if (shape.embedding == Embedding::kNone) inputs = 3 * shape.layers[0];
  uint64_t floats = columns * batch;                       // scores
  floats += (columns / 64 + 1) * kLossStatistics * batch;  // sums of blocks
  floats += columns * row(width);                          // gradients of rows
  floats += 16 * (width * batch + 64 * row(width));        // their partial sums
  floats += 4 * inputs * batch + rows * row(inputs);       // what enters
  if (options.normalize_items) floats += 2 * (columns + rows) * MatrixStride(width);
  if (shape.embedding == Embedding::kNone) inputs = 0;
  for (const size_t units : shape.layers) {
    // Gradients of weights: all of them only where they are needed together, else of some rows a
    // thread.
    const bool together = options.clip_norm > 0 || options.normalize_items;
    const uint64_t gradient_rows = together ? 3 * units : std::min<uint64_t>(3 * units, 512);
    floats += gradient_rows * (row(inputs) + row(units));
    floats += 19 * units * batch;      // gates, states and theirs
    floats += 2 * row(units) * batch;  // states session by session
    inputs = units;
  }
  return 4 * (floats + 4 * columns);  // and numbers of columns
}

// What is counted by items and sessions besides weights.
uint64_t TableBytes(const Options& options, const MemoryInput& input) {
  uint64_t of_item = 8 + 8;                                   // touched rows, sampler
  if (options.embedding != Embedding::kShared) of_item += 8;  // touched input rows
  if (options.logq > 0) of_item += options.logq_form == LogqForm::kMixture ? 16 : 4;
  constexpr uint64_t kOfSession = 4;  // the epoch's order
  return of_item * input.items + 4 * std::bit_ceil(std::max<uint64_t>(1, input.items)) +
         kOfSession * input.sessions;
}

std::string SizeText(uint64_t bytes) {
  constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB"};
  double size = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  for (; size >= 1000 && unit + 1 < std::size(kUnits); ++unit) size /= 1024;
  char text[32];
  std::snprintf(text, sizeof(text), size < 10 ? "%.1f %s" : "%.0f %s", size, kUnits[unit]);
  return text;
}

}  // namespace

MemoryInput MemoryInput::Of(const Events& events) {
  return Of(ReadProgress{.events = events.size(),
                         .session_ids = events.session_ids,
                         .item_ids = events.item_ids,
                         .share = 1});
}

MemoryInput MemoryInput::Of(const ReadProgress& progress) {
  const auto id_bytes = [](const Ids& ids) {
    uint64_t bytes = 8 * ids.numbers.size();
    for (const std::string& name : ids.names) {
      // Short names are inside the object; longer ones have a block of the heap.
      bytes += sizeof(name) + (name.size() > 15 ? RoundUp(name.size() + 1 + 8, 16) : 0);
    }
    return bytes;
  };
  const double share = progress.share > 0 ? progress.share : 1;
  const auto whole = [&](uint64_t so_far) {
    return static_cast<uint64_t>(static_cast<double>(so_far) / share);
  };
  MemoryInput input;
  input.events = whole(progress.events);
  input.sessions = whole(progress.session_ids.size());
  input.items = progress.item_ids.size();
  input.session_id_bytes = whole(id_bytes(progress.session_ids));
  input.item_id_bytes = id_bytes(progress.item_ids);
  return input;
}

uint64_t MemoryPhase::Bytes() const {
  uint64_t bytes = 0;
  for (const MemoryPart& part : parts) bytes += part.bytes;
  return bytes;
}

const MemoryPhase& MemoryEstimate::Peak() const {
  return *std::max_element(
      phases.begin(), phases.end(),
      [](const MemoryPhase& a, const MemoryPhase& b) { return a.Bytes() < b.Bytes(); });
}

std::string MemoryEstimate::ToString() const {
  const MemoryPhase& peak = Peak();
  std::vector<MemoryPart> parts = peak.parts;
  std::stable_sort(parts.begin(), parts.end(),
                   [](const MemoryPart& a, const MemoryPart& b) { return a.bytes > b.bytes; });
  std::string text = SizeText(peak.Bytes()) + " at the peak, in " + peak.name + ":";
  const char* separator = " ";
  for (const MemoryPart& part : parts) {
    if (100 * part.bytes < peak.Bytes()) continue;
    text += separator + part.name + " " + SizeText(part.bytes);
    separator = ", ";
  }
  return text;
}

uint64_t ParameterBytes(const NetworkShape& shape) {
  const auto matrix = [](uint64_t rows, uint64_t cols) { return rows * MatrixStride(cols); };
  const bool one_hot = shape.embedding == Embedding::kNone;
  uint64_t inputs =
      shape.embedding == Embedding::kSeparate ? shape.embedding_width : shape.layers.back();
  uint64_t floats = matrix(1, shape.items) + matrix(shape.items, shape.layers.back());
  if (shape.embedding == Embedding::kSeparate) floats += matrix(shape.items, inputs);
  if (one_hot) floats += matrix(shape.items, 3 * shape.layers[0]);
  for (size_t l = 0; l < shape.layers.size(); ++l) {
    const uint64_t units = shape.layers[l];
    if (l > 0 || !one_hot) floats += matrix(3 * units, inputs);
    floats += matrix(3 * units, units);
    floats += (shape.FormOf(l) == GruForm::kResetAfter ? 2 : 1) * matrix(1, 3 * units);
    inputs = units;
  }
  return 4 * floats;
}

MemoryEstimate EstimateMemory(const Options& options, const MemoryInput& input) {
  const NetworkShape shape = NetworkShape::Of(options, static_cast<size_t>(input.items));
  const OptimizerConfig config = OptimizerConfig::Of(options);
  const uint64_t weights = ParameterBytes(shape);
  const uint64_t optimizer =
      weights * (config.HasFirst() + config.HasSecond() + config.HasVelocity() + config.HasSteps());
  const uint64_t model = ModelBytes(shape, input, input.dtype, input.scoring);
  // Epochs are measured without a cascade where that has the same answers.
  const uint64_t measured_model = input.scoring == Scoring::kInt8
                                      ? ModelBytes(shape, input, input.dtype, Scoring::kScan)
                                      : model + CascadeWorkBytes(shape, input.scoring) / 3;
  const uint64_t f32_model = ModelBytes(shape, input, DType::kF32, Scoring::kScan);
  const MemoryPart program = {"program", kProgramBytes};
  const MemoryPart events = {"events", LogBytes(input)};
  const MemoryPart sessions = {"sessions", SessionBytes(input)};
  const MemoryPart catalog = {"catalog", CatalogBytes(input)};
  const MemoryPart kept_events = {"events", input.refits ? events.bytes : 0};
  const MemoryPart warm_start = {"weights to start from", input.warm_start_bytes};

  MemoryEstimate estimate;
  estimate.phases.push_back({"reading",
                             {program,
                              warm_start,
                              events,
                              {"index", IndexBytes(input.sessions) + IndexBytes(input.items)}}});

  // MakeDataset(): sessions as rows of the log, their starts, and where they are sorted.
  estimate.phases.push_back(
      {"making sessions",
       {program,
        warm_start,
        events,
        sessions,
        catalog,
        {"sorting", 4 * input.events + (4 + 8 + 16 + 2) * input.sessions + 4 * input.items}}});

  // Copies of the weights beside those of the network: the best epoch by validation, or the last
  // good one, and the one that is about to take its place.
  const uint64_t copies = options.epochs > 1 ? 2 : 1;
  MemoryPhase training = {"training",
                          {program,
                           warm_start,
                           kept_events,
                           sessions,
                           catalog,
                           {"weights", weights},
                           {"optimizer", optimizer},
                           {"mean of the weights", options.ema_decay > 0 ? weights : 0},
                           {"copies of the weights", copies * weights},
                           {"work arrays", WorkBytes(options, input, shape)},
                           {"tables", TableBytes(options, input)}}};
  MemoryPhase refit = training;
  if (input.validates) training.parts.push_back({"model", BuildBytes(measured_model)});
  estimate.phases.push_back(training);

  // The model is also measured without quantization.
  estimate.phases.push_back(
      {"export",
       {program,
        warm_start,
        kept_events,
        sessions,
        catalog,
        {"weights", weights},
        {"cascade", CascadeWorkBytes(shape, input.scoring)},
        {"model", BuildBytes(input.validates ? std::max(model, f32_model) : model)}}});
  if (input.refits) {
    refit.name = "refit";
    refit.parts.push_back({"first dataset", sessions.bytes + catalog.bytes});
    refit.parts.push_back({"first weights", weights});
    estimate.phases.push_back(refit);
  }
  return estimate;
}

}  // namespace stint
