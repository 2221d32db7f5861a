"""Coefficients of the polynomial sine in geoembed/cyclic/_sine.py.

    python tools/minimax_sine.py

sin(2πt) ≈ t P(t²) on |t| ≤ 1/4, with P(1/16) = 4 so that the quarter turn gives 1. P has the smallest largest relative
error of all polynomials of its degree (Remez' exchange algorithm, 60 digits). The coefficients are then rounded to the
working precision, and the first of them moves by units in the last place until Horner's rule gives exactly 4 at 1/16.
There every product is by a power of two, so fused and separate multiply-adds agree.

Prints the tables and, for each, the error of the polynomial and the largest error of its evaluation.
Needs mpmath (it comes with sympy).
"""

import mpmath as mp
import numpy as np

mp.mp.dps = 60
QUARTER = mp.mpf(1) / 4


def basis(t: mp.mpf, k: int) -> mp.mpf:
    """t (t² − 1/16) t²ᵏ: it leaves the quarter turn alone."""
    return t * (t * t - mp.mpf(1) / 16) * t ** (2 * k)


def error(t: mp.mpf, q: list[mp.mpf]) -> mp.mpf:
    """Relative error of 4t + Σ q_k basis_k."""
    sine = mp.sinpi(2 * t)
    return (4 * t + sum(c * basis(t, k) for k, c in enumerate(q)) - sine) / sine


def remez(terms: int) -> tuple[list[mp.mpf], mp.mpf]:
    """The `terms` coefficients q with the smallest largest relative error, and that error."""
    grid = [QUARTER * (1 - mp.cos(mp.pi * (i + mp.mpf(1) / 2) / 1000)) / 2 for i in range(1000)]
    points = [QUARTER * (1 - mp.cos(mp.pi * (i + 1) / (terms + 2))) / 2 for i in range(terms + 1)]
    q: list[mp.mpf] = []
    for _ in range(30):
        matrix, right = mp.matrix(terms + 1, terms + 1), mp.matrix(terms + 1, 1)
        for i, t in enumerate(points):
            sine = mp.sinpi(2 * t)
            for k in range(terms):
                matrix[i, k] = basis(t, k) / sine
            matrix[i, terms] = (-1) ** i
            right[i] = (sine - 4 * t) / sine
        solution = mp.lu_solve(matrix, right)
        q, level = list(solution[:terms]), abs(solution[terms])
        errors = [error(t, q) for t in grid]
        points = alternation(grid, errors, terms + 1)
        if max(map(abs, errors)) < level * mp.mpf("1.001"):
            break
    return q, max(map(abs, errors))


def alternation(grid: list[mp.mpf], errors: list[mp.mpf], count: int) -> list[mp.mpf]:
    """The place of the largest error in each run of one sign; the `count` runs with the largest errors in a row."""
    peaks: list[int] = []
    for i, value in enumerate(errors):
        if peaks and mp.sign(errors[peaks[-1]]) == mp.sign(value):
            if abs(value) > abs(errors[peaks[-1]]):
                peaks[-1] = i
        else:
            peaks.append(i)
    while len(peaks) > count:
        peaks.pop(0 if abs(errors[peaks[0]]) < abs(errors[peaks[-1]]) else -1)
    return [grid[i] for i in peaks]


def monomials(q: list[mp.mpf]) -> list[mp.mpf]:
    """P = 4 + (z − 1/16) Q(z) in powers of z."""
    p = [mp.mpf(0)] * (len(q) + 1)
    p[0] = mp.mpf(4)
    for k, c in enumerate(q):
        p[k + 1] += c
        p[k] -= c / 16
    return p


def horner(p: list, z: np.ndarray) -> np.ndarray:
    value = np.full_like(z, p[-1])
    for c in p[-2::-1]:
        value = value * z + c
    return value


def rounded(p: list[mp.mpf], dtype: type) -> list:
    """The coefficients in the working precision, exact at the quarter turn."""
    table = [dtype(mp.nstr(c, 40)) for c in p]
    sixteenth = np.asarray([1 / 16], dtype)
    for step in range(-8, 9):
        first = table[0]
        for _ in range(abs(step)):
            first = np.nextafter(first, dtype(np.sign(step) * np.inf))
        if horner([first, *table[1:]], sixteenth)[0] == 4:
            return [first, *table[1:]]
    raise SystemExit("no first coefficient gives 4 at 1/16")


def evaluated(table: list, dtype: type) -> float:
    """The largest error of t P(t²) in the working precision at 2000 points."""
    t = np.linspace(0, 0.25, 2001).astype(dtype)
    values = t * horner(table, t * t)
    return max(
        float(abs(mp.sinpi(2 * mp.mpf(float(a))) - mp.mpf(float(b)))) for a, b in zip(t, values, strict=True)
    )


def main() -> None:
    for dtype, terms in ((np.float32, 4), (np.float64, 8)):
        q, bound = remez(terms)
        table = rounded(monomials(q), dtype)
        print(f"{dtype.__name__}: relative error of the polynomial {float(bound):.1e}, ", end="")
        print(f"error of its evaluation {evaluated(table, dtype):.1e}")
        print("   ", ", ".join(repr(float(c)) for c in table))


if __name__ == "__main__":
    main()
