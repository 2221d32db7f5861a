"""The polynomial sine in turns against mpmath and against sines of long double."""

import importlib.util
from pathlib import Path

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoembed import check
from geoembed.cyclic import _sine as sine_module
from geoembed.cyclic import cos_turns, encode, sin_turns

BOUND = {"float32": 5e-7, "float64": 1e-15}
TOOL = Path(__file__).resolve().parents[2] / "tools" / "minimax_sine.py"


def exact(turns, quarters=0):
    """sin 2π(u + q/4) of the numbers as they are given, by mpmath with 60 digits."""
    with mpmath.workdps(60):
        return np.array(
            [float(mpmath.sinpi(2 * (mpmath.mpf(float(u)) + mpmath.mpf(quarters) / 4))) for u in turns]
        )


def phases(dtype):
    """Phases of every size: near 0, near every eighth of a turn, several turns, huge."""
    rng = np.random.default_rng(0)
    near = np.arange(-8, 9)[:, None] / 8 + rng.normal(size=(1, 12)) * 10.0 ** rng.uniform(-9, -2, (1, 12))
    huge = rng.uniform(-1, 1, 300) * 10.0 ** rng.uniform(-30, 30, 300)
    return np.concatenate([near.ravel(), rng.uniform(-0.6, 0.6, 500), huge, [0.0, -0.0, 0.5, -0.5]]).astype(
        dtype
    )


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize(("f", "quarters"), [(sin_turns, 0), (cos_turns, 1)])
def test_error_for_phases_of_every_size(precision, f, quarters, compiled):
    u = phases(precision)
    got = (jax.jit(f) if compiled else f)(jnp.asarray(u))
    assert got.dtype == precision
    assert np.abs(np.asarray(got, np.float64) - exact(u, quarters)).max() <= BOUND[precision.name]


@pytest.mark.parametrize("compiled", [True, False])
def test_exact_at_quarter_turns(precision, compiled):
    quarters = np.concatenate([np.arange(-41, 42), 4.0 ** np.arange(3, 20)])
    code = (jax.jit(encode) if compiled else encode)(jnp.asarray(quarters / 4, precision))
    expected = np.array([(0, 1), (1, 0), (0, -1), (-1, 0)])[quarters.astype(int) % 4]
    assert np.array_equal(np.asarray(code), expected)


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("first", [0, 1])
def test_derivatives_keep_the_bound_times_a_power_of_two_pi(precision, order, first):
    u = phases(precision)[:300]
    f = (sin_turns, cos_turns)[first]
    for _ in range(order):
        f = jax.grad(f)
    got = np.asarray(jax.jit(jax.vmap(f))(jnp.asarray(u)), np.float64)
    scale = (2 * np.pi) ** order
    assert np.abs(got / scale - exact(u, first + order)).max() <= BOUND[precision.name]


def test_forward_over_reverse_and_reverse_over_reverse_agree():
    u = jnp.float32(0.3)
    forward, reverse = jax.jacfwd(jax.grad(sin_turns)), jax.grad(jax.grad(sin_turns))
    assert jax.jit(forward)(u) == jax.jit(reverse)(u)


def test_shorter_dtypes_are_rounded_once():
    u = np.linspace(-2, 2, 257)
    for dtype in (jnp.float16, jnp.bfloat16):
        given_ = jnp.asarray(u, dtype)
        got = sin_turns(given_)
        assert got.dtype == dtype
        expected = jnp.asarray(exact(np.asarray(given_, np.float64)), dtype)
        assert np.abs(np.asarray(got - expected, np.float64)).max() <= float(jnp.finfo(dtype).eps)


def test_what_is_not_finite_gives_nan_and_only_there():
    got = encode(jnp.array([jnp.inf, -jnp.inf, jnp.nan, 0.25]))
    assert np.isnan(got[:3]).all()
    assert got[3].tolist() == [1.0, 0.0]


def test_whole_numbers_are_refused():
    with pytest.raises(ValueError, match=r"encode takes floating-point turns, received int32.*fold"):
        sine_module.as_turns(np.arange(3, dtype=np.int32), "encode")


def test_float64_numbers_of_the_host_keep_their_digits_near_a_whole_turn():
    late = 1439 / 1440  # as a float32 this is wrong by 3e-8
    for value in (late, np.float64(late), np.array([late])):
        assert np.abs(np.asarray(sin_turns(value), float) - exact([late])).max() < 1e-9
    assert np.isnan(sin_turns(np.array([np.nan])))


@given(st.floats(-1e6, 1e6, width=32))
def test_symmetries_hold_bit_for_bit(u):
    u = jnp.float32(u)
    assert sin_turns(-u) == -sin_turns(u)
    assert cos_turns(-u) == cos_turns(u)
    assert abs(sin_turns(u) ** 2 + cos_turns(u) ** 2 - 1) < 1e-6


def test_it_lowers_and_compiles_as_it_runs(precision):
    items = list(jnp.asarray(phases(precision)[:8]))
    for f in (sin_turns, encode):
        check.assert_exports(f, items)
        check.assert_jit_matches_eager(f, items)
        check.assert_dtype_kept(f, items)


def test_the_tables_are_what_the_generator_prints():
    spec = importlib.util.spec_from_file_location("minimax_sine", TOOL)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    for table, dtype, terms in ((sine_module._SINGLE, np.float32, 4), (sine_module._DOUBLE, np.float64, 8)):
        q, bound = tool.remez(terms)
        assert bound < np.finfo(dtype).eps / 4
        assert np.allclose(np.asarray(tool.rounded(tool.monomials(q), dtype), float), table, rtol=1e-15)
