// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Doubles -> their logarithms, powers, sines, by IEEE + - * / and square root alone: the same bits
// on every machine, where those of libm may differ in the last place.
#ifndef STINT_TRAINER_EXACT_MATH_H_
#define STINT_TRAINER_EXACT_MATH_H_

namespace stint {

// Relative errors are below 1e-15 for all finite arguments where not said otherwise, measured
// against libm in long double. NaN gives NaN.

// Natural and binary logarithm: of 0 -infinity, of negative numbers NaN. Log2 of a power of two is
// exact.
double Log(double x);
double Log2(double x);

// e^x and 2^x, also where that is subnormal (then to its last place). 2^x is exact for integers.
double Exp(double x);
double Exp2(double x);

// x^y for x >= 0; NaN for x < 0. Exact (correctly rounded) for y = 0, 0.5, 1, 2 and -1. The error
// grows with |y|: below 1e-15 * max(1, |y|).
double Pow(double x, double y);

// sin(pi x) and cos(pi x); exact where the result is 0, 1 or -1. NaN for infinities.
double SinPi(double x);
double CosPi(double x);

// A sum of two doubles that stands for 106 bits, |low| at most half a unit in the last place of
// high.
struct TwoDoubles {
  double high = 0;
  double low = 0;
};
// Relative errors below 2^-100, away from overflow and underflow.
TwoDoubles Add(TwoDoubles sum, double term);  // both of one sign
TwoDoubles Divide(TwoDoubles x, TwoDoubles by);

}  // namespace stint

#endif  // STINT_TRAINER_EXACT_MATH_H_
