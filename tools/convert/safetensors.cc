// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A safetensors file (8 bytes of header length, JSON header, little-endian data) <-> tensors.
#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "tools/convert/strict_json.h"
#include "tools/convert/tensors.h"

namespace stint {
namespace {

using nlohmann::ordered_json;

constexpr size_t kLengthBytes = 8;
constexpr uint64_t kMostHeaderBytes = 100'000'000;  // as the format's own reader has it
constexpr char kMetadata[] = "__metadata__";

[[noreturn]] void Fail(const std::string& path, const std::string& reason) {
  throw std::runtime_error(path + ": " + reason);
}

ElementKind KindOf(const std::string& name, const std::string& word, const Tensors& file) {
  for (int i = 0; i <= static_cast<int>(ElementKind::kBool); ++i) {
    if (word == Name(static_cast<ElementKind>(i))) return static_cast<ElementKind>(i);
  }
  file.Fail(name, "dtype '" + word + "' is not known");
}

uint64_t WholeNumber(const ordered_json& json, const std::string& name, const char* what,
                     const Tensors& file) {
  if (!json.is_number_unsigned()) {
    file.Fail(name, std::string(what) + " " + json.dump() + " is no whole number from 0 on");
  }
  return json.get<uint64_t>();
}

Tensor ParseTensor(const std::string& name, const ordered_json& entry,
                   std::span<const uint8_t> data, const Tensors& file) {
  if (!entry.is_object()) file.Fail(name, "is no object in the header");
  for (const char* key : {"dtype", "shape", "data_offsets"}) {
    if (!entry.contains(key)) file.Fail(name, std::string("lacks ") + key);
  }
  if (!entry["dtype"].is_string()) file.Fail(name, "dtype is no string");
  if (!entry["shape"].is_array()) file.Fail(name, "shape is no list");
  const ordered_json& offsets = entry["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2) file.Fail(name, "data_offsets are not two");
  Tensor tensor;
  tensor.kind = KindOf(name, entry["dtype"].get<std::string>(), file);
  for (const ordered_json& n : entry["shape"]) {
    tensor.shape.push_back(WholeNumber(n, name, "a size of", file));
  }
  const uint64_t begin = WholeNumber(offsets[0], name, "an offset of", file);
  const uint64_t end = WholeNumber(offsets[1], name, "an offset of", file);
  if (begin > end || end > data.size()) {
    file.Fail(name, "bytes " + std::to_string(begin) + " to " + std::to_string(end) +
                        " of the data, which has " + std::to_string(data.size()));
  }
  uint64_t bytes = 0;
  if (!TensorBytes(tensor.kind, tensor.shape, end - begin, &bytes) || bytes != end - begin) {
    file.Fail(name, "shape " + tensor.Shape() + " of " + Name(tensor.kind) + " is not " +
                        std::to_string(end - begin) + " bytes, which data_offsets give it");
  }
  tensor.byte_count = bytes;
  tensor.bytes = data.subspan(begin, bytes);
  return tensor;
}

// No byte of the data belongs to two tensors, or to none.
void CheckCover(const Tensors& file, std::span<const uint8_t> data) {
  std::vector<std::pair<const uint8_t*, std::string>> starts;
  for (const auto& [name, tensor] : file.tensors) {
    if (!tensor.bytes.empty()) starts.emplace_back(tensor.bytes.data(), name);
  }
  std::sort(starts.begin(), starts.end());
  const uint8_t* at = data.data();
  for (const auto& [start, name] : starts) {
    if (start < at) file.Fail(name, "overlaps another tensor");
    if (start > at) {
      file.Fail(name, std::to_string(start - at) + " bytes before it belong to no tensor");
    }
    at = start + file.tensors.at(name).bytes.size();
  }
  if (at != data.data() + data.size()) {
    Fail(file.path,
         std::to_string(data.data() + data.size() - at) + " bytes at the end belong to no tensor");
  }
}

}  // namespace

Tensors ParseSafetensors(AlignedBytes input, const std::string& path) {
  Tensors file(path);
  const std::span<const uint8_t> bytes = file.Own(std::move(input));
  if (bytes.size() < kLengthBytes) Fail(path, "no safetensors file: shorter than 8 bytes");
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  if (length > kMostHeaderBytes || length > bytes.size() - kLengthBytes) {
    Fail(path, "no safetensors file: a header of " + std::to_string(length) +
                   " bytes in a file of " + std::to_string(bytes.size()));
  }
  const ordered_json header = ParseStrictJson(
      {reinterpret_cast<const char*>(bytes.data()) + kLengthBytes, length}, path + ": header");
  if (!header.is_object()) Fail(path, "the header is no JSON object");
  const std::span<const uint8_t> data = bytes.subspan(kLengthBytes + length);
  for (const auto& [name, entry] : header.items()) {
    if (name != kMetadata) {
      file.tensors.emplace(name, ParseTensor(name, entry, data, file));
      continue;
    }
    if (!entry.is_object()) Fail(path, "__metadata__ is no object");
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) Fail(path, "__metadata__: '" + key + "' is no string");
      file.metadata.emplace(key, value.get<std::string>());
    }
  }
  CheckCover(file, data);
  return file;
}

Tensors ReadSafetensors(const std::string& path) {
  return ParseSafetensors(ReadAligned(path), path);
}

std::string SafetensorsBytes(const Tensors& tensors) {
  ordered_json header;
  if (!tensors.metadata.empty()) header[kMetadata] = tensors.metadata;
  uint64_t end = 0;
  for (const auto& [name, tensor] : tensors.tensors) {
    header[name] = {{"dtype", Name(tensor.kind)},
                    {"shape", tensor.shape},
                    {"data_offsets", {end, end + tensor.bytes.size()}}};
    end += tensor.bytes.size();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the data starts aligned
  const uint64_t length = text.size();
  std::string bytes(kLengthBytes, '\0');
  std::memcpy(bytes.data(), &length, kLengthBytes);
  bytes.reserve(kLengthBytes + length + end);
  bytes += text;
  for (const auto& [name, tensor] : tensors.tensors) {
    bytes.append(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  }
  return bytes;
}

}  // namespace stint
