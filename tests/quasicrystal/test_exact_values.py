"""Densities, frequencies and sizes that have closed forms."""

import itertools
import math

import jax
import numpy as np
import pytest

from geoembed import quasicrystal as qc
from tests.quasicrystal.areas import cube, hull, moved, volume

TAU = (1 + math.sqrt(5)) / 2
SILVER = 1 + math.sqrt(2)

pytestmark = pytest.mark.usefixtures("compiled_quickly")


@pytest.fixture(scope="module")
def models():
    with jax.enable_x64(True):
        makers = (qc.fibonacci, qc.ammann_beenker, qc.penrose, qc.dodecagonal, qc.icosahedral)
        return {make.__name__: make() for make in makers}


def test_densities(models):
    expected = {
        "fibonacci": TAU / math.sqrt(5),  # 1 / mean tile: 1 / ((TAU · TAU + 1) / (TAU + 1))
        "ammann_beenker": SILVER / 2,
        "penrose": (TAU + 1) / (TAU * math.sin(math.radians(72)) + math.sin(math.radians(36))),
        "dodecagonal": 3 * (2 + math.sqrt(3)) * 0.25 / 3,  # area of the dodecagon; the cell has the volume 3
        "icosahedral": 4.352501798965641,
    }
    assert expected["penrose"] == pytest.approx(1.2310734148701, abs=1e-12)
    with jax.enable_x64(True):
        found = jax.jit(lambda models: {name: model.density() for name, model in models.items()})(models)
        for name, density in expected.items():
            assert float(found[name]) == pytest.approx(density, rel=1e-12), name


def test_density_scales_with_the_lattice_constant_and_the_centring():
    with jax.enable_x64(True):
        density = jax.jit(lambda model: model.density())
        for a, centering, index in ((2.0, "P", 8), (1.0, "F", 2), (1.0, "I", 32)):
            found = density(qc.icosahedral(a, centering))
            assert float(found) == pytest.approx(4.352501798965641 / index, rel=1e-12)


def test_icosahedral_sizes(models):
    with jax.enable_x64(True):
        model = models["icosahedral"]
        edge = float(np.linalg.norm(model.lattice.parallel[:, 0]))
        assert edge == pytest.approx(math.sqrt(0.5), rel=1e-14)
        assert float(model.density()) * edge**3 == pytest.approx(TAU * math.sin(math.radians(72)), rel=1e-12)
        axes = np.array([[0.0, 0.0, 1.0], np.asarray(model.lattice.perpendicular[:, 0]) * math.sqrt(2)])
        twofold, fivefold = np.asarray(model.surfaces[0].window.support(axes))
        assert twofold == pytest.approx(0.97324898947, abs=1e-11)
        assert fivefold == pytest.approx(1.14412280564, abs=1e-11)
        # the projections are orthogonal
        both = np.concatenate([model.lattice.parallel, model.lattice.perpendicular])
        np.testing.assert_allclose(both @ both.T, np.eye(6), atol=1e-15)


def test_ammann_beenker_coordinations(models):
    """The octagon is cut along all edges of its eight translates; each piece has one coordination."""
    q = np.asarray(models["ammann_beenker"].lattice.perpendicular, float)
    steps = np.concatenate([q.T, -q.T])
    octagon = cube(q)
    lines = np.unique(np.round(np.concatenate([moved(octagon, -s) for s in steps]), 12), axis=0)
    pieces = [_corners(octagon)]
    for line in lines:
        pieces = [part for piece in pieces for part in _split(piece, line)]
    areas = np.array([_area(piece) for piece in pieces])
    ends = np.array([piece.mean(0) for piece in pieces])[:, None] + steps
    inside = (ends @ octagon[:, :2].T + octagon[:, 2] < 0).all(-1)
    found = np.bincount(inside.sum(1), weights=areas, minlength=9) / areas.sum()
    r = math.sqrt(2)
    expected = [r - 1, 6 - 4 * r, 10 * r - 14, 34 - 24 * r, 29 * r - 41, 17 - 12 * r]
    np.testing.assert_allclose(found, [0, 0, 0, *expected], atol=1e-12)
    assert found @ np.arange(9) == pytest.approx(4, abs=1e-12)
    with jax.enable_x64(True):  # the library's own points have these frequencies
        cut = qc.cut(models["ammann_beenker"], box=30.0)
    ends = np.asarray(cut.perp)[:, None] + steps
    count = (ends @ octagon[:, :2].T + octagon[:, 2] < 0).all(-1).sum(1)
    np.testing.assert_allclose(np.bincount(count, minlength=9)[3:] / len(cut), expected, atol=0.01)


def test_penrose_tiles_and_coordination(models):
    model = models["penrose"]
    windows = {s.species: hull(np.asarray(s.window.vertices, float)) for s in model.surfaces}
    q = np.asarray(model.lattice.perpendicular, float)
    star = [*q.T, -q.sum(1)]
    edges = sum(volume(windows[i], moved(windows[i + 1], -w)) for i in (1, 2, 3) for w in star)
    areas = [volume(windows[i]) for i in (1, 2, 3, 4)]
    assert 2 * edges / sum(areas) == pytest.approx(4, abs=1e-10)
    assert areas[1] / areas[0] == pytest.approx(TAU**2, rel=1e-12)
    tiles = {"thick": 0.0, "thin": 0.0}
    for j, k in itertools.combinations(range(5), 2):
        name = "thick" if k - j in (1, 4) else "thin"
        for i in (1, 2):
            corners = [moved(windows[i + 1], -star[j]), moved(windows[i + 1], -star[k])]
            tiles[name] += volume(windows[i], *corners, moved(windows[i + 2], -star[j] - star[k]))
    assert tiles["thick"] / tiles["thin"] == pytest.approx(TAU, rel=1e-9)


def test_icosahedral_tiles_and_coordination(models):
    q = np.asarray(models["icosahedral"].lattice.perpendicular, float)
    p = np.asarray(models["icosahedral"].lattice.parallel, float)
    body = cube(q)
    edge = volume(body, moved(body, -q[:, 0]))
    assert 12 * edge / volume(body) == pytest.approx(6, abs=1e-9)
    tiles = {}
    for chosen in ((0, 1, 2), (0, 1, 4)):
        corners = [
            sum((q[:, i] for i in some), np.zeros(3))
            for n in range(4)
            for some in itertools.combinations(chosen, n)
        ]
        tiles[abs(np.linalg.det(p[:, chosen]))] = volume(*[moved(body, -c) for c in corners])
    (small, oblate), (large, prolate) = sorted(tiles.items())
    assert large / small == pytest.approx(TAU, rel=1e-12)
    assert prolate / oblate == pytest.approx(TAU, rel=1e-9)


def test_fibonacci_tiles(models):
    with jax.enable_x64(True):
        x = np.sort(np.asarray(qc.cut(models["fibonacci"], box=2000.0).points[:, 0]))
    gaps = np.diff(x)
    long = np.abs(gaps - TAU) < 1e-9
    np.testing.assert_allclose(gaps[~long], 1.0, atol=1e-9)
    assert abs(long.mean() - 1 / TAU) < 2 / len(gaps)  # a Sturmian word is balanced
    assert not np.any(~long[1:] & ~long[:-1]), "no two short tiles meet"


def test_dodecagonal_distances(models):
    with jax.enable_x64(True):
        x = np.asarray(qc.cut(models["dodecagonal"], box=8.0).points)
    apart = np.linalg.norm(x[:, None] - x[None], axis=-1) + 9.0 * np.eye(len(x))
    assert apart.min() == pytest.approx(1.0, abs=1e-12)


def _corners(half_spaces):
    """The corners of a polygon around the origin, in order."""
    order = np.argsort(np.arctan2(half_spaces[:, 1], half_spaces[:, 0]))
    n, c = half_spaces[order, :2], -half_spaces[order, 2]
    keep = np.abs(n - np.roll(n, 1, 0)).max(1) > 1e-9
    n, c = n[keep], c[keep]
    return np.array([np.linalg.solve([n[i - 1], n[i]], [c[i - 1], c[i]]) for i in range(len(n))])


def _split(polygon, line):
    """A convex polygon cut by a line into its parts."""
    side = polygon @ line[:2] + line[2]
    parts = []
    for s in (side, -side):
        part = []
        for i in range(len(polygon)):
            if s[i] <= 0:
                part.append(polygon[i])
            j = (i + 1) % len(polygon)
            if s[i] * s[j] < 0:
                part.append(polygon[i] + s[i] / (s[i] - s[j]) * (polygon[j] - polygon[i]))
        if len(part) > 2 and _area(np.array(part)) > 1e-12:
            parts.append(np.array(part))
    return parts


def _area(polygon):
    x, y = polygon.T
    return 0.5 * abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))
