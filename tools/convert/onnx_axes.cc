// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What the axes of an array mean, followed through operations that move them.
#include "tools/convert/onnx_axes.h"

#include <algorithm>

namespace stint {
namespace {

// What exporters write for "to the end" is one of several numbers from here on.
constexpr int64_t kToTheEnd = INT32_MAX;

std::string Text(const std::vector<int64_t>& numbers) {
  std::string text = "[";
  for (size_t i = 0; i < numbers.size(); ++i) {
    text += (i > 0 ? ", " : "") + std::to_string(numbers[i]);
  }
  return text + "]";
}

bool MayMerge(const Axis& axis) {
  return axis.role == AxisRole::kFree || axis.role == AxisRole::kSteps ||
         axis.role == AxisRole::kBatch || axis.role == AxisRole::kMerged;
}

void CheckRank(size_t rank) {
  if (rank > kMostAxes) {
    throw OnnxRefusal(std::to_string(rank) + " axes, " + std::to_string(kMostAxes) +
                      " are the most");
  }
}

[[noreturn]] void RefuseShape(const std::vector<int64_t>& shape) {
  throw OnnxRefusal("shape " + Text(shape) + " does more than move axes of one element");
}

// Axes of more than one element, or of an unknown number, that Reshape deals out to its shape.
class Dealer {
 public:
  Dealer(const Axes& axes, const std::vector<int64_t>& shape) : axes_(axes), shape_(shape) {
    for (size_t i = 0; i < axes.size(); ++i) {
      if (axes[i].size != 1) rest_.push_back(i);
    }
  }

  Axes Deal() {
    Axes result;
    for (size_t at = 0; at < shape_.size(); ++at) result.push_back(Take(at));
    if (next_ != rest_.size()) RefuseShape(shape_);
    return result;
  }

 private:
  // Whether this number of the shape stands for an axis of `rest_`; not of -1.
  bool IsOne(size_t at) const {
    if (shape_[at] == 0 && at < axes_.size()) return axes_[at].size == 1;
    return shape_[at] == 1;
  }

  Axis Take(size_t at) {
    const int64_t n = shape_[at];
    if (n == -1) return TakeRest(at);
    if (n < 0 || (n == 0 && at >= axes_.size())) RefuseShape(shape_);
    if (IsOne(at)) return n == 0 ? axes_[at] : Axis{AxisRole::kFree, 1};
    if (next_ == rest_.size()) RefuseShape(shape_);
    const size_t from = rest_[next_++];
    if (n == 0 ? from != at : axes_[from].size != n) RefuseShape(shape_);
    return axes_[from];
  }

  Axis TakeRest(size_t at) {
    size_t later = 0;
    for (size_t i = at + 1; i < shape_.size(); ++i) {
      if (shape_[i] == -1) RefuseShape(shape_);
      later += IsOne(i) ? 0 : 1;
    }
    if (next_ + later > rest_.size()) RefuseShape(shape_);
    const size_t count = rest_.size() - later - next_;
    if (count == 0) return {AxisRole::kFree, 1};
    next_ += count;
    if (count == 1) return axes_[rest_[next_ - 1]];
    for (size_t i = next_ - count; i < next_; ++i) {
      if (!MayMerge(axes_[rest_[i]])) RefuseShape(shape_);
    }
    return {AxisRole::kMerged, kUnknownSize};
  }

  const Axes& axes_;
  const std::vector<int64_t>& shape_;
  std::vector<size_t> rest_;
  size_t next_ = 0;
};

}  // namespace

const char* Name(AxisRole role) {
  switch (role) {
    case AxisRole::kFree:
      return "the input's";
    case AxisRole::kSteps:
      return "the steps";
    case AxisRole::kLastStep:
      return "the last step";
    case AxisRole::kBatch:
      return "the batch";
    case AxisRole::kMerged:
      return "steps and batch";
    case AxisRole::kLayers:
      return "the layers";
    case AxisRole::kFeatures:
      return "the units";
    case AxisRole::kItems:
      return "the items";
  }
  throw std::logic_error("an axis of no role");
}

size_t AxisAt(int64_t axis, size_t rank) {
  const int64_t n = static_cast<int64_t>(rank);
  if (axis < -n || axis >= n) {
    throw OnnxRefusal("axis " + std::to_string(axis) + " of an array of " + std::to_string(rank));
  }
  return static_cast<size_t>(axis < 0 ? axis + n : axis);
}

Axes Transposed(const Axes& axes, const std::vector<int64_t>& order) {
  if (order.empty()) return {axes.rbegin(), axes.rend()};
  std::vector<bool> taken(axes.size(), false);
  Axes result;
  for (const int64_t from : order) {
    const size_t at = AxisAt(from, axes.size());
    if (taken[at]) throw OnnxRefusal("perm " + Text(order) + " names an axis twice");
    taken[at] = true;
    result.push_back(axes[at]);
  }
  if (result.size() != axes.size()) throw OnnxRefusal("perm " + Text(order) + " leaves axes out");
  return result;
}

Axes Squeezed(const Axes& axes, const std::vector<int64_t>& removed) {
  std::vector<bool> gone(axes.size(), false);
  for (const int64_t axis : removed) {
    const size_t at = AxisAt(axis, axes.size());
    if (axes[at].size != 1) {
      throw OnnxRefusal("removes axis " + std::to_string(axis) + ", " + Name(axes[at].role) +
                        ", which may have more than one element");
    }
    gone[at] = true;
  }
  Axes result;
  for (size_t i = 0; i < axes.size(); ++i) {
    if (!gone[i]) result.push_back(axes[i]);
  }
  return result;
}

Axes Unsqueezed(const Axes& axes, const std::vector<int64_t>& added) {
  const size_t rank = axes.size() + added.size();
  CheckRank(rank);
  std::vector<bool> is_new(rank, false);
  for (const int64_t axis : added) {
    const size_t at = AxisAt(axis, rank);
    if (is_new[at]) throw OnnxRefusal("axes " + Text(added) + " name an axis twice");
    is_new[at] = true;
  }
  Axes result;
  size_t next = 0;
  for (size_t i = 0; i < rank; ++i) {
    result.push_back(is_new[i] ? Axis{AxisRole::kFree, 1} : axes[next++]);
  }
  return result;
}

Axes Reshaped(const Axes& axes, const std::vector<int64_t>& shape) {
  CheckRank(shape.size());
  return Dealer(axes, shape).Deal();
}

AxisRange RangeOf(const Axes& axes, int64_t axis, int64_t begin, int64_t end) {
  AxisRange range;
  range.axis = AxisAt(axis, axes.size());
  const Axis& of = axes[range.axis];
  const std::string what =
      "takes [" + std::to_string(begin) + ", " + std::to_string(end) + ") of " + Name(of.role);
  if (of.size == kUnknownSize) {
    const bool to_the_end = end >= kToTheEnd;
    range.all = begin == 0 && to_the_end;
    if (range.all || (of.role == AxisRole::kSteps && begin == -1 && to_the_end)) return range;
    throw OnnxRefusal(what + ", neither all nor the last step");
  }
  // Sizes are far below 2^63, bounds may be anything.
  const auto clamp = [&](int64_t x) {
    return std::clamp<int64_t>(x < 0 ? std::max(x, -of.size) + of.size : x, 0, of.size);
  };
  const int64_t first = clamp(begin), past = clamp(end);
  if (first >= past) throw OnnxRefusal(what + ", which is nothing");
  range.all = first == 0 && past == of.size;
  range.begin = static_cast<size_t>(first);
  range.count = static_cast<size_t>(past - first);
  const bool last = of.role == AxisRole::kSteps && first == of.size - 1 && past == of.size;
  const bool items = of.role == AxisRole::kItems;
  if (range.all || last || of.role == AxisRole::kLayers || (items && past == of.size)) return range;
  throw OnnxRefusal(what + " (" + std::to_string(of.size) + "), neither all nor " +
                    (items ? "all but the first" : "the last step"));
}

AxisRange ElementOf(const Axes& axes, int64_t axis, int64_t index) {
  if (axes[AxisAt(axis, axes.size())].role == AxisRole::kItems) {
    throw OnnxRefusal("takes one of the items, number " + std::to_string(index));
  }
  if (index == -1) return RangeOf(axes, axis, -1, INT64_MAX);
  if (index == INT64_MAX) throw OnnxRefusal("takes element 2^63 - 1");
  const Axis& of = axes[AxisAt(axis, axes.size())];
  if (of.size != kUnknownSize && (index < -of.size || index >= of.size)) {
    throw OnnxRefusal("takes element " + std::to_string(index) + " of " + Name(of.role) + " (" +
                      std::to_string(of.size) + ")");
  }
  return RangeOf(axes, axis, index, index + 1);
}

}  // namespace stint
