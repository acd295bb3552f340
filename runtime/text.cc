// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Values -> bounded text.
#include "runtime/text.h"

#include <cassert>
#include <cstdint>
#include <cstring>

namespace stint {
namespace {

class Writer {
 public:
  Writer(char* text, size_t size) : text_(text), room_(size - 1) {}

  void Put(char c) {
    if (used_ < room_) text_[used_++] = c;
  }
  void PutAll(const char* from, size_t most) {
    for (; most > 0 && *from; --most) Put(*from++);
  }
  void PutZeros(int count) {
    for (; count > 0; --count) Put('0');
  }
  void PutNumber(uint64_t number, unsigned base, int width) {
    char digits[20];
    int count = 0;
    do {
      digits[count++] = "0123456789abcdef"[number % base];
      number /= base;
    } while (number > 0);
    PutZeros(width - count);
    while (count > 0) Put(digits[--count]);
  }
  void PutFloat(float value);

  size_t Finish() {
    text_[used_] = '\0';
    return used_;
  }

 private:
  char* const text_;
  const size_t room_;
  size_t used_ = 0;
};

constexpr int kMostDigits = 9;  // tell any two floats apart

// Exact up to 10^22, then within 2^-48 of it.
double PowerOfTen(int exponent) {
  double power = 1;
  for (; exponent > 0; --exponent) power *= 10;
  return power;
}

double Scaled(double value, int shift) {
  return shift >= 0 ? value * PowerOfTen(shift) : value / PowerOfTen(-shift);
}

float FromBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// The shortest number that lies between the middles to both neighbors of the float with these bits,
// which is finite and above zero. Returns its digits, of which the first counts 10^exponent.
// Doubles are good enough: what they may be off by is kept away from the middles.
uint32_t ShortestDigits(uint32_t bits, int* exponent) {
  const double value = double{FromBits(bits)};
  const double below = value - double{FromBits(bits - 1)};
  const float next = FromBits(bits + 1);
  const double above = bits + 1 < 0x7F800000u ? double{next} - value : below;
  int e = 0;
  while (Scaled(value, -e) >= 10) ++e;
  while (Scaled(value, -e) < 1) --e;
  *exponent = e;
  for (int digits = 1;; ++digits) {
    const int shift = digits - 1 - e;
    const uint32_t number = static_cast<uint32_t>(Scaled(value, shift) + 0.5);
    const double off = Scaled(static_cast<double>(number), -shift) - value;
    if (digits < kMostDigits && !(off < 0.4999 * above && off > -0.4999 * below)) continue;
    if (number < static_cast<uint32_t>(PowerOfTen(digits))) return number;
    ++*exponent;  // all nines, rounded up
    return 1;
  }
}

// As std::to_chars: with an exponent where that is shorter.
void Writer::PutFloat(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  if (bits >> 31) Put('-');
  bits &= 0x7FFFFFFFu;
  if (bits == 0) return Put('0');
  if (bits >= 0x7F800000u) return PutAll(bits > 0x7F800000u ? "nan" : "inf", 3);
  int exponent;
  uint32_t number = ShortestDigits(bits, &exponent);
  while (number % 10 == 0) number /= 10;
  char digits[kMostDigits + 1];
  const int count = static_cast<int>(Format(digits, sizeof(digits), "%u", number));
  const int plain = exponent < 0           ? 1 - exponent + count
                    : exponent < count - 1 ? count + 1
                                           : exponent + 1;
  if (plain <= count + (count > 1) + 4) {  // 4: e+12
    PutZeros(exponent < 0 ? 1 : 0);
    for (int i = exponent < 0 ? exponent + 1 : 0; i < count || i <= exponent; ++i) {
      if (i == exponent + 1) Put('.');
      Put(i < 0 || i >= count ? '0' : digits[i]);
    }
    return;
  }
  Put(digits[0]);
  if (count > 1) Put('.');
  PutAll(digits + 1, kMostDigits);
  Put('e');
  Put(exponent < 0 ? '-' : '+');
  PutNumber(static_cast<uint64_t>(exponent < 0 ? -exponent : exponent), 10, 2);
}

}  // namespace

size_t FormatArguments(char* text, size_t size, const char* format, va_list arguments) {
  Writer out(text, size);
  for (; *format; ++format) {
    if (*format != '%') {
      out.Put(*format);
      continue;
    }
    int width = 0;
    size_t most = SIZE_MAX;
    size_t bytes = sizeof(unsigned);
    int longs = 0;
    for (bool done = false; !done;) {
      const char c = *++format;
      done = true;
      if (c == '.') {
        most = 0;
        done = false;
      } else if (c >= '0' && c <= '9') {
        if (most == SIZE_MAX) {
          width = 10 * width + (c - '0');
        } else {
          most = 10 * most + static_cast<size_t>(c - '0');
        }
        done = false;
      } else if (c == 'l' || c == 'z') {
        bytes = c == 'z' ? sizeof(size_t) : ++longs == 2 ? sizeof(uint64_t) : sizeof(long);
        done = false;
      } else if (c == 's') {
        out.PutAll(va_arg(arguments, const char*), most);
      } else if (c == 'g') {
        out.PutFloat(static_cast<float>(va_arg(arguments, double)));
      } else if (c == 'd') {
        const int64_t number = va_arg(arguments, int);
        if (number < 0) out.Put('-');
        out.PutNumber(static_cast<uint64_t>(number < 0 ? -number : number), 10, width);
      } else {
        assert(c == 'u' || c == 'x');
        const uint64_t number =
            bytes == sizeof(uint64_t) ? va_arg(arguments, uint64_t) : va_arg(arguments, unsigned);
        out.PutNumber(number, c == 'x' ? 16 : 10, width);
      }
    }
  }
  return out.Finish();
}

size_t Format(char* text, size_t size, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const size_t length = FormatArguments(text, size, format, arguments);
  va_end(arguments);
  return length;
}

}  // namespace stint
