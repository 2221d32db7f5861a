"""The encodings that are compared: functions (training column, column, period) → features."""

from collections.abc import Callable

import numpy as np
from sklearn.preprocessing import SplineTransformer

from geoembed.interop.sklearn import CyclicEncoder

Encode = Callable[[np.ndarray, np.ndarray, float], np.ndarray]


def raw(_: np.ndarray, x: np.ndarray, period: float) -> np.ndarray:
    """The number itself, in turns, so that one period has the same length for every encoding."""
    return x / period


def largest_as_period(training: np.ndarray, x: np.ndarray, _: float) -> np.ndarray:
    """The circle with a guessed period: the largest value of the training data."""
    angle = 2 * np.pi * x / training.max()
    return np.hstack([np.sin(angle), np.cos(angle)]) / (2 * np.pi)


def one_hot(_: np.ndarray, x: np.ndarray, period: float) -> np.ndarray:
    """One feature for each hour, or for each twelfth of a year."""
    count = 24 if period == 24 else 12
    return ((x * count // period).astype(int) == np.arange(count)).astype(float)


def splines(knots: int, extrapolation: str) -> Encode:
    """scikit-learn's cubic B-splines."""

    def encode(training: np.ndarray, x: np.ndarray, period: float) -> np.ndarray:
        at = np.linspace(0, period, knots + 1)[:, None]
        return SplineTransformer(knots=at, extrapolation=extrapolation).fit(training).transform(x)

    return encode


def circle(harmonics: int) -> Encode:
    """This library's harmonics; an arc of the first has the length of the raw number."""

    def encode(_: np.ndarray, x: np.ndarray, period: float) -> np.ndarray:
        return CyclicEncoder(period, harmonics=harmonics).fit_transform(x) / (2 * np.pi)

    return encode


def cyclic_splines(knots: int) -> Encode:
    """This library's periodic cubic B-splines."""

    def encode(_: np.ndarray, x: np.ndarray, period: float) -> np.ndarray:
        return CyclicEncoder(period, kind="spline", knots=knots).fit_transform(x)

    return encode


def encodings(harmonics: list[int], knots: int) -> dict[str, Encode]:
    """Name of each encoding → its function."""
    circles = {f"circle, {n} harmonics" if n > 1 else "circle": circle(n) for n in harmonics}
    return {
        "raw": raw,
        "largest value as period": largest_as_period,
        "one-hot": one_hot,
        "splines, not periodic": splines(knots, "linear"),
        "splines, scikit-learn's periodic": splines(knots, "periodic"),
        "splines, periodic": cyclic_splines(knots),
        **circles,
    }
