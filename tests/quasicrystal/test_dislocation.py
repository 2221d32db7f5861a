"""Atoms around a dislocation: the cut must not be seen exactly if the Burgers vector is one of the lattice."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial import KDTree

from geoembed import InputError
from geoembed.quasicrystal import (
    dislocated_cut,
    displaced_site,
    faulted_cut,
    in_shadow,
    shadow_radius,
    straight_dislocation,
    winding,
)
from tests.quasicrystal.symmetry_cases import P, Q, in_triacontahedron

SHIFT = np.array([0.0123, 0.0271, -0.0191])
BURGERS = np.array([1, -1, 0, 0, 0, 0])  # along a twofold axis
WINDOW = {"window": in_triacontahedron, "window_radius": 1.1442, "shift": SHIFT}


@pytest.fixture(scope="module", autouse=True)
def doubles(compiled_quickly):
    with jax.enable_x64(True):
        yield


def both_parts(vector):
    return np.concatenate([P @ vector, Q @ vector])


def unmatched(first, second):
    """How many points of either set are farther than 1e-7 from the other set."""
    far = [KDTree(a.points).query(b.points)[0] > 1e-7 for a, b in ((first, second), (second, first))]
    return sum(int(x.sum()) for x in far)


def cut(multiple, branch, radius):
    field = winding(jnp.asarray(multiple * both_parts(BURGERS)), jnp.array([0.0, 0.0, 1.0]))
    return dislocated_cut(P, Q, field, radius=radius, core=0.6, branch=branch, **WINDOW)


@pytest.fixture(scope="module")
def dislocated():
    return cut(1.0, -np.pi, 3.5)


def test_the_cut_is_not_seen_of_a_lattice_vector(dislocated):
    other = cut(1.0, 0.7, 3.5)
    assert len(dislocated.points) > 600
    assert len(dislocated.points) == len(other.points)
    assert unmatched(dislocated, other) == 0
    turned = np.any(
        dislocated.indices[KDTree(dislocated.points).query(other.points)[1]] != other.indices, axis=1
    )
    assert 0.3 < turned.mean() < 0.7, "between the two cuts every site has another name"


def test_the_cut_is_seen_of_half_a_lattice_vector():
    assert unmatched(cut(0.5, -np.pi, 3.5), cut(0.5, 0.7, 3.5)) > 300


def test_sites_are_where_the_displacement_says(dislocated):
    """x = P k + b∥ θ/2π and q = Q k + shift + b⊥ θ/2π, with θ the angle of x, and inside the window."""
    turns = (dislocated.angle - np.arctan2(dislocated.points[:, 1], dislocated.points[:, 0])) / (2 * np.pi)
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-9)
    part = dislocated.angle[:, None] / (2 * np.pi)
    np.testing.assert_allclose(dislocated.points, dislocated.indices @ P.T + part * (P @ BURGERS), atol=1e-12)
    np.testing.assert_allclose(
        dislocated.perp, dislocated.indices @ Q.T + SHIFT + part * (Q @ BURGERS), atol=1e-12
    )
    assert in_triacontahedron(dislocated.perp).all()


def test_burgers_circuit_of_lattice_vectors(dislocated):
    """The lattice vectors of the steps of a closed way around the line add up to the Burgers vector."""
    points, indices = dislocated.points, dislocated.indices
    ring = np.stack([2.5 * np.cos(a := np.linspace(0, 2 * np.pi, 400)[:-1]), 2.5 * np.sin(a), 0 * a], axis=1)
    _, sites = np.unique(KDTree(points).query(ring)[1], return_index=True)
    order = KDTree(points).query(ring)[1][np.sort(sites)]
    total = np.zeros(6, int)
    for here, there in zip(order, np.roll(order, -1), strict=True):
        step = indices[there] - indices[here]
        # across the cut the names change by ±b: the true step is the one whose place is near
        options = step + np.outer([-1, 0, 1], BURGERS)
        lengths = np.linalg.norm(options @ P.T - (points[there] - points[here]), axis=1)
        lengths = lengths + np.linalg.norm(options @ Q.T, axis=1)
        total += options[np.argmin(lengths)]
    assert np.abs(total).tolist() == np.abs(BURGERS).tolist()


def test_without_a_burgers_vector_it_is_the_quasicrystal():
    found = cut(0.0, 0.0, 2.5)
    flat = faulted_cut(P, Q, np.array([0.0, 0, 1]), np.zeros(6), radius=2.5, **WINDOW)
    outside = np.linalg.norm(flat.points[:, :2], axis=1) > 0.6
    assert set(map(tuple, found.indices)) == set(map(tuple, flat.indices[outside]))
    # the density of the vertices is the volume of the window
    ball = 4 / 3 * np.pi * 2.5**3
    assert abs(len(flat.points) / ball / 4.352501798965641 - 1) < 0.08


def test_faults():
    normal = np.array([0.3, 1.0, 0.2])
    perfect = faulted_cut(P, Q, normal, np.zeros(6), radius=3.0, **WINDOW)
    shifted = faulted_cut(P, Q, normal, both_parts(BURGERS), radius=3.0, height=0.4, **WINDOW)
    assert unmatched(perfect, shifted) == 0, "a lattice vector makes no fault"
    wall = both_parts(BURGERS) * [0, 0, 0, 1, 1, 1]
    walled = faulted_cut(P, Q, normal, wall, radius=3.0, height=0.4, **WINDOW)
    near = KDTree(perfect.points).query(walled.points)[0] > 1e-7
    beyond = walled.points @ normal > 0.4 * np.linalg.norm(normal)
    assert not near[~beyond].any(), "a phason wall leaves its other side alone"
    assert 0.2 < near[beyond].mean() < 0.95
    half = faulted_cut(P, Q, normal, both_parts(BURGERS) / 2, radius=3.0, **WINDOW)
    assert unmatched(perfect, half) > 100


def elastic(burgers, constants):
    """Isotropic phonons and phasons ½K|∇w|² without coupling."""
    one = jnp.eye(3)
    lam, mu, k = constants
    shear = jnp.einsum("ik,jl->ijkl", one, one)
    phonon = lam * jnp.einsum("ij,kl->ijkl", one, one) + mu * (shear + jnp.einsum("il,jk->ijkl", one, one))
    stiffness = jnp.zeros((6, 3, 6, 3)).at[:3, :, :3].set(phonon).at[3:, :, 3:].set(k * shear)
    return straight_dislocation(stiffness, burgers, jnp.array([0.0, 0.0, 1.0]), samples=16)


@pytest.mark.slow
def test_the_cut_is_not_seen_with_an_elastic_displacement():
    field = jax.jit(elastic)(both_parts(BURGERS), jnp.array([0.47, 0.45, 0.02]))
    first, second = (
        dislocated_cut(P, Q, field, radius=2.5, core=0.6, branch=branch, **WINDOW) for branch in (0.0, 2.0)
    )
    assert len(first.points) > 200
    assert unmatched(first, second) == 0
    plain = cut(1.0, 0.0, 2.5)
    assert unmatched(first, plain) > 100, "the places are not those of the plain winding"


@pytest.mark.slow
def test_gradients_of_a_site():
    """Of place and perpendicular coordinate, in the Burgers vector and in the elastic constants."""
    base = jnp.asarray(np.concatenate([P @ [1, 1, 2, 0, 0, 1], Q @ [1, 1, 2, 0, 0, 1]]))
    start = jnp.concatenate([jnp.asarray(both_parts(BURGERS)), jnp.array([0.47, 0.45, 0.02])])

    @jax.jit
    def site(numbers):
        place, _, gap = displaced_site(base, elastic(numbers[:6], numbers[6:]), jnp.array(7.0))
        return place, gap

    jacobian = jax.jit(jax.jacrev(lambda numbers: site(numbers)[0]))(start)
    assert float(site(start)[1]) < 1e-14
    h, columns = 1e-6, []
    for k in (0, 1, 4, 6, 7):
        step = h * np.eye(9)[k]
        columns.append((site(start + step)[0] - site(start - step)[0]) / (2 * h))
        np.testing.assert_allclose(jacobian[:, k], columns[-1], atol=1e-8)
    assert np.abs(columns).max() > 0.1


@pytest.mark.slow
def test_float32_finds_the_same_sites(dislocated):
    field = winding(jnp.asarray(both_parts(BURGERS), jnp.float32), jnp.array([0, 0, 1], jnp.float32))
    found = dislocated_cut(P, Q, field, radius=3.5, core=0.6, branch=-np.pi, **WINDOW)
    apart = KDTree(dislocated.points).query(found.points)[0]
    assert (apart < 1e-5).mean() > 0.99
    assert abs(len(found.points) - len(dislocated.points)) < 0.01 * len(found.points)


def test_a_core_that_is_too_small_is_refused():
    with pytest.raises(InputError, match=r"take a core of at least 0\.21"):
        dislocated_cut(
            P,
            Q,
            winding(jnp.asarray(both_parts(BURGERS)), jnp.array([0.0, 0, 1])),
            radius=2.0,
            core=0.1,
            **WINDOW,
        )


@pytest.mark.slow
def test_a_point_dislocation_in_a_tiling():
    """Ammann-Beenker, the dislocation beside the origin: the cut is not seen."""
    angle = np.pi / 4 * np.arange(4)
    parallel = np.stack([np.cos(angle), np.sin(angle)]) / np.sqrt(2)
    perp = np.stack([np.cos(3 * angle), np.sin(3 * angle)]) / np.sqrt(2)
    vector = np.array([0, 1, 0, 1])
    burgers = jnp.asarray(np.concatenate([parallel @ vector, perp @ vector]))
    around = winding(burgers, origin=jnp.array([0.37, 0.21]))
    inside = {
        "window": lambda q: in_shadow(perp, q),
        "window_radius": shadow_radius(perp),
        "shift": np.array([0.031, 0.017]),
    }
    first, second = (
        dislocated_cut(parallel, perp, around, radius=9.0, core=0.8, branch=b, **inside) for b in (0.3, 3.0)
    )
    assert len(first.points) == len(second.points)
    assert unmatched(first, second) == 0
    assert np.linalg.norm(first.points - [0.37, 0.21], axis=1).min() > 0.8
    # (1 + √2)/2 vertices per square of the edge, which is √½ here
    expected = (1 + np.sqrt(2)) * np.pi * (9.0**2 - 0.8**2)
    assert abs(len(first.points) / expected - 1) < 0.03
