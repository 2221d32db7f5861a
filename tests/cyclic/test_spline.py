"""Periodic B-splines against scipy's and scikit-learn's."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import BSpline

from geoembed import check
from geoembed.cyclic import CyclicSpline, spline_basis

KEY = jax.random.key(0)
DEGREES = range(6)
TURNS = np.random.default_rng(0).uniform(-2, 2, 300)

basis_of = jax.jit(spline_basis, static_argnums=(1, 2))
every_degree = pytest.mark.parametrize("degree", DEGREES)


def reference(turns, knots, degree, derivative=0):
    """scipy's B-spline around every i / knots and its images in other turns."""
    element = BSpline.basis_element(np.arange(degree + 2), extrapolate=False)
    element = element.derivative(derivative) if derivative else element
    images = np.arange(-4, 5) * knots
    position = knots * turns[:, None, None] - np.arange(knots)[None, :, None] + images[None, None]
    return np.nan_to_num(element(position + (degree + 1) / 2)).sum(axis=-1) * knots**derivative


@every_degree
def test_values_are_those_of_scipy(precision, degree):
    for knots in (degree + 1, 24):
        got = basis_of(jnp.asarray(TURNS, precision), knots, degree)
        assert got.dtype == precision
        exact = reference(np.asarray(jnp.asarray(TURNS, precision), float), knots, degree)
        np.testing.assert_allclose(got, exact, atol=5e-6 if precision == np.float32 else 1e-13)


@pytest.mark.parametrize("degree", [1, 2, 3, 4, 5])
def test_slopes_are_those_of_scipy(degree):
    with jax.enable_x64(True):
        got = jax.jit(jax.vmap(jax.jacfwd(lambda u: spline_basis(u, 9, degree))))(jnp.asarray(TURNS))
    np.testing.assert_allclose(got, reference(TURNS, 9, degree, derivative=1), atol=1e-11)


@pytest.mark.parametrize("degree", [1, 2, 3, 4, 5])
def test_values_are_those_of_scikit_learn(degree):
    """Its columns start elsewhere, and its pieces of even degree meet where these peak."""
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    knots = 8
    peer = preprocessing.SplineTransformer(n_knots=knots + 1, degree=degree, extrapolation="periodic")
    peer.fit(np.array([[0.0], [1.0]]))
    turns = TURNS + (0.5 / knots if degree % 2 == 0 else 0.0)
    with jax.enable_x64(True):
        ours = np.asarray(basis_of(jnp.asarray(TURNS), knots, degree))
    theirs = peer.transform(turns[:, None])
    gaps = [np.abs(np.roll(theirs, shift, axis=1) - ours).max() for shift in range(knots)]
    assert min(gaps) < 1e-13
    assert sorted(gaps)[1] > 0.1  # one shift only


@every_degree
def test_they_are_non_negative_and_sum_to_one(precision, degree):
    basis = np.asarray(basis_of(jnp.asarray(TURNS, precision), degree + 3, degree), float)
    assert basis.min() >= 0
    np.testing.assert_allclose(basis.sum(axis=1), 1, atol=1e-6 if precision == np.float32 else 1e-15)
    assert np.count_nonzero(basis, axis=1).max() <= degree + 1


@every_degree
def test_feature_i_peaks_at_i_over_knots(degree):
    knots = 8
    basis = basis_of(jnp.arange(8.0) / 8, knots, degree)
    assert np.array_equal(np.argmax(basis, axis=1), np.arange(knots))
    fine = basis_of(jnp.arange(512.0) / 512, knots, degree)
    np.testing.assert_allclose(np.max(fine, axis=0), np.diag(basis), atol=1e-6)


@every_degree
def test_whole_turns_change_nothing(degree):
    u = jnp.arange(64.0) / 64
    for shift in (1.0, -1.0, 1000.0):
        assert np.array_equal(basis_of(u + shift, 7, degree), basis_of(u, 7, degree))


@every_degree
def test_a_shift_by_one_knot_rolls_the_features(degree):
    u = (jnp.arange(64.0) + 0.5) / 64
    moved = basis_of(u + 1 / 8, 8, degree)
    np.testing.assert_allclose(moved, np.roll(basis_of(u, 8, degree), 1, axis=1), atol=1e-6)


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_smoothness_at_the_knots(degree):
    """degree − 1 continuous derivatives where the pieces meet, and no more."""
    meets = 3 / 8 if degree % 2 else 3.5 / 8
    f = lambda u: spline_basis(u, 8, degree)  # noqa: E731
    with jax.enable_x64(True):
        at = jnp.asarray(meets)
    assert check.smooth(f, degree - 1, at, key=KEY)
    assert not check.smooth(f, degree, at, key=KEY)


def test_degree_zero_counts():
    basis = basis_of(jnp.array([0.0, 0.1, 0.13, 0.9]), 4, 0)
    assert np.array_equal(basis, np.eye(4)[[0, 0, 1, 0]])


def test_nan_and_infinity_show(precision):
    basis = basis_of(jnp.asarray([0.3, np.nan, np.inf], precision), 8, 3)
    assert np.array_equal(np.isnan(basis), np.repeat([[False], [True], [True]], 8, axis=1))


@pytest.mark.parametrize("degree", [1, 2, 3, 4, 5])
def test_the_lipschitz_bound(degree):
    """Never exceeded, and reached by degrees 1 and 2."""
    encoder = CyclicSpline(24.0, 8, degree)
    declared = {p.kind: p for p in encoder.properties}["lipschitz"].constant
    slopes = (
        np.linalg.norm(reference(np.linspace(1e-9, 1 / 8 - 1e-9, 1001), 8, degree, derivative=1), axis=1) / 24
    )
    assert slopes.max() <= declared * (1 + 1e-12)
    assert (slopes.max() > 0.999 * declared) == (degree <= 2)


def test_the_module_is_the_function(precision):
    encoder = CyclicSpline(24.0, 12, origin=6)
    x = jnp.asarray(np.linspace(-30, 60, 50), precision).reshape(5, 10)
    expected = jax.jit(lambda x: spline_basis((x - 6.0) / 24.0, 12, 3))(x)
    # the function rounds (x − 6)/24 with its whole turns, the module without them
    tolerance = 5e-6 if precision == np.float32 else 1e-14
    np.testing.assert_allclose(jax.jit(encoder)(x), expected, rtol=0, atol=tolerance)
    assert np.argmax(jax.jit(encoder)(jnp.asarray(6.0 + 24 * 5 / 12, precision))) == 5


def test_two_hats_do_not_promise_what_they_do_not_hold():
    """Both sides of a peak look the same to them."""
    kinds = {p.kind for p in CyclicSpline(24.0, 2, 1).properties}
    assert "sensitive" not in kinds
    assert "sensitive" in {p.kind for p in CyclicSpline(24.0, 3, 1).properties}
    assert np.array_equal(CyclicSpline(24.0, 2, 1)(jnp.array(3.0)), CyclicSpline(24.0, 2, 1)(jnp.array(-3.0)))


@pytest.mark.parametrize(
    ("knots", "degree", "message"),
    [(3, 3, "knots for degree 3 of at least 4"), (8, 6, "degree from 0 to 5"), (8, -1, "degree from 0")],
)
def test_arguments_out_of_range_are_refused(knots, degree, message):
    with pytest.raises(ValueError, match=message):
        spline_basis(jnp.zeros(()), knots, degree)
    with pytest.raises(ValueError, match=message):
        CyclicSpline(24.0, knots, degree)


@pytest.mark.parametrize("period", [0, -1.0, math.nan, None], ids=repr)
def test_a_period_that_is_none_is_refused(period):
    with pytest.raises(ValueError, match="finite period above 0"):
        CyclicSpline(period, 8)
