// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Bytes as a safetensors or npz file, a config, a list of items or test sessions -> a network. The
// first byte says which. What is taken makes a network whose tensors say the same again; what is
// not is refused with a reason that begins with the file's name.
#include "tools/convert/import_network.h"

#include <zip.h>

#include <cstring>
#include <stdexcept>

#include "tests/fuzz/fuzz.h"
#include "tests/runtime/test_model.h"
#include "tools/convert/export_network.h"
#include "tools/convert/item_list.h"
#include "tools/convert/test_sessions.h"

namespace stint::fuzz {
namespace {

enum Kind : uint8_t { kSafetensors, kNpz, kConfig, kItems, kSessions, kKinds };
constexpr char kPath[] = "fuzz";
constexpr char kNetwork[] = R"({"format": "stint-network", "version": 1, "embedding": "separate",
  "layers": [3, 2], "convention": "stint", "reset_after": true})";
constexpr size_t kItemCount = 5;

TrainedModel Example() {
  NetworkShape shape;
  shape.items = kItemCount;
  shape.layers = {3, 2};
  shape.embedding = Embedding::kSeparate;
  shape.embedding_width = 4;
  TrainedModel model;
  model.path = kPath;
  model.parameters = RandomParameters(shape, 3);
  return model;
}

Catalog ExampleCatalog() {
  Catalog catalog;
  catalog.ids.numbers = {7, 8, 9, -1, 0};
  catalog.counts.assign(kItemCount, 1);
  return catalog;
}

AlignedBytes Aligned(std::string_view text) {
  AlignedBytes bytes(text.size());
  if (!text.empty()) std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

// The example's tensors as npy files in an archive that is made in memory.
std::string NpzSeed(int32_t method) {
  const Tensors tensors = NetworkTensors(Example());
  std::vector<std::string> files;
  for (const auto& [name, tensor] : tensors.tensors) {
    std::string shape;
    for (const uint64_t n : tensor.shape) shape += std::to_string(n) + ", ";
    const std::string header =
        "{'descr': '<f4', 'fortran_order': False, 'shape': (" + shape + "), }\n";
    std::string file("\x93NUMPY\x01\x00", 8);
    file += static_cast<char>(header.size());
    file += '\0';
    file += header;
    file.append(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
    files.push_back(file);
  }
  zip_source_t* const out = zip_source_buffer_create(nullptr, 0, 0, nullptr);
  zip_source_keep(out);
  zip_t* const archive = zip_open_from_source(out, ZIP_TRUNCATE, nullptr);
  size_t i = 0;
  for (const auto& [name, tensor] : tensors.tensors) {
    const zip_int64_t index =
        zip_file_add(archive, (name + ".npy").c_str(),
                     zip_source_buffer(archive, files[i].data(), files[i].size(), 0), 0);
    zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), method, 0);
    ++i;
  }
  Require(zip_close(archive) == 0, "an archive of the seed");
  zip_source_open(out);
  zip_source_seek(out, 0, SEEK_END);
  std::string bytes(static_cast<size_t>(zip_source_tell(out)), '\0');
  zip_source_seek(out, 0, SEEK_SET);
  zip_source_read(out, bytes.data(), bytes.size());
  zip_source_close(out);
  zip_source_free(out);
  return bytes;
}

void Import(const Tensors& tensors) {
  const TrainedModel model = ImportNetwork(tensors, ParseImportConfig(kNetwork, kPath));
  Tensors again = NetworkTensors(model);
  const TrainedModel same = ImportNetwork(again, ParseImportConfig(kNetwork, kPath));
  const Parameters &a = model.parameters, &b = same.parameters;
  Require(a.block_floats() == b.block_floats() &&
              std::memcmp(a.block(), b.block(), a.block_floats() * sizeof(float)) == 0,
          "written and read: the same bits");
}

void Read(uint8_t kind, std::string_view bytes) {
  const std::string text(bytes);
  switch (kind) {
    case kSafetensors:
      return Import(ParseSafetensors(Aligned(bytes), kPath));
    case kNpz:
      return Import(ParseNpz(Aligned(bytes), kPath));
    case kConfig: {
      const ImportConfig config = ParseImportConfig(text, kPath);
      Require(!config.layers.empty() && config.conventions.size() == config.layers.size(),
              "a config has layers");
      try {
        ImportNetwork(NetworkTensors(Example()), config);
      } catch (const std::runtime_error& e) {
        Require(std::strncmp(e.what(), kPath, sizeof(kPath) - 1) == 0, "a reason says where",
                e.what());
      }
      return;
    }
    case kItems: {
      const MemoryFile file(bytes);
      const ItemList list = ReadItemList(file.path(), kItemCount);
      Require(list.catalog.size() == kItemCount && list.catalog.ids.size() == kItemCount,
              "a list has all items");
      const MemoryFile again(ItemListText(list.catalog));
      const ItemList same =
          ReadItemList(again.path(), kItemCount, list.catalog.ids.are_names ? "names" : "integers");
      Require(same.catalog.ids.names == list.catalog.ids.names &&
                  same.catalog.ids.numbers == list.catalog.ids.numbers &&
                  same.catalog.counts == list.catalog.counts,
              "written and read: the same list");
      return;
    }
    default: {
      const TestSessions tests = ParseTestSessions(text, kPath, ExampleCatalog());
      for (const TestSession& session : tests.sessions) {
        Require(session.scored.size() == session.scores.size() && !session.items.empty(),
                "sessions have scores");
      }
    }
  }
}

}  // namespace

std::vector<std::string> Seeds() {
  const auto seed = [](Kind kind, const std::string& bytes) {
    return std::string(1, static_cast<char>(kind)) + bytes;
  };
  return {seed(kSafetensors, SafetensorsBytes(NetworkTensors(Example()))),
          seed(kNpz, NpzSeed(ZIP_CM_STORE)),
          seed(kNpz, NpzSeed(ZIP_CM_DEFLATE)),
          seed(kConfig, kNetwork),
          seed(kConfig, R"({"format": "stint-network", "version": 1, "embedding": "none",
            "layers": [3, 2], "layer_conventions": [{"convention": "theano"},
            {"convention": "keras", "reset_after": true}], "gru_biases": false,
            "hidden_activation": "elu-0.5", "final_activation": "softmax", "padding_rows": 1,
            "ids": "names", "tensors": {"item_rows": "input_rows"}, "transposed": ["input_rows"],
            "ignored": ["item_biases"], "hyperparameters": {"a": [1, 2.5, null]}})"),
          seed(kItems, "ItemId\tCount\n7\t1\n8\t0\n9\t4294967295\n-1\t2\nx y\t3\n"),
          seed(kItems, "Count,ItemId\n1,\"a,b\"\n2,\"c\"\"d\"\n3,\"e\nf\"\n4,g\n5,7\n"),
          seed(kSessions, R"({"format": "stint-sessions", "version": 1, "tolerance": 1e-4,
            "sessions": [{"items": [7, "8"], "scored": [9, -1], "scores": [0.5, -1e30]}]})")};
}

}  // namespace stint::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stint::fuzz;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    Read(data[0] % kKinds, bytes);
  } catch (const std::runtime_error& e) {
    const bool named = std::strncmp(e.what(), kPath, sizeof(kPath) - 1) == 0;
    Require(named || data[0] % kKinds == kItems, "a reason says where", e.what());
  }
  return 0;
}
