// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Tensors of another engine and what they mean -> the parameters of a network.
#include "tools/convert/import_network.h"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

#include "schema/panel.h"

namespace stint {
namespace {

// A matrix as it came, row-major.
struct Values {
  size_t rows = 0;
  size_t cols = 0;
  std::vector<float> at;

  float operator()(size_t r, size_t c) const { return at[r * cols + c]; }
};

// Hands out tensors by our names, in the shapes that the config asks for.
class Source {
 public:
  Source(const Tensors& tensors, const ImportConfig& config) : file_(tensors), config_(config) {}

  std::string NameOf(const std::string& ours) {
    known_.insert(ours);
    const auto renamed = config_.tensors.find(ours);
    return renamed == config_.tensors.end() ? ours : renamed->second;
  }
  // Whether the config says something of it.
  bool IsNamed(const std::string& ours) const {
    return config_.tensors.count(ours) != 0 || config_.transposed.count(ours) != 0;
  }
  bool Has(const std::string& ours) { return file_.tensors.count(NameOf(ours)) != 0; }

  // A tensor of two axes, or of one of the `forms` of shapes that are the same numbers in a row.
  // Transposed where the config says that the file has it so.
  Values Take(const std::string& ours, size_t rows, size_t cols,
              std::vector<std::vector<uint64_t>> forms) {
    const std::string name = NameOf(ours);
    const bool turned = config_.transposed.count(ours) != 0;
    if (turned) forms = {{cols, rows}};
    const auto found = file_.tensors.find(name);
    if (found == file_.tensors.end()) {
      file_.Fail(name, "is not there; expected " + Expected(ours, name, forms) + Present());
    }
    const std::vector<uint64_t>& shape = found->second.shape;
    if (std::find(forms.begin(), forms.end(), shape) == forms.end()) {
      file_.Fail(name,
                 "has shape " + ShapeText(shape) + "; expected " + Expected(ours, name, forms));
    }
    used_.insert(name);
    Values values{rows, cols, file_.Floats(name)};
    return turned ? Transpose({cols, rows, std::move(values.at)}) : values;
  }

  static Values Transpose(const Values& in) {
    Values out{in.cols, in.rows, std::vector<float>(in.at.size())};
    for (size_t r = 0; r < in.rows; ++r) {
      for (size_t c = 0; c < in.cols; ++c) out.at[c * in.rows + r] = in(r, c);
    }
    return out;
  }

  uint64_t Rows(const std::string& ours) {
    const std::string name = NameOf(ours);
    const auto found = file_.tensors.find(name);
    if (found == file_.tensors.end())
      file_.Fail(name, "is not there: " + Meaning(ours, name) + Present());
    const std::vector<uint64_t>& shape = found->second.shape;
    if (shape.size() != 2) {
      file_.Fail(name, "has shape " + ShapeText(shape) + ", not two axes: " + Meaning(ours, name));
    }
    return shape[config_.transposed.count(ours) != 0 ? 1 : 0];
  }
  // The width of a matrix whose rows are known.
  uint64_t Cols(const std::string& ours) {
    Rows(ours);
    return file_.tensors.at(NameOf(ours)).shape[config_.transposed.count(ours) != 0 ? 0 : 1];
  }
  [[noreturn]] void Fail(const std::string& ours, const std::string& reason) {
    file_.Fail(NameOf(ours), reason);
  }

  // All of the file is used or named as ignored; all that the config names is there.
  void CheckAllUsed() const {
    for (const auto& [name, tensor] : file_.tensors) {
      if (used_.count(name) == 0 && config_.ignored.count(name) == 0) {
        file_.Fail(name, "of shape " + tensor.Shape() +
                             " is not used; if it is not to be, name it in the config's 'ignored'");
      }
    }
    for (const std::string& name : config_.ignored) {
      if (used_.count(name) != 0) file_.Fail(name, "is used, and in the config's 'ignored'");
      if (file_.tensors.count(name) == 0)
        file_.Fail(name, "in the config's 'ignored', is not there");
    }
    const auto check = [&](const char* key, const std::string& ours) {
      if (known_.count(ours) != 0) return;
      throw std::runtime_error(config_.path + ": key '" + key + "': this network has no '" + ours +
                               "'");
    };
    for (const auto& [ours, theirs] : config_.tensors) check("tensors", ours);
    for (const std::string& ours : config_.transposed) check("transposed", ours);
  }

 private:
  // What a misspelt name could have been.
  std::string Present() const {
    constexpr size_t kMost = 20;
    std::string text = "; the file has ";
    size_t n = 0;
    for (const auto& [name, tensor] : file_.tensors) {
      if (n == kMost) {
        text += ", ...";
        break;
      }
      text += (n++ > 0 ? ", " : "") + name;
    }
    if (n == 0) text += "no tensors";
    return text + " (the config's 'tensors' says which is which)";
  }
  static std::string Meaning(const std::string& ours, const std::string& name) {
    return ours == name ? "a tensor of the network" : "the network's '" + ours + "'";
  }
  static std::string Expected(const std::string& ours, const std::string& name,
                              const std::vector<std::vector<uint64_t>>& forms) {
    std::string text;
    for (const std::vector<uint64_t>& shape : forms) {
      if (!text.empty()) text += " or ";
      text += ShapeText(shape);
    }
    return ours == name ? text : text + ", the network's '" + ours + "'";
  }

  const Tensors& file_;
  const ImportConfig& config_;
  std::set<std::string> used_;   // in the file
  std::set<std::string> known_;  // our names
};

void CopyRows(const Values& values, size_t first, const Matrix& to) {
  for (size_t r = 0; r < to.rows; ++r) {
    std::copy_n(values.at.data() + (first + r) * values.cols, to.cols, to.Row(r));
  }
}

// Whether the rows of a gate must be negated to weigh what our form weighs.
bool Negates(const GruConvention& convention, Gate gate) {
  return gate == Gate::kUpdate &&
         convention.update_weighs_old != (convention.form == GruForm::kResetAfter);
}

// [3 units, cols] in the convention's order of gates -> ours.
void CopyGates(const Values& values, const GruConvention& convention, size_t units,
               const Matrix& to) {
  for (size_t block = 0; block < 3; ++block) {
    const Gate gate = convention.gates[block];
    const float sign = Negates(convention, gate) ? -1.0f : 1.0f;
    for (size_t u = 0; u < units; ++u) {
      float* const row = to.Row(static_cast<size_t>(gate) * units + u);
      for (size_t c = 0; c < to.cols; ++c) row[c] = sign * values(block * units + u, c);
    }
  }
}

// The same of columns: a row of `values` has the gates one after the other.
void CopyGateColumns(const Values& values, size_t first, const GruConvention& convention,
                     size_t units, const Matrix& to) {
  for (size_t r = 0; r < to.rows; ++r) {
    for (size_t block = 0; block < 3; ++block) {
      const Gate gate = convention.gates[block];
      const float sign = Negates(convention, gate) ? -1.0f : 1.0f;
      for (size_t u = 0; u < units; ++u) {
        to.Row(r)[static_cast<size_t>(gate) * units + u] =
            sign * values(first + r, block * units + u);
      }
    }
  }
}

// A matrix of all gates, [3 units, cols] whatever the file's orientation.
Values TakeGates(const std::string& name, const GruConvention& convention, size_t units,
                 size_t cols, Source* source) {
  const uint64_t n = 3 * units;
  if (convention.gates_are_columns) {
    return Source::Transpose(source->Take(name, cols, n, {{cols, n}}));
  }
  std::vector<std::vector<uint64_t>> forms = {{n, cols}};
  if (convention.leading_axis) forms.push_back({1, n, cols});
  return source->Take(name, n, cols, forms);
}

Values TakeHidden(const std::string& layer, const GruConvention& convention, size_t units,
                  Source* source) {
  if (!convention.split_hidden) {
    return TakeGates(layer + ".hidden_weights", convention, units, units, source);
  }
  // Candidate first, then reset and update, as the convention's order has them.
  const Values candidate = Source::Transpose(
      source->Take(layer + ".hidden_weights_candidate", units, units, {{units, units}}));
  const Values gates = Source::Transpose(
      source->Take(layer + ".hidden_weights_gates", units, 2 * units, {{units, 2 * units}}));
  Values all{3 * units, units, candidate.at};
  all.at.insert(all.at.end(), gates.at.begin(), gates.at.end());
  return all;
}

// Biases [2][3 units]: the input's and, all zero where there is none, the hidden's.
Values TakeBiases(const std::string& layer, const GruConvention& convention, size_t units,
                  Source* source) {
  const uint64_t n = 3 * units;
  using Joined = GruConvention::Joined;
  const std::string joined = layer + ".biases";
  if (convention.joined_biases == Joined::kMust ||
      (convention.joined_biases == Joined::kMay &&
       (source->Has(joined) || source->IsNamed(joined)))) {
    if (convention.leading_axis) return source->Take(joined, 2, n, {{2 * n}, {1, 2 * n}});
    return source->Take(joined, 2, n, {{2, n}});
  }
  Values both = source->Take(layer + ".input_biases", 1, n, {{n}, {1, n}});
  std::vector<float> hidden(n, 0.0f);
  if (convention.form == GruForm::kResetAfter) {
    hidden = source->Take(layer + ".hidden_biases", 1, n, {{n}, {1, n}}).at;
  }
  both.rows = 2;
  both.at.insert(both.at.end(), hidden.begin(), hidden.end());
  return both;
}

// A layer as it came.
struct LayerValues {
  Values input_weights;  // of no columns where it has none
  Values hidden_weights;
  Values biases;  // [2, 3 units]
};

LayerValues TakeLayer(size_t l, const ImportConfig& config, size_t inputs, Source* source) {
  const GruConvention& convention = config.conventions[l];
  const std::string name = "layer" + std::to_string(l);
  const size_t units = config.layers[l];
  LayerValues layer;
  if (inputs > 0) {
    layer.input_weights = TakeGates(name + ".input_weights", convention, units, inputs, source);
  }
  layer.hidden_weights = TakeHidden(name, convention, units, source);
  if (config.gru_biases) {
    layer.biases = TakeBiases(name, convention, units, source);
  } else {
    layer.biases = {2, 3 * units, std::vector<float>(6 * units, 0.0f)};
  }
  return layer;
}

void CopyLayer(LayerValues layer, const GruConvention& convention, const GruParameters& to) {
  const size_t units = to.units();
  if (layer.input_weights.cols > 0) {
    CopyGates(layer.input_weights, convention, units, to.input_weights);
  } else if (to.inputs() > 0) {
    for (size_t i = 0; i < 3 * units; ++i) to.input_weights.Row(i)[i] = 1.0f;
  }
  CopyGates(layer.hidden_weights, convention, units, to.hidden_weights);
  if (to.hidden_bias.rows == 0) {
    for (size_t i = 0; i < 3 * units; ++i) {
      const double sum = double{layer.biases(0, i)} + double{layer.biases(1, i)};
      layer.biases.at[i] = static_cast<float>(sum);
    }
  } else {
    CopyGateColumns(layer.biases, 1, convention, units, to.hidden_bias);
  }
  CopyGateColumns(layer.biases, 0, convention, units, to.input_bias);
}

// The shape of the network, as far as it has one here.
NetworkShape ShapeOf(const ImportConfig& config, Source* source) {
  NetworkShape shape;
  shape.layers = config.layers;
  shape.embedding = config.embedding;
  shape.gru_form = config.conventions.back().form;
  const uint64_t rows = source->Rows("item_rows");
  if (rows <= config.padding_rows || rows - config.padding_rows > kMaxItems) {
    source->Fail("item_rows", "has " + std::to_string(rows) + " rows, " +
                                  std::to_string(config.padding_rows) +
                                  " of them padding: 1 to 2^31 - 1 items are left in a network");
  }
  shape.items = rows - config.padding_rows;
  const uint64_t width = source->Cols("item_rows"), units = config.layers.back();
  if (width != units) {
    source->Fail("item_rows", "has rows of " + std::to_string(width) +
                                  " numbers; expected [items, " + std::to_string(units) +
                                  "], the units of the last layer; if it is [" +
                                  std::to_string(units) +
                                  ", items], name 'item_rows' in the config's 'transposed'");
  }
  if (config.embedding == Embedding::kSeparate) {
    shape.embedding_width = source->Cols("input_rows");
    if (shape.embedding_width == 0 || shape.embedding_width > kMaxUnits) {
      source->Fail("input_rows",
                   "is " + std::to_string(shape.embedding_width) + " wide, not 1 to 16384");
    }
  }
  const bool one_hot = config.embedding == Embedding::kNone;
  if (one_hot && config.conventions[0].form == GruForm::kResetAfter) {
    shape.embedding = Embedding::kSeparate;
    shape.embedding_width = 3 * config.layers[0];
    if (shape.embedding_width > kMaxUnits) {
      throw std::runtime_error(config.path + ": one-hot input into a layer of " +
                               std::to_string(config.layers[0]) +
                               " units whose reset gate acts after the product: its embedding "
                               "would be wider than 16384");
    }
  }
  if (one_hot && config.layers.size() == 1) shape.gru_form = config.conventions[0].form;
  for (size_t l = 0; l < config.layers.size(); ++l) {
    if (config.conventions[l].form != shape.FormOf(l)) {
      throw std::runtime_error(
          config.path + ": layer " + std::to_string(l) + " is " + config.conventions[l].name +
          ", the last one is " + config.conventions.back().name +
          ": the reset gates of a model act all before or all after the product");
    }
  }
  return shape;
}

}  // namespace

TrainedModel ImportNetwork(const Tensors& tensors, const ImportConfig& config) {
  Source source(tensors, config);
  TrainedModel model;
  const NetworkShape shape = ShapeOf(config, &source);
  model.path = tensors.path;
  model.hidden_activation = config.hidden_activation;
  model.final_activation = config.final_activation;
  model.hyperparameters = config.hyperparameters;
  model.training_summary = config.training_summary;
  // All is taken before anything is allocated by what the config says.
  const size_t rows = shape.items + config.padding_rows, width = shape.layers.back();
  const Values items = source.Take("item_rows", rows, width, {{rows, width}});
  Values biases;
  if (config.item_biases) biases = source.Take("item_biases", rows, 1, {{rows}, {rows, 1}});
  Values inputs;
  if (config.embedding != Embedding::kShared) {
    const size_t cols =
        config.embedding == Embedding::kNone ? 3 * shape.layers[0] : shape.embedding_width;
    inputs = source.Take("input_rows", rows, cols, {{rows, cols}});
  }
  std::vector<LayerValues> layers;
  size_t wide = config.embedding == Embedding::kShared ? width : shape.embedding_width;
  if (config.embedding == Embedding::kNone) wide = 0;
  for (size_t l = 0; l < shape.layers.size(); ++l) {
    layers.push_back(TakeLayer(l, config, wide, &source));
    wide = shape.layers[l];
  }
  source.CheckAllUsed();

  model.parameters = Parameters(shape);
  const Parameters& p = model.parameters;
  CopyRows(items, config.padding_rows, p.items);
  for (size_t i = 0; i < shape.items && config.item_biases; ++i) {
    p.item_bias.data[i] = biases.at[config.padding_rows + i];
  }
  if (config.embedding == Embedding::kNone) {
    CopyGateColumns(inputs, config.padding_rows, config.conventions[0], shape.layers[0], p.inputs);
  } else if (config.embedding == Embedding::kSeparate) {
    CopyRows(inputs, config.padding_rows, p.inputs);
  }
  for (size_t l = 0; l < shape.layers.size(); ++l) {
    CopyLayer(std::move(layers[l]), config.conventions[l], p.layers[l]);
  }
  return model;
}

}  // namespace stint
