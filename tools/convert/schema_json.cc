// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The bytes of a model file -> JSON by its schema. FlatBuffers' own writer gives floats six
// decimals, of which a step of 9.4e-8 has none: here every float has the digits that bring it back.
#include "tools/convert/schema_json.h"

#include <flatbuffers/idl.h>
#include <flatbuffers/reflection.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

#include "tools/convert/schema_text.h"

namespace stint {
namespace {

using flatbuffers::Table;
using reflection::BaseType;

class Writer {
 public:
  explicit Writer(const reflection::Schema& schema) : schema_(schema) {}

  std::string Write(const Table& root) {
    WriteTable(root, *schema_.root_table());
    return std::move(text_) + "\n";
  }

 private:
  template <typename T>
  void Number(T value) {
    char digits[40];
    const auto [end, error] = std::to_chars(digits, digits + sizeof(digits), value);
    if (error != std::errc()) throw std::logic_error("a number of more than 40 characters");
    text_.append(digits, end);
  }
  void String(const std::string& string) { text_ += nlohmann::json(string).dump(); }

  // The word of a value of an enum, as flatc has it.
  void Enum(const reflection::Enum& of, int64_t value) {
    for (const reflection::EnumVal* word : *of.values()) {
      if (word->value() == value) return String(word->name()->str());
    }
    Number(value);
  }

  void Scalar(const Table& table, const reflection::Field& field) {
    const reflection::Type& type = *field.type();
    if (type.base_type() == BaseType::Float) {
      return Number(
          table.GetField<float>(field.offset(), static_cast<float>(field.default_real())));
    }
    const int64_t value = flatbuffers::GetAnyFieldI(table, field);
    if (type.index() >= 0) {
      return Enum(*schema_.enums()->Get(static_cast<unsigned>(type.index())), value);
    }
    if (type.base_type() == BaseType::ULong) return Number(static_cast<uint64_t>(value));
    Number(value);
  }

  template <typename Each>
  void List(size_t size, const Each& each) {
    text_ += '[';
    for (size_t i = 0; i < size; ++i) {
      if (i > 0) text_ += ',';
      each(static_cast<unsigned>(i));
    }
    text_ += ']';
  }
  template <typename T>
  void Numbers(const Table& table, const reflection::Field& field) {
    const auto* const vector = flatbuffers::GetFieldV<T>(table, field);
    List(vector->size(), [&](unsigned i) { Number(vector->Get(i)); });
  }
  void Vector(const Table& table, const reflection::Field& field) {
    switch (field.type()->element()) {
      case BaseType::UByte:
        return Numbers<uint8_t>(table, field);
      case BaseType::UInt:
        return Numbers<uint32_t>(table, field);
      case BaseType::Float:
        return Numbers<float>(table, field);
      case BaseType::Obj: {
        const auto* const tables = flatbuffers::GetFieldV<flatbuffers::Offset<Table>>(table, field);
        return List(tables->size(),
                    [&](unsigned i) { WriteTable(*tables->GetAs<Table>(i), ObjectOf(field)); });
      }
      default:
        throw std::logic_error("schema: a vector of a kind that no model had");
    }
  }
  const reflection::Object& ObjectOf(const reflection::Field& field) const {
    return *schema_.objects()->Get(static_cast<unsigned>(field.type()->index()));
  }

  void Value(const Table& table, const reflection::Field& field) {
    switch (field.type()->base_type()) {
      case BaseType::String:
        return String(flatbuffers::GetFieldS(table, field)->str());
      case BaseType::Obj:
        return WriteTable(*flatbuffers::GetFieldT(table, field), ObjectOf(field));
      case BaseType::Vector:
        return Vector(table, field);
      default:
        return Scalar(table, field);
    }
  }

  // Fields in the order of the schema. Scalars that are not there have their default.
  void WriteTable(const Table& table, const reflection::Object& object) {
    std::vector<const reflection::Field*> fields(object.fields()->begin(), object.fields()->end());
    std::sort(fields.begin(), fields.end(),
              [](const auto* a, const auto* b) { return a->id() < b->id(); });
    text_ += '{';
    bool first = true;
    for (const reflection::Field* field : fields) {
      const bool scalar =
          flatbuffers::IsScalar(static_cast<flatbuffers::BaseType>(field->type()->base_type()));
      if (!scalar && !table.CheckField(field->offset())) continue;
      if (!first) text_ += ", ";
      first = false;
      String(field->name()->str());
      text_ += ": ";
      Value(table, *field);
    }
    text_ += '}';
  }

  const reflection::Schema& schema_;
  std::string text_;
};

}  // namespace

std::string ModelJson(const AlignedBytes& model) {
  flatbuffers::Parser parser;
  if (!parser.Parse(kSchemaText)) throw std::logic_error("schema: " + parser.error_);
  parser.Serialize();
  const auto& schema = *reflection::GetSchema(parser.builder_.GetBufferPointer());
  try {
    return Writer(schema).Write(*flatbuffers::GetAnyRoot(model.data()));
  } catch (const nlohmann::json::exception&) {
    throw std::runtime_error("a text of the model is no UTF-8: JSON cannot have it");
  }
}

}  // namespace stint
