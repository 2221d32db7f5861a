"""Spherical harmonics, couplings, radial functions and product bases against other libraries and formulas."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.spatial.transform import Rotation

from geoembed.atoms import BesselBasis, GaussianBasis, clebsch_gordan, polynomial_cutoff, spherical_harmonics
from geoembed.atoms._gain import SILU_GAIN
from geoembed.atoms._product_basis import coupled, product_matrices

POINTS = np.random.default_rng(0).normal(size=(6, 3))
POINTS /= np.linalg.norm(POINTS, axis=1)[:, None]


def harmonics(points, max_ell):
    with jax.enable_x64(True):
        return np.asarray(spherical_harmonics(jnp.asarray(points), max_ell))


@pytest.mark.slow
def test_harmonics_and_couplings_equal_those_of_e3nn():
    import e3nn_jax as e3nn

    with jax.enable_x64(True):
        points = e3nn.IrrepsArray("1o", jnp.asarray(POINTS))
        given = e3nn.spherical_harmonics(
            "0e+1o+2e+3o+4e", points, normalize=True, normalization="component"
        ).array
        np.testing.assert_allclose(harmonics(POINTS, 4), given, atol=1e-13)
        for l1, l2, l3 in [
            (1, 1, 0),
            (1, 1, 1),
            (1, 1, 2),
            (2, 1, 3),
            (3, 2, 1),
            (2, 3, 4),
            (3, 3, 6),
            (4, 3, 2),
        ]:
            given = np.asarray(e3nn.clebsch_gordan(l1, l2, l3))
            np.testing.assert_allclose(clebsch_gordan(l1, l2, l3), given / np.linalg.norm(given), atol=1e-13)


def test_harmonics_are_harmonic_and_have_length():
    """The solid harmonics of degree 3 and less satisfy Laplace's equation; squares add up to 2l + 1."""
    values = harmonics(POINTS, 3)
    for ell in range(4):
        np.testing.assert_allclose(
            np.sum(values[:, ell**2 : (ell + 1) ** 2] ** 2, axis=1), 2 * ell + 1, rtol=1e-13
        )
    h = 0.5  # central differences of second order are exact for polynomials of degree 3
    steps = h * np.concatenate([np.eye(3), -np.eye(3)])
    around = sum(harmonics(POINTS + step[None], 3) for step in steps) - 6 * values
    np.testing.assert_allclose(around, 0, atol=1e-12)


def rotations(ell, turn):
    """The matrix that turns the harmonics of one degree, from their values."""
    points = np.random.default_rng(1).normal(size=(40, 3))
    part = slice(ell**2, (ell + 1) ** 2)
    before, after = harmonics(points, ell)[:, part], harmonics(points @ turn.T, ell)[:, part]
    return np.linalg.lstsq(before, after, rcond=None)[0].T


def test_couplings_and_product_bases_turn_as_they_say():
    turn = Rotation.random(random_state=2).as_matrix()
    d = [rotations(ell, turn) for ell in range(4)]
    for l1, l2, l3 in [(1, 1, 1), (1, 2, 1), (2, 1, 3), (3, 2, 2)]:
        table = clebsch_gordan(l1, l2, l3)
        turned = np.einsum("ai,bj,ijk->abk", d[l1], d[l2], table)
        np.testing.assert_allclose(turned, np.einsum("abi,ik->abk", table, d[l3]), atol=1e-13)
    block = np.zeros((9, 9))
    for ell in range(3):
        block[ell**2 : (ell + 1) ** 2, ell**2 : (ell + 1) ** 2] = d[ell]
    for ell in (0, 1, 2):
        x = np.random.default_rng(3).normal(size=9)
        tensor = coupled(2, ell, 3, True)
        before, after = (np.einsum("mijkq,i,j,k->mq", tensor, v, v, v) for v in (x, block @ x))
        np.testing.assert_allclose(after, d[ell] @ before, atol=1e-12)


@pytest.mark.parametrize("ell", [0, 1, 2])
def test_matrices_of_products_are_the_tensors(ell):
    x = np.random.default_rng(4).normal(size=9)
    degrees = np.array([0, 1, 1, 1, 2, 2, 2, 2, 2])
    even, odd = x[degrees % 2 == 0], x[degrees % 2 == 1]
    pairs = [s[i] * s[j] for s in (even, odd) for i in range(len(s)) for j in range(i, len(s))]
    features = np.concatenate([pairs, even, [1.0]])
    factors = odd if ell % 2 else np.concatenate([even, [1.0]])
    for order, matrix in enumerate(product_matrices(2, ell, 3, False), start=1):
        got = np.einsum("qmfp,f,p->mq", matrix, factors, features)
        expected = coupled(2, ell, order, False)
        for _ in range(order):
            expected = np.einsum("mi...,i->m...", expected, x)
        np.testing.assert_allclose(got, expected, atol=1e-12)


def test_independent_products_span_all():
    for ell, count in ((0, 8), (1, 12)):
        every = coupled(3, ell, 3, False)
        own = coupled(3, ell, 3, True)
        assert own.shape[-1] == count, "as mace-torch counts them with its reduced basis"
        even = sum(np.transpose(every, (0, *order, 4)) for order in itertools.permutations((1, 2, 3))) / 6
        flat = own.reshape(-1, count)
        projected = flat @ (flat.T @ even.reshape(len(flat), -1)) / (2 * ell + 1)
        np.testing.assert_allclose(projected, even.reshape(len(flat), -1), atol=1e-12)


def test_radial_functions():
    r = np.linspace(0.1, 6.0, 50, dtype=np.float32)
    u = np.minimum(r.astype(float) / 5, 1)
    envelope = 1 - 21 * u**5 + 35 * u**6 - 15 * u**7
    np.testing.assert_allclose(polynomial_cutoff(jnp.asarray(r), 5.0), envelope, atol=2e-5)
    n = np.arange(1, 5)
    bessel = np.sqrt(2 / 5) * np.sin(n[None] * np.pi * r[:, None] / 5) / r[:, None] * envelope[:, None]
    np.testing.assert_allclose(BesselBasis(5.0, 4)(jnp.asarray(r)), bessel, atol=2e-5)
    gauss = np.exp(-0.5 * (r[:, None] / (5 / 3) - np.arange(4)[None]) ** 2) * envelope[:, None]
    np.testing.assert_allclose(GaussianBasis(5.0, 4)(jnp.asarray(r)), gauss, atol=2e-5)


def test_the_gain_keeps_the_second_moment():
    def integrand(z):
        return (z / (1 + np.exp(-z))) ** 2 * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)

    assert SILU_GAIN**2 * quad(integrand, -12, 12)[0] == pytest.approx(1, rel=1e-9)
