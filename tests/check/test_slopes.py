"""Lipschitz constants, the eikonal equation, smoothness, gradients, finiteness: figures and blind spots."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import check, core
from tests.check.conftest import KEY, cloud, failing, points
from tests.check.planted import ball


def test_lipschitz(precision):
    x = points(dtype=precision)
    assert check.assert_lipschitz(ball, 1.0, x, key=KEY).value > 0.99
    assert failing(check.lipschitz(ball, 0.9, x, key=KEY), 0.95)
    assert failing(check.lipschitz(lambda x: jnp.sum(x) / 0.0, 1.0, x, key=KEY), 1e9)


def test_lipschitz_sees_a_jump_and_a_steep_spot():
    at_rest = jnp.asarray([0.05, 0.1])
    assert failing(
        check.lipschitz(lambda x: jnp.where(x[0] > 0, 1.0, 0.0), 1.0, at_rest, key=KEY, samples=300), 1.5
    )
    steep = check.lipschitz(lambda x: 1e-3 * jnp.sin(1e4 * (x[0] - 0.05)), 1.0, at_rest, key=KEY)
    assert failing(steep, 9.9)


def test_lipschitz_of_a_vector_uses_the_largest_singular_value():
    matrix = jnp.asarray([[1.0, 2.0], [0.0, 1.0], [3.0, 0.0]])
    exact = float(np.linalg.svd(np.asarray(matrix))[1][0])
    result = check.lipschitz(lambda x: matrix @ x, exact, jnp.ones(2), key=KEY)
    assert result
    np.testing.assert_allclose(result.value, exact, rtol=1e-5)


def test_lipschitz_of_complex_numbers_counts_both_parts():
    def circle(x):
        return jnp.exp(1j * 2 * x.astype(jnp.complex64))

    value = check.lipschitz(circle, 2.0, jnp.asarray(0.0), key=KEY, tolerance=1e-4).value
    np.testing.assert_allclose(value, 2.0, rtol=1e-4)  # at 0 the slope is all imaginary
    z = jnp.asarray(1.0 + 2.0j, jnp.complex64)
    assert check.lipschitz(lambda z: z * (3 + 4j), 5.0, z, key=KEY)
    assert failing(check.lipschitz(lambda z: z * (3 + 4j), 4.9, z, key=KEY), 4.99)


def test_eikonal(precision):
    x = points(dtype=precision)
    assert check.assert_eikonal(ball, x)
    assert failing(check.eikonal(lambda x: 1.001 * ball(x), x), 9e-4)
    assert failing(check.eikonal(lambda x: jnp.linalg.norm(x), jnp.zeros(3)), 1e9)
    assert check.eikonal(lambda x: ball(x)[None], x), "one number, whatever its shape"
    with pytest.raises(ValueError, match="one real number, f returns 2"):
        check.eikonal(lambda x: jnp.stack([ball(x), ball(x)]), x)


def test_smooth():
    origin = jnp.zeros(2)
    assert check.assert_smooth(lambda x: jnp.sin(x[0]) * x[1], 3, origin, key=KEY)
    assert check.assert_smooth(lambda x: jnp.abs(x[0]) ** 3, 1, origin, key=KEY)
    assert failing(check.smooth(lambda x: jnp.abs(x[0]) * x[0], 2, origin, key=KEY), 0.1)
    assert failing(check.smooth(lambda x: jnp.maximum(x[0], 0.0), 1, origin, key=KEY), 0.1)
    assert failing(check.smooth(jnp.sign, 0, origin, key=KEY), 0.1)
    with pytest.raises(ValueError, match="0 or more"):
        check.smooth(jnp.sin, -1, origin, key=KEY)


def test_smooth_does_not_depend_on_the_unit():
    metres = [jnp.asarray([x]) for x in (0.01, 0.02)]

    def bend(x):  # a second derivative of 2000 per metre
        return 1e3 * x**2

    assert check.smooth(bend, 1, metres, key=KEY)


# --- gradients


def test_gradient_matches():
    assert check.assert_gradient_matches(lambda x: jnp.sin(x) * jnp.sum(x**2), points(), key=KEY).value < 1e-9

    @jax.custom_vjp
    def wrong(x):
        return jnp.sum(x**2)

    wrong.defvjp(lambda x: (jnp.sum(x**2), x), lambda x, w: (2.001 * x * w,))
    result = check.gradient_matches(wrong, points(), key=KEY)
    assert failing(result, 4e-4)
    assert result.value < 1e-2


def blocked(x):
    return jax.lax.stop_gradient(x)


@pytest.mark.parametrize(
    ("f", "item"),
    [
        (lambda x: blocked(x) ** 2, jnp.ones(3)),
        (lambda x, y: x * blocked(y), (jnp.ones(3), jnp.full(3, 2.0))),
        (lambda x: 1e-9 * blocked(x), jnp.ones(3)),  # below any absolute tolerance
        (lambda x: (1e8 * x, x * blocked(x)), jnp.ones(3)),  # one small output
        (lambda x: 1e5 * x[0] + x[0] * blocked(x[1]), jnp.ones(2)),  # one weak input
        (lambda x: jnp.sin(jnp.arange(400.0)[:, None] * x[None]).at[355].set(blocked(x)), jnp.ones(2)),
        (lambda x: jax.lax.complex(jnp.sin(x), jnp.cos(blocked(x))), jnp.ones(3)),
        (lambda z: z.real * blocked(z.imag), jnp.full(3, 1 + 2j)),
        (lambda x: jnp.sin(2e5 * jnp.pi * blocked(x)), jnp.asarray(1.0)),
    ],
    ids=["whole", "argument", "tiny", "output", "input", "one of many", "imaginary", "complex input", "fast"],
)
def test_a_blocked_gradient_is_seen_wherever_it_hides(f, item):
    assert failing(check.gradient_matches(f, item, key=KEY), 1e-6)


@pytest.mark.parametrize(
    ("f", "item"),
    [
        (lambda x: 1e-9 * x, jnp.ones(3)),
        (lambda x: 1e8 + jnp.sin(x), jnp.ones(3)),
        (lambda x: x**5, jnp.zeros(2)),  # flat: every difference finds a little
        (lambda x: jnp.maximum(1 - x, 0) ** 3, [jnp.ones(1), jnp.zeros(1)]),  # a cutoff
        (lambda x: 0 * x, jnp.ones(3)),
        (lambda t: jnp.sin(2 * jnp.pi * t / 86400), np.asarray(1.7e9)),  # seconds since 1970
        (lambda x: 2 * x, np.asarray(1e20)),
        (jnp.sqrt, jnp.asarray(5e-4)),  # the longest step leaves the domain
        (lambda x: jnp.sin(2 * jnp.pi * 64 * x), jnp.asarray(0.3)),
        (lambda x: (1 / (2 - 50 * x)) ** 2, [jnp.asarray(x) for x in (0.01, 0.02, 0.03)]),  # in metres
        (lambda z: jnp.abs(z) ** 2, jnp.full(3, 1 + 1j)),
        (lambda n, x: x[n] ** 2, (jnp.asarray([2, 0]), jnp.ones(3))),
        (jnp.abs, jnp.asarray([1e-4, -1e-4])),  # beside a kink
    ],
)
def test_a_right_gradient_passes_at_hard_places(f, item):
    check.assert_gradient_matches(f, item, key=KEY)


def test_derivatives_of_whole_numbers_are_refused():
    n = jnp.asarray([2, 0])
    for measure in (
        lambda: check.gradient_matches(lambda n: n + 1, n, key=KEY),
        lambda: check.lipschitz(lambda n: 100.0 * n, 1.0, n, key=KEY),
        lambda: check.smooth(lambda n: 1.0 * n, 1, n, key=KEY),
        lambda: check.eikonal(lambda n: 1.0 * n[0], n),
    ):
        with pytest.raises(ValueError, match="no floating-point number to differentiate by"):
            measure()
    steps = [
        lambda: check.lipschitz(lambda x: jnp.round(100 * x).astype(int), 1.0, cloud(), key=KEY),
        lambda: check.finite_at(lambda x: x.astype(int), cloud()),
    ]
    for measure in steps:
        with pytest.raises(ValueError, match="returns no floating-point number"):
            measure()


# --- finiteness


def test_finite_at(precision):
    feared = [jnp.zeros(3, precision), jnp.ones(3, precision)]
    assert check.assert_finite_at(core.norm, feared)
    result = check.finite_at(lambda x: jnp.sqrt(jnp.sum(x**2)), feared)
    assert failing(result, 2)
    assert np.array_equal(result.worst_input, [0, 0, 0])
    assert failing(check.finite_at(lambda x: 1 / x, feared), 2)


def test_finite_at_looks_at_imaginary_parts_and_takes_whole_numbers():
    assert failing(check.finite_at(lambda x: jax.lax.complex(x, 1 / x), jnp.zeros(3)), 2)
    assert check.finite_at(lambda n: jnp.ones(3)[n] * 1.0, jnp.asarray(1))
    assert failing(check.finite_at(lambda n: jnp.asarray([1.0, jnp.nan])[n], jnp.asarray(1)), 0.5)
