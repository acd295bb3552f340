// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The network of a model -> tensors with what they mean, as import_network.h takes them.
#ifndef STINT_TOOLS_CONVERT_EXPORT_NETWORK_H_
#define STINT_TOOLS_CONVERT_EXPORT_NETWORK_H_

#include <string>

#include "tools/convert/tensors.h"
#include "trainer/trained_model.h"

namespace stint {

// Float32 tensors by the names of README.md, convention "stint" (the first layer of a one-hot input
// may have one of its own): importing them gives the same parameters, bit for bit.
Tensors NetworkTensors(const TrainedModel& model);
// gru4rec.json of these.
std::string NetworkConfig(const TrainedModel& model);

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_EXPORT_NETWORK_H_
