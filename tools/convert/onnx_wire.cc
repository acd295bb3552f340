// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The bytes of an ONNX file -> how many objects parsing would make of them.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>

#include "tools/convert/onnx_graph.h"

namespace stint {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::io::CodedInputStream;

constexpr int kDeepest = 100;  // as protobuf's own parser

// Types of the wire format; groups, which ONNX does not have, are damage.
enum : uint32_t { kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5 };

bool IsMessage(const FieldDescriptor* field) {
  return field != nullptr && field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
}
bool IsNumber(const FieldDescriptor* field) {
  return field != nullptr && !IsMessage(field) &&
         field->cpp_type() != FieldDescriptor::CPPTYPE_STRING;
}

class Counter {
 public:
  explicit Counter(std::span<const uint8_t> bytes)
      : input_(bytes.data(), static_cast<int>(bytes.size())) {
    input_.PushLimit(static_cast<int>(bytes.size()));
  }

  bool Message(const Descriptor* type, int depth) {
    if (depth > kDeepest) return false;
    while (const uint32_t tag = input_.ReadTag()) {
      if (!Field(type->FindFieldByNumber(static_cast<int>(tag >> 3)), tag & 7, depth)) return false;
      if (parts > kMostOnnxParts) return true;
    }
    return input_.ConsumedEntireMessage();
  }

  size_t parts = 0;

 private:
  bool Field(const FieldDescriptor* field, uint32_t wire_type, int depth) {
    if (wire_type == kLength) return LongField(field, depth);
    if (!IsNumber(field)) ++parts;  // kept as a field that is not known
    uint64_t wide = 0;
    uint32_t narrow = 0;
    if (wire_type == kVarint) return input_.ReadVarint64(&wide);
    if (wire_type == kFixed64) return input_.ReadLittleEndian64(&wide);
    return wire_type == kFixed32 && input_.ReadLittleEndian32(&narrow);
  }

  bool LongField(const FieldDescriptor* field, int depth) {
    int size = 0;
    if (!input_.ReadVarintSizeAsInt(&size) || size > input_.BytesUntilLimit()) return false;
    const bool packed = IsNumber(field) && field->is_repeated();  // lie side by side in memory too
    if (!packed) ++parts;
    if (!IsMessage(field)) return input_.Skip(size);
    const CodedInputStream::Limit limit = input_.PushLimit(size);
    const bool whole = Message(field->message_type(), depth + 1);
    input_.PopLimit(limit);
    return whole;
  }

  CodedInputStream input_;
};

}  // namespace

std::optional<size_t> CountOnnxParts(std::span<const uint8_t> bytes) {
  Counter counter(bytes);
  if (!counter.Message(onnx::ModelProto::descriptor(), 1)) return std::nullopt;
  return counter.parts;
}

}  // namespace stint
