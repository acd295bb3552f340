// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "trainer/train_state.h"

#include <stdexcept>

#include "schema/checksum.h"
#include "trainer/checkpoint.h"

namespace stint {
namespace {

using nlohmann::ordered_json;

// XXH3-64 of a sequence of arrays, each with its length before it.
class Hash {
 public:
  Hash() { XXH3_64bits_reset(&state_); }

  template <class T>
  void Add(const std::vector<T>& values) {
    static_assert(std::is_arithmetic_v<T>);
    AddSize(values.size());
    XXH3_64bits_update(&state_, values.data(), values.size() * sizeof(T));
  }
  void Add(const Ids& ids) {
    AddSize(ids.are_names ? 1 : 0);
    Add(ids.numbers);
    AddSize(ids.names.size());
    for (const std::string& name : ids.names) {
      AddSize(name.size());
      XXH3_64bits_update(&state_, name.data(), name.size());
    }
  }
  void Add(const std::vector<EventTime>& times) {
    AddSize(times.size());
    for (const EventTime& time : times) {  // member by member: it has padding
      XXH3_64bits_update(&state_, &time.whole, sizeof(time.whole));
      XXH3_64bits_update(&state_, &time.nanos, sizeof(time.nanos));
    }
  }
  void AddSize(uint64_t size) { XXH3_64bits_update(&state_, &size, sizeof(size)); }
  uint64_t Digest() const { return XXH3_64bits_digest(&state_); }

 private:
  XXH3_state_t state_;
};

std::string Grouped(uint64_t number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

ordered_json ToJson(const std::vector<double>& values) {
  ordered_json json = ordered_json::array();
  for (const double value : values) json.push_back(BitsOf(value));
  return json;
}

std::vector<double> DoublesOf(const ordered_json& json) {
  std::vector<double> values;
  for (const ordered_json& bits : json) values.push_back(DoubleOf(bits));
  return values;
}

}  // namespace

std::string FingerprintOf(const Ids& ids) {
  Hash hash;
  hash.Add(ids);
  return HexOf(hash.Digest());
}

ordered_json Fingerprint(const Catalog& catalog, const Sessions& sessions) {
  Hash hash;
  hash.Add(catalog.ids);
  hash.Add(catalog.counts);
  hash.Add(sessions.items);
  hash.Add(sessions.offsets);
  hash.Add(sessions.order);
  return {{"events", sessions.items.size()},
          {"sessions", sessions.size()},
          {"items", catalog.size()},
          {"ids", FingerprintOf(catalog.ids)},
          {"xxh3", HexOf(hash.Digest())}};
}

ordered_json Fingerprint(const Events& events) {
  Hash hash;
  hash.Add(events.session);
  hash.Add(events.item);
  hash.Add(events.time);
  hash.Add(events.session_ids);
  hash.Add(events.item_ids);
  return {{"events", events.size()},
          {"sessions", events.session_ids.size()},
          {"items", events.item_ids.size()},
          {"xxh3", HexOf(hash.Digest())}};
}

std::string DataDifference(const std::string& what, const ordered_json& saved,
                           const ordered_json& now) {
  for (const char* kind : {"events", "sessions", "items"}) {
    const auto then = saved.at(kind).get<uint64_t>(), is = now.at(kind).get<uint64_t>();
    if (then == is) continue;
    return what + ": " + Grouped(then) + " " + kind + " then, " + Grouped(is) + " now";
  }
  if (saved.at("xxh3") == now.at("xxh3")) return "";
  return what + ": as many events, sessions and items as then, but not the same";
}

std::string OptionDifferences(const ordered_json& saved, const ordered_json& now,
                              const std::string& ignored) {
  const auto word = [](const ordered_json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
  };
  std::string differences;
  const auto add = [&](const std::string& key, const std::string& then, const std::string& is) {
    if (!differences.empty()) differences += "; ";
    differences += "--" + key + ": " + then + " in the checkpoint, " + is + " now";
  };
  for (const auto& [key, value] : saved.items()) {
    if (key == ignored) continue;
    if (!now.contains(key)) {
      add(key, word(value), "unknown");
    } else if (now.at(key) != value) {
      add(key, word(value), word(now.at(key)));
    }
  }
  for (const auto& [key, value] : now.items()) {
    if (key != ignored && !saved.contains(key)) add(key, "unknown", word(value));
  }
  return differences;
}

ordered_json ToJson(const std::vector<EpochResult>& epochs) {
  ordered_json json = ordered_json::array();
  for (const EpochResult& epoch : epochs) {
    ordered_json entry = {{"epoch", epoch.epoch},
                          {"loss", BitsOf(epoch.loss)},
                          {"minibatches", epoch.minibatches},
                          {"targets", epoch.targets},
                          {"seconds", epoch.seconds}};
    if (epoch.validated) {
      entry["validation"] = {{"cutoffs", epoch.validation.cutoffs},
                             {"recall", ToJson(epoch.validation.recall)},
                             {"mrr", ToJson(epoch.validation.mrr)},
                             {"targets", epoch.validation.targets},
                             {"seconds", epoch.validation_seconds}};
    }
    json.push_back(entry);
  }
  return json;
}

std::vector<EpochResult> EpochsFromJson(const ordered_json& json) {
  std::vector<EpochResult> epochs;
  if (!json.is_array()) throw std::runtime_error("damaged checkpoint: no list of epochs");
  for (const ordered_json& entry : json) {
    EpochResult epoch;
    epoch.epoch = entry.at("epoch").get<size_t>();
    if (epoch.epoch != epochs.size() + 1) {
      throw std::runtime_error("damaged checkpoint: epoch " + std::to_string(epoch.epoch) +
                               " after epoch " + std::to_string(epochs.size()));
    }
    epoch.loss = DoubleOf(entry.at("loss"));
    epoch.minibatches = entry.at("minibatches").get<uint64_t>();
    epoch.targets = entry.at("targets").get<uint64_t>();
    epoch.seconds = entry.at("seconds").get<double>();
    epoch.validated = entry.contains("validation");
    if (epoch.validated) {
      const ordered_json& validation = entry.at("validation");
      epoch.validation.cutoffs = validation.at("cutoffs").get<std::vector<uint32_t>>();
      epoch.validation.recall = DoublesOf(validation.at("recall"));
      epoch.validation.mrr = DoublesOf(validation.at("mrr"));
      epoch.validation.targets = validation.at("targets").get<uint64_t>();
      epoch.validation_seconds = validation.at("seconds").get<double>();
      const size_t n = epoch.validation.cutoffs.size();
      if (epoch.validation.recall.size() != n || epoch.validation.mrr.size() != n) {
        throw std::runtime_error("damaged checkpoint: metrics of epoch " +
                                 std::to_string(epoch.epoch));
      }
    }
    epochs.push_back(epoch);
  }
  return epochs;
}

}  // namespace stint
