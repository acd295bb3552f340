// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// sessions.json: what a network answers where it comes from -> whether a model answers the same.
#ifndef STINT_TOOLS_CONVERT_TEST_SESSIONS_H_
#define STINT_TOOLS_CONVERT_TEST_SESSIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "stint/stint.h"
#include "trainer/sessions.h"

namespace stint {

struct TestSession {
  std::vector<uint32_t> items;   // clicks, item indices
  std::vector<uint32_t> scored;  // items whose scores are known after the last click
  std::vector<double> scores;    // [scored] before the final activation
};

struct TestSessions {
  std::string path;
  double tolerance = 0;  // of |score here - score there|
  std::vector<TestSession> sessions;
};

// Throws std::runtime_error "path: session 3: reason". Ids are those of `catalog`.
TestSessions ReadTestSessions(const std::string& path, const Catalog& catalog);
TestSessions ParseTestSessions(const std::string& text, const std::string& path,
                               const Catalog& catalog);

// The largest |score here - score there|. Throws std::runtime_error, naming session, item and both
// scores, if it is above the tolerance.
double Replay(const TestSessions& tests, const Catalog& catalog, const stint_model* model);

}  // namespace stint

#endif  // STINT_TOOLS_CONVERT_TEST_SESSIONS_H_
