// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// The same as user.c, by the C++ wrapper.
#include <cstdio>
#include <cstdlib>

#include "stint/stint.hpp"

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  stint::Model model;
  stint_error error;
  if (stint::Model::FromFile(argv[1], &model, &error) != STINT_OK) {
    std::fprintf(stderr, "%s: %s\n", argv[1], error.message);
    return 3;
  }
  stint::Session session;
  if (session.Create(model, 10) != STINT_OK) return 1;
  for (int i = 2; i < argc; ++i) {
    if (session.ObserveId(std::strtoll(argv[i], nullptr, 10)) != STINT_OK) return 1;
  }
  stint_recommendation top[10];
  size_t count = 0;
  if (session.Recommend(10, nullptr, top, &count) != STINT_OK) return 1;
  for (size_t i = 0; i < count; ++i) {
    std::printf("%d\t%lld\t%.9g\n", static_cast<int>(i) + 1, static_cast<long long>(top[i].id),
                static_cast<double>(top[i].score));
  }
  return 0;
}
