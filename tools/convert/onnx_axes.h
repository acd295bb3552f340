// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// What the axes of an array mean, followed through operations that move them.
#ifndef STINT_TOOLS_CONVERT_ONNX_AXES_H_
#define STINT_TOOLS_CONVERT_ONNX_AXES_H_

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace stint {

// Why a node is not taken; whoever knows the node adds its name.
class OnnxRefusal : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class AxisRole {
  kFree,      // of the items before a GRU says what it is, or one element that was put in
  kSteps,     // of the sessions, all of them
  kLastStep,  // one element of those: for scores, not for a layer above
  kBatch,     // sessions
  kMerged,    // several of the above as one
  kLayers,    // final hidden states of layers
  kFeatures,  // numbers of a row
  kItems,     // of the catalog
};
const char* Name(AxisRole role);

inline constexpr int64_t kUnknownSize = -1;
inline constexpr size_t kMostAxes = 8;

struct Axis {
  AxisRole role = AxisRole::kFree;
  int64_t size = kUnknownSize;
};
using Axes = std::vector<Axis>;

// Negative numbers count from the end. Throws OnnxRefusal outside of [-rank, rank).
size_t AxisAt(int64_t axis, size_t rank);

// Each throws OnnxRefusal where elements would go, come or change places but by the axes. An empty
// `order` turns the axes round.
Axes Transposed(const Axes& axes, const std::vector<int64_t>& order);
Axes Squeezed(const Axes& axes, const std::vector<int64_t>& removed);
Axes Unsqueezed(const Axes& axes, const std::vector<int64_t>& added);
// `shape` as Reshape has it: 0 copies a size, -1 takes what is left.
Axes Reshaped(const Axes& axes, const std::vector<int64_t>& shape);

// The elements [begin, end) of one axis. Of steps that is all or the last, of layers any, of items
// those from one to the end.
struct AxisRange {
  size_t axis = 0;
  bool all = true;
  size_t begin = 0;  // of layers and items
  size_t count = 1;
};
AxisRange RangeOf(const Axes& axes, int64_t axis, int64_t begin, int64_t end);
// One element: of steps the last, of layers any, of others the only one.
AxisRange ElementOf(const Axes& axes, int64_t axis, int64_t index);

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_ONNX_AXES_H_
