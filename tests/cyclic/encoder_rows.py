"""The encoders of `geoembed.cyclic` in the table of tests/test_conformance.py."""

from typing import Any

import numpy as np

from geoembed import cyclic
from tests.encoder_row import KEY, Encoder


def drawn(low: Any, high: Any, count: int = 24) -> list[np.ndarray]:
    """Numbers, or points where the bounds are vectors, spread evenly at random."""
    low, high = np.asarray(low, float), np.asarray(high, float)
    return list(np.random.default_rng(0).uniform(low[None], high[None], (count, *low.shape)))


def turns_feared(*periods: float) -> list[np.ndarray]:
    """Whole, half, quarter and eighth turns, and points far away, along every coordinate at once."""
    lengths = np.array(periods) if len(periods) > 1 else np.array(periods[0])
    return [turn * lengths for turn in (0.0, 0.125, 0.25, -0.25, 0.5, -0.5, 1.0, -3.0, 1e-30, 1e6)]


def time2vec() -> cyclic.Time2Vec:
    return cyclic.Time2Vec(6, key=KEY, scale=0.5)


def circle_features() -> cyclic.CircleFeatures:
    kernels = cyclic.VonMises(2.0), cyclic.WrappedGaussian(0.2)
    return cyclic.CircleFeatures((24.0, 7.0), kernels, 16, key=KEY)


def periodic_layer() -> cyclic.PeriodicLayer:
    return cyclic.PeriodicLayer((2.7, None), 8, key=KEY, harmonics=2)


ROWS = [
    Encoder(
        "cyclic.Cyclic",
        lambda: cyclic.Cyclic(24.0, 3, origin=6.0, weights=(1.0, 0.5, 0.25)),
        lambda: drawn(6.0, 30.0),
        lambda: turns_feared(24.0),
    ),
    Encoder(
        "cyclic.Torus",
        lambda: cyclic.Torus((24.0, 7.0), 2),
        lambda: drawn([0.0, 0.0], [24.0, 7.0]),
        lambda: turns_feared(24.0, 7.0),
        slow_card=True,
    ),
    Encoder(
        "cyclic.CyclicSpline",
        lambda: cyclic.CyclicSpline(24.0, 12),
        lambda: [
            *drawn(0.0, 24.0),
            *np.arange(0.0, 24.0, 2.0),
        ],  # with the knots: there a jump is to be feared
        lambda: turns_feared(24.0),
        slow_card=True,
    ),
    Encoder(
        "cyclic.CircleFeatures",
        circle_features,
        lambda: drawn([0.0, 0.0], [24.0, 7.0]),
        lambda: turns_feared(24.0, 7.0),
        slow_card=True,
    ),
    Encoder("cyclic.Time2Vec", time2vec, lambda: drawn(-4.0, 4.0), lambda: turns_feared(1.0)),
    Encoder(
        "cyclic.PeriodicLayer",
        periodic_layer,
        lambda: drawn([-2.7, -1.0], [2.7, 1.0]),
        lambda: turns_feared(2.7, 1.0),
    ),
]
