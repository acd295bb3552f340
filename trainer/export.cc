// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Parameters and catalog -> the bytes of a model file, with self-tests answered by the runtime.
#include "trainer/export.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "schema/checksum.h"
#include "schema/model_generated.h"
#include "schema/panel.h"
#include "stint/stint.h"
#include "trainer/cascade.h"
#include "trainer/export_check.h"
#include "trainer/quantize.h"

namespace stint {
namespace {

static_assert(FLATBUFFERS_LITTLEENDIAN, "models are written as they lie in memory");

// The parts of the file that do not depend on the self-tests.
struct Sections {
  struct Layer {
    std::vector<uint8_t> input_weights;   // panels [3 * units, inputs]
    std::vector<uint8_t> hidden_weights;  // panels [3 * units, units]
  };
  std::vector<Layer> layers;
  std::vector<uint8_t> item_rows;   // panels of the item kind [items, width]
  std::vector<float> item_biases;   // [items] of float rows, else empty
  std::vector<uint8_t> input_rows;  // rows, empty if the embedding is shared
  std::vector<uint8_t> names;       // bytes of all names
  std::vector<uint32_t> offsets;    // [items + 1] into names
  std::vector<uint32_t> id_order;   // [items] by id
};

// A self-test: items in, top-k out.
struct Answer {
  std::vector<uint32_t> top_items;  // [k] best first
  std::vector<float> top_scores;    // [k]
};

schema::ItemKind ItemKindOf(const ExportInput& input) {
  if (input.scoring == Scoring::kExact) return schema::ItemKind::F32Rows;
  return input.dtype == DType::kBf16   ? schema::ItemKind::Bf16
         : input.dtype == DType::kInt4 ? schema::ItemKind::Int4
                                       : schema::ItemKind::Layers;
}

void CheckWeights(const char* name, const std::vector<float>& values) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::fabs(values[i]) <= kLargestWeight) continue;  // false for NaN
    FailExport(std::string(name) + ": row " + std::to_string(i) + " is " +
               std::to_string(values[i]) + ", a model holds finite weights up to 1e15");
  }
}

// Item indices sorted by id; throws if an id stands twice.
std::vector<uint32_t> OrderIds(const Ids& ids) {
  std::vector<uint32_t> order(ids.size());
  std::iota(order.begin(), order.end(), 0u);
  const auto sort = [&](const auto& values) {
    std::sort(order.begin(), order.end(),
              [&](uint32_t a, uint32_t b) { return values[a] < values[b]; });
    for (size_t i = 1; i < order.size(); ++i) {
      if (values[order[i]] == values[order[i - 1]]) {
        FailExport("item id '" + ids.ToString(order[i]) + "' stands twice in the catalog");
      }
    }
  };
  ids.are_names ? sort(ids.names) : sort(ids.numbers);
  return order;
}

Sections MakeSections(const ExportInput& input) {
  const Parameters& parameters = *input.parameters;
  const DType layers = LayersOf(input);
  const auto pack = [&](const std::string& name, DType dtype, const Matrix& weights,
                        const float* bias) {
    std::vector<uint8_t> bytes(PackedSize(dtype, weights.rows, weights.cols));
    PackPanels(name, dtype, weights, bias, bytes.data());
    return bytes;
  };
  Sections sections;
  for (size_t l = 0; l < parameters.layers.size(); ++l) {
    const GruParameters& layer = parameters.layers[l];
    const std::string name = "layer " + std::to_string(l);
    Matrix input_weights = layer.input_weights;
    input_weights.rows = 3 * layer.units();  // of no columns under one-hot input: the biases alone
    sections.layers.push_back(
        {pack(name + " input weights", layers, input_weights, layer.input_bias.data),
         pack(name + " hidden weights", layers, layer.hidden_weights,
              layer.hidden_bias.rows ? layer.hidden_bias.data : nullptr)});
  }
  if (input.scoring == Scoring::kExact) {
    const Matrix& rows = parameters.items;
    sections.item_rows.resize(RowsSize(DType::kF32, rows.rows, rows.cols, 1));
    PackRows("item rows", DType::kF32, rows, 1, sections.item_rows.data());
    const float* const biases = parameters.item_bias.data;
    sections.item_biases.assign(biases, biases + rows.rows);
    CheckWeights("item biases", sections.item_biases);
  } else {
    sections.item_rows =
        pack("item rows", input.dtype, parameters.items, parameters.item_bias.data);
  }
  if (parameters.inputs.rows > 0) {
    const Matrix& rows = parameters.inputs;
    const size_t parts = InputParts(parameters);
    sections.input_rows.resize(RowsSize(layers, rows.rows, rows.cols, parts));
    PackRows("input rows", layers, rows, parts, sections.input_rows.data());
  }
  const Ids& ids = input.catalog->ids;
  if (ids.are_names) {
    sections.offsets.push_back(0);
    for (const std::string& name : ids.names) {
      sections.names.insert(sections.names.end(), name.begin(), name.end());
      sections.offsets.push_back(static_cast<uint32_t>(sections.names.size()));
    }
  }
  sections.id_order = OrderIds(ids);
  return sections;
}

// The numbers are the same: runtime/activation.h.
schema::Activation ToSchema(ActivationKind activation) {
  return static_cast<schema::Activation>(activation);
}
static_assert(static_cast<int>(schema::Activation::Selu) ==
              static_cast<int>(ActivationKind::kSelu));

// A model is written as the lowest version that can hold it.
uint32_t VersionOf(const ExportInput& input) {
  if (ItemKindOf(input) != schema::ItemKind::Layers) return 3;
  const ActivationKind final = input.final_activation.kind;
  const bool old = input.parameters->shape.embedding == Embedding::kShared &&
                   input.hidden_activation.kind == ActivationKind::kTanh &&
                   (final == ActivationKind::kSoftmax || final == ActivationKind::kLinear ||
                    final == ActivationKind::kElu);
  return old ? 1 : 2;
}

schema::Embedding ToSchema(Embedding embedding) {
  switch (embedding) {
    case Embedding::kShared:
      return schema::Embedding::Shared;
    case Embedding::kSeparate:
      return schema::Embedding::Separate;
    case Embedding::kNone:
      return schema::Embedding::None;
  }
  FailExport("unknown embedding");
}

AlignedBytes Assemble(const ExportInput& input, const Sections& sections,
                      const std::vector<Answer>& answers, const CascadeSections& parts) {
  const Parameters& parameters = *input.parameters;
  const Catalog& catalog = *input.catalog;
  flatbuffers::FlatBufferBuilder builder(sections.item_rows.size() + (1 << 16));
  builder.ForceDefaults(true);  // checksum and size are filled in at the end: they must be there
  const auto section = [&](const void* bytes, size_t size) {
    builder.ForceVectorAlignment(size, 1, 64);
    const auto vector = builder.CreateVector(static_cast<const uint8_t*>(bytes), size);
    return schema::CreateSection(builder, vector,
                                 SectionChecksum(static_cast<const uint8_t*>(bytes), size));
  };
  const auto array = [&](const auto& values) {
    return section(values.data(), values.size() * sizeof(values[0]));
  };

  // The builder writes from the end of the file towards its start.
  flatbuffers::Offset<schema::Section> numbers, names, offsets;
  if (catalog.ids.are_names) {
    names = array(sections.names);
    offsets = array(sections.offsets);
  } else {
    numbers = array(catalog.ids.numbers);
  }
  const auto id_order = array(sections.id_order);
  const auto counts = array(catalog.counts);
  flatbuffers::Offset<schema::Cascade> cascade;
  if (parts.columns > 0) {
    const auto rows = array(parts.rows);
    const auto codes = array(parts.codes);
    const auto projection = array(parts.projection);
    const auto seeds = builder.CreateVector(parts.seeds);
    cascade = schema::CreateCascade(builder, parts.columns, parts.skew, parts.rho_unit,
                                    parts.tau_unit, parts.kappa, parts.omega, parts.largest_bias,
                                    parts.mean_rho, parts.mean_tau, projection, codes, rows, seeds);
  }
  const auto item_rows = array(sections.item_rows);
  flatbuffers::Offset<schema::Section> input_rows, item_biases;
  if (!sections.item_biases.empty()) item_biases = array(sections.item_biases);
  if (!sections.input_rows.empty()) input_rows = array(sections.input_rows);
  std::vector<flatbuffers::Offset<schema::GruLayer>> layers;
  for (size_t l = 0; l < parameters.layers.size(); ++l) {
    const auto input_weights = array(sections.layers[l].input_weights);
    const auto hidden_weights = array(sections.layers[l].hidden_weights);
    layers.push_back(schema::CreateGruLayer(
        builder, static_cast<uint32_t>(parameters.layers[l].units()),
        static_cast<uint32_t>(parameters.layers[l].inputs()), input_weights, hidden_weights));
  }
  std::vector<flatbuffers::Offset<schema::SelfTest>> tests;
  for (size_t t = 0; t < answers.size(); ++t) {
    const auto items = builder.CreateVector(input.self_test_sessions[t]);
    const auto top_items = builder.CreateVector(answers[t].top_items);
    const auto top_scores = builder.CreateVector(answers[t].top_scores);
    tests.push_back(schema::CreateSelfTest(builder, items, top_items, top_scores));
  }
  const auto layer_vector = builder.CreateVector(layers);
  const auto hyperparameters = builder.CreateString(input.hyperparameters);
  const auto training_summary = builder.CreateString(input.training_summary);
  const auto test_vector = builder.CreateVector(tests);

  schema::ModelBuilder model(builder);
  const uint32_t version = parts.columns > 0 ? kFormatVersion : VersionOf(input);
  model.add_format_version(version);
  model.add_header_xxh3(0);
  model.add_file_size(0);
  model.add_dtype(LayersOf(input) == DType::kInt8 ? schema::DType::Int8 : schema::DType::F32);
  model.add_gru_form(parameters.shape.gru_form == GruForm::kResetAfter
                         ? schema::GruForm::ResetAfter
                         : schema::GruForm::ResetBefore);
  model.add_final_activation(ToSchema(input.final_activation.kind));
  model.add_final_alpha(input.final_activation.Params().alpha);
  model.add_items(static_cast<uint32_t>(parameters.items.rows));
  model.add_layers(layer_vector);
  model.add_item_rows(item_rows);
  if (catalog.ids.are_names) {
    model.add_id_names(names);
    model.add_id_name_offsets(offsets);
  } else {
    model.add_id_numbers(numbers);
  }
  model.add_id_order(id_order);
  model.add_counts(counts);
  model.add_hyperparameters(hyperparameters);
  model.add_training_summary(training_summary);
  model.add_self_tests(test_vector);
  if (version > 1) {
    const ActivationParams hidden = input.hidden_activation.Params();
    model.add_embedding(ToSchema(parameters.shape.embedding));
    if (!sections.input_rows.empty()) model.add_input_rows(input_rows);
    model.add_hidden_activation(ToSchema(hidden.kind));
    model.add_hidden_alpha(hidden.alpha);
    model.add_hidden_scale(hidden.scale);
    model.add_final_scale(input.final_activation.Params().scale);
    if (parts.columns > 0) model.add_cascade(cascade);
    if (!sections.item_biases.empty()) model.add_item_biases(item_biases);
  }
  if (version > 2) model.add_item_kind(ItemKindOf(input));
  schema::FinishModelBuffer(builder, model.Finish());

  AlignedBytes file(builder.GetSize());
  std::memcpy(file.data(), builder.GetBufferPointer(), file.size());
  return file;
}

// Fills in the file's size and the checksum over everything outside the sections.
void Seal(AlignedBytes* file) {
  schema::Model* model = schema::GetMutableModel(file->data());
  model->mutate_file_size(file->size());
  std::vector<ByteRange> payloads;
  const auto add = [&](const schema::Section* section) {
    if (!section) return;
    const size_t offset = static_cast<size_t>(section->bytes()->data() - file->data());
    if (offset % 64 != 0) FailExport("a section at byte " + std::to_string(offset));
    payloads.push_back({offset, section->bytes()->size()});
  };
  for (const schema::GruLayer* layer : *model->layers()) {
    add(layer->input_weights());
    add(layer->hidden_weights());
  }
  for (const schema::Section* section :
       {model->item_rows(), model->input_rows(), model->id_numbers(), model->id_names(),
        model->id_name_offsets(), model->id_order(), model->counts(), model->item_biases()}) {
    add(section);
  }
  if (const schema::Cascade* cascade = model->cascade()) {
    for (const schema::Section* section :
         {cascade->projection(), cascade->codes(), cascade->rows()}) {
      add(section);
    }
  }
  std::sort(payloads.begin(), payloads.end(),
            [](const ByteRange& a, const ByteRange& b) { return a.offset < b.offset; });
  const uint8_t* field = flatbuffers::GetRoot<flatbuffers::Table>(file->data())
                             ->GetAddressOf(schema::Model::VT_HEADER_XXH3);
  uint64_t checksum = 0;
  if (!field ||
      !HeaderChecksum(file->data(), file->size(), static_cast<size_t>(field - file->data()),
                      payloads.data(), payloads.size(), &checksum)) {
    FailExport("sections overlap");  // cannot be: the builder laid them out
  }
  model->mutate_header_xxh3(checksum);
}

void CheckCall(stint_status status, const char* what) {
  if (status != STINT_OK) FailExport(std::string(what) + ": " + stint_status_message(status));
}

// The model in `file`, which outlives it, and a session of it.
struct Opened {
  Opened(const AlignedBytes& file, uint32_t max_k) {
    stint_error error;
    if (stint_model_from_buffer(file.data(), file.size(), &model, &error) != STINT_OK) {
      FailExport(std::string("the runtime refuses what was just written: ") + error.message);
    }
    CheckCall(stint_session_create(model, max_k, &session), "create");
  }
  ~Opened() {
    stint_session_destroy(session);
    stint_model_destroy(model);
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  stint_model* model = nullptr;
  stint_session* session = nullptr;
};

// What the runtime answers to the self-test sessions on the model in `file`.
std::vector<Answer> AskRuntime(const ExportInput& input, const AlignedBytes& file) {
  const uint32_t k =
      std::min<uint32_t>(input.self_test_k, static_cast<uint32_t>(input.parameters->items.rows));
  const Opened opened(file, k);
  std::vector<Answer> answers;
  std::vector<stint_recommendation> top(k);
  for (const std::vector<uint32_t>& items : input.self_test_sessions) {
    CheckCall(stint_session_reset(opened.session), "reset");
    for (const uint32_t item : items) CheckCall(stint_observe(opened.session, item), "observe");
    size_t count = 0;
    CheckCall(stint_recommend(opened.session, k, nullptr, top.data(), &count), "recommend");
    Answer answer;
    for (size_t i = 0; i < count; ++i) {
      answer.top_items.push_back(top[i].item);
      answer.top_scores.push_back(top[i].score);
    }
    answers.push_back(std::move(answer));
  }
  return answers;
}

// The hidden states of the last layer after each click of the calibration sessions, as the runtime
// has them.
std::vector<std::vector<float>> HiddenStates(const ExportInput& input, const AlignedBytes& file) {
  const Opened opened(file, 1);
  const uint32_t last = static_cast<uint32_t>(input.parameters->layers.size()) - 1;
  std::vector<std::vector<float>> states;
  for (const std::vector<uint32_t>& items : input.calibration_sessions) {
    CheckCall(stint_session_reset(opened.session), "reset");
    for (const uint32_t item : items) {
      CheckCall(stint_observe(opened.session, item), "observe");
      const float* hidden;
      uint32_t units;
      CheckCall(stint_session_hidden(opened.session, last, &hidden, &units), "hidden");
      states.emplace_back(hidden, hidden + units);
    }
  }
  return states;
}

CascadeSections MakeCascade(const ExportInput& input, const AlignedBytes& plain) {
  CascadeInput cascade;
  cascade.rows = input.parameters->items;
  cascade.biases = input.parameters->item_bias.data;
  cascade.int8 = input.scoring == Scoring::kInt8;
  cascade.hidden = HiddenStates(input, plain);
  cascade.columns = input.cascade_columns;
  return BuildCascade(cascade);
}

}  // namespace

AlignedBytes BuildModel(const ExportInput& input) {
  CheckExport(input);
  const Sections sections = MakeSections(input);
  const auto assemble = [&](const std::vector<Answer>& answers, const CascadeSections& cascade) {
    AlignedBytes file = Assemble(input, sections, answers, cascade);
    Seal(&file);
    return file;
  };
  AlignedBytes file = assemble({}, {});
  CascadeSections cascade;
  if (input.scoring != Scoring::kScan) {
    cascade = MakeCascade(input, file);
    file = assemble({}, cascade);
  }
  if (!input.self_test_sessions.empty()) file = assemble(AskRuntime(input, file), cascade);
  return file;
}

void ReadActivations(const uint8_t* bytes, Activation* hidden, Activation* final) {
  const schema::Model& model = *schema::GetModel(bytes);
  const auto shortest = [](float value) {
    char text[40];
    const auto end = std::to_chars(text, text + sizeof(text), value).ptr;
    double result = 0;
    std::from_chars(text, end, result);
    return result;
  };
  const auto read = [&](schema::Activation kind, float alpha, float scale) {
    return Activation{static_cast<ActivationKind>(kind), shortest(alpha), shortest(scale)};
  };
  *hidden = read(model.hidden_activation(), model.hidden_alpha(), model.hidden_scale());
  *final = read(model.final_activation(), model.final_alpha(), model.final_scale());
}

std::vector<std::vector<uint32_t>> ReadSelfTests(const uint8_t* bytes) {
  std::vector<std::vector<uint32_t>> sessions;
  if (const auto* const tests = schema::GetModel(bytes)->self_tests()) {
    for (const schema::SelfTest* test : *tests) {
      sessions.emplace_back(test->items()->begin(), test->items()->end());
    }
  }
  return sessions;
}

}  // namespace stint
