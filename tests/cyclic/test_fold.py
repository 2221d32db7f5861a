"""Folding numbers: exact against Python's fractions, never 1, and refused where the phase is already lost."""

from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from geoembed import InputError
from geoembed.cyclic import fold
from geoembed.cyclic._fold import _remainder

LARGEST_BELOW_ONE = np.nextafter(1.0, 0.0)
BOUND = 4e-16  # of a turn, as documented
INT64 = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(-1e9, 1e9, allow_subnormal=False)


def exact(value, period, origin=0):
    """The phase as a fraction; floats are the binary fractions that they are."""
    period = Fraction(period)
    return (Fraction(value) - Fraction(origin)) % period / period


def rounded(phase):
    return min(float(phase), LARGEST_BELOW_ONE)


def gap(turns, phase):
    """How far apart two phases are along the circle."""
    ahead = (Fraction(float(turns)) - phase) % 1
    return float(min(ahead, 1 - ahead))


def test_hours_are_distinct_and_equally_spaced():
    """The whole day is the period: hour 23 is not hour 0."""
    turns = fold(np.arange(24), 24)
    assert len(set(turns)) == 24
    np.testing.assert_allclose(np.diff(np.append(turns, 1 + turns[0])), 1 / 24, rtol=0, atol=2e-16)


def test_midnight_is_no_border():
    """One minute is one minute everywhere on the circle."""
    minutes = fold(np.array([1438, 1439, 1440, 1441]), 1440)
    steps = (minutes[1:] - minutes[:-1]) % 1
    np.testing.assert_allclose(steps, 1 / 1440, rtol=0, atol=3e-16)


@given(st.lists(INT64, min_size=1, max_size=5), st.integers(1, 2**53), INT64)
@example([2**63 - 1, -(2**63)], 1, -(2**63))
@example([2**63 - 1, -(2**63)], 86_400, 2**63 - 1)
def test_integers_are_rounded_once(values, period, origin):
    turns = fold(np.array(values, np.int64), period, origin)
    assert turns.tolist() == [rounded(exact(v, period, origin)) for v in values]


@given(st.integers(0, 2**64 - 1), st.integers(2**53, 2**64 - 1), st.integers(0, 2**64 - 1))
@example(2**64 - 1, 2**64 - 1, 0)
@example(2**63 - 2, 2**63 - 1, 0)
def test_integers_with_long_periods(value, period, origin):
    """Beyond 53 bits the remainder and the period are rounded too."""
    turns = fold(np.array([value], np.uint64), period, origin)[0]
    assert 0 <= turns < 1
    assert gap(turns, exact(value, period, origin)) <= BOUND


@given(INT64, st.floats(1e-3, 1e6), st.sampled_from([0, 0.5, 0.1, -1e-5, 1e20]))
@example(2**53 + 1, 0.1, 0)
@example(3, 24.0, 0.1)
@example(2**62 + 1, 365.2425, 0)
def test_integers_with_periods_and_origins_in_floating_point(value, period, origin):
    turns = fold([value], period, origin)[0]
    assert 0 <= turns < 1
    assert gap(turns, exact(value, period, origin)) <= BOUND


@given(FLOATS, st.floats(1e-2, 1e6), st.one_of(st.just(0), FLOATS, st.integers(-10, 10)))
@example(-1e-20, 24.0, 0)
@example(-5e-324, 1.0, 0)
@example(0.3, 0.1, 0)
@example(1e9, 1e-2, 1e9)
def test_floats_have_an_exact_remainder(value, period, origin):
    turns = fold(np.array([value]), period, origin)[0]
    assert 0 <= turns < 1
    assert gap(turns, exact(value, period, origin)) <= BOUND


@pytest.mark.parametrize("period", [2.3e-308, 1e-300, 1.0, 1.7e308])
@pytest.mark.parametrize("origin", [0, 1.0, -1.6e308])
def test_extreme_periods_stay_in_range(period, origin):
    values = np.array([0.0, -0.0, period / 2, -period / 2, period, -period])
    with np.errstate(all="raise"):
        turns = fold(values, period, origin)
    assert np.all((turns >= 0) & (turns < 1))
    assert not np.any(np.signbit(turns))
    assert max(gap(t, exact(v, period, origin)) for t, v in zip(turns, values, strict=True)) <= BOUND


def test_just_before_the_origin_is_below_one():
    assert fold(-1e-20, 24.0) == LARGEST_BELOW_ONE
    assert fold([10**18 - 1], 10**18)[0] == LARGEST_BELOW_ONE


def test_unix_seconds():
    """Near 1.7e9 s: right to a microsecond (here far better) in float64, and to 3e-8 turns once cast to float32."""
    generator = np.random.default_rng(0)
    values = 1.7e9 + generator.uniform(-1e8, 1e8, 500)
    phases = [exact(v, 86_400) for v in values]
    turns = fold(values, 86_400)
    assert max(gap(t, p) for t, p in zip(turns, phases, strict=True)) * 86_400 < 1e-10
    narrow = turns.astype(np.float32)
    assert max(gap(t, p) for t, p in zip(narrow, phases, strict=True)) <= 3e-8


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32])
@pytest.mark.parametrize("period", [7, 7.5, 86_400, 2**40])
def test_every_integer_dtype(dtype, period):
    """The period may be far beyond what the values' own dtype can hold."""
    limits = np.iinfo(dtype)
    values = np.array([limits.min, 0, 3, limits.max], dtype)
    turns = fold(values, period, 2)
    assert max(gap(t, exact(int(v), period, 2)) for t, v in zip(turns, values, strict=True)) <= BOUND


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble, jnp.bfloat16, ">f4"])
def test_every_float_dtype(dtype):
    turns = fold(np.array([-1.5, 0.25, 3.0], dtype), 24)
    assert turns.dtype == np.float64
    np.testing.assert_array_equal(turns, [0.9375, 0.25 / 24, 0.125])


def test_jax_arrays(precision):
    turns = fold(jnp.asarray([0.0, 6.0, 25.0], precision), 24)
    assert isinstance(turns, np.ndarray)
    np.testing.assert_array_equal(turns, [0, 0.25, 1 / 24])
    np.testing.assert_array_equal(fold([jnp.asarray(6.0, precision), None], 24), [0.25, np.nan])


def test_shapes_are_kept_and_inputs_untouched():
    values = np.arange(12.0).reshape(3, 4)[:, ::2]
    before = values.copy()
    turns = fold(values, 5)
    assert turns.shape == (3, 2)
    np.testing.assert_array_equal(turns, before % 5 / 5)
    np.testing.assert_array_equal(values, before)
    for empty in ([], np.zeros((0, 3)), np.zeros((2, 0), np.int64), np.array([], "datetime64[s]")):
        assert fold(empty, "day").shape == np.shape(empty)


@pytest.mark.parametrize("value", [30, 30.0, np.int8(30), np.float32(30), np.array(30), Fraction(30) // 1])
def test_one_value_gives_one_turn(value):
    turns = fold(value, 24)
    assert turns.shape == ()
    assert turns.dtype == np.float64
    assert float(turns) == 0.25


@pytest.mark.parametrize(
    "period", [24, 24.0, np.int8(24), np.float32(24), np.array(24), np.uint64(24), jnp.array(24)]
)
def test_a_period_may_be_any_real_number(period):
    assert fold(30, period) == 0.25
    assert fold(30.0, period, origin=period) == 0.25


def test_the_origin_has_phase_zero():
    np.testing.assert_array_equal(fold([5, 6, 4.5], 2, origin=5), [0, 0.5, 0.75])
    np.testing.assert_array_equal(fold(np.array([0.1, 1.7e9]), 0.3, origin=0.1)[0], 0)


def test_float32_unix_seconds_are_refused():
    """Their spacing is 128 s; the same numbers in float64 or as integers are welcome."""
    seconds = np.array([1.7e9, 1.7e9 + 3600], np.float32)
    with pytest.raises(InputError, match=r"128 apart.*int64 or float64"):
        fold(seconds, 86_400)
    fold(seconds, 365 * 86_400)  # where 128 s are next to nothing
    fold(seconds.astype(np.float64), 86_400)


@pytest.mark.parametrize(
    ("dtype", "largest", "period", "accepted"),
    [
        (np.float32, 2.0**24 - 1, 24, True),  # whole numbers, spaced by 1: exact
        (np.float32, 2.0**24, 24, False),  # spaced by 2
        (np.float32, 2.0**23 - 0.5, 24, False),
        (np.float32, 2.0**14 - 0.5, 1.0, True),  # spaced by 2⁻¹⁰ < 1e-3
        (np.float32, 2.0**14 + 0.5, 1.0, False),  # spaced by 2⁻⁹ > 1e-3
        (np.float16, 1000.5, 1000.0, True),
        (np.float16, 1000.5, 24.0, False),
        (jnp.bfloat16, 100.0, 24.0, True),
        (jnp.bfloat16, 1000.0, 24.0, False),
        (np.float64, 2.0**53 - 1, 24, True),
        (np.float64, 1e16, 24, False),
        (np.float64, 1.7e18, 86_400e9, True),  # nanoseconds, 256 apart
        (np.longdouble, 1e16, 24, True),
        (np.float16, 65_504.0, 1e6, True),  # the largest of its dtype
        (np.float64, np.finfo(np.float64).max, 1e308, True),
    ],
)
def test_lost_phases_are_refused(dtype, largest, period, accepted):
    values = np.array([0, -largest], dtype)
    if accepted:
        assert gap(fold(values, period)[1], exact(-largest, period)) <= BOUND
    else:
        with pytest.raises(InputError, match="rounded away"):
            fold(values, period)


def test_a_missing_value_does_not_count_for_the_spacing():
    np.testing.assert_array_equal(
        fold(np.ma.masked_greater(np.array([1.5, 1e30], np.float32), 10), 2), np.array([0.75, np.nan])
    )


@given(
    st.lists(st.one_of(INT64, st.floats(allow_nan=True, allow_infinity=True), st.none()), max_size=6), FLOATS
)
def test_whatever_numbers_come_the_result_is_right_or_an_input_error(values, period):
    try:
        turns, present = fold(values, period, missing="mask")
    except InputError:
        return
    assume(len(values))
    assert np.all((turns >= 0) & (turns < 1))
    assert present.tolist() == [v is not None and v == v for v in values]


def test_tracers_are_refused_with_advice():
    with pytest.raises(InputError, match=r"tracing.*Fold before the jitted function"):
        jax.jit(lambda x: fold(x, 24))(jnp.arange(3.0))


@pytest.mark.parametrize("period", [24.0, 86400.0, 0.1, 2.0**-40, 3.0 * 2**80, 365.2425])
def test_both_ways_to_the_remainder_are_exact(period):
    """Around whole periods the quotient rounds to a whole number; a long period takes the slow way."""
    counts = np.array([0, 1, 2, 3, 1000, 19675, 2**30, 2**40], np.float64)
    near = np.concatenate([np.nextafter(counts * period, to) for to in (-np.inf, np.inf)])
    values = np.concatenate(
        [counts * period, near, -near, np.random.default_rng(0).normal(size=50) * 1e5 * period]
    )
    left = _remainder(values, period)
    for value, rest in zip(values.tolist(), left.tolist(), strict=True):
        assert Fraction(rest) % Fraction(period) == Fraction(value) % Fraction(period)
        assert abs(rest) < period
