// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Item rows of a model file -> scores of all items, and their best, in plain loops.
#include "trainer/brute_force.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <stdexcept>

#include "schema/panel.h"
#include "trainer/export.h"
#include "trainer/random.h"

namespace stint {
namespace {

constexpr size_t kCodeAlignment = 16;  // columns of the codes are a multiple of it
constexpr size_t kLanes = 16;          // rows of a tile that are summed side by side
constexpr size_t kSums = 8;            // of a float row, by column % 8

float FloatAt(const uint8_t* bytes, size_t index) {
  float value;
  std::memcpy(&value, bytes + index * sizeof(value), sizeof(value));
  return value;
}

size_t RoundUpTo(size_t n, size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

bool Better(const ScoredItem& a, const ScoredItem& b) {
  return a.score > b.score || (a.score == b.score && a.item < b.item);
}

// The best k of items that come in the order of their index.
class Best {
 public:
  explicit Best(size_t k) : k_(k) {}
  void Add(uint32_t item, float score) {
    if (heap_.size() == k_ && !(score > heap_.front().score)) return;  // ties: the lower is in
    if (heap_.size() == k_) {
      std::pop_heap(heap_.begin(), heap_.end(), Better);
      heap_.pop_back();
    }
    heap_.push_back({item, score});
    std::push_heap(heap_.begin(), heap_.end(), Better);
  }
  std::vector<ScoredItem> Sorted() {
    std::sort(heap_.begin(), heap_.end(), Better);
    return std::move(heap_);
  }

 private:
  size_t k_;
  std::vector<ScoredItem> heap_;  // the worst in front
};

}  // namespace

BruteForce::BruteForce(const stint_model* model, const uint8_t* bytes) {
  stint_model_info info = {};
  if (stint_model_describe(model, &info) != STINT_OK) throw std::logic_error("no description");
  items_ = info.items;
  width_ = info.units[info.layers - 1];
  stride_ = RoundUpTo(width_, kCodeAlignment);
  std::map<std::string, const uint8_t*> sections;
  stint_section_info section = {};
  for (uint32_t i = 0; stint_model_section(model, i, &section) == STINT_OK; ++i) {
    sections[section.name] = bytes + section.offset;
  }
  const uint8_t* const item_rows = sections.at("item_rows");
  const std::string dtype = info.dtype;
  if (const auto biases = sections.find("item_biases"); biases != sections.end()) {
    rows_ = reinterpret_cast<const float*>(item_rows);
    biases_.resize(items_);
    std::memcpy(biases_.data(), biases->second, items_ * sizeof(float));
  } else if (dtype == "int8" || dtype == "int4") {
    ReadIntegers(item_rows, dtype == "int4");
  } else if (dtype == "f32" || dtype == "bf16") {
    ReadFloats(item_rows, dtype == "bf16");
  } else {
    throw std::runtime_error("item rows of kind " + dtype +
                             ", which the brute force does not know");
  }
}

void BruteForce::ReadIntegers(const uint8_t* panels, bool int4) {
  const size_t tile_bytes = PanelTileBytes(int4 ? PanelKind::kInt4 : PanelKind::kInt8, width_);
  codes_.resize(items_ * stride_);
  for (size_t i = 0; i < items_; ++i) {
    const uint8_t* const tile = panels + i / kTileRows * tile_bytes;
    const size_t lane = i % kTileRows;
    scales_.push_back(FloatAt(tile, lane));
    biases_.push_back(FloatAt(tile, kTileRows + lane));
    const uint8_t* const steps = tile + kInt8HeaderBytes;
    for (size_t j = 0; j < width_; ++j) {
      const size_t step = j / kStepColumns;
      const size_t in_step = j % kStepColumns;
      int code = 0;
      if (int4) {
        const Int4Place place = Int4PlaceOf(lane);
        code =
            (steps[step * kInt4StepBytes + place.byte + in_step] >> place.shift & 15) - kInt4Zero;
      } else {
        code = steps[step * kStepBytes + lane * kStepColumns + in_step] - kCodeZero;
      }
      codes_[i * stride_ + j] = static_cast<int16_t>(code);
    }
  }
}

void BruteForce::ReadFloats(const uint8_t* panels, bool bf16) {
  const size_t tile_bytes = PanelTileBytes(bf16 ? PanelKind::kBf16 : PanelKind::kF32, width_);
  const size_t tiles = PanelTiles(items_);
  tiles_.resize(tiles * width_ * kTileRows);
  for (size_t t = 0; t < tiles; ++t) {
    const uint8_t* const tile = panels + t * tile_bytes;
    for (size_t lane = 0; lane < kTileRows; ++lane) {
      biases_.push_back(FloatAt(tile, lane));
      for (size_t j = 0; j < width_; ++j) {
        float& weight = tiles_[(t * width_ + j) * kTileRows + lane];
        if (bf16) {
          uint16_t half;
          std::memcpy(&half, tile + kF32HeaderBytes + j * kBf16ColumnBytes + Bf16PlaceOf(lane) * 2,
                      sizeof(half));
          weight = std::bit_cast<float>(uint32_t{half} << 16);
        } else {
          weight = FloatAt(tile, (1 + j) * kTileRows + lane);
        }
      }
    }
  }
}

// x ~ step * q, as runtime/dot-inl.h defines it.
BruteForce::Quantized BruteForce::Quantize(const float* hidden, size_t n) const {
  const uint32_t columns = static_cast<uint32_t>(RoundUpTo(width_, kStepColumns));
  const float levels = static_cast<float>(std::min(0x7FFFFFFFu / (127 * columns), 32512u));
  Quantized out = {std::vector<int16_t>(n * stride_), std::vector<float>(n)};
  for (size_t v = 0; v < n; ++v) {
    const float* const x = hidden + v * width_;
    float max = 0;
    for (size_t j = 0; j < width_; ++j) max = std::max(max, std::fabs(x[j]));
    if (!(max >= 1e-30f)) continue;
    const float factor = levels / max;
    for (size_t j = 0; j < width_; ++j) {
      out.q[v * stride_ + j] = static_cast<int16_t>(std::nearbyint(x[j] * factor));
    }
    out.step[v] = max / levels;
  }
  return out;
}

template <class Add>
void BruteForce::IntegerScores(const float* hidden, size_t n, const Add& add) const {
  const Quantized x = Quantize(hidden, n);
  for (size_t i = 0; i < items_; ++i) {
    const int16_t* const codes = codes_.data() + i * stride_;
    for (size_t v = 0; v < n; ++v) {
      const int16_t* const q = x.q.data() + v * stride_;
      int32_t sum = 0;  // no part of it leaves 32 bits: that is what `levels` are for
      for (size_t j = 0; j < stride_; ++j) sum += codes[j] * q[j];
      add(v, i, static_cast<float>(sum) * (scales_[i] * x.step[v]) + biases_[i]);
    }
  }
}

template <class Add>
void BruteForce::TileScores(const float* hidden, size_t n, const Add& add) const {
  for (size_t first = 0; first < items_; first += kLanes) {
    const float* const weights =
        tiles_.data() + first / kTileRows * width_ * kTileRows + first % kTileRows;
    for (size_t v = 0; v < n; ++v) {
      float sums[kLanes] = {};
      for (size_t j = 0; j < width_; ++j) {
        const float x = hidden[v * width_ + j];
        for (size_t l = 0; l < kLanes; ++l) sums[l] += x * weights[j * kTileRows + l];
      }
      for (size_t i = first; i < std::min(items_, first + kLanes); ++i) {
        add(v, i, sums[i - first] + biases_[i]);
      }
    }
  }
}

template <class Add>
void BruteForce::RowScores(const float* hidden, size_t n, const Add& add) const {
  // Zeros behind the columns: adding products of them changes no sum.
  const size_t stride = RoundUpTo(width_, kSums);
  std::vector<double> x(n * stride), row(stride);
  for (size_t v = 0; v < n; ++v) {
    for (size_t j = 0; j < width_; ++j) x[v * stride + j] = double{hidden[v * width_ + j]};
  }
  for (size_t i = 0; i < items_; ++i) {
    for (size_t j = 0; j < width_; ++j) row[j] = double{rows_[i * width_ + j]};
    for (size_t v = 0; v < n; ++v) {
      const double* const xv = x.data() + v * stride;
      double s[kSums] = {};
      for (size_t j = 0; j < stride; j += kSums) {
        for (size_t c = 0; c < kSums; ++c) s[c] += row[j + c] * xv[j + c];
      }
      const double sum = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
      add(v, i, static_cast<float>(sum + double{biases_[i]}));
    }
  }
}

void BruteForce::TopK(const float* hidden, size_t n, uint32_t k,
                      std::vector<ScoredItem>* best) const {
  std::vector<Best> found(n, Best(std::min<size_t>(k, items_)));
  const auto add = [&](size_t v, size_t item, float score) {
    found[v].Add(static_cast<uint32_t>(item), score);
  };
  if (rows_ != nullptr) {
    RowScores(hidden, n, add);
  } else if (!codes_.empty()) {
    IntegerScores(hidden, n, add);
  } else {
    TileScores(hidden, n, add);
  }
  for (size_t v = 0; v < n; ++v) best[v] = found[v].Sorted();
}

double BruteForce::TrueScore(const float* hidden, uint32_t item) const {
  double sum = 0;
  if (!codes_.empty()) {
    const Quantized x = Quantize(hidden, 1);
    for (size_t j = 0; j < width_; ++j) sum += double(codes_[item * stride_ + j]) * x.q[j];
    sum *= double{scales_[item]} * double{x.step[0]};
  } else {
    for (size_t j = 0; j < width_; ++j) {
      const float weight =
          rows_ != nullptr ? rows_[item * width_ + j]
                           : tiles_[(item / kTileRows * width_ + j) * kTileRows + item % kTileRows];
      sum += double{hidden[j]} * double{weight};
    }
  }
  return sum + double{biases_[item]};
}

Sessions SelfTestsAndMadeUp(const uint8_t* bytes, size_t items) {
  constexpr size_t kMadeUp = 100;
  constexpr size_t kLongest = 12;
  Sessions sessions;
  sessions.offsets.push_back(0);
  sessions.session_ids.are_names = true;
  const auto end = [&](const char* kind, size_t number) {
    sessions.order.push_back(static_cast<uint32_t>(sessions.size()));
    sessions.offsets.push_back(sessions.items.size());
    sessions.session_ids.names.push_back(std::string(kind) + " " + std::to_string(number));
  };
  const std::vector<std::vector<uint32_t>> tests = ReadSelfTests(bytes);
  for (size_t t = 0; t < tests.size(); ++t) {
    sessions.items.insert(sessions.items.end(), tests[t].begin(), tests[t].end());
    end("self-test", t);
  }
  const RandomCounter random(0, 3001);
  uint64_t draw = 0;
  for (size_t s = 0; s < kMadeUp; ++s) {
    const size_t events = 1 + random.Bits(draw++) % kLongest;
    for (size_t e = 0; e < events; ++e) {
      sessions.items.push_back(static_cast<uint32_t>(random.Bits(draw++) % items));
    }
    end("made-up", s);
  }
  return sessions;
}

}  // namespace stint
