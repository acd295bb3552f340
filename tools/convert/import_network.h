// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Tensors of another engine and what they mean -> the parameters of a network.
#ifndef STINT_TOOLS_CONVERT_IMPORT_NETWORK_H_
#define STINT_TOOLS_CONVERT_IMPORT_NETWORK_H_

#include <string>
#include <vector>

#include "tools/convert/import_config.h"
#include "tools/convert/tensors.h"
#include "trainer/trained_model.h"

namespace stint {

// Gates in order, the update gate weighing what the form of trainer/parameters.h has it weigh, and
// all padding rows left out. The catalog stays empty. Throws by tensors.Fail() where a tensor is
// missing, has another shape than the config says or is not used, and std::runtime_error where the
// config asks for what no stint model is.
//
// A gate that weighs the other of old state and candidate is that of negated weights:
// 1 - sigmoid(x) = sigmoid(-x). Two biases of a form that has one are added up. One-hot input into
// a cell whose reset gate acts after the product becomes a separate embedding of 3 units columns:
// its rows are those of the gates, its input weights the identity.
TrainedModel ImportNetwork(const Tensors& tensors, const ImportConfig& config);

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_IMPORT_NETWORK_H_
