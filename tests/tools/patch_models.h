// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Models of the same network with other items, as an update brings them.
#ifndef STINT_TESTS_TOOLS_PATCH_MODELS_H_
#define STINT_TESTS_TOOLS_PATCH_MODELS_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "tests/runtime/test_model.h"
#include "tools/convert/patch.h"

namespace stint {

// A network and its catalog, before it is a file.
struct Shop {
  Parameters parameters;
  Catalog catalog;
};

inline Shop MakeShop(const ModelKind& kind, size_t items, const std::vector<size_t>& layers,
                     bool names, uint64_t seed = 5) {
  return {RandomParameters(kind, items, layers, seed),
          names ? NameCatalog(items) : NumberCatalog(items)};
}

inline void CopyRow(const Matrix& from, size_t from_row, const Matrix& to, size_t to_row) {
  if (to.rows > 0) std::memcpy(to.Row(to_row), from.Row(from_row), to.stride * sizeof(float));
}

// The shop with other items: `rows` are items of `shop` in the order of the new model; what is
// beyond its catalog is new, with weights of its own. The layers stay.
inline Shop WithItems(const Shop& shop, const std::vector<size_t>& rows) {
  const Parameters& old = shop.parameters;
  NetworkShape shape = old.shape;
  shape.items = rows.size();
  Shop out{Parameters(shape), {}};
  for (size_t l = 0; l < old.Dense().size(); ++l) {
    const Matrix from = old.Dense()[l];
    for (size_t r = 0; r < from.rows; ++r) CopyRow(from, r, out.parameters.Dense()[l], r);
  }
  out.catalog.ids.are_names = shop.catalog.ids.are_names;
  const size_t items = shop.catalog.size();
  NetworkShape more_shape = old.shape;
  more_shape.items = *std::max_element(rows.begin(), rows.end()) + 1;
  const Parameters more = RandomParameters(more_shape, 1234);
  for (size_t i = 0; i < rows.size(); ++i) {
    const size_t r = rows[i];
    const Parameters& from = r < items ? old : more;
    CopyRow(from.items, r, out.parameters.items, i);
    CopyRow(from.inputs, r, out.parameters.inputs, i);
    out.parameters.item_bias.Row(0)[i] = from.item_bias.Row(0)[r];
    const int64_t id = 5'000'000 + static_cast<int64_t>(3 * r);
    if (shop.catalog.ids.are_names) {
      out.catalog.ids.names.push_back(r < items ? shop.catalog.ids.names[r]
                                                : "new-" + std::to_string(id));
    } else {
      out.catalog.ids.numbers.push_back(r < items ? shop.catalog.ids.numbers[r] : id);
    }
    out.catalog.counts.push_back(r < items ? shop.catalog.counts[r] : 3);
  }
  return out;
}

inline std::vector<size_t> Iota(size_t n) {
  std::vector<size_t> rows(n);
  for (size_t i = 0; i < n; ++i) rows[i] = i;
  return rows;
}

// All weights moved a little, as by a warm start.
inline void Perturb(double size, uint64_t seed, Parameters* parameters) {
  const RandomCounter random(seed, 7);
  uint64_t draw = 0;
  const auto move = [&](const Matrix& m) {
    for (size_t r = 0; r < m.rows; ++r) {
      for (size_t c = 0; c < m.cols; ++c) {
        m.Row(r)[c] += static_cast<float>(size * (2 * random.Unit(draw++) - 1));
      }
    }
  };
  for (const Matrix& m : parameters->Dense()) move(m);
  move(parameters->items);
  move(parameters->item_bias);
  move(parameters->inputs);
}

inline AlignedBytes Build(const ModelKind& kind, const Shop& shop) {
  return BuildTestModel(kind, shop.parameters, shop.catalog, {{0, 0}, {}});
}

inline std::string Text(const AlignedBytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The patch, after a look at what it makes.
inline MadePatch RoundTrip(const AlignedBytes& old_model, const AlignedBytes& new_model) {
  MadePatch made = MakePatch({old_model, "old"}, {new_model, "new"});
  const PatchedModel again = ApplyPatch({old_model, "old"}, made.bytes, "patch");
  EXPECT_TRUE(Text(again.bytes) == Text(new_model));
  EXPECT_EQ(again.rows.same, made.rows.same);
  EXPECT_EQ(again.rows.changed, made.rows.changed);
  EXPECT_EQ(again.rows.added, made.rows.added);
  EXPECT_EQ(again.rows.gone, made.rows.gone);
  return made;
}

}  // namespace stint

#endif  // STINT_TESTS_TOOLS_PATCH_MODELS_H_
