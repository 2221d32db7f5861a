import cmath
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoembed import check
from geoembed.cyclic import decode, difference, distance, encode, interpolate, mean

turns = st.floats(-5, 5, width=32)


def test_midnight(precision):
    """Two minutes are two minutes, across midnight too: 2 sin(2π/1440)."""
    late, early, zero, two = encode(np.array([1439.0, 1.0, 0.0, 2.0]) / 1440)
    assert late.dtype == precision
    expected = 2 * math.sin(math.pi * 2 / 1440)
    assert round(expected, 7) == 8.7266e-3
    for a, b in ((late, early), (zero, two)):
        assert abs(float(jnp.linalg.norm(a - b)) - expected) < (1e-7 if precision == np.float32 else 1e-15)


def test_the_hours_of_a_day_are_distinct_and_equally_spaced(precision):
    codes = np.asarray(encode(jnp.arange(24, dtype=precision) / 24), np.float64)
    apart = np.linalg.norm(codes[:, None] - codes[None], axis=-1)
    steps = np.linalg.norm(codes - np.roll(codes, 1, axis=0), axis=-1)
    smallest = 2 * math.sin(math.pi / 24)
    assert apart[~np.eye(24, dtype=bool)].min() > smallest - 1e-6
    assert np.ptp(steps) < (5e-7 if precision == np.float32 else 2e-15)


@given(turns)
def test_decode_inverts_encode(u):
    there = decode(encode(jnp.float32(u)))
    assert 0 <= there.turns < 1
    assert abs(difference(there.turns, jnp.float32(u))) < 1e-6
    assert abs(there.confidence - 1) < 1e-6


def test_decode_never_returns_a_whole_turn():
    for sine in (-1e-8, -1e-30, -0.0):
        assert 0 <= decode(jnp.array([sine, 1.0])).turns < 1


def test_confidence_is_the_radius():
    code = (encode(jnp.array(0.1)) + encode(jnp.array(0.2))) / 2
    there = decode(code)
    assert np.isclose(there.turns, 0.15, atol=1e-6)
    assert np.isclose(there.confidence, math.cos(2 * math.pi * 0.05), atol=1e-6)


def test_finite_gradients_at_the_centre(precision):
    items = [
        jnp.zeros(2, precision),
        jnp.asarray([0.0, 1e-30], precision),
        jnp.asarray([0.0, -1.0], precision),
    ]
    check.assert_finite_at(lambda code: tuple(decode(code)), items)


def test_the_gradient_of_decode_is_right():
    items = [jnp.array([0.3, -0.4]), jnp.array([-1.0, 0.2]), jnp.array([0.01, 0.02])]
    check.assert_gradient_matches(lambda code: tuple(decode(code)), items, key=jax.random.key(0))


def test_missing_values_are_the_centre_and_carry_no_gradient():
    u, present = jnp.array([0.25, jnp.nan, jnp.inf]), jnp.array([True, False, False])
    assert encode(u, present).tolist() == [[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
    slope = jax.jit(jax.jacrev(lambda u: encode(u, present)))(u)
    assert np.isfinite(slope).all()
    assert np.abs(slope[1:]).max() == 0
    assert decode(encode(u, present)).confidence.tolist() == [1.0, 0.0, 0.0]


@given(turns, turns)
def test_differences_and_distances_against_angles(a, b):
    expected = cmath.phase(cmath.exp(2j * math.pi * (a - b))) / (2 * math.pi)
    got = float(difference(jnp.float32(a), jnp.float32(b)))
    assert min(abs(got - expected), 1 - abs(got - expected)) < 1e-6
    assert abs(got) <= 0.5
    assert float(distance(jnp.float32(a), jnp.float32(b))) == abs(got)


@given(turns, turns, turns)
def test_distance_is_a_metric(a, b, c):
    a, b, c = (jnp.float32(v) for v in (a, b, c))
    assert distance(a, a) == 0
    assert distance(a, b) == distance(b, a)
    assert distance(a, c) <= distance(a, b) + distance(b, c) + 1e-6


def test_distances_of_huge_phases_keep_their_digits():
    with jax.enable_x64(True):
        a, b = jnp.asarray(2.0**40 + 0.125), jnp.asarray(-(2.0**41) + 0.0625)
        assert difference(a, b) == 0.0625


def test_distance_has_a_gradient_at_its_kinks(precision):
    pairs = [(0.2, 0.2), (0.0, 0.5), (0.25, 0.75), (0.3, 0.1)]
    check.assert_finite_at(distance, [tuple(jnp.asarray(v, precision) for v in pair) for pair in pairs])


def test_mean_against_complex_numbers(precision):
    rng = np.random.default_rng(0)
    u, w = rng.normal(size=(4, 9)), rng.uniform(size=(4, 9))
    expected = (w * np.exp(2j * np.pi * u)).sum(1) / w.sum(1)
    got = jax.jit(mean)(jnp.asarray(u, precision), jnp.asarray(w, precision))
    tolerance = 1e-6 if precision == np.float32 else 1e-14
    assert np.allclose(
        np.exp(2j * np.pi * np.asarray(got.turns, float)), expected / abs(expected), atol=tolerance * 10
    )
    assert np.allclose(got.length, abs(expected), atol=tolerance)
    down = jax.jit(lambda u: mean(u, axis=0))(jnp.asarray(u, precision))
    assert np.allclose(down.length, abs(np.exp(2j * np.pi * u).mean(0)), atol=tolerance)


def test_the_mean_of_opposite_angles_says_that_it_means_nothing():
    there = mean(jnp.array([0.1, 0.6]))
    assert there.length < 1e-6


@pytest.mark.parametrize(
    ("start", "end", "fraction", "expected"),
    [
        (0.9, 0.2, 0.5, 0.05),
        (0.2, 0.9, 0.5, 0.05),
        (0.1, 0.3, 0.25, 0.15),
        (0.9, 0.2, 2.0, 0.5),
        (5.1, 0.3, 0, 0.1),
    ],
)
def test_interpolation_takes_the_shorter_way(precision, start, end, fraction, expected):
    got = interpolate(jnp.asarray(start, precision), jnp.asarray(end, precision), float(fraction))
    assert 0 <= got < 1
    assert abs(got - expected) < 1e-6


def test_a_phase_of_minus_nothing_decodes_below_one():
    assert interpolate(jnp.float32(-1e-9), jnp.float32(-1e-9), 0.5) < 1
