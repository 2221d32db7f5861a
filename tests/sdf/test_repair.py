"""Repairs of damaged meshes, against the meshes they were made from."""

import json

import numpy as np
import pytest
import trimesh

from geoembed.sdf import RawMesh, mesh_quality, mesh_sdf, read_mesh, repair, signed_volume, value_and_gradient
from geoembed.sdf._holes import boundary_loops, fill_loop


def raw(vertices, faces) -> RawMesh:
    return RawMesh(np.asarray(vertices, float), np.asarray(faces, np.int64), "test", "0" * 64, ("as read",))


def of(mesh: trimesh.Trimesh) -> RawMesh:
    return raw(mesh.vertices, mesh.faces)


BOX = of(trimesh.creation.box((1, 2, 3)))
TORUS = of(trimesh.creation.torus(1.0, 0.3, major_sections=24, minor_sections=12))


def volume(mesh: RawMesh) -> float:
    return signed_volume(mesh.vertices, mesh.faces)


def test_nothing_happens_unasked():
    damaged = raw(BOX.vertices, np.vstack([BOX.faces[2:], BOX.faces[3:4], BOX.faces[4:5, ::-1], [[0, 0, 1]]]))
    result = repair(damaged)
    np.testing.assert_array_equal(result.mesh.vertices[result.mesh.faces], damaged.vertices[damaged.faces])
    np.testing.assert_array_equal(result.origin, np.arange(len(damaged.faces)))
    changes = result.changes
    assert (changes.merged_vertices, changes.flipped_faces, changes.filled_holes) == (0, 0, 0)
    assert not changes.closed


@pytest.mark.parametrize("mesh", [BOX, TORUS], ids=["box", "torus"])
def test_a_sound_mesh_stays(mesh):
    result = repair(mesh, merge=1e-6, drop=True, fix_winding=True, fill_holes=50)
    np.testing.assert_array_equal(result.mesh.vertices, mesh.vertices)
    np.testing.assert_array_equal(result.mesh.faces, mesh.faces)
    assert result.changes.lines == ()
    assert result.changes.closed
    assert result.mesh.notes == ("as read",)


@pytest.mark.parametrize("mesh", [BOX, TORUS], ids=["box", "torus"])
def test_flipped_faces(mesh):
    faces = mesh.faces.copy()
    chosen = np.arange(0, len(faces), 4)
    faces[chosen] = faces[chosen][:, ::-1]
    result = repair(raw(mesh.vertices, faces), fix_winding=True)
    assert result.changes.flipped_faces == len(chosen)
    assert volume(result.mesh) == pytest.approx(volume(mesh), rel=1e-12)
    assert result.changes.closed
    assert mesh_quality(result.mesh, "m").watertight


def test_flipped_faces_beside_a_hole():
    faces = TORUS.faces[1:].copy()
    faces[50:60] = faces[50:60, ::-1]
    result = repair(raw(TORUS.vertices, faces), fix_winding=True)
    assert (result.changes.flipped_faces, result.changes.open_edges_left) == (10, 3)
    np.testing.assert_array_equal(np.sort(result.mesh.faces, axis=1), np.sort(TORUS.faces[1:], axis=1))
    filled = repair(raw(TORUS.vertices, faces), fix_winding=True, fill_holes=3)
    assert filled.origin[-1] == -1
    assert volume(filled.mesh) == pytest.approx(volume(TORUS), rel=1e-12)


def test_a_part_that_cannot_be_oriented_stays_and_keeps_no_other_from_it():
    """A Möbius band of triangles beside a box with a turned face."""
    turn = np.linspace(0, 2 * np.pi, 13)[:-1]
    rim = [(np.cos(t) * (3 + w * np.cos(t / 2)), np.sin(t) * (3 + w * np.cos(t / 2)), w * np.sin(t / 2))
           for w in (-0.5, 0.5) for t in turn]  # fmt: skip
    band = []
    for k in range(12):
        a, b, c, d = (
            (k, k + 1, k + 12, k + 13) if k < 11 else (11, 12, 23, 0)
        )  # the last step swaps the sides
        band += [[a, b, c], [b, d, c]]
    box = BOX.faces.copy()
    box[3] = box[3, ::-1]
    mixed = raw(np.vstack([rim, BOX.vertices + 9.0]), np.vstack([band, box + 24]))
    result = repair(mixed, fix_winding=True)
    assert result.changes.flipped_faces == 1
    assert result.changes.disagreeing_edges_left == 1
    np.testing.assert_array_equal(result.mesh.faces[:24], band)
    np.testing.assert_array_equal(result.mesh.faces[24:] - 24, BOX.faces)
    notes = mesh_sdf(mixed.vertices, mixed.faces, unit="m").notes
    assert any("not closed" in note for note in notes)


def shells(*sizes: float) -> RawMesh:
    """Concentric boxes; a negative size has inward winding."""
    vertices = np.vstack([BOX.vertices * abs(s) for s in sizes])
    faces = np.vstack([(BOX.faces if s > 0 else BOX.faces[:, ::-1]) + 8 * i for i, s in enumerate(sizes)])
    return raw(vertices, faces)


@pytest.mark.parametrize(
    ("sizes", "turned"),
    [((-1,), 1), ((3, 2), 1), ((-3, 2), 2), ((3, -2, 1), 0), ((-3, 2, -1), 3), ((3, 2, 1), 1)],
)
def test_parts_face_outwards_and_cavities_inwards(sizes, turned):
    result = repair(shells(*sizes), fix_winding=True)
    exact = sum((-1) ** k * 6 * abs(s) ** 3 for k, s in enumerate(sizes))
    assert result.changes.turned_parts == turned
    assert volume(result.mesh) == pytest.approx(exact)
    assert mesh_sdf(result.mesh.vertices, result.mesh.faces, unit="m").sign_reliable


def test_merging_closes_a_soup():
    rng = np.random.default_rng(0)
    corners = TORUS.vertices[TORUS.faces].reshape(-1, 3)
    soup = raw(corners + rng.uniform(-1e-5, 1e-5, corners.shape), np.arange(len(corners)).reshape(-1, 3))
    assert repair(soup).changes.open_edges_left == 3 * len(TORUS.faces)
    result = repair(soup, merge=1e-4)
    assert result.changes.closed
    assert result.changes.merged_vertices == len(corners) - len(TORUS.vertices)
    assert 1e-6 < result.changes.largest_move <= 2e-5 * np.sqrt(3)
    assert volume(result.mesh) == pytest.approx(volume(TORUS), rel=1e-3)
    with pytest.raises(ValueError, match="choose less"):
        repair(soup, merge=10.0)


def test_faces_that_merging_folds_are_dropped_and_counted():
    vertices = np.vstack([BOX.vertices, BOX.vertices[BOX.faces[0, 0]] + 1e-6])
    a, b, c = BOX.faces[0]
    faces = np.vstack([BOX.faces[1:], [[8, b, c]], [[a, b, 8]]])
    result = repair(raw(vertices, faces), merge=1e-3)
    assert (result.changes.merged_vertices, result.changes.dropped_flat) == (1, 1)
    assert result.changes.closed
    assert volume(result.mesh) == pytest.approx(6)


def test_degenerate_and_duplicate_faces():
    middle = BOX.vertices[BOX.faces[0, :2]].mean(axis=0)
    a, b, c = BOX.faces[0]
    # Face 0 is split at the middle of ab; a flat face joins it to the neighbour that was not split.
    faces = np.vstack(
        [BOX.faces[1:], [[a, 8, c], [8, b, c], [8, a, b]], [BOX.faces[2]], [BOX.faces[3, ::-1]]]
    )
    result = repair(raw(np.vstack([BOX.vertices, middle]), faces), drop=True)
    assert (result.changes.dropped_flat, result.changes.dropped_duplicates) == (1, 2)
    assert result.changes.closed
    assert volume(result.mesh) == pytest.approx(6)
    assert set(result.origin) <= set(range(len(faces)))


def test_a_box_without_a_side():
    top = np.all(BOX.vertices[BOX.faces][:, :, 2] > 1.4, axis=1)
    result = repair(raw(BOX.vertices, BOX.faces[~top]), fill_holes=4)
    assert (result.changes.filled_holes, result.changes.added_faces) == (1, 2)
    assert result.changes.added_area == pytest.approx(2)
    assert volume(result.mesh) == pytest.approx(6)
    for limit in ({"fill_holes": 3}, {"fill_holes": 4, "largest_hole": 2.2}):
        left = repair(raw(BOX.vertices, BOX.faces[~top]), **limit).changes  # pyright: ignore[reportArgumentType]
        assert (left.filled_holes, left.holes_left, left.open_edges_left) == (0, 1, 4)


def test_random_holes_in_a_torus():
    """Each hole is closed; the volume changes by no more than the caps over the holes."""
    rng = np.random.default_rng(1)
    gone = rng.choice(len(TORUS.faces), 40, replace=False)
    result = repair(raw(TORUS.vertices, np.delete(TORUS.faces, gone, axis=0)), fill_holes=30)
    assert result.changes.closed
    assert result.changes.filled_holes > 20
    assert volume(result.mesh) == pytest.approx(volume(TORUS), rel=0.01)
    single = repair(raw(TORUS.vertices, np.delete(TORUS.faces, [0, 100, 300], axis=0)), fill_holes=3)
    assert volume(single.mesh) == pytest.approx(volume(TORUS), rel=1e-12)


def test_the_fill_of_a_flat_concave_loop_has_its_area():
    loop = np.array(
        [(0, 0, 0), (1, 0, 0), (2, 0, 0), (2, 1, 0), (1, 1, 0), (1, 2, 0), (0, 2, 0), (0, 1, 0)], float
    )
    triangles = fill_loop(loop, np.zeros((8, 8), bool))
    a, b, c = np.moveaxis(loop[triangles], 1, 0)
    normal = np.cross(b - a, c - a)
    assert normal[:, 2].sum() / 2 == pytest.approx(3)
    assert np.all(normal[:, 2] > 0.5)  # wound like the loop, none of them flat
    blocked = np.ones((8, 8), bool)
    assert fill_loop(loop, blocked) is None


def test_loops_that_share_a_vertex_are_parted():
    fan = np.array([[0, 1, 2], [0, 3, 4]])
    assert sorted(len(loop) for loop in boundary_loops(fan)) == [3, 3]
    assert boundary_loops(np.array([[0, 1, 2], [1, 2, 3]])) == []  # windings disagree: no chain closes


def test_no_face_is_left():
    flat = raw([[0, 0, 0], [1, 0, 0], [2, 0, 0]], [[0, 1, 2]])
    result = repair(flat, drop=True, fix_winding=True, fill_holes=3, merge=0.1)
    assert result.mesh.faces.shape == (0, 3)
    assert result.changes.dropped_flat == 1


@pytest.mark.parametrize(
    "wrong", [{"merge": -1.0}, {"merge": np.nan}, {"fill_holes": -1}, {"largest_hole": -1.0}]
)
def test_wrong_tolerances(wrong):
    with pytest.raises(ValueError, match="must not be negative"):
        repair(BOX, **wrong)


def test_the_report_is_json():
    changes = repair(shells(-1), fix_winding=True).changes
    assert json.loads(json.dumps(changes.as_dict()))["turned_parts"] == 1
    assert changes.lines == ("turned 1 closed part as a whole",)


@pytest.mark.parametrize(
    ("damaged", "whole", "volume_error", "wrong_signs"),
    [
        ("spot_flipped3pct.obj", "spot.obj", 1e-12, 0),
        ("heatsink_open_gen.stl", "heatsink_gen.stl", 1e-12, 0),
        ("spot_open.obj", "spot.obj", 2e-3, 1e-3),  # 154 faces of a curved surface cannot come back exactly
    ],
)
def test_damaged_files(data, damaged, whole, volume_error, wrong_signs):
    broken, sound = read_mesh(data / "sdf" / damaged), read_mesh(data / "sdf" / whole)
    result = repair(broken, fix_winding=True, fill_holes=100)
    assert result.changes.closed
    assert volume(result.mesh) == pytest.approx(volume(sound), rel=volume_error)
    mended = mesh_sdf(result.mesh.vertices, result.mesh.faces, unit="mm")
    truth = mesh_sdf(sound.vertices, sound.faces, unit="mm")
    assert mended.sign_reliable
    lower, upper = truth.bounds
    points = lower + (upper - lower) * np.random.default_rng(0).random((4000, 3))
    signs = [np.sign(value_and_gradient(part, points)[0]) for part in (mended, truth)]
    assert np.mean(signs[0] != signs[1]) <= wrong_signs
