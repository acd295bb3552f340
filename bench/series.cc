// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

#include "bench/series.h"

#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <exception>
#include <memory>
#include <thread>

#include "bench/read_floor.h"
#include "trainer/aligned_floats.h"

namespace stint::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kLeastAnswers = 10;
constexpr size_t kGoodAnswers = 50;  // of engines that take no more than kPatience times the time
constexpr double kPatience = 6;
constexpr size_t kMostAnswers = 20000;
constexpr size_t kColdAnswers = 30;  // evicting takes longer than they do
constexpr size_t kChecked = 500;     // answers of a caller that are compared with the right ones
constexpr size_t kWarmUp = 5;

double Microseconds(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration<double, std::micro>(end - begin).count();
}

// Walks twice the last-level cache.
class Evictor {
 public:
  Evictor() : buffer_(Size() / sizeof(float)) {}
  void Evict() {
    sum_ += ReadAll(reinterpret_cast<const uint8_t*>(buffer_.data()),
                    buffer_.size() * sizeof(float), 0);
  }
  uint64_t sum() const { return sum_; }

 private:
  static size_t Size() {
    const long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
    const size_t least = size_t{64} << 20, most = size_t{640} << 20;
    return cache <= 0 ? size_t{256} << 20 : std::clamp(2 * static_cast<size_t>(cache), least, most);
  }
  AlignedFloats buffer_;
  uint64_t sum_ = 0;
};

Evictor& TheEvictor() {
  static Evictor evictor;
  return evictor;
}

// What one caller measured.
struct Share {
  std::vector<double> microseconds;  // in the order of the answers
  std::vector<uint32_t> items;       // [checked, k], padded with UINT32_MAX
  std::vector<float> hidden;         // [checked, units]
  size_t checked = 0;
};

// Where caller `c` of `callers` begins: at the start of a session.
size_t FirstClick(const std::vector<Click>& clicks, int c, int callers) {
  size_t click = clicks.size() * static_cast<size_t>(c) / static_cast<size_t>(callers);
  while (click > 0 && !clicks[click].first) --click;
  return click;
}

void Ask(Caller* caller, const Asking& asking, const Workload& work, size_t click, bool warm_up,
         Share* share) {
  const size_t units = work.parameters.width();
  const size_t most = warm_up ? kWarmUp : asking.cold ? kColdAnswers : kMostAnswers;
  const double time = asking.seconds * 1e6;
  double total = 0;
  const auto enough = [&](size_t n) {
    if (n < kLeastAnswers) return false;
    return total >= (n < kGoodAnswers ? kPatience * time : time);
  };
  for (size_t n = 0; n < most && !enough(n); ++n) {
    caller->prepare(click);
    if (asking.cold) TheEvictor().Evict();
    const auto begin = Clock::now();
    caller->answer(click);
    const auto end = Clock::now();
    click = (click + 1) % work.clicks.size();
    if (warm_up) continue;
    total += Microseconds(begin, end);
    share->microseconds.push_back(Microseconds(begin, end));
    if (share->checked < kChecked) {
      std::vector<uint32_t> items = caller->items;
      items.resize(asking.k, UINT32_MAX);
      share->items.insert(share->items.end(), items.begin(), items.end());
      share->hidden.resize((share->checked + 1) * units);
      caller->hidden(share->hidden.data() + share->checked * units);
      ++share->checked;
    }
  }
}

// Runs `body(caller)` on so many threads, which begin at the same time.
template <class Body>
void SideBySide(int callers, const Body& body) {
  if (callers == 1) {
    body(0);
    return;
  }
  std::barrier start(callers);
  std::vector<std::exception_ptr> failures(static_cast<size_t>(callers));
  std::vector<std::thread> threads;
  for (int c = 0; c < callers; ++c) {
    threads.emplace_back([&, c] {
      omp_set_num_threads(1);  // of this thread's calls into libraries
      start.arrive_and_wait();
      try {
        body(c);
      } catch (...) {
        failures[static_cast<size_t>(c)] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

// Times of reading the bytes, by the quickest of the ways to read them.
class Floor {
 public:
  Floor(const Engine& engine, const Asking& asking)
      : asking_(asking), size_(static_cast<size_t>(engine.bytes)), bytes_(engine.data) {
    if (bytes_ == nullptr) {
      own_ = AlignedFloats(size_ / sizeof(float) + 1);
      bytes_ = reinterpret_cast<const uint8_t*>(own_.data());
    }
  }

  void Run(double seconds) {
    std::vector<std::vector<double>> times[std::size(kReadAhead)];
    for (auto& way : times) way.resize(static_cast<size_t>(asking_.callers));
    SideBySide(asking_.callers, [&](int c) {
      const size_t least = asking_.cold ? 4 : 10;
      double total = 0;
      for (size_t n = 0; n < least || (!asking_.cold && total < seconds * 1e6 && n < 5000); ++n) {
        for (size_t way = 0; way < std::size(kReadAhead); ++way) {
          if (asking_.cold) TheEvictor().Evict();
          const auto begin = Clock::now();
          const uint64_t sum = ReadAll(bytes_, size_, kReadAhead[way]);
          const auto end = Clock::now();
          keep_[c % 2] = keep_[c % 2] + sum;
          total += Microseconds(begin, end);
          times[way][static_cast<size_t>(c)].push_back(Microseconds(begin, end));
        }
      }
    });
    for (size_t way = 0; way < std::size(kReadAhead); ++way) {
      for (const auto& of_caller : times[way]) {
        times_[way].insert(times_[way].end(), of_caller.begin(), of_caller.end());
      }
    }
  }

  double Median() {
    double best = 0;
    for (std::vector<double>& way : times_) {
      const auto middle = way.begin() + static_cast<std::ptrdiff_t>(way.size() / 2);
      std::nth_element(way.begin(), middle, way.end());
      best = best == 0 ? *middle : std::min(best, *middle);
    }
    return best;
  }

 private:
  Asking asking_;
  size_t size_;
  const uint8_t* bytes_;
  AlignedFloats own_;
  std::vector<double> times_[std::size(kReadAhead)];
  volatile uint64_t keep_[2] = {};  // so that no read is left out
};

void Compare(const Share& share, uint32_t k, ExactAnswers* exact, Series* series, double* common) {
  const auto right = exact->Of(share.hidden.data(), share.checked);
  for (size_t a = 0; a < share.checked; ++a) {
    const size_t size = std::min<size_t>(k, right[a]->size());
    const uint32_t* items = share.items.data() + a * k;
    size_t same_place = 0, same = 0;
    for (size_t i = 0; i < size; ++i) {
      same_place += items[i] == (*right[a])[i] ? 1 : 0;
      same += std::find(items, items + k, (*right[a])[i]) != items + k ? 1 : 0;
    }
    series->wrong += same_place == size ? 0 : 1;
    *common += static_cast<double>(same) / static_cast<double>(size);
    ++series->checked;
  }
}

}  // namespace

Series Measure(const Engine& engine, const Asking& asking, const Workload& work,
               ExactAnswers* exact) {
  std::vector<std::unique_ptr<Caller>> callers;
  for (int c = 0; c < asking.callers; ++c) callers.push_back(engine.call(asking.k));
  std::vector<Share> shares(callers.size());
  const auto all = [&](bool warm_up) {
    SideBySide(asking.callers, [&](int c) {
      Ask(callers[static_cast<size_t>(c)].get(), asking, work,
          FirstClick(work.clicks, c, asking.callers), warm_up, &shares[static_cast<size_t>(c)]);
    });
  };
  omp_set_num_threads(1);
  Floor floor(engine, asking);
  floor.Run(0.2 * asking.seconds);
  if (!asking.cold) all(true);
  all(false);
  floor.Run(0.2 * asking.seconds);
  omp_set_num_threads(omp_get_num_procs());

  Series series;
  const double sessions = static_cast<double>(engine.sessions);
  series.floor_microseconds = floor.Median() / sessions;
  double common = 0;
  for (Share& share : shares) {
    double total = 0;
    for (double& time : share.microseconds) total += time /= sessions;
    series.answers_per_second += 1e6 * static_cast<double>(share.microseconds.size()) / total;
    series.microseconds.insert(series.microseconds.end(), share.microseconds.begin(),
                               share.microseconds.end());
    if (!engine.is_part) Compare(share, asking.k, exact, &series, &common);
  }
  std::sort(series.microseconds.begin(), series.microseconds.end());
  if (series.checked > 0) series.overlap = common / static_cast<double>(series.checked);
  return series;
}

}  // namespace stint::bench
