// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Options and size of a log -> the memory that a training run will need, before it starts.
#ifndef STINT_TRAINER_MEMORY_H_
#define STINT_TRAINER_MEMORY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/events.h"
#include "trainer/options.h"
#include "trainer/parameters.h"

namespace stint {

// What a run needs to know besides its options.
struct MemoryInput {
  uint64_t events = 0;
  uint64_t sessions = 0;
  uint64_t items = 0;
  uint64_t session_id_bytes = 0;
  uint64_t item_id_bytes = 0;
  bool validates = false;  // after every epoch: the model of it is made and evaluated
  bool refits = false;     // trains anew on all sessions at the end, and so keeps the events
  DType dtype = DType::kInt8;
  Scoring scoring = Scoring::kScan;
  uint64_t warm_start_bytes = 0;  // weights of the model to start from, there until the end

  // The counts of a log that was read; an upper bound where a part of it validates.
  static MemoryInput Of(const Events& events);
  // The same in the middle of reading, for the whole log if its share is known. Of items there are
  // those seen so far: more of them are hard to foretell.
  static MemoryInput Of(const ReadProgress& progress);
};

struct MemoryPart {
  std::string name;
  uint64_t bytes = 0;
};

// A stretch of the run and what it holds at its peak.
struct MemoryPhase {
  std::string name;
  std::vector<MemoryPart> parts;

  uint64_t Bytes() const;
};

struct MemoryEstimate {
  std::vector<MemoryPhase> phases;  // "reading", "sessions", "training", "export", as they come

  // The phase that needs most, and what it needs.
  const MemoryPhase& Peak() const;
  uint64_t Bytes() const { return Peak().Bytes(); }
  // "1.3 GiB at the peak, in training: weights 512 MiB, optimizer 512 MiB, ...", one line, parts
  // by size, those below a hundredth left out.
  std::string ToString() const;
};

// Resident memory of a run of `stint train`, all of the process, within a fifth or so. What
// threads need for their stacks is not counted, nor are checkpoints: they are written from where
// the arrays lie.
MemoryEstimate EstimateMemory(const Options& options, const MemoryInput& input);

// Bytes of Parameters of that shape.
uint64_t ParameterBytes(const NetworkShape& shape);

}  // namespace stint

#endif  // STINT_TRAINER_MEMORY_H_
