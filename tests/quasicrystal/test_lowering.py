"""What jax computes of quasicrystals is translated for CPUs, CUDA and TPUs, with its derivatives."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import quasicrystal as qc

PLATFORMS = ("cpu", "cuda", "tpu")
H = jnp.array([[1.0, 0, 0, 0, 0, 0], [2, 1, 1, -1, 1, 1]])
POINTS = jnp.array(np.random.default_rng(0).uniform(-1, 1, (5, 3)), jnp.float32)
STIFF = jnp.array(np.einsum("ik,jl->ijkl", np.eye(6), np.eye(3)), jnp.float32)
BURGERS, LINE = jnp.array([1.0, 0, 0, 0.5, 0, 0]), jnp.array([0.0, 0, 1])


def square(factor):
    return jnp.real(factor) ** 2 + jnp.imag(factor) ** 2


def of_model(function):
    return function, qc.icosahedral()


def of_cut(function):
    model = qc.icosahedral()
    sites = qc.cut(model, box=1.5, margin=0.1)
    return lambda m: function(m, sites), model


def of_window(window):
    return lambda w: (w.soft(POINTS, 0.1), w.volume()), window


def profile():
    lines = qc.powder(qc.icosahedral(), 1.54, q_perp_max=3.0, two_theta_max=60.0, least=0.1)
    angles = jnp.linspace(10.0, 60.0, 11)
    return lambda widths: qc.powder_profile(lines, angles, widths), jnp.array([0.0, 0.0, 0.1])


def modulated():
    atom = qc.ModulatedAtom(jnp.zeros(1), qc.Harmonics(jnp.array([[0.1]])))
    crystal = qc.ModulatedCrystal(jnp.eye(1), jnp.array([[0.3]]), [atom], jnp.zeros(1))
    return lambda c: square(qc.modulated_structure_factor(c, jnp.array([[1, 1]]))), crystal


CASES = {
    "structure factor": lambda: of_model(lambda m: square(qc.structure_factor(m, H))),
    "wave vectors": lambda: of_model(lambda m: qc.wave_vectors(m, H)),
    "positions": lambda: of_cut(qc.positions),
    "perpendicular coordinates": lambda: of_cut(qc.perp_coordinates),
    "soft weights": lambda: of_cut(lambda m, sites: qc.weights(m, sites, 0.1)),
    "ball": lambda: of_window(qc.Ball(jnp.array(0.8), 3)),
    "modulated structure factor": modulated,
    "direct sum": lambda: (lambda x: square(qc.direct_sum(x, x)), POINTS),
    "grid sum": lambda: (lambda x: square(qc.grid_sum(x, 0.5, (4, 4, 4), digits=4)), POINTS),
    "powder profile": profile,
    "diffuse scattering": lambda: (lambda x: qc.diffuse_intensity(STIFF, x, x, x, temperature=300.0), POINTS),
    "stability": lambda: (qc.stability_margin, STIFF),
    "dislocation": lambda: (
        lambda x: qc.straight_dislocation(STIFF, BURGERS, LINE).displacement(x[0]),
        POINTS,
    ),
    "displaced site": lambda: (
        lambda b: qc.displaced_site(b, qc.winding(BURGERS, LINE), jnp.array(0.3)),
        jnp.array([2.0, 1.0, 0.5, 0.1, 0.2, 0.0]),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_lowers(name):
    function, argument = CASES[name]()
    arrays, static = eqx.partition(argument, eqx.is_inexact_array)

    def value_and_gradient(arrays):
        value, pull = jax.vjp(lambda a: function(eqx.combine(a, static)), arrays)
        return value, pull(jax.tree.map(jnp.ones_like, value))

    exported = jax.export.export(jax.jit(value_and_gradient), platforms=PLATFORMS)(arrays)
    assert exported.platforms == PLATFORMS
