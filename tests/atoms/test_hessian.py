"""Second derivatives: against differences of forces and stresses, and in padding."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq, root

from geoembed.atoms import elastic_constants, hessian, hessian_product, pack, predict
from tests.atoms.structures import frame, random_frames
from tests.atoms.toy import morse_energy, toy

VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
LIQUID = random_frames(5, (5, 3), labels=False)


@pytest.fixture(scope="module", autouse=True)
def quickly(compiled_quickly):
    """All programs here are formulas on few numbers."""


def differences(structures, h=1e-5):
    """Minus the central differences of the forces of two structures, side by side with padding, for each coordinate."""
    sizes = {"atoms": 10, "slots": 80, "structures": 3}
    forces = jax.jit(lambda batch: predict(toy(dtype="float64"), batch).forces)
    total = np.zeros((10, 3, 10, 3))
    starts = np.cumsum([0, *[len(one.numbers) for one in structures]])
    for k, one in enumerate(structures):
        for atom, axis in np.ndindex(one.positions.shape):
            ends = []
            for sign in (1, -1):
                step = np.zeros(one.positions.shape)
                step[atom, axis] = sign * h
                moved = dataclasses.replace(one, positions=one.positions + step)
                ends.append(forces(pack([*structures[:k], moved, *structures[k + 1 :]], 5.0, **sizes)))
            total[starts[k] + atom, axis] = -(np.asarray(ends[0]) - np.asarray(ends[1])) / (2 * h)
    return pack(structures, 5.0, **sizes), total


def test_it_is_how_the_forces_change():
    with jax.enable_x64(True):
        model = toy(dtype="float64")
        batch, expected = differences(LIQUID)
        assert batch.neighbours.reverse is not None
        direction = np.random.default_rng(0).normal(size=(10, 3))
        full, some, product = jax.jit(
            lambda b, v: (
                hessian(model, b, chunk=7),
                hessian(model, b, atoms=np.array([6, 2])),
                hessian_product(model, b, v),
            )
        )(batch, direction)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(full, expected, rtol=0, atol=1e-8 * scale)
    np.testing.assert_allclose(full, np.transpose(full, (2, 3, 0, 1)), rtol=0, atol=1e-13 * scale)
    np.testing.assert_allclose(some, expected[[6, 2]], rtol=0, atol=1e-8 * scale)
    np.testing.assert_allclose(
        product, np.einsum("aibj,bj->ai", expected, direction), rtol=0, atol=1e-7 * scale
    )
    assert not np.any(np.asarray(full)[8:]), "padding"
    assert not np.any(np.asarray(full)[:5, :, 5:]), "two structures"
    with pytest.raises(ValueError, match="chunk=0"):
        hessian(model, batch, chunk=0)


@pytest.mark.slow
def test_in_float32_it_is_the_same_to_seven_digits():
    batch = pack(LIQUID[:1], 5.0, dtype="float32")
    single = jax.jit(lambda b: hessian(toy(dtype="float32"), b))(batch)
    assert single.dtype == jnp.float32
    with jax.enable_x64(True):
        double = jax.jit(lambda b: hessian(toy(dtype="float64"), b))(pack(LIQUID[:1], 5.0))
    np.testing.assert_allclose(single, double, rtol=0, atol=1e-5 * np.abs(double).max())


DIAMOND = np.array([[0.0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2


def diamond(a, strain=None, shift=None):
    """Its second atom sits at no centre of inversion, so that shears move it against the first one."""
    grown = np.eye(3) if strain is None else np.eye(3) + strain
    places = np.array([[0.0, 0, 0], [0.25, 0.25, 0.25]])
    if shift is not None:
        places = places + np.stack([-shift, shift])
    return frame(a * places @ grown, a * DIAMOND @ grown)


def fcc(size):
    """A crystal with one atom in its cell, which no strain moves."""
    return frame([[0.3, 0, 0]], 3.6 * DIAMOND * (1 + size))


@pytest.fixture(scope="module")
def said():
    """Energy, forces and stress in float64; compiled once."""
    with jax.enable_x64(True):
        model = toy(dtype="float64")
        compiled = eqx.filter_jit(lambda batch: predict(model, batch, stress=True))

        def run(one):
            with jax.enable_x64(True):
                return jax.tree.map(np.asarray, compiled(pack([one], 5.0, slots=40)))

        return run


@pytest.mark.slow
def test_elastic_constants_of_diamond(said):
    """Against stresses of strained crystals whose atoms were relaxed by a root search, and without relaxation."""
    a = brentq(lambda x: said(diamond(x)).stress[0].trace(), 4.6, 5.8, xtol=1e-13)
    with jax.enable_x64(True):
        model = toy(dtype="float64")
        run = jax.jit(
            lambda b: (elastic_constants(model, b), elastic_constants(model, b, relaxed=False)),
        )
        relaxed, clamped = (
            np.asarray(x) for x in run(pack([diamond(a), fcc(0.0)], 5.0, atoms=4, structures=3))
        )
    assert not relaxed[2].any()
    h = 1e-4
    for j in (0, 3):
        found = {True: [], False: []}
        for sign in (1, -1):
            strain = np.zeros((3, 3))
            strain[VOIGT[j]] += sign * h / 2
            strain.T[VOIGT[j]] += sign * h / 2
            rest = root(lambda u, e=strain: said(diamond(a, e, u)).forces[1], np.zeros(3), tol=1e-13)
            for moved, shift in ((True, rest.x), (False, None)):
                stress = said(diamond(a, strain, shift)).stress[0]
                found[moved].append(np.array([stress[p] for p in VOIGT]))
        for matrix, ends in ((relaxed[0], found[True]), (clamped[0], found[False])):
            np.testing.assert_allclose(matrix[:, j], (ends[0] - ends[1]) / (2 * h), rtol=0, atol=2e-7)
    assert clamped[0, 3, 3] - relaxed[0, 3, 3] > 0.01, "the relaxation matters"
    h = 1e-3
    for one, matrix in ((lambda size: diamond(a, np.eye(3) * size), relaxed[0]), (fcc, relaxed[1])):
        curvature = sum(sign * morse_energy(one(k * h)) for sign, k in ((1, -1), (-2, 0), (1, 1))) / h**2
        assert matrix[:3, :3].sum() == pytest.approx(curvature / abs(np.linalg.det(one(0.0).cell)), rel=1e-4)
    np.testing.assert_allclose(relaxed[0], relaxed[0].T, atol=1e-13)
