// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Bytes of a model file -> an immutable Model, verified or trusted: views into the bytes, no copy.
#ifndef STINT_RUNTIME_MODEL_H_
#define STINT_RUNTIME_MODEL_H_

#include <cstddef>
#include <cstdint>

#include "runtime/activation.h"
#include "runtime/mapped_file.h"
#include "runtime/status.h"
#include "schema/panel.h"

namespace stint {

// A weight matrix [rows, cols] in tiles of 64 rows, with a bias a row (schema/panel.h).
struct Panels {
  const uint8_t* data;  // [tiles, tile_bytes], 64-byte aligned
  uint32_t rows;
  uint32_t cols;
  uint32_t tiles;
  size_t tile_bytes;
  // [rows] of ItemRowKind::kF32Rows, where a tile is 64 rows; else null.
  const float* biases = nullptr;
};

// A weight matrix [rows, cols] of which single rows are read (schema/panel.h).
struct Rows {
  const uint8_t* data;  // [rows, row_bytes], 4-byte aligned; null: there is none
  uint32_t rows;
  uint32_t cols;
  size_t row_bytes;
};

// Numbers as in schema/model.fbs.
enum class EmbeddingKind : uint8_t { kShared = 0, kSeparate = 1, kNone = 2 };

// How the item rows lie (schema/panel.h): panels of one of four kinds, or floats row by row.
enum class ItemRowKind : uint8_t { kInt8, kF32, kBf16, kInt4, kF32Rows };

// Whether rows of a kind are multiplied with a quantized vector, else with its floats.
constexpr bool TakesIntegers(ItemRowKind kind) {
  return kind == ItemRowKind::kInt8 || kind == ItemRowKind::kInt4;
}
// "int8", "f32", ...: what users read.
const char* ItemKindName(ItemRowKind kind);

// Gate rows in the order reset, update, candidate.
struct GruLayer {
  uint32_t units;
  uint32_t inputs;        // 0 in the first layer under EmbeddingKind::kNone
  bool reset_after;       // GRU form: reset after the recurrent product, else before
  Panels input_weights;   // [3 units, inputs]
  Panels hidden_weights;  // [3 units, units]
};

// What the bytes of a section are, for the checks of their values (validate.h). Panels in the order
// of PanelKind.
enum class Contents : uint8_t {
  kOther,
  kInt8Panels,
  kF32Panels,
  kBf16Panels,
  kInt4Panels,
  kInt8Rows,
  kF32Rows,
  kScanTiles,
  kCandidateRows
};

// A part of the file, for inspection and verification.
struct Section {
  char name[32];
  const uint8_t* data;  // [size]
  size_t size;
  uint64_t xxh3;
  Contents contents;
  uint32_t rows, cols;  // of the matrix
  size_t unit_bytes;    // of one tile or row, which is checked as a whole; of others some number
};

// A session and the top-k that it must give.
struct SelfTest {
  const uint32_t* items;  // [events]
  uint32_t events;
  uint32_t k;
  const uint32_t* top_items;  // [k]
  const float* top_scores;    // [k]
};

// What a top-k is found by without reading all item rows: cascade.h, layouts in schema/panel.h.
struct Cascade {
  uint32_t columns;  // M; 0: the model has no cascade
  float skew;
  float rho_unit;
  float tau_unit;
  float kappa;
  float omega;
  float largest_bias;
  float mean_rho;
  float mean_tau;
  Panels projection;     // f32 [M + 1, width], the last row is the mean row
  const uint8_t* tiles;  // [tiles, tile_bytes] 4-bit codes
  size_t tile_bytes;
  const uint8_t* rows;  // [items, row_bytes] int8 codes
  size_t row_bytes;
  const uint32_t* seeds;  // [seed_count]
  uint32_t seed_count;
};

struct BoundModel {
  bool int8;  // kind of the layers' panels and of input_rows: int8, else f32
  ItemRowKind item_kind;
  bool reset_after;  // GRU form of all layers, but the first under EmbeddingKind::kNone
  EmbeddingKind embedding;
  ActivationParams hidden_activation;
  ActivationParams final_activation;
  // As the trainer writes them: "elu-0.5".
  char hidden_activation_name[48];
  char final_activation_name[48];
  const char* gru_forms[kMaxLayers];  // "reset_after" or "reset_before"

  uint32_t items;   // V
  uint32_t layers;  // 1 to kMaxLayers
  uint32_t units[kMaxLayers];
  GruLayer layer[kMaxLayers];
  uint32_t width;    // units of the last layer = columns of item_rows
  Panels item_rows;  // [V, width]: scoring matrix, and input of the first layer if shared
  Cascade cascade;
  Rows input_rows;  // kSeparate: [V, inputs of the first layer]; kNone: [3 V, units of it]

  const int64_t* id_numbers;     // [V], null if ids are names
  const uint8_t* id_names;       // bytes of all names, null if ids are numbers
  const uint32_t* name_offsets;  // [V + 1] into id_names
  size_t name_bytes;             // of id_names
  const uint32_t* id_order;      // [V] item indices sorted by id
  const uint32_t* counts;        // [V] training events of each item
  uint64_t training_events;      // their sum; 0 in a trusted model: ask TrainingEvents()

  const char* hyperparameters;   // JSON, terminated
  const char* training_summary;  // JSON, terminated
  uint32_t self_tests;
  const void* self_test_table;  // of the schema; see GetSelfTest()

  uint32_t sections;
  Section section[2 * kMaxLayers + 12];
  uint32_t format_version;
  const uint8_t* data;  // [file_size]
  size_t file_size;
  MappedFile file;  // empty if the bytes are borrowed
};

// Fills `model` with views into `data`. The order of the checks is size, alignment, kind, version,
// structure, shapes, the checksum of the header, those of the sections, then every value.
// `trusted`: nothing of the sections is read, and what they say may be wrong in any way. All code
// after this keeps what it reads and writes inside its arrays whatever weights, scales, codes,
// counts, ids, name offsets and id_order hold (the accessors of item_ids.h check the latter two at
// use); answers may be nonsense, NaN among them.
[[nodiscard]] Status BindModel(const uint8_t* data, size_t size, bool trusted, BoundModel* model,
                               stint_error* error);

// The sum of all counts: a pass over them where the model is trusted.
uint64_t TrainingEvents(const BoundModel& model) STINT_NONBLOCKING;

// Self-test `index` < model.self_tests.
SelfTest GetSelfTest(const BoundModel& model, uint32_t index);

}  // namespace stint

#endif  // STINT_RUNTIME_MODEL_H_
