"""Diffuse scattering against closed forms, symmetry and the limit of stability."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import quasicrystal as qc

from .symmetry_cases import P, Q, icosahedral

pytestmark = pytest.mark.usefixtures("compiled_quickly")


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


intensity = eqx.filter_jit(qc.diffuse_intensity)
LAMBDA, MU = 0.4, 0.3  # eV/Å³
GROUP = qc.point_group(*icosahedral())
INVARIANTS = qc.elastic_invariants(GROUP)
RNG = np.random.default_rng(4)
WAVES = RNG.normal(size=(6, 3)) * 0.1  # rad/Å
REFLECTION = np.array([2, 0, 1, 0, 0, -1])  # on no axis
ALONG, ACROSS = 2 * np.pi * P @ REFLECTION / 5.0, 2 * np.pi * Q @ REFLECTION / 5.0


def tensor(coupling, phason=(0.05, -0.01)):
    """The isotropic phonon constants are C1111 = λ + 2μ and C1122 = λ."""
    phonon = jnp.array([LAMBDA + 2 * MU, LAMBDA])
    return qc.elastic_tensor(INVARIANTS, phonon, jnp.array(phason), jnp.array([coupling]))


def diffuse(stiffness, q=ALONG, q_perp=ACROSS, p=WAVES, **options):
    vectors = [jnp.asarray(np.broadcast_to(x, p.shape)) for x in (q, q_perp)]
    return np.asarray(
        intensity(stiffness, vectors[0], vectors[1], jnp.asarray(p), **{"temperature": 300.0, **options})
    )


def test_isotropic_phonons():
    """kT Q² (sin²/μ + cos²/(λ + 2μ)) / p²: without coupling, and where Q⊥ is 0."""
    lengths, q = np.linalg.norm(WAVES, axis=1), np.linalg.norm(ALONG)
    cosines = (WAVES @ ALONG / (lengths * q)) ** 2
    expected = (
        8.617333262e-5 * 300.0 * (q / lengths) ** 2 * ((1 - cosines) / MU + cosines / (LAMBDA + 2 * MU))
    )
    np.testing.assert_allclose(diffuse(tensor(0.0), q_perp=np.zeros(3)), expected, rtol=1e-12)
    # ρ, |F|² and T are factors
    scaled = diffuse(tensor(0.0), q_perp=np.zeros(3), square=0.5, density=0.07, temperature=600.0)
    np.testing.assert_allclose(scaled, 0.07 * expected, rtol=1e-12)


def test_inverse_square_law():
    near = diffuse(tensor(0.03))
    np.testing.assert_allclose(diffuse(tensor(0.03), p=4.0 * WAVES), near / 16, rtol=1e-12)
    scaled = near * np.sum(WAVES**2, axis=1)
    assert scaled.max() > 1.2 * scaled.min(), "and not the same in all directions"


def test_symmetry():
    """Turned by any element of the point group, in both spaces at once, the pattern is the same."""
    stiffness, whole = tensor(0.03), diffuse(tensor(0.03))
    for g, h in list(zip(*GROUP, strict=True))[::11]:
        np.testing.assert_allclose(diffuse(stiffness, g @ ALONG, h @ ACROSS, WAVES @ g.T), whole, rtol=1e-11)
    g = GROUP.parallel[1]
    turned = diffuse(stiffness, g @ ALONG, ACROSS, WAVES @ g.T)
    assert np.abs(turned / whole - 1).max() > 0.01, "turned in one of them it is not"


def test_frozen_phasons():
    """In equilibrium the two temperatures are one; both parts by numpy, block by block."""
    stiffness = tensor(0.03)
    np.testing.assert_allclose(diffuse(stiffness, quenched=300.0), diffuse(stiffness), rtol=1e-12)
    matrices = np.asarray(qc.hydrodynamic_matrix(stiffness, jnp.asarray(WAVES)))
    kept = [np.asarray(qc.effective_matrix(jnp.asarray(matrices), 3, keep)) for keep in ("phonon", "phason")]
    inverse = np.linalg.inv(matrices)
    np.testing.assert_allclose(np.linalg.inv(kept[0]), inverse[:, :3, :3], rtol=1e-10)
    np.testing.assert_allclose(np.linalg.inv(kept[1]), inverse[:, 3:, 3:], rtol=1e-10)
    # T′ → 0: only phonons among phasons that do not move
    still = np.einsum("i,kij,j->k", ALONG, np.linalg.inv(matrices[:, :3, :3]), ALONG) * 8.617333262e-5 * 300.0
    np.testing.assert_allclose(diffuse(stiffness, quenched=0.0), still, rtol=1e-12)
    assert np.all(diffuse(stiffness, quenched=600.0) > diffuse(stiffness))
    with pytest.raises(ValueError, match="phonon"):
        qc.effective_matrix(jnp.asarray(matrices), 3, "both")


def test_divergence_at_the_limit_of_stability():
    """With more and more coupling a wave along a threefold axis gets soft: I (t₀ − t) tends to a constant."""
    axis = np.array([[0.1, 0.1, 0.1]])
    bulk, change = np.asarray(tensor(0.0)), np.asarray(tensor(1.0)) - np.asarray(tensor(0.0))
    still, coupled = (np.einsum("IjKl,j,l->IK", c, axis[0], axis[0]) for c in (bulk, change))
    half = np.linalg.inv(np.linalg.cholesky(still))
    limit = -1 / np.linalg.eigvalsh(half @ coupled @ half.T).min()
    q_perp = RNG.normal(size=3)
    shares = [1 - x for x in (1e-3, 1e-5, 1e-7)]
    found = [
        diffuse(jnp.asarray(bulk + share * limit * change), q_perp=q_perp, p=axis)[0] * (1 - share)
        for share in shares
    ]
    np.testing.assert_allclose(found[1], found[2], rtol=1e-3)
    np.testing.assert_allclose(found[0], found[2], rtol=0.1)
    assert (
        diffuse(jnp.asarray(bulk + 0.999999 * limit * change), q_perp=q_perp, p=axis)[0]
        > 1e4 * (diffuse(jnp.asarray(bulk), q_perp=q_perp, p=axis)[0])
    )
