// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A call -> the message of the std::runtime_error that it throws.
#ifndef STINT_TESTS_MESSAGE_OF_H_
#define STINT_TESTS_MESSAGE_OF_H_

#include <functional>
#include <stdexcept>
#include <string>

namespace stint {

// "" if it throws nothing.
inline std::string MessageOf(const std::function<void()>& call) {
  try {
    call();
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "";
}

}  // namespace stint

#endif  // STINT_TESTS_MESSAGE_OF_H_
