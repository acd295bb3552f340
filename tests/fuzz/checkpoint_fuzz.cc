// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Bytes -> checkpoint -> training that goes on from it. Damaged files are refused with path and
// reason; so is what makes no sense behind checksums that were forged too.
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "schema/checksum.h"
#include "tests/fuzz/fuzz.h"
#include "tests/reference/synthetic_log.h"
#include "tests/temporary_folder.h"
#include "trainer/checkpoint.h"
#include "trainer/train.h"

namespace stint::fuzz {
namespace {

using nlohmann::ordered_json;

// Of the mode.
constexpr uint8_t kSealed = 1;  // "header \0 arrays", to which prefix and checksums are made
constexpr uint8_t kValidates = 2;
constexpr uint8_t kKind = 12;  // of the run: see OptionsOf()

const Dataset& Data() {
  static const Dataset dataset =
      MakeDataset(reference::MakeSyntheticLog({.sessions = 8, .items = 9}), 0);
  return dataset;
}

Options OptionsOf(uint8_t mode) {
  Options options;
  options.layers = {3};
  options.batch_size = 3;
  options.negatives = 4;
  options.epochs = 2;
  options.threads = 1;
  switch ((mode & kKind) >> 2) {
    case 1:
      options.optimizer = Optimizer::kAdam;
      options.session_order = SessionOrder::kRandom;
      break;
    case 2:
      options.embedding = Embedding::kSeparate;
      options.embedding_width = 2;
      options.momentum = 0.5;
      options.dropout_hidden = 0.5;
      break;
    case 3:
      options.normalize_items = true;
      options.ema_decay = 0.9;
      options.negatives = 0;
      break;
  }
  return options;
}

Metrics FakeValidation(const Parameters& parameters) {
  Metrics metrics;
  metrics.cutoffs = {20};
  metrics.recall = {std::fabs(std::sin(parameters.block()[0]))};
  metrics.mrr = {0.1};
  metrics.targets = 1;
  return metrics;
}

TrainCallbacks CallbacksOf(uint8_t mode) {
  TrainCallbacks callbacks;
  if ((mode & kValidates) != 0) callbacks.validate = FakeValidation;
  return callbacks;
}

std::string Bytes(const void* data, size_t size) { return {static_cast<const char*>(data), size}; }

// Header and arrays -> a file with the checksums that belong to it. Sizes stay as the header says.
std::string Seal(std::string_view bytes) {
  const size_t end = bytes.find('\0');
  std::string text(bytes.substr(0, end));
  const std::string_view arrays =
      end == std::string_view::npos ? std::string_view() : bytes.substr(end + 1);
  ordered_json header = ordered_json::parse(text, nullptr, false);
  if (header.is_object() && header.contains("arrays") && header["arrays"].is_array()) {
    size_t at = 0;
    for (ordered_json& entry : header["arrays"]) {
      if (!entry.is_object() || !entry.contains("bytes")) break;
      if (!entry["bytes"].is_number_unsigned()) break;
      const auto size = entry["bytes"].get<uint64_t>();
      if (size > arrays.size() - at) break;
      const auto* data = reinterpret_cast<const uint8_t*>(arrays.data()) + at;
      entry["xxh3"] = HexOf(SectionChecksum(data, size));
      at += size;
    }
    text = header.dump();
  }
  const uint32_t version[2] = {1, 0};
  const uint64_t size = text.size();
  const std::string before = "STINTCKP" + Bytes(version, 8) + Bytes(&size, 8);
  const std::string summed = before + text;
  const uint64_t sum =
      SectionChecksum(reinterpret_cast<const uint8_t*>(summed.data()), summed.size());
  return before + Bytes(&sum, 8) + text + std::string(arrays);
}

void GoOn(const Checkpoint& checkpoint, uint8_t mode) {
  TrainCallbacks callbacks = CallbacksOf(mode);
  uint64_t calls = 0;
  callbacks.stop = [&] { return ++calls > 3; };
  try {
    TrainStart start;
    start.resume = &checkpoint;
    const TrainResult result =
        Train(OptionsOf(mode), Data().catalog, Data().train, callbacks, start);
    Require(result.best_epoch <= result.epochs.size(), "the best epoch is one of those done");
    const Parameters& parameters = result.parameters;
    for (size_t i = 0; i < parameters.block_floats(); ++i) {
      Require(std::isfinite(parameters.block()[i]), "parameters are finite", result.diverged);
    }
  } catch (const std::runtime_error& e) {
    Require(std::string(e.what()).rfind(checkpoint.path() + ": ", 0) == 0,
            "a reason starts with the path", e.what());
  }
}

// The checkpoints that a run writes after each of its mini-batches and epochs, as they are and
// without what Seal() adds.
void AddSeeds(uint8_t mode, std::vector<std::string>* seeds) {
  const TemporaryFolder folder;
  TrainCallbacks callbacks = CallbacksOf(mode);
  uint64_t calls = 0;
  callbacks.save_due = [&](const TrainProgress&, bool ended) { return ended || ++calls % 4 == 1; };
  callbacks.save = [&](const CheckpointContent& content, uint64_t, SaveReason) {
    const std::string path = folder / "checkpoint";
    WriteCheckpoint(path, content);
    const std::string file = ReadFile(path);
    uint64_t header_bytes = 0;
    std::copy_n(file.data() + 16, 8, reinterpret_cast<char*>(&header_bytes));
    const std::string header = file.substr(32, header_bytes);
    if (seeds->size() % 3 == 0) seeds->push_back(std::string(1, static_cast<char>(mode)) + file);
    seeds->push_back(std::string(1, static_cast<char>(mode | kSealed)) + header +
                     std::string(1, '\0') + file.substr(32 + header_bytes));
  };
  Train(OptionsOf(mode), Data().catalog, Data().train, callbacks);
}

}  // namespace

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (int kind = 0; kind < 4; ++kind) {
    for (const uint8_t validates : {uint8_t{0}, kValidates}) {
      AddSeeds(static_cast<uint8_t>(kind << 2 | validates), &seeds);
    }
  }
  const std::string zero(1, '\0');
  seeds.push_back("\1{\"arrays\":[{\"name\":\"a\",\"bytes\":2,\"xxh3\":\"\"}]}" + zero + "xy");
  seeds.push_back("\1[[[" + zero);
  // A checksum that is none, in a file whose header's own is right.
  seeds.push_back("\1{\"arrays\":[{\"name\":\"a\",\"bytes\":9,\"xxh3\":\"no\"}]}" + zero + "xy");
  return seeds;
}

}  // namespace stint::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stint;
  using namespace stint::fuzz;
  const Input input = Split(data, size);
  const bool sealed = (input.mode & kSealed) != 0;
  const MemoryFile file(sealed ? Seal(input.bytes) : std::string(input.bytes));
  std::optional<Checkpoint> checkpoint;
  try {
    checkpoint.emplace(file.path());
  } catch (const std::runtime_error& e) {
    Require(std::string(e.what()).rfind(file.path() + ": ", 0) == 0,
            "a reason starts with the path", e.what());
    return 0;
  }
  Require(checkpoint->Fingerprint().size() == 16, "a checkpoint has a fingerprint");
  GoOn(*checkpoint, input.mode);
  return 0;
}
