"""Committees: means and standard deviations against numpy, one program, artefacts."""

import equinox as eqx
import jax
import numpy as np
import pytest

import geoembed
from geoembed.atoms import Committee, hessian_product, pack, predict
from tests.atoms.structures import random_frames
from tests.atoms.toy import Morse, morse_energy, toy

DEPTHS = (0.3, 0.4, 0.6)
FRAMES = random_frames(8, (4, 3), labels=False)
TRACES = []


class Traced(Morse):
    """A potential that notes how often it is traced."""

    def __call__(self, batch):
        TRACES.append(batch)
        return super().__call__(batch)


@pytest.fixture(scope="module", autouse=True)
def quickly(compiled_quickly):
    """All programs here are formulas on few numbers."""


def test_means_and_deviations(precision):
    """Energies are linear in the depths, so those of forces and stress follow from one member's."""
    name, near = str(precision), 1e-12 if precision == np.float64 else 3e-5
    committee = Committee([toy(depth, dtype=name) for depth in DEPTHS])
    batch = pack(FRAMES, 5.0, atoms=9, slots=70, structures=3, dtype=name)
    said, one, mean = eqx.filter_jit(
        lambda c, b: (
            c.spread(b, stress=True),
            predict(c.member(1), b, stress=True),
            predict(c, b, stress=True),
        )
    )(committee, batch)
    each = np.array([[morse_energy(f, depth=d) for f in FRAMES] for d in DEPTHS])
    np.testing.assert_allclose(said.energies[:, :2], each, rtol=near)
    np.testing.assert_allclose(said.mean.energy[:2], each.mean(axis=0), rtol=near)
    np.testing.assert_allclose(said.deviation.energy[:2], each.std(axis=0, ddof=1), rtol=10 * near)
    scale = float(np.abs(one.forces).max())
    for got in ("forces", "stress"):
        value, tolerance = np.asarray(getattr(one, got)) / DEPTHS[1], 5 * near * scale
        np.testing.assert_allclose(getattr(said.mean, got), value * np.mean(DEPTHS), rtol=0, atol=tolerance)
        np.testing.assert_allclose(getattr(mean, got), getattr(said.mean, got), rtol=0, atol=tolerance)
        deviation = np.abs(value) * np.std(DEPTHS, ddof=1)
        np.testing.assert_allclose(getattr(said.deviation, got), deviation, rtol=0, atol=tolerance)
    assert said.deviation.energy[2] == 0
    assert said.mean.energy.dtype == precision


def test_one_program_for_all_members_and_all_values():
    run = eqx.filter_jit(lambda c, b, v: (c.spread(b), hessian_product(c, b, v)))
    batch = pack(FRAMES, 5.0, slots=70, dtype="float32")
    products = []
    for depths in ((0.3, 0.4), (0.5, 0.9)):
        committee = Committee([Traced(toy(d, dtype="float32").depth) for d in depths])
        products.append(run(committee, batch, batch.positions)[1] / np.float32(np.mean(depths)))
        before = len(TRACES) if len(products) == 1 else before
    assert len(TRACES) == before
    np.testing.assert_allclose(*products, rtol=1e-3, atol=1e-4 * float(np.abs(products[0]).max()))


def test_artefacts_and_what_is_refused(tmp_path):
    committee = Committee([toy(d, dtype="float32") for d in DEPTHS])
    geoembed.save(tmp_path / "committee", committee)
    loaded = geoembed.load(tmp_path / "committee")
    assert loaded.count == 3
    assert loaded.cutoff == 5.0
    np.testing.assert_array_equal(loaded.members.depth, committee.members.depth)
    with pytest.raises(ValueError, match="a committee of 1"):
        Committee([toy()])
    with pytest.raises(ValueError, match="differ in more"):
        Committee([toy(), toy(cutoff=4.0)])
    with pytest.raises(ValueError, match="differ in more"), jax.enable_x64(True):
        Committee([toy(dtype="float32"), toy(dtype="float64")])
