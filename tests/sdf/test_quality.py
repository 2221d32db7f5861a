"""The mesh quality report."""

import json

import numpy as np
import pytest
import trimesh

from geoembed.core import InputError
from geoembed.sdf import UNITS, inspect_mesh, mesh_quality
from geoembed.sdf._quality_words import unit_warning
from geoembed.sdf._readers._rawmesh import RawMesh
from geoembed.sdf._topology import join_near, winding_number
from geoembed.sdf._units import canonical_unit
from tests import malformed_cases as cases


def raw(vertices, faces) -> RawMesh:
    return RawMesh(np.asarray(vertices, float), np.asarray(faces, np.int64), "test", "0" * 64, ())


def of(mesh: trimesh.Trimesh, unit="m"):
    return mesh_quality(raw(mesh.vertices, mesh.faces), unit)


BOX = trimesh.creation.box((1, 2, 3))


def test_a_box_is_sound():
    q = of(BOX)
    assert (q.faces, q.vertices, q.components, q.cavities, q.misoriented_components) == (12, 8, 1, 0, 0)
    assert q.extents == (1.0, 2.0, 3.0)
    assert q.lower == (-0.5, -1.0, -1.5)
    assert q.area == pytest.approx(22)
    assert q.volume == pytest.approx(6)
    assert q.watertight
    assert q.winding_consistent
    assert not q.inside_out
    assert q.flags == ()
    assert q.actions == q.repairs == ()
    assert hash(q) == hash(of(BOX))


@pytest.mark.parametrize("seed", range(5))
def test_measures_agree_with_trimesh(seed):
    rng = np.random.default_rng(seed)
    ball = trimesh.creation.icosphere(subdivisions=2)
    ball.vertices = ball.vertices * rng.uniform(0.5, 1.5, (len(ball.vertices), 1)) + rng.normal(size=3)
    kept = rng.random(len(ball.faces)) < (1.0 if seed == 0 else 0.9)
    part = trimesh.Trimesh(ball.vertices, ball.faces[kept], process=False)
    q = of(part)
    assert q.watertight == part.is_watertight
    assert q.area == pytest.approx(part.area)
    edges = np.sort(part.edges, axis=1)
    count = np.unique(edges, axis=0, return_counts=True)[1]
    assert q.open_edges == int(np.sum(count == 1))
    across_edges = trimesh.graph.connected_components(part.face_adjacency, nodes=np.arange(len(part.faces)))
    assert q.components == len(across_edges)
    if q.watertight:
        assert q.volume == pytest.approx(part.volume)


def test_holes_are_counted():
    ball = trimesh.creation.icosphere(subdivisions=3)
    top, bottom = np.argsort(ball.triangles_center[:, 2])[[-1, 0]]
    q = mesh_quality(raw(ball.vertices, np.delete(ball.faces, [top, bottom], axis=0)), "m")
    assert (q.holes, q.open_edges, q.watertight) == (2, 6, False)
    assert any("6 open edges around 2 holes" in flag for flag in q.flags)
    assert any("not reliable" in action for action in q.actions)
    assert any("--fill-holes 3 fills" in repair for repair in q.repairs)
    lid = np.abs(BOX.triangles_center[:, 2] - 1.5) < 1e-9  # of two triangles: a hole of four edges
    opened = mesh_quality(raw(BOX.vertices, BOX.faces[~lid]), "m")
    assert (opened.holes, opened.largest_hole) == (1, 4)


def test_winding():
    inward = mesh_quality(raw(BOX.vertices, BOX.faces[:, ::-1]), "m")
    assert inward.inside_out
    assert inward.volume == pytest.approx(-6)
    assert inward.watertight
    mixed = BOX.faces.copy()
    mixed[3] = mixed[3, ::-1]
    q = mesh_quality(raw(BOX.vertices, mixed), "m")
    assert not q.winding_consistent
    assert not q.watertight
    assert not q.inside_out
    assert q.open_edges == 0


def test_degenerate_slivers_and_duplicates():
    vertices = np.vstack([BOX.vertices, [[5, 0, 0], [6, 0, 0], [5.5, 5e-4, 0], [5.5, 0, 0]]])
    extra = [[0, 0, 1], [8, 9, 11], [8, 9, 10], BOX.faces[0], BOX.faces[0][[1, 2, 0]], BOX.faces[1][::-1]]
    q = mesh_quality(raw(vertices, np.vstack([BOX.faces, extra])), "m")
    assert q.degenerate_faces == 2
    assert q.sliver_faces == 1
    assert q.duplicate_faces == 3
    closed = mesh_quality(raw(BOX.vertices, np.vstack([BOX.faces, extra[:1], extra[3:5]])), "m")
    assert closed.watertight  # faces with a repeated corner and copies do not count


def test_nonmanifold_edge():
    second = BOX.vertices + np.array([[1, 2, 0]])  # two boxes that share one edge
    both = trimesh.util.concatenate([BOX, trimesh.Trimesh(second, BOX.faces, process=False)])
    both.merge_vertices()
    q = of(both)
    assert q.nonmanifold_edges == 1
    assert not q.watertight
    assert q.open_edges == 0


def shells(*sizes: float) -> RawMesh:
    """Concentric boxes; a negative size has inward winding."""
    vertices = np.vstack([BOX.vertices * abs(s) for s in sizes])
    faces = np.vstack([(BOX.faces if s > 0 else BOX.faces[:, ::-1]) + 8 * i for i, s in enumerate(sizes)])
    return raw(vertices, faces)


def test_cavities_and_nesting():
    q = mesh_quality(shells(3, -2, 1), "m")
    assert (q.components, q.cavities, q.misoriented_components) == (3, 1, 0)
    assert q.volume == pytest.approx(6 * (27 - 8 + 1))
    q = mesh_quality(shells(3, 2), "m")
    assert (q.cavities, q.misoriented_components) == (0, 1)
    q = mesh_quality(shells(-3, 2), "m")
    assert (q.cavities, q.misoriented_components, q.inside_out) == (0, 2, True)
    apart = trimesh.util.concatenate([BOX, BOX.copy().apply_translation([9, 0, 0])])
    assert of(apart).cavities == 0
    many = trimesh.util.concatenate([BOX.copy().apply_translation([2 * k, 0, 0]) for k in range(300)])
    assert (of(many).components, of(many).cavities) == (300, 0)


def test_winding_number_inside_and_outside():
    corners = BOX.vertices[BOX.faces]
    assert winding_number(np.array([0.1, 0.2, 0.3]), corners) == pytest.approx(1)
    assert winding_number(np.array([0.1, 0.2, 9.0]), corners) == pytest.approx(0, abs=1e-12)


def test_nearly_equal_vertices_are_taken_as_one():
    vertices = np.vstack([BOX.vertices, BOX.vertices[BOX.faces[0]] + 1e-15])
    faces = BOX.faces.copy()
    faces[0] = [8, 9, 10]
    q = mesh_quality(raw(vertices, faces), "m")
    assert q.watertight
    assert q.near_vertices == 3
    vertices[8:] += 1e-6
    assert not mesh_quality(raw(vertices, faces), "m").watertight


def test_one_far_vertex_does_not_make_a_crowd():
    points = np.random.default_rng(0).random((5000, 3))
    points[0] = 1e30
    assert np.array_equal(join_near(points), np.arange(5000))


@pytest.mark.parametrize(
    ("size", "unit", "word"),
    [
        *((0.05, "m", None), (5.0, "mm", None), (38.0, "mm", None), (1.5, "in", None), (3.0, "ft", None)),
        *(
            (38.0, "m", "unusual"),
            (0.5, "mm", "unusual"),
            (500.0, "m", "implausible"),
            (0.05, "mm", "implausible"),
        ),
        *((40.0, "um", "implausible"), (1e30, "m", "implausible")),
    ],
)
def test_unit_warning(size, unit, word):
    warning = unit_warning(size, unit)
    assert (warning is None) if word is None else (word in warning)


def test_unit_warning_names_likely_units():
    warning = unit_warning(38.0, "m")
    assert "0.038 m in 'mm'" in warning
    assert "0.965 m in 'in'" in warning


def test_units():
    assert canonical_unit("inches") == canonical_unit("inch") == "in"
    assert UNITS[canonical_unit("µm")] == 1e-6
    with pytest.raises(InputError, match="furlong"):
        mesh_quality(raw(BOX.vertices, BOX.faces), "furlong")


def test_extreme_coordinates():
    for scale in (1e-90, 1e-40, 1e30, 1e90):
        q = mesh_quality(raw(BOX.vertices * scale, BOX.faces), "m")
        assert q.watertight
        assert q.volume == pytest.approx(6 * scale**3)
        assert q.degenerate_faces == q.sliver_faces == 0
        assert any("float32" in flag for flag in q.flags)
        json.dumps(q.as_dict(), allow_nan=False)
    shifted = mesh_quality(raw(BOX.vertices + 1e6, BOX.faces), "m")
    assert any("from the origin" in flag for flag in shifted.flags)


def test_inspect_without_a_unit(tmp_path):
    path = tmp_path / "a.stl"
    path.write_bytes(cases.stl())
    report = inspect_mesh(path)
    assert report["unit"] is None
    assert report["size_in_metres"]["in"] == 0.0254
    assert any("no unit" in flag for flag in report["flags"])
    path = tmp_path / "a.glb"
    path.write_bytes(cases.glb())
    assert inspect_mesh(path)["unit"] == "m"
    assert any("glTF stores metres" in flag for flag in inspect_mesh(path, "mm")["flags"])


def test_real_parts(data):
    heat_sink = inspect_mesh(data / "sdf" / "heatsink_gen.stl", "mm")
    assert heat_sink["watertight"]
    assert heat_sink["faces"] == 940
    assert heat_sink["sliver_faces"] == 29
    assert heat_sink["extents"] == pytest.approx([40, 40, 22])
    opened = inspect_mesh(data / "sdf" / "heatsink_open_gen.stl", "mm")
    assert (opened["watertight"], opened["holes"], opened["faces"]) == (False, 3, 934)
    feature = inspect_mesh(data / "sdf" / "featuretype.STL", "in")
    assert feature["watertight"]
    assert feature["near_vertices"] == 288
    assert not inspect_mesh(data / "sdf" / "spot_flipped3pct.obj", "m")["winding_consistent"]
    assert inspect_mesh(data / "sdf" / "soup.stl", "m")["components"] == 100
