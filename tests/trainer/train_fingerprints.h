// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A small log and a set of options -> one line that tells by its hashes whether training gave
// the same bits as on another machine, SIMD target or number of threads.
#ifndef STINT_TESTS_TRAINER_TRAIN_FINGERPRINTS_H_
#define STINT_TESTS_TRAINER_TRAIN_FINGERPRINTS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "trainer/options.h"
#include "trainer/sessions.h"

namespace stint {

struct FingerprintCase {
  std::string name;  // without spaces
  Options options;
  bool one_epoch = false;  // it costs as much as all the others
};

// Every loss, optimizer, embedding, GRU form, source of negatives and extra at least once.
std::vector<FingerprintCase> FingerprintCases();

struct FingerprintLog {
  std::string name;  // first word of its lines
  size_t epochs = 0;
  Events events;
};

// "synthetic", and "golden" (train.tsv) unless `golden_dir` is empty. Each goes through about 100
// to 160 mini-batches a case. Throws std::runtime_error if the file cannot be read.
std::vector<FingerprintLog> FingerprintLogs(const std::string& golden_dir);

// "LOG CASE steps N loss HEX losses HASH parameters HASH int8 HASH f32 HASH": mini-batches, loss of
// the last epoch, and XXH3 (64 bits) of the losses of all epochs, of the exported parameters
// without padding, and of whole model files with self-tests. Throws std::runtime_error if training
// diverged: a comparison of start values would show nothing.
std::string Fingerprint(const FingerprintLog& log, const FingerprintCase& what, size_t threads);

}  // namespace stint

#endif  // STINT_TESTS_TRAINER_TRAIN_FINGERPRINTS_H_
