// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// sessions.json: what a network answers where it comes from -> whether a model answers the same.
#include "tools/convert/test_sessions.h"

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "tools/convert/strict_json.h"
#include "trainer/id_index.h"
#include "trainer/model_bytes.h"

namespace stint {
namespace {

using nlohmann::ordered_json;

constexpr char kFormat[] = "stint-sessions";

// Reads values of one file.
class Reader {
 public:
  Reader(const std::string& path, const Catalog& catalog) : path_(path), index_(catalog.ids) {}

  [[noreturn]] void Fail(const std::string& reason) const {
    throw std::runtime_error(path_ + ": " + where_ + reason);
  }
  void At(size_t session) {
    where_ = "session ";
    where_ += std::to_string(session) + ": ";
  }
  const ordered_json& Get(const ordered_json& object, const char* key) const {
    if (!object.contains(key)) Fail(std::string("no key '") + key + "'");
    return object.at(key);
  }
  const ordered_json& List(const ordered_json& object, const char* key) const {
    const ordered_json& list = Get(object, key);
    if (!list.is_array()) Fail(std::string("'") + key + "' is no list");
    return list;
  }
  double Number(const ordered_json& value, const char* key) const {
    if (!value.is_number() || !std::isfinite(value.get<double>())) {
      Fail(std::string("'") + key + "': " + value.dump() + " is no finite number");
    }
    return value.get<double>();
  }
  std::vector<uint32_t> Items(const ordered_json& object, const char* key) const {
    std::vector<uint32_t> items;
    for (const ordered_json& id : List(object, key)) {
      if (!id.is_string() && !id.is_number_integer()) {
        Fail(std::string("'") + key + "': " + id.dump() + " is no item id");
      }
      items.push_back(index_.Find(id.is_string() ? id.get<std::string>() : id.dump()));
      if (items.back() == kNoIndex) {
        Fail(std::string("'") + key + "': item " + id.dump() + " is not in the list of items");
      }
    }
    return items;
  }
  void OnlyKeys(const ordered_json& object, std::initializer_list<const char*> keys) const {
    for (const auto& [key, value] : object.items()) {
      bool known = false;
      for (const char* const word : keys) known |= key == word;
      if (!known) Fail(std::string("key '").append(key).append("' is not known"));
    }
  }

 private:
  const std::string& path_;
  std::string where_;
  IdIndex index_;
};

struct SessionDeleter {
  void operator()(stint_session* session) const { stint_session_destroy(session); }
};

void CheckCall(stint_status status) {
  if (status != STINT_OK) {
    throw std::runtime_error(std::string("replaying test sessions: ") +
                             stint_status_message(status));
  }
}

}  // namespace

TestSessions ParseTestSessions(const std::string& text, const std::string& path,
                               const Catalog& catalog) {
  Reader reader(path, catalog);
  const ordered_json json = ParseStrictJson(text, path);
  if (!json.is_object()) reader.Fail("is no JSON object");
  reader.OnlyKeys(json, {"format", "version", "tolerance", "sessions"});
  if (reader.Get(json, "format") != kFormat) reader.Fail(std::string("'format' is not ") + kFormat);
  if (reader.Get(json, "version") != 1) reader.Fail("'version' is not 1");
  TestSessions tests;
  tests.path = path;
  tests.tolerance = reader.Number(reader.Get(json, "tolerance"), "tolerance");
  if (tests.tolerance < 0) reader.Fail("'tolerance' is below 0");
  const ordered_json& list = reader.List(json, "sessions");
  for (size_t s = 0; s < list.size(); ++s) {
    reader.At(s);
    if (!list[s].is_object()) reader.Fail("is no object");
    reader.OnlyKeys(list[s], {"items", "scored", "scores"});
    TestSession session;
    session.items = reader.Items(list[s], "items");
    session.scored = reader.Items(list[s], "scored");
    for (const ordered_json& score : reader.List(list[s], "scores")) {
      session.scores.push_back(reader.Number(score, "scores"));
    }
    if (session.items.empty()) reader.Fail("no items: an empty session has no scores");
    if (session.scores.empty()) reader.Fail("no scores");
    if (session.scores.size() != session.scored.size()) {
      reader.Fail(std::to_string(session.scores.size()) + " scores of " +
                  std::to_string(session.scored.size()) + " items");
    }
    tests.sessions.push_back(std::move(session));
  }
  if (tests.sessions.empty()) reader.Fail("'sessions' has none: nothing would be compared");
  return tests;
}

TestSessions ReadTestSessions(const std::string& path, const Catalog& catalog) {
  const AlignedBytes bytes = ReadAligned(path);
  return ParseTestSessions({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path,
                           catalog);
}

double Replay(const TestSessions& tests, const Catalog& catalog, const stint_model* model) {
  stint_session* raw = nullptr;
  CheckCall(stint_session_create(model, 1, &raw));
  const std::unique_ptr<stint_session, SessionDeleter> session(raw);
  double largest = 0;
  for (size_t s = 0; s < tests.sessions.size(); ++s) {
    const TestSession& test = tests.sessions[s];
    CheckCall(stint_session_reset(raw));
    for (const uint32_t item : test.items) CheckCall(stint_observe(raw, item));
    std::vector<float> scores(test.scored.size());
    CheckCall(stint_item_scores(raw, test.scored.data(), test.scored.size(), scores.data()));
    for (size_t i = 0; i < scores.size(); ++i) {
      const double gap = std::fabs(double{scores[i]} - test.scores[i]);
      if (!(gap <= tests.tolerance)) {
        std::ostringstream text;
        text.precision(9);
        text << tests.path << ": session " << s << ": item '"
             << catalog.ids.ToString(test.scored[i]) << "' has score " << scores[i] << " here and "
             << test.scores[i] << " there, which is " << gap
             << " apart, more than the tolerance of " << tests.tolerance;
        throw std::runtime_error(text.str());
      }
      largest = std::max(largest, gap);
    }
  }
  return largest;
}

}  // namespace stint
