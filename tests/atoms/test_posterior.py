"""Posteriors against Bayesian linear regression by numpy: covariance, deviations, prior, derivatives, calibration."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Float
from scipy.stats import spearmanr

import geoembed
from geoembed.atoms import (
    Batch,
    Committee,
    Frame,
    calibration,
    evaluate,
    neighbour_pairs,
    pack,
    posterior,
)
from geoembed.atoms._uncertainty._calibration import _reliability, rank_correlation
from geoembed.core import InputError, register
from tests.atoms.toy_potential import clusters, morse

CUTOFF = 4.0
TRUE = np.array([0.8, -0.5, 0.3])
WRONG = TRUE + np.array([0.05, -0.1, 0.1])
NOISE = (0.02, 0.05)
TRACES = []


@register(name="tests.atoms.Pairs")
class Pairs(eqx.Module):
    """E = ½ Σ over neighbours of Σₖ cₖ sᵏ (1 − s)³ with s = r²/c²: linear in three numbers."""

    coefficients: Float[Array, "3"]
    cutoff: float = eqx.field(static=True, default=CUTOFF)

    def __call__(self, batch: Batch) -> Float[Array, " atoms"]:
        TRACES.append(batch)
        s = jnp.sum(batch.to_centre() ** 2, axis=-1) / self.cutoff**2
        terms = jnp.stack([jnp.ones_like(s), s, s * s], axis=-1) * ((1.0 - s) ** 3)[..., None]
        pair = jnp.sum(terms * self.coefficients.astype(s.dtype)[None, None], axis=-1)
        return 0.5 * jnp.sum(jnp.where(batch.neighbours.mask, pair, 0.0), axis=1)


def design(frame):
    """∂(energy)/∂c [3] and ∂(forces)/∂c [atoms, 3, 3] by numpy."""
    first, second, shift = neighbour_pairs(frame, CUTOFF)
    cell = np.zeros((3, 3)) if frame.cell is None else frame.cell
    vector = frame.positions[second] + shift @ cell - frame.positions[first]
    s = np.sum(vector**2, axis=1) / CUTOFF**2
    powers = np.stack([np.ones_like(s), s, s * s], axis=1)
    slopes = np.stack([np.zeros_like(s), np.ones_like(s), 2 * s], axis=1)
    fade = (1 - s)[:, None]
    by_s = slopes * fade**3 - 3 * powers * fade**2
    forces = np.zeros((len(frame.numbers), 3, 3))
    np.add.at(forces, first, 2 / CUTOFF**2 * vector[:, :, None] * by_s[:, None, :])
    return 0.5 * (powers * fade**3).sum(axis=0), forces


def regression(frames, noise=NOISE, tau=None):
    """The whitened design matrix, and the covariance of the three numbers."""
    rows = []
    for frame in frames:
        energy, forces = design(frame)
        rows += [energy[None] / len(frame.numbers) / noise[0], forces.reshape(-1, 3) / noise[1]]
    matrix = np.concatenate(rows)
    prior = 0.0 if tau is None else tau**-2.0
    return matrix, np.linalg.inv(matrix.T @ matrix + prior * np.eye(3))


def labelled(frames, seed=0):
    """The frames with labels of the true numbers and noise."""
    draw, done = np.random.default_rng(seed), []
    for frame in frames:
        energy, forces = design(frame)
        count = len(frame.numbers)
        done.append(
            replace(
                frame,
                energy=float(energy @ TRUE + count * NOISE[0] * draw.normal()),
                forces=forces @ TRUE + NOISE[1] * draw.normal(size=(count, 3)),
            )
        )
    return done


TRAIN = labelled(clusters(6, seed=3))
TEST = labelled(clusters(4, seed=4), seed=1)


@pytest.fixture(scope="module", autouse=True)
def quickly(compiled_quickly):
    """All programs here are formulas on few numbers."""


def test_covariance_and_deviations_are_those_of_linear_regression(precision):
    kind, near = str(precision), 1e-9 if precision == np.float64 else 2e-3
    model = Pairs(jnp.asarray(TRUE, kind))
    found = posterior(model, TRAIN, over="coefficients", noise=NOISE, prior=2.0)
    expected = regression(TRAIN, tau=2.0)[1]
    root = np.asarray(found.root, np.float64)
    np.testing.assert_allclose(root.T @ root, expected, rtol=near, atol=near * np.abs(expected).max())
    assert found.root.dtype == found.noise.dtype == precision
    batch = pack(TEST, CUTOFF, atoms=20, structures=5, dtype=kind)
    said = eqx.filter_jit(lambda one, b: one.scaled(2.0, 3.0).spread(b))(found, batch)
    at = 0
    for row, frame in enumerate(TEST):
        energy, forces = design(frame)
        some = slice(at, at := at + len(frame.numbers))
        deviation = 2.0 * np.sqrt(energy @ expected @ energy)
        np.testing.assert_allclose(said.deviation.energy[row], deviation, rtol=near)
        np.testing.assert_allclose(said.mean.energy[row], energy @ TRUE, rtol=near)
        by_force = 3.0 * np.sqrt(np.einsum("aik,kl,ail->ai", forces, expected, forces))
        np.testing.assert_allclose(
            said.deviation.forces[some], by_force, rtol=near, atol=near * by_force.max()
        )
    assert said.deviation.energy[4] == 0
    assert not np.any(said.deviation.forces[at:])
    assert said.deviation.forces.dtype == precision


def test_noise_and_prior_come_from_the_labels():
    """The prior under which labels that fit are most probable, by their probability written out."""
    with jax.enable_x64(True):
        model = Pairs(jnp.asarray(WRONG))
        errors = evaluate(model, TRAIN).errors
        found = posterior(model, TRAIN, over="coefficients")
    np.testing.assert_allclose(found.noise, [errors.energy.rmse, errors.forces.rmse], rtol=1e-12)
    matrix, _ = regression(TRAIN, noise=tuple(found.noise.tolist()))
    root = np.asarray(found.root)
    tau = np.sqrt(3 / np.trace(np.linalg.inv(root.T @ root) - matrix.T @ matrix))
    labels = matrix @ WRONG

    def evidence(width):
        covariance = np.eye(len(labels)) + width**2 * matrix @ matrix.T
        return -0.5 * (np.linalg.slogdet(covariance)[1] + labels @ np.linalg.solve(covariance, labels))

    assert evidence(tau) > max(evidence(0.99 * tau), evidence(1.01 * tau))


def test_one_program_for_all_posteriors_and_batches_of_a_shape():
    frames = clusters(4, cells=False, seed=5)
    run = eqx.filter_jit(lambda one, b: one.spread(b).deviation.energy)
    found = [
        posterior(Pairs(jnp.asarray(TRUE, "float32")), TRAIN, over="coefficients", noise=noise)
        for noise in (NOISE, (0.1, 0.2))
    ]
    first = run(found[0], pack(frames[:2], CUTOFF, slots=4, dtype="float32"))
    before = len(TRACES)
    second = run(found[1], pack(frames[2:], CUTOFF, slots=4, dtype="float32"))
    assert len(TRACES) == before
    assert np.all(np.asarray(first) != np.asarray(second))


def test_deviations_have_derivatives():
    with jax.enable_x64(True):
        model = posterior(Pairs(jnp.asarray(TRUE)), TRAIN, over="coefficients", noise=NOISE, prior=1.0)
        line = np.array([[-1.9, 0, 0], [0, 0, 0], [1.9, 0, 0]])
        batch = pack([Frame(np.full(3, 18), line, None, np.zeros(3, bool))], CUTOFF)

        @jax.jit
        @jax.value_and_grad
        def along(positions, energy, forces):
            said = model.spread(eqx.tree_at(lambda b: b.positions, batch, positions)).deviation
            return energy * said.energy[0] + jnp.sum(forces * said.forces)

        bent, step = line + np.array([[0, 0.3, 0], [0.2, 0, 0], [0, 0, 0.1]]), np.zeros((3, 3))
        step[1, 0] = 1e-5
        slope = along(bent, 1.0, np.ones((3, 3)))[1]
        up, down = (along(bent + sign * step, 1.0, np.ones((3, 3)))[0] for sign in (1, -1))
        np.testing.assert_allclose(slope[1, 0], (up - down) / 2e-5, rtol=1e-6)
        # the force on the middle of three atoms in a row is 0 whatever the numbers are: a kink
        middle = np.zeros((3, 3))
        middle[1, 0] = 1.0
        value, slope = along(line, 0.0, middle)
        assert value == 0
        assert np.all(np.isfinite(slope))


def test_calibration_is_errors_over_deviations():
    model = Pairs(jnp.asarray(WRONG, "float32"))
    found = posterior(model, TRAIN, over="coefficients", noise=NOISE, prior=1.0)
    covariance = regression(TRAIN, tau=1.0)[1]
    measured = calibration(found, TEST)
    ratios, ranks = [], []
    for frame in TEST:
        _, forces = design(frame)
        error = np.abs(forces @ WRONG - frame.forces).ravel()
        deviation = np.sqrt(np.einsum("aik,kl,ail->ai", forces, covariance, forces)).ravel()
        ratios.append(error / deviation)
        ranks.append((error, deviation))
    ratio = np.concatenate(ratios)
    assert measured.forces.count == len(ratio)
    assert measured.energy.count == measured.structures.count == len(TEST)
    np.testing.assert_allclose(measured.forces.standardised, np.sqrt(np.mean(ratio**2)), rtol=5e-3)
    np.testing.assert_allclose(measured.forces.within, np.mean(ratio < 1), atol=0.05)
    expected = spearmanr(*(np.concatenate(parts) for parts in zip(*ranks, strict=True))).statistic
    np.testing.assert_allclose(measured.forces.rank, expected, atol=0.02)
    mended = found.scaled(measured.energy.standardised, measured.forces.standardised)
    again = calibration(mended, TEST)
    np.testing.assert_allclose([again.energy.standardised, again.forces.standardised], 1.0, rtol=1e-4)
    np.testing.assert_allclose(again.forces.error, measured.forces.error, rtol=1e-6)


def test_ranks_with_ties():
    draw = np.random.default_rng(0)
    x, y = draw.integers(0, 5, 40).astype(float), draw.normal(size=40)
    np.testing.assert_allclose(rank_correlation(x, y + x), spearmanr(x, y + x).statistic)
    assert rank_correlation(np.ones(4), y[:4]) is None


def test_what_symmetry_forbids_does_not_count():
    found = _reliability(np.array([0.3, -0.1, 0.2, np.nan]), np.array([0.1, 0.1, 1e-8, 0.1]))
    assert found.count == 2
    np.testing.assert_allclose(found.standardised, np.sqrt((9 + 1) / 2))
    assert _reliability(np.ones(2), np.full(2, 1e-14)) is None


def test_a_committee_is_calibrated_too():
    committee = Committee([Pairs(jnp.asarray(TRUE + shift, "float32")) for shift in (-0.1, 0.0, 0.2)])
    measured = calibration(committee, TEST)
    deviations = []
    for frame in TEST:
        each = np.array([design(frame)[1] @ (TRUE + shift) for shift in (-0.1, 0.0, 0.2)])
        deviations.append(each.std(axis=0, ddof=1).ravel())
    expected = np.sqrt(np.mean(np.concatenate(deviations) ** 2))
    np.testing.assert_allclose(measured.forces.deviation, expected, rtol=1e-3)


def test_artefact(tmp_path):
    found = posterior(Pairs(jnp.asarray(TRUE, "float32")), TRAIN, over="coefficients", noise=NOISE)
    geoembed.save(tmp_path / "posterior", found)
    loaded = geoembed.load(tmp_path / "posterior")
    np.testing.assert_array_equal(loaded.root, found.root)
    assert (loaded.over, loaded.cutoff, loaded.count) == (("coefficients",), CUTOFF, 3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"over": "coeficients"}, ["no 'coeficients'", "last layer", "coefficients"]),
        ({"over": "last layer"}, ["no 'last layer'"]),
        ({"over": "W"}, ["no 'W'"]),
        ({"over": ()}, ["nothing is named"]),
        ({"over": ("coefficients", "coefficients")}, ["name one array twice"]),
        ({"noise": (0.1, 0.0)}, ["noise", "not positive"]),
        ({"prior": -1.0}, ["prior", "not positive"]),
        ({"frames": clusters(2)}, ["no structure has an energy"]),
        ({"model": Committee([morse(), morse(shift=0.1)])}, ["Committee has an uncertainty already"]),
    ],
)
def test_mistakes(options, words):
    given = {"model": Pairs(jnp.asarray(TRUE, "float32")), "frames": TRAIN, "over": "coefficients"} | options
    with pytest.raises(InputError) as refused:
        posterior(given.pop("model"), given.pop("frames"), **given)
    for word in words:
        assert word in str(refused.value)
