"""Pseudoscalars: against determinants, of enantiomers, and of what equals its mirror image."""

import jax
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from geoembed.atoms import (
    BesselBasis,
    Chirality,
    ElementEmbedding,
    Frame,
    GaussianBasis,
    Mace,
    SoapPowerSpectrum,
    pack,
)
from tests.atoms.structures import frame

KEY = jax.random.key(4)
DENSITY = SoapPowerSpectrum((1, 8, 9, 34), GaussianBasis(4.0, 3), max_ell=2)
CHIRALITY = Chirality(DENSITY, outputs=2, degrees=((1, 1, 1), (1, 2, 2)), key=KEY)
TURN = Rotation.from_quat([0.3, -0.5, 0.7, 0.4]).as_matrix()


def encoder(**changes) -> Mace:
    settings = {"channels": 3, "hidden_ell": 1, "max_ell": 1, "correlation": 2, "radial_layers": ()}
    elements = ElementEmbedding.random([1, 8, 9], 3, key=KEY)
    return Mace(
        elements, radial=BesselBasis(4.0, 3), average_neighbours=1.0, key=KEY, **{**settings, **changes}
    )


def peroxide(dihedral: float) -> Frame:
    """H–O–O–H with O at ±0.73 Å on the axis x."""
    half, side, out = np.radians(dihedral) / 2, 0.95, 0.16
    ends = [[0.73 + out, side * np.cos(half), side * np.sin(half)]]
    ends += [[-0.73 - out, side * np.cos(half), -side * np.sin(half)]]
    return frame([[0.73, 0, 0], [-0.73, 0, 0], *ends], numbers=[8, 8, 1, 1])


def selenium() -> Frame:
    """One element on two-fold axes, in helices: trigonal selenium."""
    u, a, c = 0.2254, 4.366, 4.954
    cell = np.array([[a, 0, 0], [-a / 2, a * np.sqrt(3) / 2, 0], [0, 0, c]])
    places = np.array([[u, 0, 1 / 3], [0, u, 2 / 3], [1 - u, 1 - u, 0]])
    return frame(places @ cell, cell, numbers=[34] * 3)


def trans_and_more() -> Frame:
    """Not planar and its own mirror image: three atoms on a plane, two beside it; F in front of all."""
    points = [[0, 0, 0], [1.1, 0.3, 0], [-0.4, 1.2, 0], [0.3, -0.5, 0.9], [0.3, -0.5, -0.9]]
    return frame(points, numbers=[8, 9, 1, 1, 1])


def changed(one: Frame, matrix: np.ndarray) -> Frame:
    cell = None if one.cell is None else one.cell @ matrix.T
    return Frame(one.numbers, one.positions @ matrix.T, cell, one.pbc)


FRAMES = [peroxide(112.0), selenium(), peroxide(0.0), peroxide(180.0), trans_and_more()]
CHIRAL = 2
CHANGES = [np.eye(3), np.diag([-1.0, 1, 1]), np.diag([1.0, 1, -1]), -np.eye(3), TURN, -TURN]


@pytest.fixture(scope="module", params=["float32", "float64"])
def said(request):
    """The pseudoscalars of every frame, changed in every way, [change, frame, output]; and the rounding allowed."""
    frames = [changed(one, matrix) for matrix in CHANGES for one in FRAMES]
    with jax.enable_x64(request.param == "float64"):
        values = jax.jit(CHIRALITY.of_structures)(pack(frames, 4.0, dtype=request.param))
    assert values.dtype == request.param
    values = np.asarray(values, np.float64).reshape(len(CHANGES), len(FRAMES), 4)
    return values, 2e-5 if request.param == "float32" else 1e-13


def test_enantiomers_have_opposite_signs(said):
    values, rounding = said
    same, flipped_x, flipped_z, inverted, turned, turned_mirror = values
    assert np.abs(same[0, :2]).min() > 1e-3, "three kinds of neighbours in space: (1, 1, 1) sees them"
    assert np.abs(same[1, 2:]).max() > 1e-3, "a helix of one element: (1, 2, 2) sees it"
    for mirrored in (flipped_x, flipped_z, inverted):
        assert np.array_equal(mirrored, -same), "bit for bit at coordinate planes"
    np.testing.assert_allclose(turned, same, rtol=0, atol=rounding)
    np.testing.assert_allclose(turned_mirror, -same, rtol=0, atol=rounding)


def test_what_equals_its_mirror_image_has_none(said):
    values, rounding = said
    np.testing.assert_allclose(values[:, CHIRAL:], 0, rtol=0, atol=rounding)
    assert not values[0, 2].any(), "exactly 0 in a coordinate plane"


def test_atoms_on_an_axis_are_the_blind_spot_of_vectors(said):
    values, rounding = said
    np.testing.assert_allclose(values[:, 1, :2], 0, rtol=0, atol=rounding)


def test_the_triple_product_of_vectors_is_a_determinant(compiled_quickly):
    """With the vectors Σ_j g(r) √3 r̂ of each species, from nothing but positions."""
    one = trans_and_more()
    soap = SoapPowerSpectrum((1, 8, 9), GaussianBasis(4.0, 2), max_ell=1)
    got = Chirality(soap, outputs=3, key=KEY)
    with jax.enable_x64(True):
        values = jax.jit(got.of_atoms)(pack([one], 4.0))
    mixtures = np.asarray(got.mixtures[0], np.float64)
    wanted = []
    for i in range(len(one.numbers)):
        vectors = np.zeros((3, 6))
        for j, number in enumerate(one.numbers):
            if i != j:
                away = one.positions[i] - one.positions[j]
                r, u = np.linalg.norm(away), np.linalg.norm(away) / 4
                g = [
                    np.exp(-0.5 * ((r - c) / 4) ** 2) * (1 - 21 * u**5 + 35 * u**6 - 15 * u**7)
                    for c in (0, 4)
                ]
                first = 2 * (1, 8, 9).index(number)
                vectors[:, first : first + 2] += np.sqrt(3) * np.outer(away / r, g)
        a, b, c = (vectors @ mixtures[:, k] for k in range(3))
        wanted.append([np.linalg.det(np.stack([a[:, k], b[:, k], c[:, k]])) for k in range(3)])
    sign = np.sign(np.asarray(values)[3, 0] * wanted[3][0])  # the order of x, y, z in the features is theirs
    assert np.abs(wanted[3]).min() > 1e-4
    np.testing.assert_allclose(values, sign * np.array(wanted), rtol=0, atol=1e-13)


@pytest.mark.slow
def test_vectors_of_an_encoder_serve_too():
    chirality = Chirality(encoder(), outputs=2, key=KEY)
    frames = [changed(one, matrix) for matrix in (CHANGES[0], TURN, -TURN) for one in (FRAMES[0], FRAMES[4])]
    with jax.enable_x64(True):
        same, turned, mirrored = np.asarray(
            jax.jit(chirality.of_structures)(pack(frames, 4.0, kinds=[1, 8, 9]))
        ).reshape(3, 2, 2)
    size = np.abs(same[0]).max()
    assert np.abs(same[0]).min() > 0.01 * size
    for got, expected in ((turned, same), (mirrored, -same), (same[1], 0 * same[1])):
        np.testing.assert_allclose(got / size, expected / size, rtol=0, atol=1e-12)
    with pytest.raises(ValueError, match=r"features of degree 1, the source has up to 0"):
        Chirality(encoder(num_interactions=1), key=KEY)


def test_what_makes_no_pseudoscalar_is_refused():
    with pytest.raises(ValueError, match=r"features of degree 1, the source has up to 0"):
        Chirality(SoapPowerSpectrum((1,), max_ell=0), key=KEY)
    with pytest.raises(ValueError, match="three channels of features, the source has 2"):
        Chirality(SoapPowerSpectrum((1,), GaussianBasis(4.0, 2)), key=KEY)
    for degrees in ((1, 1, 2), (0, 1, 2), (0, 0, 1)):
        with pytest.raises(ValueError, match="make no pseudoscalar"):
            Chirality(DENSITY, degrees=(degrees,), key=KEY)
    with pytest.raises(ValueError, match="a triple or more"):
        Chirality(DENSITY, degrees=(), key=KEY)
    with pytest.raises(ValueError, match="outputs"):
        Chirality(DENSITY, outputs=0, key=KEY)


def test_its_gradient_is_finite_and_moves_it(compiled_quickly):
    one = peroxide(0.0)
    numbers = jax.device_put(one.numbers.astype(np.int32))
    slope = jax.jit(jax.grad(lambda x: CHIRALITY(x, numbers)[:, 0].sum()))(
        jax.device_put(one.positions.astype(np.float32))
    )
    assert np.isfinite(slope).all()
    assert np.abs(slope[:, 2]).max() > 1e-3, "out of the plane"
    assert not np.asarray(slope[:, :2]).any(), "not within it"
