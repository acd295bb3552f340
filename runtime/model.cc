// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Bytes of a model file -> an immutable Model. The only reader of the schema.
//
// FlatBuffers' verifier keeps offsets inside the buffer; it knows nothing of alignment above 8,
// of shapes against sizes, of values, and it passes two thirds of random bit flips. All of that is
// checked here and in verify.cc, so that the stages after this one trust every byte.
#include "runtime/model.h"

#include <cinttypes>
#include <cstring>

#include "runtime/final_activation.h"
#include "runtime/validate.h"
#include "runtime/verify.h"
#include "schema/model_generated.h"

namespace stint {
namespace {

static_assert(FLATBUFFERS_LITTLEENDIAN, "model files are little-endian and read in place");

// Deepest nesting is Model > GruLayer > Section; a file has at most this many tables.
constexpr uint32_t kMaxDepth = 8;
constexpr uint32_t kMaxTables = 1 + kMaxLayers * 3 + 13 + kMaxSelfTests + 16;
constexpr size_t kMinFileBytes = 64;

// Fills in a model from a file that is already structurally sound.
class Binder {
 public:
  Binder(const schema::Model& file, const uint8_t* data, size_t size, BoundModel* model,
         stint_error* error)
      : file_(file), data_(data), size_(size), model_(model), error_(error) {}

  Status Bind(bool trusted) {
    STINT_RETURN_IF_ERROR(BindHeader());
    STINT_RETURN_IF_ERROR(BindActivations());
    STINT_RETURN_IF_ERROR(BindLayers());
    STINT_RETURN_IF_ERROR(BindInputRows());
    STINT_RETURN_IF_ERROR(BindItemRows());
    STINT_RETURN_IF_ERROR(BindCascade());
    STINT_RETURN_IF_ERROR(BindCatalog());
    STINT_RETURN_IF_ERROR(CheckHeaderChecksum());
    if (!trusted) {
      STINT_RETURN_IF_ERROR(VerifySections(*model_, error_));
      model_->training_events = TrainingEvents(*model_);
    }
    return CheckSelfTests();
  }

 private:
  Status BindHeader() {
    const uint32_t dtype = static_cast<uint32_t>(file_.dtype());
    const uint32_t form = static_cast<uint32_t>(file_.gru_form());
    const uint32_t embedding = static_cast<uint32_t>(file_.embedding());
    if (dtype > 1) return Fail(error_, STINT_CORRUPT, "kind of weights is %u", dtype);
    if (form > 1) return Fail(error_, STINT_CORRUPT, "GRU form is %u", form);
    if (embedding > 2) return Fail(error_, STINT_CORRUPT, "embedding is %u", embedding);
    if (file_.items() < 1 || file_.items() > kMaxItems) {
      return Fail(error_, STINT_CORRUPT, "%u items", file_.items());
    }
    if (file_.layers()->size() < 1 || file_.layers()->size() > kMaxLayers) {
      return Fail(error_, STINT_CORRUPT, "%u layers", file_.layers()->size());
    }
    model_->int8 = file_.dtype() == schema::DType::Int8;
    model_->reset_after = file_.gru_form() == schema::GruForm::ResetAfter;
    model_->embedding = static_cast<EmbeddingKind>(embedding);
    model_->items = file_.items();
    model_->layers = file_.layers()->size();
    model_->format_version = file_.format_version();
    model_->data = data_;
    model_->file_size = size_;
    STINT_RETURN_IF_ERROR(BindItemKind());
    STINT_RETURN_IF_ERROR(
        BindText("hyperparameters", file_.hyperparameters(), &model_->hyperparameters));
    return BindText("training_summary", file_.training_summary(), &model_->training_summary);
  }

  Status BindItemKind() {
    const schema::ItemKind kind = file_.item_kind();
    // What a runtime of versions 1 and 2 would have read past must not stand in their files.
    if (file_.format_version() < 3 &&
        (kind != schema::ItemKind::Layers || file_.item_biases() || file_.cascade())) {
      return Fail(error_, STINT_CORRUPT, "format version %u with what version 3 brought",
                  file_.format_version());
    }
    switch (kind) {
      case schema::ItemKind::Layers:
        model_->item_kind = model_->int8 ? ItemRowKind::kInt8 : ItemRowKind::kF32;
        item_panels_ = LayerPanels();
        break;
      case schema::ItemKind::Bf16:
        model_->item_kind = ItemRowKind::kBf16;
        item_panels_ = PanelKind::kBf16;
        break;
      case schema::ItemKind::Int4:
        model_->item_kind = ItemRowKind::kInt4;
        item_panels_ = PanelKind::kInt4;
        break;
      case schema::ItemKind::F32Rows:
        model_->item_kind = ItemRowKind::kF32Rows;
        return STINT_OK;
      default:
        return Fail(error_, STINT_CORRUPT, "kind of item rows is %u", static_cast<uint32_t>(kind));
    }
    if (file_.item_biases()) {
      return Fail(error_, STINT_CORRUPT, "section 'item_biases' beside item rows that have theirs");
    }
    return STINT_OK;
  }

  PanelKind LayerPanels() const { return model_->int8 ? PanelKind::kInt8 : PanelKind::kF32; }

  Status BindActivations() {
    const auto bind = [&](const char* name, schema::Activation kind, float alpha, float scale,
                          ActivationParams* params, char* text) {
      STINT_RETURN_IF_ERROR(
          CheckActivation(name, static_cast<uint32_t>(kind), alpha, scale, error_));
      *params = {static_cast<ActivationKind>(kind), alpha, scale};
      WriteActivationName(*params, text, sizeof(model_->final_activation_name));
      return STINT_OK;
    };
    STINT_RETURN_IF_ERROR(bind("final", file_.final_activation(), file_.final_alpha(),
                               file_.final_scale(), &model_->final_activation,
                               model_->final_activation_name));
    STINT_RETURN_IF_ERROR(bind("hidden", file_.hidden_activation(), file_.hidden_alpha(),
                               file_.hidden_scale(), &model_->hidden_activation,
                               model_->hidden_activation_name));
    if (model_->hidden_activation.kind == ActivationKind::kSoftmax) {
      return Fail(error_, STINT_CORRUPT, "hidden activation is softmax");
    }
    // What a runtime of version 1 would have read past must not stand in its files.
    if (file_.format_version() < 2 &&
        (model_->embedding != EmbeddingKind::kShared || file_.input_rows() ||
         model_->hidden_activation.kind != ActivationKind::kTanh ||
         file_.final_activation() > schema::Activation::Elu)) {
      return Fail(error_, STINT_CORRUPT, "format version %u with what version 2 brought",
                  file_.format_version());
    }
    return STINT_OK;
  }

  Status BindText(const char* name, const flatbuffers::String* text, const char** out) {
    STINT_RETURN_IF_ERROR(CheckText(name, text->c_str(), text->size(), error_));
    *out = text->c_str();
    return STINT_OK;
  }

  Status BindLayers() {
    for (uint32_t l = 0; l < model_->layers; ++l) {
      const schema::GruLayer& layer = *file_.layers()->Get(l);
      if (layer.units() < 1 || layer.units() > kMaxUnits) {
        return Fail(error_, STINT_CORRUPT, "layer %u has %u units", l, layer.units());
      }
      model_->units[l] = layer.units();
    }
    model_->width = model_->units[model_->layers - 1];
    char name[sizeof(Section::name)];
    for (uint32_t l = 0; l < model_->layers; ++l) {
      const schema::GruLayer& layer = *file_.layers()->Get(l);
      GruLayer& out = model_->layer[l];
      out.units = layer.units();
      out.inputs = layer.inputs();
      const bool one_hot = l == 0 && model_->embedding == EmbeddingKind::kNone;
      out.reset_after = model_->reset_after && !one_hot;
      model_->gru_forms[l] = out.reset_after ? "reset_after" : "reset_before";
      if (l == 0 && model_->embedding == EmbeddingKind::kSeparate) {
        if (out.inputs < 1 || out.inputs > kMaxUnits) {
          return Fail(error_, STINT_CORRUPT, "layer 0 has %u inputs", out.inputs);
        }
      }
      const uint32_t expected = one_hot ? 0
                                : l > 0 ? model_->units[l - 1]
                                : model_->embedding == EmbeddingKind::kSeparate ? out.inputs
                                                                                : model_->width;
      if (out.inputs != expected) {
        return Fail(error_, STINT_CORRUPT, "layer %u has %u inputs, not %u", l, out.inputs,
                    expected);
      }
      Format(name, sizeof(name), "layer%u.input_weights", l);
      STINT_RETURN_IF_ERROR(BindPanels(name, layer.input_weights(), LayerPanels(), 3 * out.units,
                                       out.inputs, &out.input_weights));
      Format(name, sizeof(name), "layer%u.hidden_weights", l);
      STINT_RETURN_IF_ERROR(BindPanels(name, layer.hidden_weights(), LayerPanels(), 3 * out.units,
                                       out.units, &out.hidden_weights));
    }
    return STINT_OK;
  }

  Status BindPanels(const char* name, const schema::Section* section, PanelKind kind, uint32_t rows,
                    uint32_t cols, Panels* panels) {
    const uint8_t* bytes = nullptr;
    STINT_RETURN_IF_ERROR(BindSection(name, section, PanelBytes(kind, rows, cols), &bytes));
    panels->data = bytes;
    panels->rows = rows;
    panels->cols = cols;
    panels->tiles = static_cast<uint32_t>(PanelTiles(rows));
    panels->tile_bytes = static_cast<size_t>(PanelTileBytes(kind, cols));
    SetContents(
        static_cast<Contents>(static_cast<int>(Contents::kInt8Panels) + static_cast<int>(kind)),
        rows, cols, panels->tile_bytes);
    return STINT_OK;
  }

  Status BindInputRows() {
    if (model_->embedding == EmbeddingKind::kShared) {
      if (!file_.input_rows()) return STINT_OK;
      return Fail(error_, STINT_CORRUPT, "section 'input_rows' beside a shared embedding");
    }
    const bool one_hot = model_->embedding == EmbeddingKind::kNone;
    const uint64_t rows = uint64_t{one_hot ? 3u : 1u} * model_->items;
    Rows& out = model_->input_rows;
    out.cols = one_hot ? model_->layer[0].units : model_->layer[0].inputs;
    STINT_RETURN_IF_ERROR(BindSection("input_rows", file_.input_rows(),
                                      RowsBytes(model_->int8, rows, out.cols), &out.data));
    out.rows = static_cast<uint32_t>(rows);  // fits: each has 4 bytes or more of a file below 2 GiB
    out.row_bytes = static_cast<size_t>(RowBytes(model_->int8, out.cols));
    SetContents(model_->int8 ? Contents::kInt8Rows : Contents::kF32Rows, out.rows, out.cols,
                out.row_bytes);
    return STINT_OK;
  }

  Status BindItemRows() {
    Panels& rows = model_->item_rows;
    if (model_->item_kind != ItemRowKind::kF32Rows) {
      return BindPanels("item_rows", file_.item_rows(), item_panels_, model_->items, model_->width,
                        &rows);
    }
    const size_t row_bytes = model_->width * sizeof(float);
    rows.rows = model_->items;
    rows.cols = model_->width;
    rows.tiles = static_cast<uint32_t>(PanelTiles(rows.rows));
    rows.tile_bytes = kTileRows * row_bytes;
    STINT_RETURN_IF_ERROR(
        BindSection("item_rows", file_.item_rows(), uint64_t{rows.rows} * row_bytes, &rows.data));
    SetContents(Contents::kF32Rows, rows.rows, rows.cols, row_bytes);
    STINT_RETURN_IF_ERROR(BindSection("item_biases", file_.item_biases(),
                                      uint64_t{rows.rows} * sizeof(float), &rows.biases));
    SetContents(Contents::kF32Rows, rows.rows, 1, sizeof(float));
    return STINT_OK;
  }

  Status BindCascade() {
    const schema::Cascade* const file = file_.cascade();
    if (!file) return STINT_OK;
    Cascade& out = model_->cascade;
    const uint32_t columns = file->columns();
    const uint64_t tiles = PanelTiles(model_->items);
    const bool shape = columns >= kStepColumns && columns % kStepColumns == 0 &&
                       columns <= kMaxCascadeColumns && columns <= model_->width;
    if (!shape || !(file->skew() >= 0 && file->skew() <= 1)) {
      return Fail(error_, STINT_CORRUPT, "a cascade of %u columns and skew %g for rows of %u",
                  columns, static_cast<double>(file->skew()), model_->width);
    }
    if (model_->item_kind != ItemRowKind::kInt8 && model_->item_kind != ItemRowKind::kF32Rows) {
      return Fail(error_, STINT_CORRUPT, "a cascade beside item rows of another kind");
    }
    out.columns = columns;
    out.skew = file->skew();
    out.rho_unit = file->rho_unit();
    out.tau_unit = file->tau_unit();
    out.kappa = file->kappa();
    out.omega = file->omega();
    out.largest_bias = file->largest_bias();
    out.mean_rho = file->mean_rho();
    out.mean_tau = file->mean_tau();
    for (const float x : {out.rho_unit, out.tau_unit, out.kappa, out.omega, out.largest_bias,
                          out.mean_rho, out.mean_tau}) {
      if (x >= 0 && x <= kLargestNorm) continue;
      return Fail(error_, STINT_CORRUPT, "a bound of the cascade is %g", static_cast<double>(x));
    }
    Panels& projection = out.projection;
    projection.rows = columns + 1;
    projection.cols = model_->width;
    projection.tiles = static_cast<uint32_t>(PanelTiles(projection.rows));
    projection.tile_bytes = static_cast<size_t>(PanelTileBytes(false, projection.cols));
    STINT_RETURN_IF_ERROR(BindSection("cascade.projection", file->projection(),
                                      PanelBytes(false, projection.rows, projection.cols),
                                      &projection.data));
    SetContents(Contents::kF32Panels, projection.rows, projection.cols, projection.tile_bytes);
    out.tile_bytes = static_cast<size_t>(ScanTileBytes(columns));
    STINT_RETURN_IF_ERROR(
        BindSection("cascade.codes", file->codes(), tiles * out.tile_bytes, &out.tiles));
    SetContents(Contents::kScanTiles, model_->items, columns, out.tile_bytes);
    out.row_bytes = static_cast<size_t>(CandidateRowBytes(model_->width));
    STINT_RETURN_IF_ERROR(BindSection("cascade.rows", file->rows(),
                                      uint64_t{model_->items} * out.row_bytes, &out.rows));
    SetContents(Contents::kCandidateRows, model_->items, model_->width, out.row_bytes);
    out.seeds = file->seeds()->data();
    out.seed_count = file->seeds()->size();
    if (out.seed_count > kMaxCascadeSeeds) {
      return Fail(error_, STINT_CORRUPT, "%u seeds of the cascade", out.seed_count);
    }
    for (uint32_t i = 0; i < out.seed_count; ++i) {
      if (out.seeds[i] < model_->items) continue;
      return Fail(error_, STINT_CORRUPT, "seed %u of %u items", out.seeds[i], model_->items);
    }
    return STINT_OK;
  }

  // A section of exactly `size` bytes; for any size pass section->bytes()->size().
  template <typename T>
  Status BindSection(const char* name, const schema::Section* section, uint64_t size,
                     const T** out) {
    if (!section) return Fail(error_, STINT_CORRUPT, "section '%s' is missing", name);
    const uint8_t* bytes = section->bytes()->data();
    if (section->bytes()->size() != size) {
      return Fail(error_, STINT_CORRUPT, "section '%s': %u bytes instead of %" PRIu64, name,
                  section->bytes()->size(), size);
    }
    if (static_cast<size_t>(bytes - data_) % 64 != 0) {
      return Fail(error_, STINT_CORRUPT, "section '%s': at byte %zu, not a multiple of 64", name,
                  static_cast<size_t>(bytes - data_));
    }
    Section& entry = model_->section[model_->sections++];
    Format(entry.name, sizeof(entry.name), "%s", name);
    entry.data = bytes;
    entry.size = static_cast<size_t>(size);
    entry.xxh3 = section->xxh3();
    entry.unit_bytes = 64;
    *out = reinterpret_cast<const T*>(bytes);
    return STINT_OK;
  }

  // Of the section bound last.
  void SetContents(Contents contents, uint32_t rows, uint32_t cols, size_t unit_bytes) {
    Section& entry = model_->section[model_->sections - 1];
    entry.contents = contents;
    entry.rows = rows;
    entry.cols = cols;
    entry.unit_bytes = unit_bytes;
  }

  Status BindCatalog() {
    const uint64_t items = model_->items;
    const bool numbers = file_.id_numbers() != nullptr;
    if (numbers == (file_.id_names() != nullptr) ||
        numbers == (file_.id_name_offsets() != nullptr)) {
      return Fail(error_, STINT_CORRUPT, "item ids are neither numbers nor names alone");
    }
    if (numbers) {
      STINT_RETURN_IF_ERROR(
          BindSection("id_numbers", file_.id_numbers(), 8 * items, &model_->id_numbers));
    } else {
      model_->name_bytes = file_.id_names()->bytes()->size();
      STINT_RETURN_IF_ERROR(
          BindSection("id_names", file_.id_names(), model_->name_bytes, &model_->id_names));
      STINT_RETURN_IF_ERROR(BindSection("id_name_offsets", file_.id_name_offsets(), 4 * (items + 1),
                                        &model_->name_offsets));
    }
    STINT_RETURN_IF_ERROR(BindSection("id_order", file_.id_order(), 4 * items, &model_->id_order));
    return BindSection("counts", file_.counts(), 4 * items, &model_->counts);
  }

  Status CheckHeaderChecksum() {
    const uint8_t* const field = reinterpret_cast<const flatbuffers::Table*>(&file_)->GetAddressOf(
        schema::Model::VT_HEADER_XXH3);
    if (!field) return Fail(error_, STINT_CORRUPT, "header: no checksum");
    return VerifyHeader(*model_, static_cast<size_t>(field - data_), file_.header_xxh3(), error_);
  }

  Status CheckSelfTests() {
    if (!file_.self_tests()) return STINT_OK;
    model_->self_tests = file_.self_tests()->size();
    model_->self_test_table = file_.self_tests();
    if (model_->self_tests > kMaxSelfTests) {
      return Fail(error_, STINT_CORRUPT, "%u self-tests", model_->self_tests);
    }
    for (uint32_t t = 0; t < model_->self_tests; ++t) {
      const schema::SelfTest& test = *file_.self_tests()->Get(t);
      const uint32_t k = test.top_items()->size();
      if (k < 1 || k > model_->items || test.top_scores()->size() != k) {
        return Fail(error_, STINT_CORRUPT, "self-test %u: %u items and %u scores expected", t, k,
                    test.top_scores()->size());
      }
      for (const auto* items : {test.items(), test.top_items()}) {
        for (const uint32_t item : *items) {
          if (item < model_->items) continue;
          return Fail(error_, STINT_CORRUPT, "self-test %u: item %u of %u", t, item, model_->items);
        }
      }
    }
    return STINT_OK;
  }

  const schema::Model& file_;
  const uint8_t* const data_;
  const size_t size_;
  BoundModel* const model_;
  stint_error* const error_;
  PanelKind item_panels_ = PanelKind::kInt8;
};

}  // namespace

Status BindModel(const uint8_t* data, size_t size, bool trusted, BoundModel* model,
                 stint_error* error) {
  // The verifier asserts on its size: compare first.
  if (size < kMinFileBytes) {
    return Fail(error, STINT_NOT_A_MODEL, "%zu bytes are too few for a model", size);
  }
  if (size > kMaxFileBytes) {
    return Fail(error, STINT_NOT_A_MODEL, "%zu bytes are too many for a model", size);
  }
  if (reinterpret_cast<uintptr_t>(data) % 64 != 0) {
    return Fail(error, STINT_MISALIGNED, "the buffer starts %u bytes after a multiple of 64",
                static_cast<unsigned>(reinterpret_cast<uintptr_t>(data) % 64));
  }
  if (!schema::ModelBufferHasIdentifier(data)) {
    return Fail(error, STINT_NOT_A_MODEL, "no identifier '%s' at byte 4",
                schema::ModelIdentifier());
  }

  // Version and size come before the rest: a newer format may be built in another way, and a cut
  // file should be called that.
  flatbuffers::Verifier header(data, size, kMaxDepth, kMaxTables);
  const uint32_t root = header.VerifyOffset(0);
  const auto* table = reinterpret_cast<const flatbuffers::Table*>(data + root);
  if (root == 0 || !table->VerifyTableStart(header) ||
      !table->VerifyField<uint32_t>(header, schema::Model::VT_FORMAT_VERSION, 4) ||
      !table->VerifyField<uint64_t>(header, schema::Model::VT_FILE_SIZE, 8)) {
    return Fail(error, STINT_CORRUPT, "the header is damaged, or the file is cut short");
  }
  const uint32_t version = table->GetField<uint32_t>(schema::Model::VT_FORMAT_VERSION, 0);
  const uint64_t file_size = table->GetField<uint64_t>(schema::Model::VT_FILE_SIZE, 0);
  if (version > kFormatVersion) {
    return Fail(error, STINT_NEWER_VERSION, "format version %u, this library knows %u", version,
                kFormatVersion);
  }
  if (version < 1) return Fail(error, STINT_CORRUPT, "format version %u", version);
  if (size < file_size) {
    return Fail(error, STINT_NOT_A_MODEL, "cut short: %zu of %" PRIu64 " bytes", size, file_size);
  }
  if (size > file_size) {
    return Fail(error, STINT_CORRUPT, "%zu bytes instead of %" PRIu64, size, file_size);
  }
  flatbuffers::Verifier verifier(data, size, kMaxDepth, kMaxTables);
  if (!schema::VerifyModelBuffer(verifier)) {
    return Fail(error, STINT_CORRUPT, "the structure of the file is damaged");
  }
  *model = BoundModel();
  return Binder(*schema::GetModel(data), data, size, model, error).Bind(trusted);
}

const char* ItemKindName(ItemRowKind kind) {
  switch (kind) {
    case ItemRowKind::kInt8:
      return "int8";
    case ItemRowKind::kBf16:
      return "bf16";
    case ItemRowKind::kInt4:
      return "int4";
    case ItemRowKind::kF32:
    case ItemRowKind::kF32Rows:
      break;
  }
  return "f32";
}

uint64_t TrainingEvents(const BoundModel& model) {
  if (model.training_events > 0) return model.training_events;
  uint64_t events = 0;
  for (uint32_t i = 0; i < model.items; ++i) events += model.counts[i];
  return events;
}

SelfTest GetSelfTest(const BoundModel& model, uint32_t index) {
  const auto* tests =
      static_cast<const flatbuffers::Vector<flatbuffers::Offset<schema::SelfTest>>*>(
          model.self_test_table);
  const schema::SelfTest& test = *tests->Get(index);
  return {test.items()->data(), test.items()->size(), test.top_items()->size(),
          test.top_items()->data(), test.top_scores()->data()};
}

}  // namespace stint
