"""Splines of any degree on one axis with intervals of any length."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

_STEEPEST = 2.1  # ratio of neighbouring intervals; larger ones make splines that are nearly dependent


@dataclass(frozen=True, eq=False)
class SplineAxis:
    """B-splines with `degree` − 1 continuous derivatives.

    On interval i, at the place t ∈ [0, 1] in it, spline `numbers[i, k]` is Σⱼ tables[i, k, j] tʲ.

    Args:
        breaks: The ends of the intervals, ascending.
        degree: Of the polynomials.
        periodic: Whether the splines continue from the last interval into the first.

    References:
        C. de Boor, J. Approx. Theory 6 (1972) 50: the recursion.
    """

    breaks: Float[np.ndarray, " b"]
    degree: int
    periodic: bool

    @property
    def intervals(self) -> int:
        """How many intervals there are."""
        return len(self.breaks) - 1

    @property
    def count(self) -> int:
        """How many splines there are."""
        return self.intervals if self.periodic else self.intervals + self.degree

    @cached_property
    def widths(self) -> Float[np.ndarray, " i"]:
        """The lengths of the intervals."""
        return np.diff(self.breaks)

    @cached_property
    def numbers(self) -> Int[np.ndarray, "i k"]:
        """The numbers of the splines that live on each interval."""
        return (np.arange(self.intervals)[:, None] + np.arange(self.degree + 1)[None]) % self.count

    @cached_property
    def tables(self) -> Float[np.ndarray, "i k k"]:
        """Their polynomials."""
        number, knots = np.arange(self.intervals), self._knots
        lower, width = self.breaks[:-1], self.widths
        found = np.ones((self.intervals, 1, 1))
        for degree in range(1, self.degree + 1):
            raised = np.zeros((self.intervals, degree + 1, degree + 1))
            for k in range(degree):
                start = number + self.degree - degree + 1 + k
                span = knots[start + degree] - knots[start]
                # (x − start)/span, as a polynomial of t, belongs to the next spline, the rest to this one.
                rise = np.zeros((self.intervals, degree + 1))
                rise[:, :-1] += ((lower - knots[start]) / span)[:, None] * found[:, k]
                rise[:, 1:] += (width / span)[:, None] * found[:, k]
                raised[:, k + 1] += rise
                raised[:, k] -= rise
                raised[:, k, :-1] += found[:, k]
            found = raised
        return found

    @property
    def _knots(self) -> Float[np.ndarray, " k"]:
        breaks, degree = self.breaks, self.degree
        if not self.periodic:
            return np.concatenate([np.repeat(breaks[0], degree), breaks, np.repeat(breaks[-1], degree)])
        rounds = degree // self.intervals + 2
        period = breaks[-1] - breaks[0]
        many = np.concatenate([breaks[:-1] + turn * period for turn in range(-rounds, rounds + 1)])
        first = rounds * self.intervals - degree
        return many[first : first + self.intervals + 2 * degree + 1]

    @property
    def greville(self) -> Float[np.ndarray, " count"]:
        """The places at which the coefficients of a straight line are its values."""
        inner = 1 + np.arange(self.count)[:, None] + np.arange(self.degree)
        return self._knots[inner].mean(axis=1)

    def find(self, x: Float[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
        """The interval of each place; the first or the last one of places outside."""
        return np.clip(np.searchsorted(self.breaks, x, side="right") - 1, 0, self.intervals - 1)

    def basis(self, x: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n count"]:
        """The values of all splines at places between the first and the last break."""
        cell = self.find(x)
        place = (x - self.breaks[cell]) / self.widths[cell]
        local = np.einsum("nkj,nj->nk", self.tables[cell], place[:, None] ** np.arange(self.degree + 1))
        found = np.zeros((len(x), self.count))
        np.add.at(found, (np.arange(len(x))[:, None], self.numbers[cell]), local)
        return found

    def lift(self, finer: "SplineAxis") -> Float[np.ndarray, "finer count"]:
        """The matrix from coefficients here to those of the same function on an axis that divides the intervals.

        On an axis with other intervals, to those of the nearest function.
        """
        inner = (np.arange(self.degree + 2) + 0.5) / (self.degree + 2)
        places = (finer.breaks[:-1, None] + finer.widths[:, None] * inner).ravel()
        return np.linalg.lstsq(finer.basis(places), self.basis(places), rcond=None)[0]

    def halved(self, marked: Bool[np.ndarray, " i"]) -> "SplineAxis":
        """The axis with marked intervals cut in half, and others so that neighbours have similar lengths."""
        marked = marked.copy()
        while True:
            width = self.widths / np.where(marked, 2, 1)
            steep = np.zeros_like(marked)
            steep[1:] |= width[1:] > _STEEPEST * width[:-1]
            steep[:-1] |= width[:-1] > _STEEPEST * width[1:]
            if self.periodic and self.intervals > 1:
                steep[0] |= width[0] > _STEEPEST * width[-1]
                steep[-1] |= width[-1] > _STEEPEST * width[0]
            if not np.any(steep & ~marked):
                break
            marked |= steep
        middles = (self.breaks[:-1] + 0.5 * self.widths)[marked]
        return SplineAxis(np.sort(np.concatenate([self.breaks, middles])), self.degree, self.periodic)

    @property
    def highest(self) -> Float[np.ndarray, "i count"]:
        """The matrix from coefficients to the highest derivative on each interval, which is constant there."""
        found = np.zeros((self.intervals, self.count))
        scale = (self.widths**self.degree)[:, None]
        np.add.at(found, (np.arange(self.intervals)[:, None], self.numbers), self.tables[:, :, -1] / scale)
        return found

    def jumps(self, highest: Float[np.ndarray, "i *n"]) -> Float[np.ndarray, "i *n"]:
        """How large the error of splines is on each interval, up to a factor that all intervals share.

        The highest derivative of a spline jumps at the breaks. Where it jumps by J, the derivative after it is about
        J/h, so the error, which is like hᵖ⁺¹ times that derivative, is like hᵖ J. A jump that is nan does not count.
        """
        jump = np.zeros((self.intervals + 1, *highest.shape[1:]))
        jump[1:-1] = np.abs(np.diff(highest, axis=0))
        if self.periodic:
            jump[0] = jump[-1] = np.abs(highest[0] - highest[-1])
        scale = (self.widths**self.degree).reshape(-1, *(1,) * (highest.ndim - 1))
        return np.fmax(jump[:-1], jump[1:]) * scale
