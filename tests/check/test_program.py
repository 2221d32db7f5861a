"""Checks of f as a program, and what a check is."""

import json

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import check
from geoembed.check._check import gap, gap_on_host
from tests.check.conftest import KEY, cloud, failing, points
from tests.check.planted import Identity, Weighted, ball, branching, mixing


def test_jit_matches_eager(precision):
    assert check.assert_jit_matches_eager(
        lambda x: {"a": jnp.sin(x), "n": jnp.argmax(x)}, points(dtype=precision)
    )

    def treacherous(x):
        return x * (1.001 if isinstance(x, jax.core.Tracer) else 1.0)

    assert failing(check.jit_matches_eager(treacherous, points(dtype=precision)), 5e-4)

    def other_integer(x):
        return jnp.asarray(isinstance(x, jax.core.Tracer), jnp.int32)

    assert failing(check.jit_matches_eager(other_integer, points()), 1e9)

    def other_shape(x):
        return x[:2] if isinstance(x, jax.core.Tracer) else x

    assert failing(check.jit_matches_eager(other_shape, points()), 1e9)

    calls = []

    def counting(x):
        calls.append(1)
        return x + len(calls)

    assert failing(check.jit_matches_eager(counting, points()), 0.5)


def test_what_does_not_compile_or_batch_fails_with_the_reason():
    result = check.jit_matches_eager(branching, points())
    assert failing(result)
    assert "TracerBoolConversionError" in result.detail

    @jax.custom_batching.custom_vmap
    def single(x):
        return jnp.sum(x)

    @single.def_vmap
    def _(size, batched, x):
        raise NotImplementedError("one item at a time, please")

    result = check.vmap_matches_loop(single, points())
    assert failing(result)
    assert "one item at a time" in result.detail
    with pytest.raises(TypeError, match="takes no item"):  # not even eager: no verdict about jit
        check.jit_matches_eager(_refuse, points())


def _refuse(x):
    raise TypeError("takes no item")


def test_vmap_matches_loop():
    assert check.assert_vmap_matches_loop(lambda x: jnp.sum(x**2), points())
    assert check.assert_vmap_matches_loop(lambda x: jnp.sum(x**2), cloud())
    assert failing(check.vmap_matches_loop(mixing, points()), 0.1)
    assert failing(check.vmap_matches_loop(mixing, jnp.ones(3)), 0.1)
    # copies of a single zero must differ too
    assert failing(check.vmap_matches_loop(mixing, jnp.zeros(3)), 1e-3)


def test_one_trace():
    assert check.assert_one_trace(Weighted(jnp.ones(3), "a"), points()).value == 1
    result = check.one_trace(Weighted(jnp.ones(3), Identity()), points())
    assert failing(result)
    assert result.value == 2


def test_one_trace_names_what_traces_again():
    result = check.one_trace(lambda x: jax.jit(_named)(x) + eqx.filter_jit(lambda y: y)(x), points())
    assert failing(result)
    assert "<lambda>" in result.detail
    assert "_named" not in result.detail  # jit finds the function that it knows

    def eager_loop(x):  # traced in every eager call by its nature; whoever needs speed compiles it
        return jax.lax.scan(lambda c, y: (c + y, y), 0.0 * x[0], x)[0]

    assert check.one_trace(eager_loop, points())
    assert check.one_trace(lambda x: jax.lax.cond(x[0] > 0, lambda y: y, lambda y: -y, x), points())


def _named(x):
    return jnp.cos(x)


def test_dtype_kept():
    assert check.assert_dtype_kept(lambda x: 2.0 * jnp.sin(x) + jnp.argmax(x).astype(x.dtype), cloud())
    lost = check.dtype_kept(lambda x: x.astype(jnp.float32), cloud())
    assert failing(lost)
    assert "float64 gives float32" in lost.detail
    table = np.linspace(0, 1, 3)
    assert check.dtype_kept(lambda x: x @ jnp.asarray(table, x.dtype), cloud())

    def wide_inside(x):
        return jax.lax.cond(True, lambda x: (x.astype(jnp.float64) * table[None]).astype(x.dtype), jnp.sin, x)

    assert failing(check.dtype_kept(wide_inside, cloud()))


def test_dtype_kept_looks_into_the_gradient_and_at_lost_digits():
    @jax.custom_vjp
    def f(x):
        return jnp.sum(x)

    def back(shape, w):
        return ((w.astype(jnp.float64) * np.ones(shape)).astype(w.dtype),)

    f.defvjp(lambda x: (jnp.sum(x), x.shape), back)
    wide = check.dtype_kept(f, cloud())
    assert failing(wide)
    assert "of the gradient" in wide.detail
    narrow = check.dtype_kept(lambda x: jnp.sin(x.astype(jnp.float32)).astype(x.dtype), cloud())
    assert failing(narrow)
    assert "float64 narrowed to float32" in narrow.detail

    def only_single(x):
        if x.dtype != jnp.float32:
            raise TypeError("only float32, please")
        return x

    assert "in float64 it raises TypeError: only float32" in check.dtype_kept(only_single, cloud()).detail


def test_dtype_kept_does_not_depend_on_the_promotion_mode():
    table = jnp.asarray(np.linspace(0, 1, 3), jnp.float32)
    for mode in ("standard", "strict"):
        with jax.numpy_dtype_promotion(mode):
            assert check.dtype_kept(lambda x: x * table[None].astype(x.dtype), cloud())
            assert not check.dtype_kept(lambda x: x * np.float64(2.0), cloud())


def test_exports():
    assert check.assert_exports(lambda x: jnp.linalg.norm(x), cloud())
    result = check.exports(lambda x: jnp.abs(jnp.linalg.eigvals(x)), cloud(n=3))
    assert failing(result)
    assert "tpu" in result.detail
    endless = check.exports(lambda x: jax.lax.while_loop(lambda c: c[0, 0] < 9, lambda c: c + 1, x), cloud())
    assert endless.value == 3, "reverse mode through while_loop must fail everywhere"
    with pytest.raises(ValueError, match="at least one platform"):
        check.exports(jnp.sin, cloud(), platforms=())


def test_exports_survives_an_error_without_words():
    def silent(x):
        raise ValueError

    assert check.exports(silent, cloud(), platforms=("cpu",)).detail == "cpu: ValueError"


# --- what a check is


def test_a_check_as_text_and_json():
    good = check.eikonal(ball, points())
    bad = check.eikonal(lambda x: jnp.nan * jnp.sum(x), jnp.ones(3))
    assert "passed" in str(good)
    assert bad.value == float("inf")
    for result in (good, bad):
        text = json.dumps(result.to_dict(), allow_nan=False)
        assert json.loads(text)["passed"] is result.passed
    assert bad.to_dict()["value"] == "inf"
    assert bad.to_dict()["worst_input"] == [1.0, 1.0, 1.0]
    assert good.to_dict()["worst_input"] is None


def test_worst_inputs_of_every_kind_are_plain_in_json():
    item = ({"a": jnp.full((2, 600), jnp.nan), "b": jnp.asarray([jnp.inf, 1.0])}, jnp.asarray([1, 2]), 1j)
    failed = check.finite_at(lambda x, n, z: x["a"] * z.real, item)
    plain = json.loads(json.dumps(failed.to_dict(), allow_nan=False))["worst_input"]
    assert plain[0] == {"a": "float32 [2, 600]", "b": ["inf", 1.0]}
    assert plain[1] == [1, 2]


def test_assert_twins_raise_with_the_figure():
    with pytest.raises(
        AssertionError, match=r"eikonal: FAILED, measured 1, tolerance 1e-05\n  worst input: array"
    ):
        check.assert_eikonal(lambda x: 2 * ball(x), points())
    assert check.assert_invariant.__name__ == "assert_invariant"


@pytest.mark.parametrize("name", [n for n in dir(check) if n.startswith("assert_")])
def test_every_twin_has_its_check(name):
    assert callable(getattr(check, name.removeprefix("assert_")))


def test_keys_decide_the_draws():
    values = {check.invariant(jnp.sum, "SO(3)", cloud(), key=key).value for key in jax.random.split(KEY, 3)}
    assert len(values) == 3
    again = [check.invariant(jnp.sum, "SO(3)", cloud(), key=KEY).value for _ in range(2)]
    assert again[0] == again[1]


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (np.float32([1.0, 2.0]), np.float32([1.0, 2.5])),
        (np.float32([300.0, 2.0]), np.float32([100.0, 2.0])),  # relative above 1
        ((np.float32(1.0), np.int32([1, 2])), (np.float32(1.25), np.int32([1, 2]))),
        (np.int32([1, 2]), np.int32([1, 3])),
        (np.complex64([1j]), np.complex64([1.0])),
        (np.float32([np.nan]), np.float32([np.nan])),
        (np.float32([np.inf]), np.float32([np.inf])),
        (np.ones(2, np.float32), np.ones(3, np.float32)),
        (np.ones(2, np.float16), np.ones(2, np.float32)),
        ((np.ones(2, np.float32),), np.ones(2, np.float32)),
    ],
)
def test_outputs_differ_on_the_host_as_they_do_in_a_trace(got, expected):
    assert gap_on_host(got, expected) == pytest.approx(float(gap(got, expected)), rel=1e-6)
    assert gap_on_host(expected, expected) == float(gap(expected, expected))


def test_nothing_is_no_measurement_on_the_host_either():
    with pytest.raises(ValueError, match="the output is empty"):
        gap_on_host(np.zeros(0, np.float32), np.zeros(0, np.float32))
