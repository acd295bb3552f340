// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A training run -> checkpoint, and the run that goes on from it.
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <utility>

#include "trainer/checkpoint.h"
#include "trainer/train_state.h"
#include "trainer/training.h"

namespace stint {
namespace {

using nlohmann::ordered_json;

constexpr char kHeaderKey[] = "training";
constexpr char kNetworkArrays[] = "training/network/";
constexpr char kCursorArray[] = "training/cursors";
constexpr char kKeptArray[] = "training/kept";

}  // namespace

void Training::Save(SaveReason reason) {
  if (!callbacks_.save) return;
  if (fingerprint_.is_null()) fingerprint_ = Fingerprint(catalog_, sessions_);
  const bool in_epoch = progress_.minibatch > 0;
  // Between epochs the last good parameters are those of the network itself.
  const bool saves_kept = kept_epoch_ > 0 && (in_epoch || best_recall_ >= 0);
  const MiniBatchIterator::State cursors = batches_.Save();
  CheckpointContent content;
  content.header[kHeaderKey] = {{"options", ordered_json::parse(ToJson(options_))},
                                {"data", fingerprint_},
                                {"random_seed", HexOf(seed_)},
                                {"validates", callbacks_.validate != nullptr},
                                {"epoch", progress_.epoch},
                                {"minibatch", progress_.minibatch},
                                {"step", result_.steps},
                                {"targets", progress_.targets},
                                {"loss_sum", BitsOf(loss_sum_)},
                                {"seconds", progress_.seconds},
                                {"next_session", cursors.next_session},
                                {"kept_epoch", saves_kept ? kept_epoch_ : 0},
                                {"best_recall", BitsOf(best_recall_)},
                                {"epochs_since_best", epochs_since_best_},
                                {"epochs", ToJson(result_.epochs)}};
  for (const StateArray& array : network_.State()) {
    content.arrays.push_back({kNetworkArrays + array.name, array.data, array.bytes});
  }
  if (in_epoch) {
    content.arrays.push_back(
        {kCursorArray, cursors.slots.data(), cursors.slots.size() * sizeof(cursors.slots[0])});
  }
  if (saves_kept) {
    content.arrays.push_back({kKeptArray, kept_.block(), kept_.block_floats() * sizeof(float)});
  }
  callbacks_.save(std::move(content), result_.steps, reason);
}

// Every value is checked before it is used: the checksums of a file say nothing about who wrote it.
void Training::Load(const Checkpoint& checkpoint) try {
  const ordered_json& saved = checkpoint.header().at(kHeaderKey);
  CheckOptions(saved.at("options"), ordered_json::parse(ToJson(options_)));
  fingerprint_ = Fingerprint(catalog_, sessions_);
  const std::string difference = DataDifference("the log", saved.at("data"), fingerprint_);
  if (!difference.empty()) throw std::runtime_error(difference);
  if (saved.at("random_seed") != HexOf(seed_)) {
    throw std::runtime_error("its random numbers are those of a run that started elsewhere");
  }
  if (saved.at("validates").get<bool>() != (callbacks_.validate != nullptr)) {
    throw std::runtime_error("one of checkpoint and run has a validation, the other has not");
  }
  progress_.epoch = saved.at("epoch").get<size_t>();
  progress_.minibatch = saved.at("minibatch").get<uint64_t>();
  progress_.targets = saved.at("targets").get<uint64_t>();
  progress_.seconds = seconds_before_ = saved.at("seconds").get<double>();
  loss_sum_ = DoubleOf(saved.at("loss_sum"));
  if (progress_.targets > 0) progress_.loss = loss_sum_ / static_cast<double>(progress_.targets);
  result_.steps = saved.at("step").get<uint64_t>();
  result_.epochs = EpochsFromJson(saved.at("epochs"));
  kept_epoch_ = saved.at("kept_epoch").get<size_t>();
  best_recall_ = DoubleOf(saved.at("best_recall"));
  epochs_since_best_ = saved.at("epochs_since_best").get<size_t>();
  const size_t done = result_.epochs.size();
  const size_t needed = done + (progress_.minibatch > 0 ? 1 : 0);
  if (needed > options_.epochs) {
    throw std::runtime_error("--epochs: " + std::to_string(options_.epochs) +
                             ", but the checkpoint is beyond them, in epoch " +
                             std::to_string(needed));
  }
  if (progress_.epoch != done + 1 || kept_epoch_ > done || epochs_since_best_ > done ||
      (best_recall_ >= 0) > (kept_epoch_ > 0)) {
    throw std::runtime_error("damaged checkpoint: its counts of epochs contradict each other");
  }
  for (const StateArray& array : network_.State()) {
    checkpoint.Read(kNetworkArrays + array.name, array.data, array.bytes);
  }
  if (kept_epoch_ > 0) {
    kept_ = Parameters(network_.parameters().shape);
    checkpoint.Read(kKeptArray, kept_.block(), kept_.block_floats() * sizeof(float));
    CheckKept();
  }
  if (best_recall_ < 0) result_.best_epoch = done;
  if (progress_.minibatch > 0) {
    LoadCursors(checkpoint, saved);
  } else if (best_recall_ < 0 && done > 0) {
    KeepLastGood(network_.Exported());
    CheckKept();
  }
} catch (const nlohmann::json::exception& e) {
  checkpoint.Fail(std::string("damaged checkpoint: header: ") + e.what());
} catch (const std::runtime_error& e) {
  const std::string message = e.what();
  const bool says_path = message.compare(0, checkpoint.path().size(), checkpoint.path()) == 0;
  if (says_path) throw;
  checkpoint.Fail(message);
}

// An epoch ends with good weights only.
void Training::CheckKept() const {
  if (AllGood(kept_)) return;
  throw std::runtime_error("damaged checkpoint: weights of epoch " + std::to_string(kept_epoch_) +
                           " are not finite or beyond 1e15");
}

void Training::LoadCursors(const Checkpoint& checkpoint, const ordered_json& saved) {
  static_assert(std::has_unique_object_representations_v<MiniBatchIterator::Slot>);
  MiniBatchIterator::State cursors;
  cursors.next_session = saved.at("next_session").get<uint64_t>();
  const size_t bytes = checkpoint.Bytes(kCursorArray);
  if (bytes > options_.batch_size * sizeof(cursors.slots[0])) {
    throw std::runtime_error("damaged checkpoint: more rows than a mini-batch has");
  }
  cursors.slots.resize(bytes / sizeof(cursors.slots[0]));
  checkpoint.Read(kCursorArray, cursors.slots.data(),
                  cursors.slots.size() * sizeof(cursors.slots[0]));
  order_ = EpochOrder(sessions_, options_.session_order, seed_, progress_.epoch);
  batches_.Restart(order_);
  batches_.Load(cursors);
}

void CheckOptions(const ordered_json& saved, const ordered_json& now) {
  const bool looks_ahead = now.value("schedule", "") == Name(Schedule::kCosine);
  const std::string differences = OptionDifferences(saved, now, looks_ahead ? "" : "epochs");
  if (!differences.empty()) throw std::runtime_error(differences);
}

}  // namespace stint
