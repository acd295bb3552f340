// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Golden files -> cases. The two published forms of the GRU store their gates in different
// orders and orientations; both become [reset, update, candidate] rows here.
#include "tests/reference/golden_case.h"

#include <filesystem>
#include <map>
#include <sstream>
#include <stdexcept>

namespace stint::reference {
namespace {

// "10/16" -> {10, 16}.
std::vector<size_t> ParseLayers(const std::string& text) {
  std::vector<size_t> layers;
  std::stringstream in(text);
  for (std::string part; std::getline(in, part, '/');) layers.push_back(std::stoul(part));
  if (layers.empty()) throw std::runtime_error("layers '" + text + "'");
  return layers;
}

void CopyInto(const Tensor& tensor, Array* array, const std::string& name) {
  const std::vector<double> values = tensor.AsDouble();
  if (values.size() != array->values.size() || tensor.shape.back() != array->cols) {
    throw std::runtime_error("tensor " + name + " has another shape than the network");
  }
  array->values = values;
}

// Theano's blocks stand side by side in columns: [candidate | reset | update] in Wx and Bh,
// [reset | update] in Wrz, the candidate alone in Wh; weights are [inputs, outputs].
// `input_rows`: where Wx goes if its input is one-hot, else null.
void ReadTheanoLayer(const Safetensors& file, const std::string& prefix, LayerWeights* layer,
                     Array* input_rows) {
  const size_t units = layer->units();
  const size_t inputs = input_rows != nullptr ? input_rows->rows : layer->inputs();
  Array wx(inputs, 3 * units), wrz(units, 2 * units), wh(units, units), bh(1, 3 * units);
  CopyInto(file[prefix + "Wx"], &wx, prefix + "Wx");
  CopyInto(file[prefix + "Wrz"], &wrz, prefix + "Wrz");
  CopyInto(file[prefix + "Wh"], &wh, prefix + "Wh");
  CopyInto(file[prefix + "Bh"], &bh, prefix + "Bh");
  for (size_t gate = 0; gate < 3; ++gate) {
    const size_t block = (gate + 1) % 3;  // reset 1, update 2, candidate 0
    for (size_t u = 0; u < units; ++u) {
      const size_t row = gate * units + u;
      for (size_t c = 0; c < inputs; ++c) {
        double& w = input_rows != nullptr ? (*input_rows)(c, row) : layer->input_weights(row, c);
        w = wx(c, block * units + u);
      }
      for (size_t c = 0; c < units; ++c) {
        layer->hidden_weights(row, c) = gate == 2 ? wh(c, u) : wrz(c, gate * units + u);
      }
      layer->input_bias(0, row) = bh(0, block * units + u);
    }
  }
}

void ReadTorchLayer(const Safetensors& file, const std::string& prefix, LayerWeights* layer) {
  CopyInto(file[prefix + "W_ih"], &layer->input_weights, prefix + "W_ih");
  CopyInto(file[prefix + "W_hh"], &layer->hidden_weights, prefix + "W_hh");
  CopyInto(file[prefix + "b_ih"], &layer->input_bias, prefix + "b_ih");
  CopyInto(file[prefix + "b_hh"], &layer->hidden_bias, prefix + "b_hh");
}

// Step `step` of mask bits (little-endian within bytes) -> multipliers [rows, width].
Array ReadMask(const Tensor& bits, size_t step, size_t rows, size_t width, double keep) {
  const size_t step_bytes = bits.dim(1);
  if (8 * step_bytes < rows * width) throw std::runtime_error("a dropout mask is too short");
  Array mask(rows, width);
  for (size_t i = 0; i < mask.values.size(); ++i) {
    const bool kept = (bits.bytes[step * step_bytes + i / 8] >> (i % 8)) & 1;
    mask.values[i] = kept ? 1 / keep : 0;
  }
  return mask;
}

std::vector<StepInput> ReadSteps(const GoldenCase& golden, const Safetensors& data) {
  const size_t n_steps = static_cast<size_t>(golden.file.Number("steps"));
  const size_t batch = data["batches.in_idx"].dim(1), n_negatives = data["negatives"].dim(1);
  if (golden.file.Number("batch_size") != static_cast<double>(batch) ||
      golden.file.Number("n_sample") != static_cast<double>(n_negatives) ||
      n_steps > data["batches.rows"].size()) {
    throw std::runtime_error(golden.name + ": no such mini-batches in data.safetensors");
  }
  const auto rows = data["batches.rows"].AsUint32();       // [steps]
  const auto inputs = data["batches.in_idx"].AsInt32();    // [steps, batch]
  const auto targets = data["batches.out_idx"].AsInt32();  // [steps, batch]
  const auto from = data["batches.h_from"].AsInt32();      // [steps, batch]
  const auto negatives = data["negatives"].AsUint32();     // [steps, negatives]
  std::vector<StepInput> steps(n_steps);
  for (size_t t = 0; t < n_steps; ++t) {
    for (size_t m = 0; m < rows[t]; ++m) {
      steps[t].inputs.push_back(static_cast<uint32_t>(inputs.at(t * batch + m)));
      steps[t].targets.push_back(static_cast<uint32_t>(targets.at(t * batch + m)));
      steps[t].hidden_from.push_back(from.at(t * batch + m));
    }
    const auto first = negatives.begin() + static_cast<ptrdiff_t>(t * n_negatives);
    steps[t].negatives.assign(first, first + static_cast<ptrdiff_t>(n_negatives));
    if (!golden.file.Has("mask_bits.hidden0")) continue;
    if (golden.shape.embedding != Embedding::kNone) {
      const size_t width = golden.shape.embedding == Embedding::kShared
                               ? golden.shape.layers.back()
                               : golden.shape.embedding_width;
      steps[t].embedding_mask =
          ReadMask(golden.file["mask_bits.embed"], t, batch, width, golden.keep_embedding);
    }
    for (size_t l = 0; l < golden.shape.layers.size(); ++l) {
      steps[t].hidden_masks.push_back(ReadMask(golden.file["mask_bits.hidden" + std::to_string(l)],
                                               t, batch, golden.shape.layers[l],
                                               golden.keep_hidden));
    }
  }
  return steps;
}

}  // namespace

bool GoldenCase::HasWeights(const std::string& prefix) const { return file.Has(prefix + ".Wy"); }

bool GoldenCase::IsRounded(const std::string& prefix) const {
  return file[prefix + ".Wy"].dtype == "F32";
}

Weights GoldenCase::ReadWeights(const std::string& prefix) const {
  Weights weights(shape);
  const bool one_hot = shape.embedding == Embedding::kNone;
  for (size_t l = 0; l < shape.layers.size(); ++l) {
    const std::string layer = prefix + ".g" + std::to_string(l) + ".";
    if (shape.FormOf(l) == GruForm::kResetBefore) {
      ReadTheanoLayer(file, layer, &weights.layers[l],
                      l == 0 && one_hot ? &weights.inputs : nullptr);
    } else {
      ReadTorchLayer(file, layer, &weights.layers[l]);
    }
  }
  if (shape.embedding == Embedding::kSeparate) {
    CopyInto(file[prefix + ".E"], &weights.inputs, prefix + ".E");
  }
  CopyInto(file[prefix + ".Wy"], &weights.items, prefix + ".Wy");
  CopyInto(file[prefix + ".By"], &weights.item_bias, prefix + ".By");
  return weights;
}

std::vector<std::string> ListGoldenCases(const std::string& folder) {
  std::vector<std::string> cases;
  for (const std::string& path : ListFiles(folder, "", ".safetensors")) {
    const Safetensors file = ReadSafetensors(path);
    if (file.metadata.count("gru") != 0 && file.metadata.count("steps") != 0) {
      cases.push_back(path);
    }
  }
  return cases;
}

Loss ParseLoss(const std::string& name) {
  for (const Loss loss : {Loss::kCrossEntropy, Loss::kXeLogit, Loss::kBpr, Loss::kTop1,
                          Loss::kTop1Max, Loss::kBprMax}) {
    if (Name(loss) == name) return loss;
  }
  throw std::runtime_error("loss '" + name + "'");
}

Activation ParseFinalActivation(const std::string& name) {
  return ParseActivation("final_act", name == "softmax_logit" ? "softmax" : name);
}

GoldenCase ReadGoldenCase(const std::string& path) {
  GoldenCase golden;
  golden.name = Stem(path);
  golden.file = ReadSafetensors(path);
  const Safetensors& file = golden.file;
  const auto choice = [&](const std::string& option, const auto& choices) {
    for (const auto& [name, value] : choices) {
      if (file.Option(option) == name) return value;
    }
    throw std::runtime_error(golden.name + ": " + option + " '" + file.Option(option) + "'");
  };
  NetworkShape& shape = golden.shape;
  shape.items = static_cast<size_t>(file.Number("n_items"));
  shape.layers = ParseLayers(file.Option("layers"));
  shape.gru_form = choice("gru", std::map<std::string, GruForm>{{"torch", GruForm::kResetAfter},
                                                                {"theano", GruForm::kResetBefore}});
  shape.embedding =
      choice("embedding", std::map<std::string, Embedding>{{"constrained", Embedding::kShared},
                                                           {"separate", Embedding::kSeparate},
                                                           {"none", Embedding::kNone}});
  if (shape.embedding == Embedding::kSeparate) {
    shape.embedding_width = static_cast<size_t>(file.Number("embedding_dim"));
  }
  Settings& settings = golden.settings;
  settings.loss = ParseLoss(file.Option("loss"));
  settings.final_activation = ParseFinalActivation(file.Option("final_act"));
  settings.bpreg = file.Number("bpreg");
  settings.logq = file.Number("logq");
  settings.sample_alpha = file.Number("sample_alpha");
  settings.batch_size = static_cast<size_t>(file.Number("batch_size"));
  settings.learning_rate = file.Number("learning_rate");
  settings.momentum = file.Number("momentum");
  settings.epsilon = file.Number("adagrad_eps");
  if (file.Has("mask_bits.hidden0")) {
    // One-hot input has nothing to drop: its one mask is that of the first layer's state.
    if (shape.embedding != Embedding::kNone) golden.keep_embedding = file.Number("keep_embed");
    golden.keep_hidden = file.Number("keep_hidden");
  } else if (file.Number("dropout") != 0) {
    throw std::runtime_error(golden.name + ": dropout without masks");
  }
  const Safetensors data =
      ReadSafetensors((std::filesystem::path(path).parent_path() / "data.safetensors").string());
  settings.counts = data["counts"].AsDouble();
  golden.steps = ReadSteps(golden, data);
  return golden;
}

}  // namespace stint::reference
