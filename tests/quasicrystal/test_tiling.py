"""Tilings: they fill the space without gap or overlap, and their parts have the known frequencies."""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import quasicrystal as qc

TAU = (1 + math.sqrt(5)) / 2

pytestmark = pytest.mark.usefixtures("compiled_quickly")


@pytest.fixture(scope="module")
def tilings():
    """Models with a cut and its tiling."""
    boxes = {
        qc.fibonacci: 300.0,
        qc.ammann_beenker: 25.0,
        qc.penrose: 25.0,
        qc.shield: 14.0,
        qc.icosahedral: 3.5,
    }
    with jax.enable_x64(True):
        found = {}
        for make, box in boxes.items():
            model = make()
            cut = qc.cut(model, box=box)
            found[make.__name__] = (model, cut, qc.tiling(model, cut))
        return found


def numbers(cut, found, half):
    """How many tiles of each shape have their first corner in a box."""
    inside = (np.abs(np.asarray(cut.points)) < half).all(axis=1)
    return [int(inside[tiles.corners[:, 0]].sum()) for tiles in found.tiles]


def pairs_of(tiles):
    """Each side of each polygon, as the sorted pair of its ends."""
    sides = [np.stack([t.corners, np.roll(t.corners, -1, axis=1)], axis=2).reshape(-1, 2) for t in tiles]
    return np.sort(np.concatenate(sides), axis=1)


@pytest.mark.parametrize("name", ["ammann_beenker", "penrose", "shield"])
def test_tiles_fill_the_plane(tilings, name):
    """Around each vertex inside the angles of the tiles add up to a turn, and each side belongs to two tiles."""
    _, cut, found = tilings[name]
    x = np.asarray(cut.points)
    angles = np.zeros(len(x))
    for tiles in found.tiles:
        corners = x[tiles.corners]
        to_next, to_last = np.roll(corners, -1, axis=1) - corners, np.roll(corners, 1, axis=1) - corners
        np.testing.assert_allclose(np.linalg.norm(to_next, axis=2), 1.0, atol=1e-12)
        between = np.arctan2(
            to_next[..., 0] * to_last[..., 1] - to_next[..., 1] * to_last[..., 0], (to_next * to_last).sum(2)
        )
        np.add.at(angles, tiles.corners, between)
    middle = (np.abs(x) < np.abs(x).max() - 3.0).all(axis=1)
    assert middle.sum() > 250
    np.testing.assert_allclose(angles[middle], 2 * np.pi, atol=1e-9)
    sides, uses = np.unique(pairs_of(found.tiles), axis=0, return_counts=True)
    assert uses.max() == 2
    assert (uses[middle[sides].all(axis=1)] == 2).all()
    known = set(map(tuple, np.sort(found.edges, axis=1).tolist()))
    assert set(map(tuple, sides.tolist())) <= known


def test_edges_are_steps(tilings):
    for model, cut, found in tilings.values():
        n = np.asarray(cut.indices)
        assert np.array_equal(n[found.edges[:, 1]] - n[found.edges[:, 0]], found.steps[found.edge_steps])
        # as many as a search among all pairs finds
        few = np.abs(np.asarray(cut.points)).max(axis=1) < 3.0
        near = n[few]
        apart = near[:, None] - near
        expected = sum((apart == step).all(-1).sum() for step in found.steps)
        assert few[found.edges].all(axis=1).sum() == expected > 0
        assert found.steps.shape[1] == sum(model.lattice.dimensions)


def test_degrees_inside_are_the_types_seen_from_perpendicular_space(tilings):
    for name, (_, cut, found) in tilings.items():
        degrees = np.bincount(found.edges.ravel(), minlength=len(cut))
        x = np.abs(np.asarray(cut.points)).max(axis=1)
        inside = x < x.max() - 1.7  # longer than any edge
        assert inside.any()
        assert np.array_equal(degrees[inside], found.coordination[inside]), name
        assert np.all(degrees <= found.coordination)
        assert np.any(degrees < found.coordination), "edges leave the cut"


def test_ammann_beenker_types(tilings):
    """Exact shares of the coordinations 3 to 8; one star for each but 5, up to the symmetry of the octagon."""
    _, cut, found = tilings["ammann_beenker"]
    r = math.sqrt(2)
    expected = np.array([r - 1, 6 - 4 * r, 10 * r - 14, 34 - 24 * r, 29 * r - 41, 17 - 12 * r])
    shares = np.bincount(found.coordination, minlength=9)[3:] / len(found.types)
    np.testing.assert_allclose(shares, expected, atol=6e-3)
    assert found.stars.sum(axis=1).tolist() == [3, 4, 5, 6, 7, 8]
    rhomb, square = found.tiles
    assert (rhomb.shape, square.shape) == ("quadrilateral", "quadrilateral")
    assert (rhomb.volume, square.volume) == pytest.approx((1 / r, 1.0), rel=1e-14)
    # the area of both is the same, so that there are √2 times as many rhombs
    many, few = numbers(cut, found, 23.0)
    assert many / few == pytest.approx(r, rel=0.01)


def test_penrose_types(tilings):
    """Seven stars without the arrows of the edges; the two stars of five thick rhombs differ by a turn of 36°."""
    _, cut, found = tilings["penrose"]
    assert found.stars.sum(axis=1).tolist() == [3, 3, 4, 5, 5, 6, 7]
    # powers of τ: C. L. Henley, Phys. Rev. B 34, 797 (1986), table I; its S and S5 are one type here
    shares = np.bincount(found.types) / len(found.types)
    np.testing.assert_allclose(shares, TAU ** -np.array([2.0, 4, 5, 3, 6, 7, 6]), atol=6e-3)
    thin, thick = found.tiles
    assert (thin.volume, thick.volume) == pytest.approx(
        (math.sin(math.radians(36)), math.sin(math.radians(72))), rel=1e-14
    )
    few, many = numbers(cut, found, 23.0)
    assert many / few == pytest.approx(TAU, rel=0.01)
    assert found.coordination.mean() == pytest.approx(4.0, abs=0.01)


def test_fibonacci_tiles(tilings):
    _, cut, found = tilings["fibonacci"]
    short, long = found.tiles
    x = np.asarray(cut.points)[:, 0]
    for tiles, length in ((short, 1.0), (long, TAU)):
        assert tiles.shape == "interval"
        np.testing.assert_allclose(x[tiles.corners[:, 1]] - x[tiles.corners[:, 0]], length, atol=1e-12)
    assert len(long.corners) + len(short.corners) == len(cut) - 1 == len(found.edges)
    assert abs(len(long.corners) - (len(cut) - 1) / TAU) < 1.5  # a Sturmian word is balanced
    assert found.stars.sum(axis=1).tolist() == [
        2,
        2,
    ]  # between two long ones, or between a long and a short one


def test_icosahedral_rhombohedra(tilings):
    """Prolate and oblate ones fill the space: the solid angles at each vertex inside add up to 4π."""
    _, cut, found = tilings["icosahedral"]
    oblate, prolate = found.tiles
    assert prolate.volume / oblate.volume == pytest.approx(TAU, rel=1e-12)
    x = np.asarray(cut.points)
    angles = np.zeros(len(x))
    for tiles in found.tiles:
        assert tiles.shape == "parallelepiped"
        corners = x[tiles.corners]
        for b in range(8):
            edges = [corners[:, b ^ (1 << axis)] - corners[:, b] for axis in range(3)]
            np.add.at(angles, tiles.corners[:, b], solid_angles(*edges))
    middle = np.abs(x).max(axis=1) < 1.6
    assert middle.sum() > 100
    np.testing.assert_allclose(angles[middle], 4 * np.pi, atol=1e-9)
    assert found.coordination.mean() == pytest.approx(6.0, abs=0.1)


def solid_angles(a, b, c):
    """Of the corners spanned by three vectors: A. van Oosterom, J. Strackee, 1983."""
    la, lb, lc = (np.linalg.norm(v, axis=1) for v in (a, b, c))
    dots = la * lb * lc + (a * b).sum(1) * lc + (b * c).sum(1) * la + (c * a).sum(1) * lb
    return 2 * np.arctan2(np.abs((a * np.cross(b, c)).sum(1)), dots)


def test_shield_tiling(tilings):
    """Triangles, squares and shields fill the plane."""
    _, _, found = tilings["shield"]
    assert [t.shape for t in found.tiles] == ["triangle", "quadrilateral", "hexagon"]
    r = math.sqrt(3)
    # a shield: a regular triangle with three half squares on its sides
    areas = [t.volume for t in found.tiles]
    np.testing.assert_allclose(areas, [r / 4, 1.0, r / 2 + 1.5], rtol=1e-13)
    for tiles in found.tiles:
        rows = np.sort(tiles.corners, axis=1)
        assert len(np.unique(rows, axis=0)) == len(rows), "no tile is listed twice"


def test_float32_has_the_tiles_of_float64():
    found = []
    for wide in (False, True):
        with jax.enable_x64(wide):
            model = qc.penrose(shift=jnp.array([0.0625, 0.03125]))
            found.append(qc.tiling(model, qc.cut(model, box=4.0)))
    first, second = found
    assert np.array_equal(first.types, second.types)
    for a, b in itertools.zip_longest(first.tiles, second.tiles):
        assert np.array_equal(a.corners, b.corners)


def test_steps_are_needed_for_lattices_of_ones_own():
    model = qc.fibonacci()
    plain = qc.Lattice(model.lattice.parallel, model.lattice.perpendicular)
    own = qc.Model(plain, model.surfaces, model.shift)
    cut = qc.cut(own, box=6.0)
    with pytest.raises(ValueError, match="knows no steps"):
        qc.tiling(own, cut)
    with pytest.raises(ValueError, match=r"steps \[k, 2\]"):
        qc.tiling(own, cut, steps=np.eye(3, dtype=int))
    found = qc.tiling(own, cut, steps=np.array([[1, 0], [0, 1], [-1, 0], [1, 0]]))
    assert found.steps.tolist() == [[1, 0], [0, 1]], "opposite steps count once"
    named = qc.tiling(model, qc.cut(model, box=6.0))
    assert [t.corners.shape for t in found.tiles] == [t.corners.shape for t in named.tiles]
    apart = qc.Model(plain, [*model.surfaces, qc.Surface(model.surfaces[0].window, jnp.array([0.5, 0.0]))])
    with pytest.raises(ValueError, match="one position"):
        qc.tiling(apart, qc.cut(apart, box=6.0), steps=np.eye(2, dtype=int))


def test_centred_lattices_need_their_own_steps():
    """Those of P lead out of the lattice F; its shortest twofold vectors do not."""
    model = qc.icosahedral(centering="F")
    cut = qc.cut(model, box=1.5)
    with pytest.raises(ValueError, match="no edge"):
        qc.tiling(model, cut)
    units = np.eye(6, dtype=int)
    steps = np.array([units[i] + sign * units[j] for i in range(6) for j in range(i) for sign in (1, -1)])
    found = qc.tiling(model, cut, steps=steps)
    apart = np.linalg.norm(np.diff(np.asarray(cut.points)[found.edges], axis=1)[:, 0], axis=1)
    lengths = np.linalg.norm(steps @ np.asarray(model.lattice.parallel).T, axis=1)
    np.testing.assert_allclose(apart, lengths[found.edge_steps], rtol=1e-5)
    assert len(found.edges) > 20
