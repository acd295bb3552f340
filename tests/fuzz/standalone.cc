// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// A fuzz target without libFuzzer: runs every seed as it is, and then as many random changes of
// seeds as the first argument says, the same ones each time. Ends by abort() at the first finding.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz.h"
#include "trainer/random.h"

namespace stint::fuzz {
namespace {

class Mutator {
 public:
  explicit Mutator(const std::vector<std::string>& seeds) : seeds_(seeds), random_(29, 1) {}

  std::string Next() {
    std::string text = seeds_[Below(seeds_.size())];
    const size_t changes = 1 + Below(4);
    for (size_t c = 0; c < changes && !text.empty(); ++c) Change(&text);
    return text;
  }

 private:
  size_t Below(size_t limit) { return static_cast<size_t>(random_.Bits(draw_++) % limit); }

  void Change(std::string* text) {
    const size_t at = Below(text->size());
    switch (Below(7)) {
      case 0:  // a bit
        (*text)[at] = static_cast<char>((*text)[at] ^ (1 << Below(8)));
        break;
      case 1:  // a byte
        (*text)[at] = static_cast<char>(Below(256));
        break;
      case 2:  // cut off
        text->resize(at);
        break;
      case 3:  // some bytes left out
        text->erase(at, 1 + Below(8));
        break;
      case 4:  // what means something to one of the readers
        text->insert(at, Word());
        break;
      case 5: {  // a piece said twice
        const std::string piece = text->substr(at, 1 + Below(40));
        text->insert(Below(text->size()), piece);
        break;
      }
      case 6: {  // a piece of another seed
        const std::string& other = seeds_[Below(seeds_.size())];
        if (!other.empty()) text->replace(at, Below(20), other, Below(other.size()), Below(40));
        break;
      }
    }
  }

  std::string Word() {
    static constexpr const char* kWords[] = {"\t",    ",",
                                             "\"",    "\n",
                                             "\r\n",  "\xef\xbb\xbf",
                                             "-",     "0",
                                             "1e400", "-1e9",
                                             ".5",    "null",
                                             "true",  "[[[[",
                                             "{}",    "9223372036854775808",
                                             "\xff",  "=",
                                             "/",     "1e-300",
                                             ";",     "'",
                                             "nan",   "inf",
                                             "\\u0",  "18446744073709551615",
                                             " ",     ":",
                                             "[0,0]"};
    return kWords[Below(std::size(kWords))];
  }

  const std::vector<std::string>& seeds_;
  const RandomCounter random_;
  uint64_t draw_ = 0;
};

// Each input in memory of its own, so that sanitizers see a read beyond it.
void RunOne(const std::string& text) {
  const std::vector<uint8_t> copy(text.begin(), text.end());
  LLVMFuzzerTestOneInput(copy.data(), copy.size());
}

int Main(size_t changes) {
  const std::vector<std::string> seeds = Seeds();
  Require(!seeds.empty(), "there are seeds");
  for (const std::string& seed : seeds) RunOne(seed);
  Mutator mutator(seeds);
  for (size_t i = 0; i < changes; ++i) RunOne(mutator.Next());
  RunOne("");
  std::printf("%zu seeds, %zu changes\n", seeds.size(), changes);
  return 0;
}

}  // namespace
}  // namespace stint::fuzz

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: %s CHANGES\n", arguments[0]);
    return 2;
  }
  return stint::fuzz::Main(std::strtoull(arguments[1], nullptr, 10));
}
