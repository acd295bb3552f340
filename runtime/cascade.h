// Copyright 2026 The stint authors.
// SPDX-License-Identifier: Apache-2.0

// Hidden state -> the exact top-k in less than one read of the item rows.
//
// A scan of 4-bit codes gives every item an upper bound of its score. Items whose bound reaches the
// k-th best score that is certain so far are scored from their int8 rows; where the model is its
// float rows, those of them that can still win are scored from these. Nothing is approximate: an
// item is left out only when k others are proven to be better.
//
// The bound. x: the vector, as the model takes it (float hidden state, or step * q of int8 models);
// w_i, b_i: row and bias of item i; m: the mean row; U: the projection [M, H], nearly orthonormal,
// |U U^T - 1| <= skew. At export c_i = U (w_i - m), its codes stand for the vector C_i, and the
// tail is t_i = w_i - m - U^T c_i. For a = U x and any vector A (here: a in 8 bits),
//   <w_i, x> + b_i = <m, x> + b_i + <C_i, A> + <C_i, a - A> + <c_i - C_i, a> + <t_i, x>.
// Split x = U^T a + p: <t_i, x> = <U t_i, a> + <t_i, p>, where U t_i = (1 - U U^T) c_i is at most
// skew |c_i|. By Cauchy-Schwarz, with rho_i >= |c_i - C_i| + skew |c_i| + kappa |C_i| and
// tau_i >= |t_i|, and for any R that is neither below |a| nor below |a - A| / kappa,
//   <w_i, x> + b_i <= <m, x> + b_i + <C_i, A> + rho_i R + tau_i |p|,
//   |p|^2 = |x|^2 - 2 |a|^2 + <a, U U^T a> <= |x|^2 - (1 - skew) |a|^2.
// kappa is chosen at export so that R is |a| for most vectors. With A = s q,
// <C_i, A> = step_i s (sum_j code_j q_j - 7.5 sum_j q_j): a whole number below 2^23 (q is made to
// have an even sum) times s and the step. The scan compares bounds divided by s.
//
// A row whose rho or tau does not fit the bytes of the others has the largest bias there is: it is
// always a candidate.
//
// Rounding. u = 2^-24, gamma_n = n u / (1 - n u) bounds the relative error of n operations
// (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1).
// - The product [a; <m, x>] is a float sum of H products and a bias of 0: each value is off by at
//   most gamma_(H + 2) |row| |x|, rounding of x to floats (int8 models) included, and H 2^-126
//   where products are not normal floats. So the true a is within (gamma_(H + 2) |x| + H 2^-126)
//   sqrt(M (1 + skew)) of the computed one: |a - A| and |a| are enlarged, and the |a| in |p| is
//   lessened by that. Of int8 models the |x| of rounded floats is enlarged by 2 u.
// - Norms are sums in double of at most 2^15 terms, relative error below 2^-37: enlarged by 2^-30.
// - The bytes of rho and tau are rounded up at export, their factors here, in whole levels.
// - The bound itself is bias / s + base, + radius, + step * sum, each a product and a sum of
// floats:
//   with 1 / s, s and base rounded too no more than gamma_10 times the sum of the magnitudes of its
//   terms. The score that it bounds is rounded as well: by gamma_4 of the same magnitudes (int8:
//   three operations after an exact sum; float rows: double, then one). The slack is 2^-19 = 32 u
//   of a bound of these magnitudes; the threshold is lowered by 2^-21, which covers the rounding of
//   1 / s.
// - 1e-28 (1 + |x|) is for numbers that are not normal floats, which a host may have told the
//   processor to take for zero. The largest: an int8 score, a sum below 2^31 times scale * step,
//   loses 2^-95 with that product; a bound loses 2^-102 s with a row's step, and s < |x| / 100.
// The same of a candidate row of a float-row model: <w_i, x> = <W_i, X> + <W_i, x - X> + <w_i -
// W_i, x> with its int8 row W_i, X = step * q of 16 bits: radius = |W_i| |x - X| + residual_i |x|,
// and |W_i| <= 127 scale_i sqrt(H).
#ifndef STINT_RUNTIME_CASCADE_H_
#define STINT_RUNTIME_CASCADE_H_

#include <cstddef>
#include <cstdint>

#include "runtime/cascade_kernels.h"
#include "runtime/scan.h"
#include "runtime/session.h"
#include "runtime/status.h"

namespace stint {

// Fills session->keys with the best `keep` keys, or all if there are fewer, best first, and writes
// their number. False, with nothing found, where too few items can be ruled out: then a plain scan
// is the quicker way. The model has a cascade; session->observed > 0.
bool CascadeTopK(const Filter& filter, size_t keep, SessionState* session,
                 size_t* count) STINT_NONBLOCKING;

// What the bounds of the session's hidden state are made of; it points into the session. False if
// there are none. For tests: a bound is not below its item's score times bias_unit, but for 2^-21.
bool PrepareBounds(SessionState* session, BoundScan* scan);

}  // namespace stint

#endif  // STINT_RUNTIME_CASCADE_H_
