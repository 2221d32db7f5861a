"""Boundary patches against areas and places known from the shape."""

import numpy as np
import pytest
import trimesh

from geoembed.core import InputError
from geoembed.sdf import facing, in_box, load_mesh, mesh_sdf, resolve_patches, segment, segments

INF = float("inf")


def finned_plate():
    """A base 4 x 4 x 1 with two fins whose tops hang over: undersides at z = 0 and at z = 2."""
    x, z = np.array([0, 1, 1.5, 2, 3, 4]), np.array([0.0, 1, 2, 3])
    solid = np.zeros((5, 3), bool)
    solid[:, 0] = True  # the base
    solid[[0, 3], 1] = True  # the stems at x in 0 ... 1 and 2 ... 3
    solid[[0, 1, 3, 4], 2] = True  # the tops at x in 0 ... 1.5 and 2 ... 4
    return extruded_cells(solid, x, z, depth=4.0)


def extruded_cells(solid, x, z, depth):
    """The surface of the cells of a grid in x and z that are solid, extruded along y."""
    quads = []
    padded = np.pad(solid, 1)
    for i, k in np.argwhere(solid):
        x0, x1, z0, z1 = x[i], x[i + 1], z[k], z[k + 1]
        quads.append([(x0, 0, z0), (x1, 0, z0), (x1, 0, z1), (x0, 0, z1)])
        quads.append([(x0, depth, z0), (x0, depth, z1), (x1, depth, z1), (x1, depth, z0)])
        if not padded[i + 2, k + 1]:
            quads.append([(x1, 0, z0), (x1, depth, z0), (x1, depth, z1), (x1, 0, z1)])
        if not padded[i, k + 1]:
            quads.append([(x0, 0, z0), (x0, 0, z1), (x0, depth, z1), (x0, depth, z0)])
        if not padded[i + 1, k + 2]:
            quads.append([(x0, 0, z1), (x1, 0, z1), (x1, depth, z1), (x0, depth, z1)])
        if not padded[i + 1, k]:
            quads.append([(x0, 0, z0), (x0, depth, z0), (x1, depth, z0), (x1, 0, z0)])
    vertices = np.array(quads, float).reshape(-1, 3)
    first = 4 * np.arange(len(quads))[:, None]
    faces = np.concatenate([first + np.array(corners) for corners in ((0, 1, 2), (0, 2, 3))])
    return mesh_sdf(vertices, faces, unit="mm")


@pytest.fixture(scope="module")
def part():
    sdf = finned_plate()
    assert sdf.sign_reliable
    return sdf


@pytest.fixture(scope="module")
def drum():
    """A cylinder of radius 1 and height 2 whose rim turns by 15 degrees from face to face."""
    mesh = trimesh.creation.cylinder(radius=1.0, height=2.0, sections=24)
    return mesh_sdf(np.array(mesh.vertices), np.array(mesh.faces), unit="m")


def test_facing_takes_every_underside_and_a_box_restricts_it(part):
    everywhere = resolve_patches(part, {"under": facing((0, 0, -1))})
    # base 4 x 4, right fin 3…4, left fin 1…1.5, all 4 deep
    assert everywhere.area("under") == pytest.approx(16 + 4 + 2)
    only_base = facing((0, 0, -1)) & in_box((-INF, -INF, -INF), (INF, INF, 0.5))
    assert resolve_patches(part, {"base": only_base}).area("base") == pytest.approx(16)
    assert resolve_patches(part, {"base": segment((2, 2, 0))}).area("base") == pytest.approx(16)


def test_the_angle_of_facing(drum):
    counts = [int(facing((1, 0, 0), angle).mask(drum).sum()) for angle in (1, 8, 23, 90, 180)]
    assert counts[0] <= 2
    assert counts == sorted(counts)
    assert counts[-1] == len(drum.faces)
    np.testing.assert_array_equal(facing((0, 0, 7)).mask(drum), drum.normals[:, 2] > 0.5)


def test_in_box_needs_all_three_corners(part):
    reaching = in_box((-1, -1, -1), (5, 3, 0.5))  # y stops short of 4
    assert not reaching.mask(part).any() or np.all(
        part.vertices[part.faces[reaching.mask(part)]][..., 1] <= 3
    )
    whole = in_box((0, 0, 0), (4, 4, 0))
    assert part.areas[whole.mask(part)].sum() == pytest.approx(16)


def test_or_joins(part):
    both = facing((0, 0, -1)) | facing((0, 0, 1))
    np.testing.assert_array_equal(both.mask(part), np.abs(part.normals[:, 2]) > 0.9)


def test_segments_follow_sharp_edges(drum):
    label = segments(drum, 30.0)
    areas = np.bincount(label, drum.areas)
    side = 24 * 2 * np.sin(np.pi / 24) * 2
    cap = 12 * np.sin(np.pi / 12)
    np.testing.assert_allclose(areas, [side, cap, cap], rtol=1e-12)
    assert segments(drum, 10.0).max() + 1 == 24 + 2
    assert segments(drum, 100.0).max() == 0


def test_segment_grows_from_the_nearest_face(drum):
    np.testing.assert_array_equal(segment((0.1, 0.2, 1.3)).mask(drum), drum.normals[:, 2] > 0.9)
    np.testing.assert_array_equal(segment((2.0, 0.0, 0.0)).mask(drum), np.abs(drum.normals[:, 2]) < 0.1)


def test_every_face_belongs_to_one_patch_and_areas_add_up(part):
    patches = resolve_patches(part, {"base": segment((2, 2, 0)), "front": facing((0, -1, 0))})
    assert patches.names == ("base", "front", "rest")
    assert sum(patches.areas) == pytest.approx(part.areas.sum())
    assert patches.area("front") == pytest.approx(4 + 1 + 2 + 1 + 1.5)
    total = sum(patches.mask(name).astype(int) for name in patches.names)
    assert np.all(total == 1)
    assert patches.index("rest") == 2


class TestErrors:
    """Each message names the patch, the place and what to change."""

    def message(self, part, patches, source="part.toml"):
        with pytest.raises(InputError) as caught:
            resolve_patches(part, patches, source=source)
        return str(caught.value)

    def test_empty_by_direction(self, part):
        text = self.message(part, {"slope": facing((1, 0, 1), angle=20.0)})
        assert "part.toml: [patches.slope]" in text
        assert "selects no face" in text
        assert "45.0°" in text

    def test_empty_by_box(self, part):
        assert "reaches from (0, 0, 0) to (4, 4, 3) mm" in self.message(
            part, {"a": in_box((9, 9, 9), (10, 10, 10))}
        )
        assert "stick out" in self.message(part, {"a": in_box((-1, -1, -1), (0.1, 0.1, 0.1))})

    def test_empty_intersection(self, part):
        text = self.message(part, {"a": facing((0, 0, 1)) & segment((2, 2, 0))})
        assert "none in common" in text

    def test_overlap_names_both_and_the_area(self, part):
        text = self.message(part, {"under": facing((0, 0, -1)), "base": segment((2, 2, 0))})
        assert "'under' and 'base'" in text
        assert "16 mm²" in text

    def test_reserved_name(self, part):
        assert "reserved" in self.message(part, {"rest": facing((0, 0, -1))})

    def test_unknown_name_suggests_the_nearest(self, part):
        patches = resolve_patches(part, {"base": segment((2, 2, 0))})
        with pytest.raises(InputError, match="Did you mean 'base'"):
            patches.index("bsae", where="[[conditions]] 1")

    def test_empty_rest_is_an_error_only_when_used(self, part):
        patches = resolve_patches(part, {"all": facing((0, 0, 1), angle=180.0)})
        assert patches.areas[1] == 0
        with pytest.raises(InputError, match="every face"):
            patches.index("rest")

    @pytest.mark.parametrize(
        "make",
        [
            lambda: facing((0, 0, 0)),
            lambda: facing((0, 0, 1), angle=-1.0),
            lambda: facing((0, 0, float("nan"))),
            lambda: in_box((1, 0, 0), (0, 1, 1)),
            lambda: segment((INF, 0, 0)),
            lambda: segment((0, 0, 0), angle=200.0),
        ],
    )
    def test_wrong_arguments(self, make):
        with pytest.raises(ValueError, match="received"):
            make()


def test_the_base_of_the_heat_sink(data):
    sink = load_mesh(data / "sdf" / "heatsink_gen.stl", unit="mm")
    holes = 4 * np.pi * 1.5**2  # drilled through the base; drawn as polygons
    for base in (segment((0, 0, 0)), facing((0, 0, -1)) & in_box((-INF, -INF, -1), (INF, INF, 0.1))):
        area = resolve_patches(sink, {"base": base}).area("base")
        assert 0.98 * 1600 < area + holes < 1.02 * 1600
