// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Where the golden tensors and the real click logs lie; one rule for all tests that need them.
#ifndef STINT_TESTS_REFERENCE_FOLDERS_H_
#define STINT_TESTS_REFERENCE_FOLDERS_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#if !defined(STINT_DEFAULT_GOLDEN_DIR) || !defined(STINT_DEFAULT_DATA_DIR)
#error "tests/CMakeLists.txt names the default folders"
#endif

namespace stint::reference {

inline std::string FolderFromEnvironment(const char* variable, const char* otherwise) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

// Folder of the golden tensors: STINT_GOLDEN_DIR or the build's default.
inline std::string GoldenDir() {
  return FolderFromEnvironment("STINT_GOLDEN_DIR", STINT_DEFAULT_GOLDEN_DIR);
}

// Folder of the real click logs: STINT_DATA_DIR or the build's default.
inline std::string DataDir() {
  return FolderFromEnvironment("STINT_DATA_DIR", STINT_DEFAULT_DATA_DIR);
}

// A path that is absent is a failure where CI is set (nothing may pass there by not running).
inline bool AbsenceIsFailure() {
  const char* ci = std::getenv("CI");
  return ci != nullptr && *ci != '\0';
}

}  // namespace stint::reference

// First line of a test that reads `path` (a folder or a file): skips with a message where it
// is absent, and fails instead where CI is set.
#define STINT_REQUIRE_PATH(path)                                                                 \
  do {                                                                                           \
    const std::string stint_required_path = (path);                                              \
    if (!std::filesystem::exists(stint_required_path)) {                                         \
      if (::stint::reference::AbsenceIsFailure()) FAIL() << stint_required_path << " is absent"; \
      GTEST_SKIP() << stint_required_path << " is absent";                                       \
    }                                                                                            \
  } while (false)

#endif  // STINT_TESTS_REFERENCE_FOLDERS_H_
