import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import check
from geoembed.cyclic import Cyclic, Torus

KEY = jax.random.key(0)
TORUS = Torus((24.0, 7.0, 0.5), 2, origins=(6.0, 0.0, 0.1))


def test_it_is_a_product_of_circles(precision):
    x = np.random.default_rng(0).uniform(-30, 30, (50, 3))
    got = jax.jit(jax.vmap(TORUS))(jnp.asarray(x, precision))
    assert got.dtype == precision
    turns = (x - np.array([[6.0, 0.0, 0.1]])) / np.array([[24.0, 7.0, 0.5]])
    angles = 2 * np.pi * turns[:, :, None] * np.array([1, 2])
    expected = np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(50, 12)
    # up to 60 turns in the last coordinate: their rounding counts
    np.testing.assert_allclose(got, expected, atol=1e-4 if precision == np.float32 else 2e-13)


def test_one_period_is_a_circle():
    x = jnp.array([5.0])
    assert np.array_equal(Torus((24.0,), 3)(x), Cyclic(24.0, 3)(x[0]))


def test_the_metric_is_that_of_the_jacobian(precision):
    x = jnp.asarray([5.0, -3.0, 0.2], precision)
    jacobian = np.asarray(jax.jit(jax.jacfwd(TORUS))(x), float)
    metric = TORUS.metric(x)
    assert metric.dtype == precision
    np.testing.assert_allclose(metric, jacobian.T @ jacobian, rtol=2e-6, atol=1e-4)
    assert np.count_nonzero(metric) == 3


def test_each_coordinate_has_its_own_period():
    items = TORUS.examples(8, key=KEY)
    own = ((24.0, 0.0, 0.0), (0.0, 7.0, 0.0), (0.0, 0.0, 0.5))
    exchanged = ((7.0, 0.0, 0.0), (0.0, 24.0, 0.0), (0.0, 0.0, 0.5))
    assert check.periodic(TORUS, own, items, key=KEY, tolerance=1e-4)
    assert not check.periodic(TORUS, exchanged, items, key=KEY, tolerance=1e-4)


def test_the_lipschitz_constant_is_that_of_the_shortest_period():
    declared = {p.kind: p for p in TORUS.properties}["lipschitz"].constant
    assert math.isclose(declared, 2 * math.pi / 0.5 * math.sqrt(5), rel_tol=1e-12)


@pytest.mark.parametrize("x", [jnp.zeros(2), jnp.zeros((4, 3)), jnp.zeros(3, jnp.int32)], ids=str)
def test_a_wrong_argument_is_refused(x):
    with pytest.raises(
        Exception, match=r"(?i)one point|parameter"
    ):  # the test run's type check may come first
        TORUS(x)


@pytest.mark.parametrize(
    ("periods", "arguments", "message"),
    [
        ((), {}, "at least one period"),
        (24.0, {}, "at least one period"),
        ((24.0, 0.0), {}, "finite period above 0"),
        ((24.0, None), {}, "finite period above 0"),
        ((24.0, 7.0), {"origins": (0.0,)}, "one origin for each"),
        ((24.0,), {"origins": (math.nan,)}, "finite origin"),
        ((24.0,), {"harmonics": 0}, "harmonics of at least 1"),
    ],
)
def test_arguments_out_of_range_are_refused(periods, arguments, message):
    with pytest.raises(ValueError, match=message):
        Torus(periods, **arguments)
