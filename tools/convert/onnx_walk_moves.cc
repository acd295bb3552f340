// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Nodes of an ONNX graph that move or pick elements, make constants, or compute sizes.
#include <algorithm>
#include <utility>

#include "schema/panel.h"
#include "tools/convert/onnx_walk.h"

namespace stint {
namespace {

using onnx::TensorProto;

bool HasAxes(OnnxKind kind) {
  return kind == OnnxKind::kItems || kind == OnnxKind::kRows || kind == OnnxKind::kHidden ||
         kind == OnnxKind::kScores;
}

// What stays the same kind of thing whatever is done to its axes.
bool IsLoose(OnnxKind kind) { return kind == OnnxKind::kShape || kind == OnnxKind::kState; }

[[noreturn]] void RefuseKind(OnnxKind kind) {
  throw OnnxRefusal(std::string("of ") + Name(kind) + " is not read" +
                    (kind == OnnxKind::kWeights ? "; export with constant folding" : ""));
}

// Weights as if they were an array, for the rules of axes.
Axes AxesOf(const OnnxWeights& weights) {
  Axes axes;
  for (const uint64_t n : weights.shape) {
    axes.push_back({AxisRole::kFree, static_cast<int64_t>(n)});
  }
  return axes;
}

size_t LayersAxis(const Axes& axes) {
  const auto is_layers = [](const Axis& axis) { return axis.role == AxisRole::kLayers; };
  return static_cast<size_t>(std::find_if(axes.begin(), axes.end(), is_layers) - axes.begin());
}

// The rest of an array after `range` of one axis was taken.
void Keep(const AxisRange& range, OnnxValue* value) {
  if (range.all) return;
  Axis& axis = value->axes[range.axis];
  axis.size = static_cast<int64_t>(range.count);
  if (axis.role == AxisRole::kSteps) axis.role = AxisRole::kLastStep;
  if (axis.role == AxisRole::kItems) value->first_item += range.begin;
  if (axis.role != AxisRole::kLayers) return;
  const auto begin = value->layers.begin() + static_cast<std::ptrdiff_t>(range.begin);
  value->layers = std::vector<size_t>(begin, begin + static_cast<std::ptrdiff_t>(range.count));
}

}  // namespace

void OnnxWalk::Move(const Node& node) {
  OnnxValue value = Value(node, 0);
  if (value.kind == OnnxKind::kWeights && value.repeated) return Make(node, 0, std::move(value));
  if (value.kind == OnnxKind::kWeights) return MoveWeights(node, std::move(value));
  const std::string& op = node.op_type();
  if (op == "Reshape" || op == "Transpose") value.sizes.clear();
  if (IsLoose(value.kind)) return Make(node, 0, std::move(value));
  if (!HasAxes(value.kind) && op != "Identity") RefuseKind(value.kind);
  if (op == "Transpose") {
    value.axes = Transposed(value.axes, IntegersAttribute(node, "perm"));
  } else if (op == "Unsqueeze") {
    value.axes = Unsqueezed(value.axes, IntegersOr(node, 1, "axes"));
  } else if (op == "Squeeze") {
    const std::vector<int64_t> axes = IntegersOr(node, 1, "axes");
    if (axes.empty()) throw OnnxRefusal("does not say which axes it removes");
    value.axes = Squeezed(value.axes, axes);
  } else if (op == "Reshape") {
    if (IntegerAttribute(node, "allowzero", 0) != 0) throw OnnxRefusal("allowzero is not read");
    value.axes = Reshaped(value.axes, Integers(node, 1));
  }
  Make(node, 0, std::move(value));
}

// The order of elements stays, or two axes change places.
void OnnxWalk::MoveWeights(const Node& node, OnnxValue value) {
  OnnxWeights& weights = value.weights;
  const std::string& op = node.op_type();
  if (op != "Identity" && IsInteger(*weights.tensor)) {
    OnnxValue sizes;  // where axes of numbers are put in or taken out, the numbers stay
    if (op == "Squeeze" || op == "Unsqueeze") sizes.sizes = SizesOf(value);
    return Make(node, 0, std::move(sizes));
  }
  if (op == "Transpose") {
    const std::vector<int64_t> order = IntegersAttribute(node, "perm");
    const Axes axes = Transposed(AxesOf(weights), order);
    if (axes.size() != 2)
      throw OnnxRefusal("of weights of " + std::to_string(axes.size()) + " axes");
    if (order.empty() || AxisAt(order[0], 2) == 1) {
      weights.transposed = !weights.transposed;
      std::swap(weights.shape[0], weights.shape[1]);
    }
    return Make(node, 0, std::move(value));
  }
  if (op == "Identity") return Make(node, 0, std::move(value));
  if (weights.transposed) throw OnnxRefusal("of transposed weights is not read");
  Axes axes = AxesOf(weights);
  if (op == "Squeeze") {
    axes = Squeezed(axes, IntegersOr(node, 1, "axes"));
  } else if (op == "Unsqueeze") {
    axes = Unsqueezed(axes, IntegersOr(node, 1, "axes"));
  } else {
    axes = Reshaped(axes, Integers(node, 1));
  }
  weights.shape.clear();
  for (const Axis& axis : axes) {
    if (axis.size == kUnknownSize) throw OnnxRefusal("merges axes of weights");
    weights.shape.push_back(static_cast<uint64_t>(axis.size));
  }
  Make(node, 0, std::move(value));
}

void OnnxWalk::Slice(const Node& node) {
  OnnxValue value = Value(node, 0);
  if (value.kind == OnnxKind::kWeights) {  // of which zeros alone stay what they are
    value.repeated = true;
    return Make(node, 0, std::move(value));
  }
  value.sizes.clear();
  if (IsLoose(value.kind)) return Make(node, 0, std::move(value));
  if (!HasAxes(value.kind)) RefuseKind(value.kind);
  const std::vector<int64_t> begins = IntegersOr(node, 1, "starts");
  const std::vector<int64_t> ends = IntegersOr(node, 2, "ends");
  std::vector<int64_t> axes = IntegersOr(node, 3, "axes");
  if (axes.empty()) {
    for (size_t i = 0; i < begins.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  }
  if (begins.size() != ends.size() || begins.size() != axes.size()) {
    throw OnnxRefusal("numbers of starts, ends and axes differ");
  }
  if (Has(node, 4)) {
    for (const int64_t step : Integers(node, 4)) {
      if (step != 1) throw OnnxRefusal("steps of " + std::to_string(step));
    }
  }
  for (size_t i = 0; i < axes.size(); ++i) {
    Keep(RangeOf(value.axes, axes[i], begins[i], ends[i]), &value);
  }
  Make(node, 0, std::move(value));
}

void OnnxWalk::PickSize(const Node& node, OnnxValue shape) {
  const OnnxValue& index = Value(node, 1);
  std::vector<int64_t> sizes;
  std::swap(sizes, shape.sizes);
  const bool known = index.kind == OnnxKind::kWeights && IsInteger(*index.weights.tensor);
  const std::vector<int64_t> place = known ? SizesOf(index) : std::vector<int64_t>();
  if (place.size() == 1 && !sizes.empty()) {
    shape.sizes = {sizes[AxisAt(place[0], sizes.size())]};
  }
  Make(node, 0, std::move(shape));
}

void OnnxWalk::Pick(const Node& node) {
  OnnxValue value = Value(node, 0);
  if (value.kind == OnnxKind::kShape) return PickSize(node, std::move(value));
  if (IsLoose(value.kind)) return Make(node, 0, std::move(value));
  if (!HasAxes(value.kind)) RefuseKind(value.kind);
  const OnnxWeights& place = WholeWeights(Value(node, 1), "its indices");
  const std::vector<int64_t> index = Integers(node, 1);
  if (index.size() != 1 || place.shape.size() > 1) {
    throw OnnxRefusal("takes " + std::to_string(index.size()) + " elements, not one");
  }
  const AxisRange range = ElementOf(value.axes, IntegerAttribute(node, "axis", 0), index[0]);
  Keep(range, &value);
  if (place.shape.empty()) {
    value.axes.erase(value.axes.begin() + static_cast<std::ptrdiff_t>(range.axis));
  }
  Make(node, 0, std::move(value));
}

// Of sizes, of states to start from, or of the final hidden states of layers.
void OnnxWalk::Concat(const Node& node) {
  OnnxValue all = Value(node, 0);
  const bool integers = all.kind == OnnxKind::kWeights && IsInteger(*all.weights.tensor);
  if (integers) {
    OnnxValue shape;
    shape.sizes = SizesOf(all);
    all = std::move(shape);
  }
  if (!IsLoose(all.kind) && all.kind != OnnxKind::kHidden) RefuseKind(all.kind);
  for (int i = 1; i < node.input_size(); ++i) {
    const OnnxValue& value = Value(node, i);
    const bool numbers = value.kind == OnnxKind::kShape ||
                         (value.kind == OnnxKind::kWeights && IsInteger(*value.weights.tensor));
    if (all.kind == OnnxKind::kShape && numbers) {
      const std::vector<int64_t> more = SizesOf(value);
      const bool known = !all.sizes.empty() && !more.empty();
      all.sizes.insert(all.sizes.end(), more.begin(), more.end());
      if (!known || all.sizes.size() > kMostAxes) all.sizes.clear();
      continue;
    }
    if (value.kind != all.kind) {
      throw OnnxRefusal(std::string("of ") + Name(all.kind) + " and " + Name(value.kind));
    }
    all.given = all.given && value.given;
    all.layers.insert(all.layers.end(), value.layers.begin(), value.layers.end());
    if (all.layers.size() > kMaxLayers) throw OnnxRefusal("of more than 16 layers");
  }
  if (all.kind == OnnxKind::kHidden) {
    const size_t axis = AxisAt(IntegerAttribute(node, "axis", 0), all.axes.size());
    for (int i = 0; i < node.input_size(); ++i) {
      const Axes& axes = Value(node, i).axes;
      if (axes.size() != all.axes.size() || LayersAxis(axes) != axis) {
        throw OnnxRefusal("of hidden states along another axis than that of the layers");
      }
    }
    all.axes[axis].size = static_cast<int64_t>(all.layers.size());
  }
  Make(node, 0, std::move(all));
}

void OnnxWalk::Cast(const Node& node) {
  OnnxValue value = Value(node, 0);
  const int64_t to = IntegerAttribute(node, "to", 0);
  const bool integer = to == TensorProto::INT64 || to == TensorProto::INT32;
  const bool wide_float = to == TensorProto::FLOAT || to == TensorProto::DOUBLE;
  const bool is_integer = value.kind == OnnxKind::kShape || value.kind == OnnxKind::kItems ||
                          value.kind == OnnxKind::kTopItems ||
                          (value.kind == OnnxKind::kWeights && IsInteger(*value.weights.tensor));
  if (is_integer ? !integer : !wide_float) {
    throw OnnxRefusal("of " + std::string(Name(value.kind)) + " to element type " +
                      std::to_string(to));
  }
  Make(node, 0, std::move(value));
}

void OnnxWalk::Expand(const Node& node) {
  OnnxValue value = Value(node, 0);
  if (value.kind == OnnxKind::kWeights) {
    value.repeated = true;
  } else if (value.kind != OnnxKind::kState) {
    RefuseKind(value.kind);
  }
  Make(node, 0, std::move(value));
}

void OnnxWalk::Shape(const Node& node) {
  const OnnxValue& value = Value(node, 0);
  OnnxValue shape;
  // Attributes take a part of it.
  if (HasAxes(value.kind) && node.attribute_size() == 0) {
    for (const Axis& axis : value.axes) {
      shape.sizes.push_back(axis.size == kUnknownSize ? kNoNumber : axis.size);
    }
  }
  Make(node, 0, std::move(shape));
}

void OnnxWalk::Constant(const Node& node) {
  CheckAttributes(node, {"value"});
  const onnx::AttributeProto* value = FindAttribute(node, "value", onnx::AttributeProto::TENSOR);
  if (value == nullptr || node.output_size() == 0) throw OnnxRefusal("has no tensor");
  Make(node, 0, WeightsOf(value->t(), node.output(0)));
}

// Zeros to start from; integers are sizes of arrays.
void OnnxWalk::ConstantOfShape(const Node& node) {
  OnnxValue made;
  made.kind = OnnxKind::kState;
  if (const auto* value = FindAttribute(node, "value", onnx::AttributeProto::TENSOR)) {
    const TensorProto& tensor = value->t();
    if (IsInteger(tensor)) {
      made.kind = OnnxKind::kShape;
    } else {
      for (const float x : FloatsOf(tensor, node.output(0), graph_.path)) {
        if (x != 0) throw OnnxRefusal("a state to start from of " + std::to_string(x) + ", not 0");
      }
    }
  }
  Make(node, 0, std::move(made));
}

}  // namespace stint
