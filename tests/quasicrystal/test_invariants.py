"""Elastic invariants against published counts, and their tensors against what symmetry demands."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import InputError
from geoembed.quasicrystal import (
    count_invariants,
    elastic_constants_of,
    elastic_invariants,
    elastic_tensor,
    point_group,
    stability_limits,
    stability_margin,
    strain_form,
)
from tests.quasicrystal.symmetry_cases import axial, icosahedral, rotation

# (phonon, phason, coupling): Hu, Wang, Ding, Rep. Prog. Phys. 63, 1 (2000)
COUNTS = {
    "icosahedral": (icosahedral(), 60, (2, 2, 1)),
    "5": (axial(5, 2, False), 5, (5, 5, 6)),
    "5m": (axial(5, 2, True), 10, (5, 4, 3)),
    "8": (axial(8, 3, False), 8, (5, 5, 2)),
    "8mm": (axial(8, 3, True), 16, (5, 4, 1)),
    "10": (axial(10, 3, False), 10, (5, 3, 2)),
    "10mm": (axial(10, 3, True), 20, (5, 3, 1)),
    "12": (axial(12, 5, False), 12, (5, 5, 0)),
    "12mm": (axial(12, 5, True), 24, (5, 4, 0)),
    "nothing": ((np.eye(3)[None], np.eye(3)[None]), 1, (21, 45, 54)),
    "isotropic crystal": ((icosahedral()[0], np.zeros((2, 0, 0))), 60, (2, 0, 0)),
}


@pytest.mark.parametrize("name", COUNTS)
def test_counts_and_bases(name):
    generators, order, expected = COUNTS[name]
    group = point_group(*generators)
    assert len(group.parallel) == order
    assert count_invariants(group) == expected
    invariants = elastic_invariants(group)
    assert tuple(len(block.components) for block in invariants) == expected
    both = np.zeros((order, *2 * (sum(x.shape[1] for x in group),)))
    d = group.parallel.shape[1]
    both[:, :d, :d], both[:, d:, d:] = group
    for block in invariants:
        for g, h in zip(both[-3:], group.parallel[-3:], strict=True):
            moved = np.einsum("IA,jb,KC,ld,kAbCd->kIjKl", g, h, g, h, block.tensors, optimize=True)
            np.testing.assert_allclose(moved, block.tensors, rtol=0, atol=1e-12)
        np.testing.assert_allclose(block.tensors, block.tensors.transpose(0, 3, 4, 1, 2), rtol=0, atol=1e-13)
        for k, c in enumerate(block.components):
            np.testing.assert_allclose(
                block.tensors[(slice(None), *c)], np.eye(len(block.components))[k], atol=1e-13
            )


def test_a_group_in_space_without_its_axis_along_z():
    tilt, (parallel, perp) = rotation([1, 2, 3], 0.7), axial(8, 3, True)
    assert count_invariants(point_group(tilt @ parallel @ tilt.T, perp)) == (5, 4, 1)


def test_what_is_no_group_is_refused():
    one = rotation([0, 0, 1], 1.0)[None]
    with pytest.raises(InputError, match="more than 1000 elements"):
        point_group(one, np.zeros((1, 0, 0)))
    with pytest.raises(InputError, match="generator 0: its matrix is not orthogonal"):
        point_group(1.1 * np.eye(3)[None], np.zeros((1, 0, 0)))
    with pytest.raises(InputError, match="1 generators act on parallel space and 2"):
        point_group(one, np.zeros((2, 0, 0)))


@pytest.fixture(scope="module", autouse=True)
def quickly(compiled_quickly):
    """Formulas on few numbers."""


@pytest.fixture(scope="module")
def ico():
    return elastic_invariants(point_group(*icosahedral()))


@pytest.fixture(scope="module")
def tensor_of(ico):
    return jax.jit(lambda *constants: elastic_tensor(ico, *constants))


def test_icosahedral_phonons_are_isotropic(ico, tensor_of, precision):
    lam, mu = 0.47, 0.45
    tensor = tensor_of(
        jnp.array([lam + 2 * mu, lam], precision), jnp.zeros(2, precision), jnp.zeros(1, precision)
    )
    assert tensor.dtype == precision
    assert ico.phonon.components == ((0, 0, 0, 0), (0, 0, 1, 1))
    one = np.eye(3)
    expected = lam * np.einsum("ij,kl->ijkl", one, one)
    expected += mu * (np.einsum("ik,jl->ijkl", one, one) + np.einsum("il,jk->ijkl", one, one))
    np.testing.assert_allclose(tensor[:3, :, :3], expected, atol=1e-6 if precision == "float32" else 1e-14)
    assert not np.any(np.asarray(tensor[3:])), "no phason and no coupling constant was given"
    back = elastic_constants_of(ico, tensor)
    np.testing.assert_allclose(back[0], [lam + 2 * mu, lam], rtol=1e-6)


def test_icosahedral_phasons_are_of_two_kinds_and_one_couples(tensor_of):
    """The phason gradient is 4 + 5 dimensional, the strain 1 + 5: only the fives meet."""
    with jax.enable_x64(True):
        values = np.linalg.eigvalsh(
            strain_form(tensor_of(jnp.zeros(2), jnp.array([1.0, 0.3]), jnp.zeros(1)))[6:, 6:]
        )
        coupling = np.linalg.svd(strain_form(tensor_of(jnp.zeros(2), jnp.zeros(2), jnp.ones(1)))[:6, 6:])[1]
    steps = np.diff(values) > 1e-9
    assert np.flatnonzero(steps).tolist() in ([3], [4])
    np.testing.assert_allclose(coupling[:5], coupling[0], rtol=1e-12)
    assert coupling[5] < 1e-12 < 0.1 < coupling[0]


def test_numbers_of_constants_are_checked(ico):
    with pytest.raises(ValueError, match="phonon has 3 constants, the group has 2"):
        elastic_tensor(ico, jnp.zeros(3), jnp.zeros(2), jnp.zeros(1))


def test_stability_limit_of_the_coupling(tensor_of, precision):
    """Two degenerate fives [[2μ, r], [r, k5]] are positive for r² < 2μ k5."""
    lam, mu, zero = 0.47, 0.45, jnp.zeros(2, precision)
    phonon, phason = jnp.array([lam + 2 * mu, lam], precision), jnp.array([0.02, 0.004], precision)
    tensor = tensor_of(phonon, phason, jnp.zeros(1, precision))
    change = tensor_of(zero, zero, jnp.ones(1, precision))
    form, coupled = np.asarray(strain_form(tensor), float), np.asarray(strain_form(change), float)[:6, 6:]
    strength = np.linalg.svd(coupled)[1][0]
    five = coupled[1:6] / strength  # some five orthogonal directions that couple
    k5 = np.linalg.eigvalsh(np.linalg.svd(five)[2][:5] @ form[6:, 6:] @ np.linalg.svd(five)[2][:5].T)[-1]
    expected = np.sqrt(2 * mu * k5) / strength
    lower, upper = jax.jit(stability_limits)(tensor, change)
    tolerance = 1e-4 if precision == "float32" else 1e-11
    np.testing.assert_allclose([lower, upper], [-expected, expected], rtol=tolerance)
    margin = jax.jit(stability_margin)
    assert margin(tensor + 0.99 * upper * change) > 0 > margin(tensor + 1.01 * upper * change)


def test_stability_without_a_limit():
    with jax.enable_x64(True):
        tensor = jnp.eye(4).reshape(2, 2, 2, 2)
        limits = jax.jit(stability_limits)
        np.testing.assert_allclose(limits(tensor, tensor), [-1.0, np.inf], rtol=1e-15)
        np.testing.assert_allclose(limits(tensor, -2 * tensor), [-np.inf, 0.5], rtol=1e-15)
        assert np.isnan(limits(-tensor, tensor)).all()


@pytest.mark.slow
def test_stability_gradients(ico):
    """Also where eigenvalues are degenerate, as with icosahedral symmetry they always are."""
    with jax.enable_x64(True):

        def margin(constants):
            tensor = elastic_tensor(ico, constants[:2], constants[2:4], constants[4:])
            change = elastic_tensor(ico, 0 * constants[:2], 0 * constants[:2], 1 + 0 * constants[4:])
            return jnp.stack([stability_margin(tensor), *stability_limits(tensor, change)])

        at, h = jnp.array([1.37, 0.47, 0.02, 0.004, 0.01]), 1e-6
        slopes = jax.jit(jax.jacrev(margin))(at)
        value = jax.jit(margin)
        expected = np.stack([(value(at + h * e) - value(at - h * e)) / (2 * h) for e in np.eye(5)], axis=-1)
    np.testing.assert_allclose(slopes, expected, rtol=1e-6, atol=1e-8)
