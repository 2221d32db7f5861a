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
from geoembed.atoms._interaction import Species
from geoembed.atoms._product import Product
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


@pytest.mark.parametrize(
    ("max_ell", "ell", "correlation"),
    [(2, 0, 3), (2, 1, 3), (2, 2, 3), (1, 0, 4), (1, 1, 4), pytest.param(2, 2, 4, marks=pytest.mark.slow)],
)
def test_matrices_of_products_are_the_tensors(max_ell, ell, correlation):
    size = (max_ell + 1) ** 2
    x = np.random.default_rng(4).normal(size=size)
    degrees = np.sqrt(np.arange(size)).astype(int)
    even, odd = x[degrees % 2 == 0], x[degrees % 2 == 1]
    pairs = [s[i] * s[j] for s in (even, odd) for i in range(len(s)) for j in range(i, len(s))]
    features = np.concatenate([pairs, even, [1.0]])
    factors = odd if ell % 2 else np.concatenate([even, [1.0]])
    if correlation == 4:
        factors = np.concatenate([factors, np.outer(even, odd).ravel() if ell % 2 else pairs])
    own = correlation == 4  # of four copies, all orders of coupling are very many
    for order, matrix in enumerate(product_matrices(max_ell, ell, correlation, own), start=1):
        got = np.einsum("qmfp,f,p->mq", matrix, factors, features)
        expected = coupled(max_ell, ell, order, own)
        for _ in range(order):
            expected = np.einsum("mi...,i->m...", expected, x)
        np.testing.assert_allclose(got, expected, atol=1e-12)
        assert np.abs(expected).max() > 0.01


def different_products(max_ell, ell, order):
    """How many there are, from characters: the degree in the symmetric power, by parity; an integral over rotations."""
    angles = (np.arange(400) + 0.5) * np.pi / 400
    weight = (1 - np.cos(angles)) / 400  # Haar's measure on the angle of a rotation

    def character(degree, angle):
        return 1 + 2 * sum(np.cos(m * angle) for m in range(1, degree + 1))

    total = 0.0
    for parity in (1, -1):
        powers = [
            sum(parity ** (k * degree) * character(degree, k * angles) for degree in range(max_ell + 1))
            for k in range(order + 1)
        ]
        power = [np.ones_like(angles)]  # Newton: n h_n = Σ p_k h_(n−k)
        for n in range(1, order + 1):
            power.append(sum(powers[k] * power[n - k] for k in range(1, n + 1)) / n)
        total += np.sum(weight * power[order] * parity**ell * character(ell, angles)) / 2
    return total


@pytest.mark.parametrize(("max_ell", "ell", "order"), [(1, 0, 4), (1, 1, 4), (2, 0, 4), (2, 1, 4), (3, 1, 3)])
def test_there_are_as_many_products_as_characters_say(max_ell, ell, order):
    count = different_products(max_ell, ell, order)
    assert count == pytest.approx(round(count), abs=1e-9)
    assert coupled(max_ell, ell, order, True).shape[-1] == round(count)


def test_a_product_of_four_is_what_every_tensor_says(compiled_quickly):
    """Weights, kinds and channels by one sum over all indices; and it turns with its input."""
    product = Product(2, max_ell=1, output_ell=1, correlation=4, size=3, key=jax.random.key(0))
    random = np.random.default_rng(5)
    x, vectors, kind = (
        random.normal(size=(3, 4, 2)),
        random.normal(size=(2, 3)),
        np.array([0, 1, 1], np.int32),
    )
    with jax.enable_x64(True):
        to = jax.device_put
        own = jax.tree.map(lambda leaf: leaf.astype(np.float64), product)
        turn = Rotation.from_quat([0.1, 0.7, -0.3, 0.6]).as_matrix()
        block = np.eye(4)
        block[1:, 1:] = -rotations(1, turn)
        run = jax.jit(lambda a: own(a, Species(to(vectors), to(kind)), ()))
        got, turned = run(to(x)), run(to(np.einsum("ij,njc->nic", block, x)))
    expected = np.zeros((3, 4, 2))
    for ell in (0, 1):
        for order, weight in enumerate(own.weights[ell], start=1):
            value = coupled(1, ell, order, True)
            letters = "ijkl"[:order]
            rule = f"m{letters}q," + ",".join(f"n{letter}c" for letter in letters) + ",nqc->nmc"
            each = np.einsum("nd,dqc->nqc", vectors[kind], weight)
            part = np.einsum(rule, value, *[x] * order, each, optimize=True)
            expected[:, ell**2 : (ell + 1) ** 2] += part @ np.asarray(own.linear[ell]) / np.sqrt(2)
            assert np.abs(part).max() > 0.01
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(turned, np.einsum("ij,njc->nic", block, got), rtol=1e-11, atol=1e-11)


def test_products_of_more_are_refused():
    for correlation in (0, 5):
        with pytest.raises(ValueError, match="correlation must be 1 to 4"):
            Product(1, max_ell=1, output_ell=0, correlation=correlation, size=1, key=jax.random.key(0))


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
