// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The bytes of a model file -> JSON by its schema, as flatc writes and reads it.
#ifndef STINT_TOOLS_CONVERT_SCHEMA_JSON_H_
#define STINT_TOOLS_CONVERT_SCHEMA_JSON_H_

#include <string>

#include "trainer/model_bytes.h"

namespace stint {

// Of a model that the runtime has verified. flatc reads it by schema/model.fbs, but for the
// alignment of 64 there, which is beyond what flatc is built for (32): it reads it by a copy of the
// schema without. Places in the file, and so the checksum of its header, do not come back that way.
std::string ModelJson(const AlignedBytes& model);

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_SCHEMA_JSON_H_
