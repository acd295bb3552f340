#!/usr/bin/env python3
# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""Formula -> the float32 coefficients of runtime/math-inl.h (needs mpmath).

tanh: x P(x^2) / Q(x^2) on [0, LIMIT], P of degree 6, Q of degree 3, minimax in the relative
error by Remez exchange (Newton on the alternation equations, then new extrema).
exp:  1 + r + r^2 C(r) on [-ln2/2, ln2/2], C of degree 4, the same way with Q = 1.
Prints the coefficients as hexadecimal floats and the error of the rounded ones in exact
arithmetic; float32 rounding adds the rest of what the header states.
"""

import struct

from mpmath import cos, exp, expm1, ldexp, log, lu_solve, matrix, mp, mpf, pi, tanh

mp.dps = 60
LIMIT = mpf(9)


def poly(coefficients, t):
    """Horner; coefficients from the constant upwards."""
    total = mpf(0)
    for c in reversed(coefficients):
        total = total * t + c
    return total


def remez(lo, hi, basis, target, n_p, n_q):
    """min max |p/q / target - 1|; basis(x) -> (factor, t), p/q = factor P(t) / Q(t), q0 = 1.

    `target(x)` is the value over everything that multiplies P / Q, so P / Q ~ target.
    """
    count = n_p + n_q + 1  # unknowns: n_p of P, n_q of Q without q0, the error
    nodes = [(lo + hi) / 2 + (hi - lo) / 2 * cos(pi * (count - 1 - i) / (count - 1))
             for i in range(count)]
    p, q, error = [mpf(0)] * n_p, [mpf(1)] + [mpf(0)] * n_q, mpf(0)
    for _ in range(30):
        for _ in range(40):  # error fixed on the right-hand side, solved again until it settles
            a, b = matrix(count, count), matrix(count, 1)
            for i, x in enumerate(nodes):
                t, f, sign = basis(x), target(x), (-1) ** i
                for j in range(n_p):
                    a[i, j] = t**j
                g = f * (1 + sign * error)
                for j in range(1, n_q + 1):
                    a[i, n_p + j - 1] = -g * t**j
                # d/d(error) of f (1 + sign error) Q(t), linearized around the last Q and error.
                a[i, count - 1] = -sign * f * poly(q, t)
                b[i] = g - sign * f * poly(q, t) * error
            s = lu_solve(a, b)
            p, q = [s[j] for j in range(n_p)], [mpf(1)] + [s[n_p + j] for j in range(n_q)]
            change, error = abs(s[count - 1] - error), s[count - 1]
            if change < abs(error) * mpf(10) ** -12:
                break
        # New nodes: the extremum of every run of one sign on a dense Chebyshev-like grid.
        grid = [(lo + hi) / 2 - (hi - lo) / 2 * cos(pi * i / 3000) for i in range(3001)]
        e = [poly(p, basis(x)) / poly(q, basis(x)) / target(x) - 1 for x in grid]
        runs = []
        for i, value in enumerate(e):
            if runs and (e[runs[-1]] > 0) == (value > 0):
                if abs(value) > abs(e[runs[-1]]):
                    runs[-1] = i
            else:
                runs.append(i)
        while len(runs) > count:  # drop the smaller end
            runs.pop(0 if abs(e[runs[0]]) < abs(e[runs[-1]]) else -1)
        if len(runs) < count:
            raise SystemExit("fit lost its alternation: change LIMIT or the degrees")
        nodes = [grid[i] for i in runs]
        top = max(abs(e[i]) for i in runs)
        if top < abs(error) * (1 + mpf(10) ** -4):
            break
    return p, q, abs(error)


def f32(x):
    return struct.unpack("<f", struct.pack("<f", float(x)))[0]


def hexfloat(x):
    return f32(x).hex().replace("0000000p", "p") + "f"


def show(name, coefficients):
    print(f"{name}: " + ", ".join(hexfloat(c) for c in coefficients))


def main():
    p, q, error = remez(mpf(10) ** -3, LIMIT, lambda x: x * x, lambda x: tanh(x) / x, 7, 3)
    show("tanh P", p)
    show("tanh Q", q)
    p32, q32 = [mpf(f32(c)) for c in p], [mpf(f32(c)) for c in q]
    xs = [LIMIT * i / 4000 for i in range(1, 4001)]
    worst = max(abs(x * poly(p32, x * x) / poly(q32, x * x) - tanh(x)) for x in xs)
    print(f"tanh: fit {float(error):.3g} relative,"
          f" rounded coefficients {float(worst):.3g} absolute;"
          f" 1 - tanh(limit) = {float(1 - tanh(LIMIT)):.3g}")

    half = log(2) / 2
    c, _, error = remez(-half, half, lambda r: r,
                        lambda r: (expm1(r) - r) / r**2 if abs(r) > mpf(10) ** -12 else mpf(1) / 2,
                        5, 0)
    show("exp C", c)
    c32 = [mpf(f32(v)) for v in c]
    rs = [-half + 2 * half * i / 4001 for i in range(4002)]
    worst = max(abs((1 + r + r * r * poly(c32, r)) / exp(r) - 1) for r in rs)
    high = ldexp(mpf(int(ldexp(log(2), 15))), -15)  # 15 bits: times n < 2^8 it is exact
    print(f"exp: rounded coefficients {float(worst):.3g} relative")
    show("ln2 high, low; log2(e)", [high, log(2) - high, 1 / log(2)])


if __name__ == "__main__":
    main()
