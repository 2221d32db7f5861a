"""Powder lines of cubic crystals and icosahedral quasicrystals against Bragg's law and counts by hand."""

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import quasicrystal as qc

from .symmetry_cases import FIVEFOLD, TAU

pytestmark = pytest.mark.usefixtures("compiled_quickly")

COPPER = 1.5406  # Å, Cu Kα₁


def crystal(edge, sites):
    """A cubic crystal: along the fourth axis, which parallel space does not see, the window takes one point of each."""
    parallel, across = jnp.eye(3, 4), jnp.eye(4)[3:]
    surfaces = [qc.Surface(qc.interval(-0.5, 0.5), jnp.array([*site, 0.0])) for site in sites]
    return qc.Model(qc.Lattice(parallel, across, edge), surfaces)


BODY = [(0.0, 0.0, 0.0), (0.5, 0.5, 0.5)]
FACE = [(0.0, 0.0, 0.0), (0.5, 0.5, 0.0), (0.5, 0.0, 0.5), (0.0, 0.5, 0.5)]


@pytest.mark.parametrize(
    ("edge", "sites", "squares", "multiplicities", "angles"),
    [  # iron and copper; the angles are those of the powder diffraction file (cards 6-696 and 4-836), within 0.03°
        (2.8664, BODY, [2, 4, 6, 8], [12, 6, 24, 12], [44.67, 65.02, 82.33, 98.94]),
        (3.6150, FACE, [3, 4, 8, 11], [8, 6, 12, 24], [43.30, 50.43, 74.13, 89.93]),
    ],
)
def test_cubic_crystals(edge, sites, squares, multiplicities, angles):
    """Extinct lines are missing, the others sit by Bragg's law and hold all permutations and signs."""
    lines = qc.powder(crystal(edge, sites), COPPER, q_perp_max=3.0, two_theta_max=105.0, least=1e-6)
    n = np.array(squares[:4])
    lengths = 2 * np.rad2deg(np.arcsin(COPPER * np.sqrt(n) / (2 * edge)))
    np.testing.assert_allclose(lines.two_theta[:4], lengths, rtol=1e-6)
    np.testing.assert_allclose(lines.two_theta[:4], angles, atol=0.03)
    assert lines.multiplicity[:4].tolist() == multiplicities
    assert (lines.indices**2).sum(1)[:4].tolist() == squares
    theta = np.deg2rad(lines.two_theta / 2)
    factor = (1 + np.cos(2 * theta) ** 2) / (2 * np.sin(theta) ** 2 * np.cos(theta))
    np.testing.assert_allclose(lines.intensities, lines.multiplicity * factor, rtol=1e-5)


def axes_of_symmetry():
    """The axes of five-, three- and twofold symmetry in parallel space."""
    twofold = [
        *np.eye(3),
        *(np.roll([1, s / TAU, t * TAU], k) for s, t, k in itertools.product((1, -1), (1, -1), range(3))),
    ]
    threefold = [*itertools.product((1.0, -1.0), repeat=3)]
    for k in range(3):
        threefold += [np.roll([0.0, s * TAU, t / TAU], k) for s, t in itertools.product((1, -1), repeat=2)]
    axes = [np.array(x, float) for x in (FIVEFOLD, threefold, twofold)]
    return [x / np.linalg.norm(x, axis=1, keepdims=True) for x in axes]


def test_icosahedral_multiplicities():
    """The orbit of a vector by the axis or mirror that it lies on: 12, 20, 30, 60 or 120."""
    with jax.enable_x64(True):
        model = qc.icosahedral(5.0)
        lines = qc.powder(model, COPPER, q_perp_max=7.0, two_theta_max=90.0, least=0.0)
        q = np.asarray(qc.wave_vectors(model, jnp.asarray(lines.indices))[0])
    np.testing.assert_allclose(np.linalg.norm(q, axis=1), lines.q, rtol=1e-12)
    q = q / np.linalg.norm(q, axis=1, keepdims=True)
    five, three, two = (np.abs(q @ axes.T) for axes in axes_of_symmetry())
    orbit = np.full(len(q), 120)
    orbit[(two < 1e-9).any(1)] = 60
    for size, cosines in ((30, two), (20, three), (12, five)):
        orbit[(cosines > 1 - 1e-9).any(1)] = size
    alone = lines.multiplicity == orbit
    # lines of several orbits with the same length hold sums of orbits
    assert alone.mean() > 0.4
    assert np.all(lines.multiplicity >= orbit)
    assert np.all(lines.multiplicity % 2 == 0)
    assert set(orbit[alone].tolist()) == {12, 20, 30, 60, 120}
    found = {tuple(int(x) for x in qc.cahn_indices(jnp.asarray(h, jnp.int32))): m
             for h, m in zip(lines.indices, lines.multiplicity.tolist(), strict=True)}  # fmt: skip
    # Cahn, Shechtman, Gratias 1986, table 1: 18/29 on fivefold, 20/32 on twofold, 6/9 on threefold axes
    assert (found[18, 29], found[20, 32], found[6, 9]) == (12, 30, 20)


def test_weak_lines_and_strains():
    """`least` leaves out lines; a phason strain, which breaks the symmetry, splits them."""
    with jax.enable_x64(True):
        model = qc.icosahedral(5.0)
        options: dict[str, Any] = {"q_perp_max": 6.0, "two_theta_max": 45.0}
        every, strong = (qc.powder(model, COPPER, least=least, **options) for least in (0.0, 0.05))
        kept = every.intensities >= 0.05 * every.intensities.max()
        np.testing.assert_array_equal(strong.two_theta, every.two_theta[kept])
        assert 0 < len(strong) < len(every)
        old = model.lattice
        chi = jnp.array([[0.02, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
        strained = qc.Model(
            qc.Lattice(old.parallel, old.perpendicular, 5.0, phason_strain=chi), model.surfaces
        )
        split = qc.powder(strained, COPPER, least=0.0, **options)
        assert len(split) > 2 * len(every)
        assert split.multiplicity.sum() == pytest.approx(every.multiplicity.sum(), rel=0.2), (
            "some cross the cut-offs"
        )
        neutrons = qc.powder(model, COPPER, least=0.0, radiation="neutron", **options)
        cosine = np.cos(np.deg2rad(every.two_theta))
        np.testing.assert_allclose(every.intensities / neutrons.intensities, (1 + cosine**2) / 2, rtol=1e-12)
    with pytest.raises(ValueError, match="positive wavelength"):
        qc.powder(model, 0.0, q_perp_max=1.0)
    with pytest.raises(ValueError, match="neutron"):
        qc.lorentz_polarisation(np.ones(1), "electron")


def test_monochromator():
    """At 2θ = 90° only the sine of the polarisation is left: 1 / (1 + cos² 2θₘ) of the Lorentz factor."""
    ninety = np.array([90.0])
    lorentz = qc.lorentz_polarisation(ninety, "neutron")
    np.testing.assert_allclose(lorentz, 2 * np.sqrt(2), rtol=1e-14)
    np.testing.assert_allclose(
        qc.lorentz_polarisation(ninety, monochromator=60.0), lorentz / 1.25, rtol=1e-14
    )


def test_profiles(precision):
    """The area of a pattern is the sum of its lines, and half of a lone line's height lies half a width away."""
    line = qc.Powder(np.array([30.0]), np.ones(1), np.ones(1, int), np.array([7.0]), np.zeros((1, 4)))
    widths = jnp.array([0.2, -0.1, 0.05], precision)
    tangent = np.tan(np.deg2rad(15.0))
    width = np.sqrt(0.2 * tangent**2 - 0.1 * tangent + 0.05)
    for mixing in (0.0, 0.3, 1.0):
        at = jnp.asarray(30.0 + width * np.array([0.0, 0.5, -0.5]), precision)
        top, right, left = np.asarray(qc.powder_profile(line, at, widths, mixing))
        np.testing.assert_allclose([right, left], top / 2, rtol=1e-4)
        angles = np.linspace(-1.5707, 1.5707, 4001)
        grid = 30.0 + width * np.tan(angles)  # out to 10⁴ widths
        pattern = np.asarray(qc.powder_profile(line, jnp.asarray(grid, precision), widths, mixing), float)
        tolerance = 2e-3 if precision == np.float32 else 2e-4
        assert np.trapezoid(pattern * width / np.cos(angles) ** 2, angles) == pytest.approx(
            7.0, rel=tolerance
        )
