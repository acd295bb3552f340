// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Bytes of a log -> its events, or the message; what the tests of the log reader share.
#ifndef STINT_TESTS_TRAINER_EVENTS_FIXTURE_H_
#define STINT_TESTS_TRAINER_EVENTS_FIXTURE_H_

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"
#include "trainer/events.h"

namespace stint {

class EventsTest : public testing::Test {
 protected:
  Events Read(const std::string& bytes, const ReadOptions& options = {}) {
    return ReadEvents(folder_.Write("train.tsv", bytes), options);
  }
  // The message without the folder.
  std::string Error(const std::string& bytes, const ReadOptions& options = {}) {
    const std::string path = folder_.Write("train.tsv", bytes);
    try {
      ReadEvents(path, options);
    } catch (const std::runtime_error& e) {
      const std::string message = e.what();
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
      const std::string prefix = folder_ / "";
      EXPECT_EQ(message.rfind(prefix, 0), 0u) << message;
      return message.substr(prefix.size());
    }
    ADD_FAILURE() << "no error";
    return "";
  }
  TemporaryFolder folder_;
};

inline constexpr char kHeader[] = "SessionId\tItemId\tTime\n";

// session:item:time of every event.
inline std::vector<std::string> Show(const Events& events) {
  std::vector<std::string> rows;
  for (size_t i = 0; i < events.size(); ++i) {
    rows.push_back(events.session_ids.ToString(events.session[i]) + ":" +
                   events.item_ids.ToString(events.item[i]) + ":" +
                   std::to_string(events.time[i].whole) +
                   (events.time[i].nanos != 0 ? "+" + std::to_string(events.time[i].nanos) : ""));
  }
  return rows;
}
using Rows = std::vector<std::string>;

}  // namespace stint

#endif  // STINT_TESTS_TRAINER_EVENTS_FIXTURE_H_
