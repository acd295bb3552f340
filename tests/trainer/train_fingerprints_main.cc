// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Prints the fingerprints of training on this machine, in the form of fingerprints.txt. Needs no
// googletest, so that it can be built for other machines: see ./dev cross.
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "tests/trainer/train_fingerprints.h"

int main(int argc, char** argv) try {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 0;
  if (argc > 3 || threads < 1) {
    std::fprintf(stderr, "usage: train_fingerprints THREADS [GOLDEN_DIR]\n");
    return 2;
  }
  for (const stint::FingerprintLog& log : stint::FingerprintLogs(argc > 2 ? argv[2] : "")) {
    for (const stint::FingerprintCase& what : stint::FingerprintCases()) {
      std::puts(stint::Fingerprint(log, what, static_cast<size_t>(threads)).c_str());
      std::fflush(stdout);
    }
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "train_fingerprints: %s\n", error.what());
  return 1;
}
