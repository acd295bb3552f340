// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Model -> its catalog in the terms of the log reader.
#ifndef STINT_TOOLS_MODEL_CATALOG_H_
#define STINT_TOOLS_MODEL_CATALOG_H_

#include "stint/stint.h"
#include "trainer/sessions.h"

namespace stint {

Catalog ReadCatalog(const stint_model* model);

}  // namespace stint

#endif  // STINT_TOOLS_MODEL_CATALOG_H_
