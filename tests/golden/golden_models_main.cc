// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Writes those models of golden_models.h into a folder that it does not have yet, and prints
// the lines of expected.txt for them. What is there stays as it is.
#include <cinttypes>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

#include "schema/checksum.h"
#include "tests/golden/golden_answers.h"
#include "tests/golden/golden_models.h"
#include "tests/runtime/test_model.h"

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::fprintf(stderr, "usage: golden_models FOLDER >> FOLDER/expected.txt\n");
    return 2;
  }
  for (const stint::GoldenModel& golden : stint::GoldenModels()) {
    const std::string path = std::string(argv[1]) + "/" + golden.name + ".stint";
    if (std::filesystem::exists(path)) continue;
    stint::WriteFileAtomically(path, {golden.bytes.data(), golden.bytes.size()});
    const stint::ModelPointer model = stint::OpenModel(golden.bytes);
    std::printf("%s.stint %zu %016" PRIx64 " %016" PRIx64 "\n", golden.name.c_str(),
                golden.bytes.size(),
                stint::SectionChecksum(golden.bytes.data(), golden.bytes.size()),
                stint::GoldenAnswers(model.get()));
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "golden_models: %s\n", error.what());
  return 1;
}
