"""Refinement finds what the intensities were made from, with honest errors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import quasicrystal as qc
from geoembed.core import InputError

pytestmark = pytest.mark.usefixtures("compiled_quickly")

TRUTH = {"amplitude": 0.6, "b": [0.4, 0.9], "lengths": [1.5, 0.5], "phason": 0.02, "position": [0.3, 0.4]}


def parameters(values):
    return {name: jnp.asarray(value) for name, value in values.items()}


def build(p):
    """A chain with two atomic surfaces, one of them off the lattice, and a phason strain."""
    base = qc.fibonacci().lattice
    lattice = qc.Lattice(base.parallel, base.perpendicular, phason_strain=p["phason"].reshape(1, 1))
    windows = [qc.Zonotope(length.reshape(1, 1)) for length in p["lengths"]]
    model = qc.Model(lattice, [qc.Surface(windows[0]), qc.Surface(windows[1], p["position"], species=1)])
    amplitudes = jnp.stack([jnp.ones_like(p["amplitude"]), p["amplitude"]])
    return model, qc.Scatterers(amplitudes, p["b"], 0.5 * p["b"])


def reflections(noise, seed=0, vectors=False):
    """80 reflections; the intensities by the transforms of intervals, written out."""
    rng = np.random.default_rng(seed)
    tau, s = (1 + np.sqrt(5)) / 2, TRUTH["phason"]
    h = np.array([(i, j) for i in range(0, 9) for j in range(-9, 9) if (i, j) != (0, 0)])
    rows = np.array([[tau, 1.0], [1 - tau + s * tau, 1.0 + s]])
    q, q_perp = 2 * np.pi * (np.linalg.inv(rows).T @ h.T)
    kept = np.argsort(np.abs(q_perp) + 0.1 * np.abs(q), kind="stable")[:80]
    h, q, q_perp = h[kept], q[kept], q_perp[kept]
    factor = 0.0
    for f, b, length, at in zip(
        (1.0, 0.6), TRUTH["b"], TRUTH["lengths"], ([0, 0], TRUTH["position"]), strict=True
    ):
        thermal = np.exp(-b * (q**2 + 0.5 * q_perp**2) / (16 * np.pi**2))
        factor += f * thermal * np.exp(2j * np.pi * h @ at) * length * np.sinc(q_perp * length / (2 * np.pi))
    intensities = 1000.0 * np.abs(factor / sum(TRUTH["lengths"])) ** 2
    sigmas = np.sqrt(intensities + 1.0) * noise
    measured = qc.Reflections(h, intensities + sigmas * rng.normal(size=len(h)), sigmas)
    if not vectors:
        return measured
    q_sigmas = np.full(len(h), 1e-3 * noise)
    return measured._replace(
        q=q[:, None] + q_sigmas[:, None] * rng.normal(size=(len(h), 1)), q_sigmas=q_sigmas
    )


def start():
    wrong = {
        "amplitude": 0.7,
        "b": [0.5, 0.7],
        "lengths": [1.45, 0.55],
        "phason": 0.015,
        "position": [0.32, 0.38],
    }
    return parameters(wrong)


def test_parameters_come_back():
    """From several starts, with next to no noise."""
    with jax.enable_x64(True):
        spread = jax.tree.map(lambda leaf: 0.02 * jnp.ones_like(leaf), start())
        seen = []
        found = qc.refine(
            build, start(), reflections(1e-6), key=jax.random.key(1), starts=3, spread=spread, steps=40,
            callback=lambda n, chi: seen.append((n, chi)),
        )  # fmt: skip
        assert [n for n, _ in seen] == [0, 1, 2]
        np.testing.assert_array_equal([chi for _, chi in seen], found.chi_squares)
        for name, value in TRUTH.items():
            np.testing.assert_allclose(found.parameters[name], value, atol=2e-6)
        window = found.model.surfaces[1].window
        assert isinstance(window, qc.Zonotope)
        np.testing.assert_allclose(window.generators, [[0.5]], atol=2e-6)
    assert found.scale == pytest.approx(1000.0, rel=1e-5)
    assert found.r_factor < 1e-4
    assert found.success_rate == 1.0
    assert found.converged.all()
    assert 0.75 < found.goodness < 1.25  # 71 degrees of freedom: 1 ± 0.08


@pytest.mark.slow
def test_errors_are_those_of_the_noise():
    """The deviations from the truth, measured by the covariance, are within 99.8 % of their distribution."""
    with jax.enable_x64(True):
        found = qc.refine(
            build, start(), reflections(0.1, seed=1, vectors=True), key=jax.random.key(1), steps=40
        )
        values, errors = (
            np.concatenate([np.ravel(x) for x in jax.tree.leaves(tree)])
            for tree in (found.parameters, found.errors)
        )
    off = values - np.concatenate([np.ravel(TRUTH[name]) for name in sorted(TRUTH)])
    assert np.all(np.isfinite(errors))
    assert 0.86 < off @ np.linalg.solve(found.covariance[:-1, :-1], off) < 26.1  # χ² of 8 numbers
    assert np.abs(off / errors).max() < 4.0
    assert 0.75 < found.goodness < 1.25
    assert 0.0 < found.r_factor < 0.1
    assert float(np.asarray(found.errors["phason"])) < 1e-4, "from the wave vectors"
    assert found.names == (
        "amplitude", "b[0]", "b[1]", "lengths[0]", "lengths[1]", "phason", "position[0]", "position[1]", "log scale",
    )  # fmt: skip
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance))[:-1], errors, rtol=1e-12)


@pytest.mark.slow
def test_the_scale_alone():
    """Its value by hand, and its error 1 / √(Σ (C/σ)²) where nothing else is refined."""
    with jax.enable_x64(True):
        measured = reflections(1.0)
        start = {"b_unused": jnp.zeros(1)}

        def fixed(p):
            model, scatterers = build(parameters(TRUTH))
            return model, scatterers

        found = qc.refine(fixed, start, measured, key=jax.random.key(0), steps=10)
        c = found.calculated / found.scale
        best = np.sum(measured.intensities * c / measured.sigmas**2) / np.sum((c / measured.sigmas) ** 2)
        assert found.scale == pytest.approx(best, rel=1e-6)
        error = 1 / np.sqrt(np.sum((found.calculated / measured.sigmas) ** 2))
        assert np.sqrt(found.covariance[1, 1]) == pytest.approx(error, rel=1e-9)
        assert np.isinf(found.errors["b_unused"]).all(), "what nothing depends on is not determined"


def test_mistakes():
    measured = reflections(1.0)
    start, key = {"x": jnp.zeros(3)}, jax.random.key(0)
    with pytest.raises(InputError, match="2 reflections for 4 numbers"):
        qc.refine(build, start, qc.Reflections(*(x[:2] for x in measured[:3])), key=key)
    with pytest.raises(InputError, match="q_sigmas one is missing"):
        qc.refine(build, start, measured._replace(q_sigmas=np.ones(80)), key=key)
    sigmas = measured.sigmas.copy()
    sigmas[7] = 0.0
    with pytest.raises(InputError, match="reflection 7"):
        qc.refine(build, start, measured._replace(sigmas=sigmas), key=key)
    with pytest.raises(ValueError, match="spread for several"):
        qc.refine(build, start, measured, key=key, starts=2)
    with pytest.raises(ValueError, match="structure and shapes"):
        qc.refine(build, start, measured, key=key, starts=2, spread={"x": jnp.zeros(2)})
    with pytest.raises(ValueError, match="jax arrays"):
        qc.refine(build, {"x": 1.0}, measured, key=key)
