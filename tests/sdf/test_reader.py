"""The strict mesh readers: refuse what is damaged, read what is right as an independent reader does."""

import contextlib
import hashlib
import json
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import trimesh

from geoembed.core import InputError
from geoembed.sdf import inspect_mesh, mesh_quality, read_mesh
from geoembed.sdf._readers._earclip import ear_clip
from geoembed.sdf._readers._rawmesh import merge_equal
from tests import malformed_cases as cases

MESHES = [case for case in cases.CASES if case.kind == "mesh"]
BY_NAME = {case.name: case for case in MESHES}


def put(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@pytest.mark.parametrize("case", MESHES, ids=lambda case: case.name)
def test_case(case, tmp_path):
    path = put(tmp_path, case.file, case.data)
    if case.expect == "error":
        with pytest.raises(InputError) as caught:
            inspect_mesh(path, "m")
        error = caught.value
        assert error.file == str(path)
        assert error.reason
        assert error.hint
        assert len(str(error)) < 600
        return
    report = json.loads(json.dumps(inspect_mesh(path, "m"), allow_nan=False))
    said = report["notes"] + report["flags"]
    assert bool(said) == (case.expect == "flagged"), said


def test_case_names_are_different():
    files = [case.file.lower() for case in cases.CASES]
    assert len(set(files)) == len(files) > 350


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("stl_text_word", "line 5"),
        ("stl_text_four_corners", "line 7"),
        ("obj_two_coordinates", "line 2"),
        ("obj_index_zero", "line 5"),
        ("ply_index_half", "line 15"),
        ("off_index_range", "line 7"),
        ("stl_nan", "facet 1 (byte 84)"),
        ("ply_binary_index", "face 4"),
        ("glb_accessor_range", "accessors"),
    ],
)
def test_error_names_the_place(name, line, tmp_path):
    case = BY_NAME[name]
    with pytest.raises(InputError) as caught:
        read_mesh(put(tmp_path, case.file, case.data))
    assert line in caught.value.where


def test_peak_memory_of_all_cases(tmp_path):
    worst = {}
    tracemalloc.start()
    try:
        for case in MESHES:
            path = put(tmp_path, case.file, case.data)
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            with contextlib.suppress(InputError):
                inspect_mesh(path, "m")
            worst[case.name] = tracemalloc.get_traced_memory()[1] - before
            path.unlink()
    finally:
        tracemalloc.stop()
    assert max(worst.values()) < 200e6, max(worst, key=worst.get)


def test_what_is_not_a_readable_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.stl")
    (tmp_path / "folder.stl").mkdir()
    (tmp_path / "loop.stl").symlink_to(tmp_path / "loop.stl")
    put(tmp_path, "noending", cases.stl())
    for name, word in [
        ("pipe.stl", "pipe"),
        ("folder.stl", "folder"),
        ("missing.stl", "no such file"),
        ("loop.stl", "cannot be opened"),
        ("no\0name.stl", "not a path"),
        ("noending", "no ending"),
        ("x" * 5000 + ".stl", "cannot be opened"),
    ]:
        with pytest.raises(InputError, match=word):
            read_mesh(tmp_path / name)
    with pytest.raises(InputError, match="device"):
        read_mesh("/dev/zero")


def test_unreadable_file(tmp_path, monkeypatch):
    path = put(tmp_path, "a.stl", cases.stl())

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(InputError, match="Permission denied"):
        read_mesh(path)


def test_size_is_judged_before_reading(tmp_path):
    path = tmp_path / "sparse.stl"
    with path.open("wb") as file:
        file.truncate(2 << 30)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="limit"):
            read_mesh(path)
        with path.open("wb") as file:
            file.truncate(500 << 20)
        with pytest.raises(InputError, match="promises 0 facets"):
            read_mesh(path)
        with pytest.raises(InputError, match="0x00"):
            read_mesh(path.rename(tmp_path / "sparse.obj"))
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()


def same_shape(path: Path, reference: trimesh.Trimesh, *, faces: bool = True) -> None:
    raw = read_mesh(path)
    quality = mesh_quality(raw, "m")
    if faces:
        assert len(raw.faces) == len(reference.faces)
    scale = np.linalg.norm(reference.extents)
    np.testing.assert_allclose(quality.area, reference.area, rtol=1e-5)
    if reference.is_volume:  # the sum over an open mesh depends on the origin
        np.testing.assert_allclose(quality.volume, reference.volume, rtol=1e-5, atol=1e-9 * scale**3)
    np.testing.assert_allclose(quality.extents, reference.extents, rtol=1e-5)


@pytest.mark.parametrize("kind", ["stl", "stl_ascii", "obj", "ply", "ply_ascii", "off", "glb"])
@pytest.mark.parametrize(
    "part",
    [trimesh.creation.icosphere(subdivisions=2), trimesh.creation.annulus(1.0, 2.0, 0.7)],
    ids=["sphere", "ring"],
)
def test_files_written_by_trimesh(kind, part, tmp_path):
    name, _, form = kind.partition("_")
    if kind == "ply_ascii":
        data = part.export(file_type="ply", encoding="ascii")
    elif kind == "glb":
        data = trimesh.Scene(part).export(file_type="glb")
    else:
        data = part.export(file_type=kind)
    path = put(tmp_path, f"part.{name}", data)
    same_shape(path, part)
    assert mesh_quality(read_mesh(path), "m").watertight
    assert form in ("", "ascii")


def test_scene_transforms_agree_with_trimesh(tmp_path):
    rng = np.random.default_rng(3)
    scene = trimesh.Scene()
    for index in range(6):
        matrix = trimesh.transformations.random_rotation_matrix(rng.random(3))
        matrix[:3, :3] *= rng.uniform(0.5, 2.0, 3)[None] * (-1 if index % 2 else 1)
        matrix[:3, 3] = rng.normal(size=3) * 5
        parent = f"n{index - 1}" if index in (2, 3) else None
        box = trimesh.creation.box((1, 2, 3))
        scene.add_geometry(box, node_name=f"n{index}", parent_node_name=parent, transform=matrix)
    path = put(tmp_path, "scene.glb", scene.export(file_type="glb"))
    reference = trimesh.load_scene(path).to_mesh()
    raw = read_mesh(path)
    np.testing.assert_allclose(mesh_quality(raw, "m").area, reference.area, rtol=1e-6)
    np.testing.assert_allclose(
        np.sort(raw.vertices, axis=0), np.sort(np.unique(reference.vertices, axis=0), axis=0), atol=1e-5
    )
    assert mesh_quality(raw, "m").misoriented_components in (
        0,
        2,
    )  # boxes may lie in one another, none is mirrored
    assert mesh_quality(raw, "m").volume > 0


@pytest.mark.parametrize(
    "name",
    [
        *(
            "heatsink_gen.stl",
            "bracket_gen.stl",
            "heatsink_open_gen.stl",
            "featuretype.STL",
            "plate_holes.STL",
        ),
        *("torus.STL", "soup.stl", "spot.obj", "spot_open.obj", "spot_flipped3pct.obj"),
    ],
)
def test_real_parts_agree_with_trimesh(name, data):
    path = data / "sdf" / name
    reference = trimesh.load_mesh(path, process=False)
    same_shape(path, reference)


def test_transforms_of_the_tetrahedron(tmp_path):
    case = BY_NAME["glb_transform"]
    raw = read_mesh(put(tmp_path, case.file, case.data))
    # A quarter turn about z takes x to y and y to −x; then the shift.
    expected = np.array([[1, 2, 3], [1, 4, 3], [-1, 2, 3], [1, 2, 5]], float)
    np.testing.assert_allclose(raw.vertices, expected, atol=1e-6)
    case = BY_NAME["glb_mirror"]
    quality = mesh_quality(read_mesh(put(tmp_path, case.file, case.data)), "m")
    np.testing.assert_allclose(quality.volume, 1 / 6, rtol=1e-6)


def test_ply_and_off_variants_give_the_tetrahedron(tmp_path):
    names = [
        "ply_good",
        "ply_binary",
        "ply_big_endian",
        "ply_colours",
        "ply_crlf",
        "ply_edges",
        "off_coff",
        "off_noff",
    ]
    names += [
        "off_comments",
        "off_face_colours",
        "obj_slashes",
        "obj_negative_index",
        "obj_continued",
        "obj_colours",
    ]
    names += ["stl_good", "stl_good_text", "stl_minus_zero", "stl_text_upper", "glb_good", "glb_strided"]
    for name in names:
        case = BY_NAME[name]
        raw = read_mesh(put(tmp_path, case.file, case.data))
        triangles = {tuple(sorted(map(tuple, raw.vertices[face].tolist()))) for face in raw.faces}
        expected = {tuple(sorted(map(tuple, cases.V[face].tolist()))) for face in cases.F}
        assert triangles == expected, name
        assert mesh_quality(raw, "m").volume == pytest.approx(1 / 6), name


def test_vertices_are_merged_bit_by_bit():
    one = np.float32(1)
    points = np.array(
        [[0, 0, one], [-0.0, 0, one], [0, 0, np.nextafter(one, np.float32(2))], [0, 0, one]], np.float32
    )
    merged, number = merge_equal(points)
    assert number.tolist() == [0, 0, 1, 0]
    assert not np.signbit(merged).any()
    rng = np.random.default_rng(0)
    many = rng.integers(-2, 3, (5000, 3)).astype(float) * rng.choice([1.0, -1.0], (5000, 3))
    merged, number = merge_equal(many)
    assert np.array_equal(merged[number], many)
    assert len(merged) == len({tuple(p) for p in (many + 0.0).tolist()})
    assert number[0] == 0
    assert np.all(np.diff(np.unique(number, return_index=True)[1]) > 0)


def polygon_area(points: np.ndarray) -> float:
    """The shoelace formula."""
    x, y = points[:, 0], points[:, 1]
    return 0.5 * float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))


def covered(points: np.ndarray, triangles: np.ndarray) -> tuple[float, float]:
    """The signed and the absolute area of triangles; equal when none is turned over."""
    a, b, c = (points[triangles[:, i]] for i in range(3))
    area = 0.5 * ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])
    return float(area.sum()), float(np.abs(area).sum())


@pytest.mark.parametrize("corners", [4, 5, 7, 12, 60])
def test_ear_clipping_covers_random_star_shaped_polygons(corners):
    rng = np.random.default_rng(corners)
    for _ in range(20):
        angle = (np.arange(corners) + rng.uniform(0, 0.8, corners)) * 2 * np.pi / corners
        flat = rng.uniform(0.2, 1.0, corners)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        if polygon_area(flat) < 0.05:
            continue
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0][:, :2]
        triangles = ear_clip(flat @ turn.T * 10 + rng.normal(size=3))
        assert triangles.shape == (corners - 2, 3)
        signed, absolute = covered(flat, triangles)
        np.testing.assert_allclose([signed, absolute], polygon_area(flat), rtol=1e-9)


def test_ear_clipping_of_special_polygons():
    def clip(rows):
        points = np.array(rows, float)
        return points, ear_clip(np.concatenate([points, np.zeros((len(points), 1))], axis=1))

    comb = [(k, 3 if k % 2 else 0.5) for k in range(9)]
    points, triangles = clip([(0, 0), (8, 0), *reversed(comb)])
    np.testing.assert_allclose(covered(points, triangles), polygon_area(points))
    bridge = [(0, 0), (4, 0), (4, 4), (0, 4), (0, 0), (1, 1), (1, 3), (3, 3), (3, 1), (1, 1)]
    points, triangles = clip(bridge)  # a square with a square hole, joined by a bridge
    np.testing.assert_allclose(covered(points, triangles), 12)
    points, triangles = clip([(0, 0), (1, 0), (2, 0), (2, 2), (0, 2)])  # a straight corner
    np.testing.assert_allclose(covered(points, triangles), 4)
    assert clip([(0, 0), (2, 2), (2, 0), (0, 2), (-1, 1)])[1] is None  # crosses itself
    assert clip([(0, 0), (1, 1), (1, 0), (0, 1)])[1] is None  # bow tie without area


def test_concave_faces_get_the_right_area(tmp_path):
    case = BY_NAME["obj_concave"]
    quality = mesh_quality(read_mesh(put(tmp_path, case.file, case.data)), "m")
    assert quality.area == pytest.approx(2 * 2 - 0.5 * 2 * 1.5)
    case = BY_NAME["obj_concave_quad"]
    quality = mesh_quality(read_mesh(put(tmp_path, case.file, case.data)), "m")
    assert quality.area == pytest.approx(0.5 * 2 * 0.5 * 2)
    ring = trimesh.creation.annulus(1.0, 2.0, 1.0)
    fan = "".join(f"v {x} {y} {z}\n" for x, y, z in ring.vertices)
    quads = "".join("f " + " ".join(str(i + 1) for i in face) + "\n" for face in ring.faces)
    same_shape(put(tmp_path, "ring.obj", fan + quads), ring)


def test_long_files_cross_the_chunk_limit(tmp_path, monkeypatch):
    """Pieces of a few hundred bytes must give what one piece gives."""
    ball = trimesh.creation.icosphere(subdivisions=1)
    slashes = "vn 0 0 1\n" + cases.obj(ball.vertices, ball.faces, corner="{0}//1").replace("\nf", "\r\nf")
    files = {
        "a.obj": slashes.replace(" 7//1", " \\\n 7//1"),
        "a.off": cases.off(ball.vertices, ball.faces).replace("\n3 ", "\n# c\n\n3 ", 1),
        "a.ply": cases.ply(ball.vertices, ball.faces),
        "a.stl": cases.stl_text(ball.vertices, ball.faces[:9])
        + cases.stl_text(ball.vertices, ball.faces[9:]),
    }
    for name, text in files.items():
        path = put(tmp_path, name, text)
        whole = read_mesh(path)
        monkeypatch.setattr("geoembed.core._files.CHUNK", 333)
        pieces = read_mesh(path)
        monkeypatch.undo()
        assert np.array_equal(whole.vertices, pieces.vertices), name
        assert np.array_equal(whole.faces, pieces.faces), name
        assert (whole.notes, whole.sha256) == (pieces.notes, pieces.sha256), name
        assert len(whole.faces) == len(ball.faces)
        bad = put(
            tmp_path,
            name,
            text.replace(text.split()[-4], "oops", 1) if name[-3:] != "ply" else text[:-5] + "x\n",
        )
        with pytest.raises(InputError) as one:
            read_mesh(bad)
        monkeypatch.setattr("geoembed.core._files.CHUNK", 333)
        with pytest.raises(InputError) as two:
            read_mesh(bad)
        monkeypatch.undo()
        assert str(one.value) == str(two.value)


def test_line_numbers_behind_continued_lines(tmp_path):
    text = cases.obj().replace("f 1 3 2", "f 1 \\\n3 \\\n2") + "f 1 2 oops\n"
    with pytest.raises(InputError) as caught:
        read_mesh(put(tmp_path, "a.obj", text))
    assert caught.value.where == f"line {len(text.splitlines())}"


def test_the_hash_is_that_of_the_file(tmp_path):
    for name in ("stl_good", "stl_good_text", "obj_good", "ply_binary", "off_good", "glb_good"):
        case = BY_NAME[name]
        assert read_mesh(put(tmp_path, case.file, case.data)).sha256 == hashlib.sha256(case.data).hexdigest()


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """A valid file with a few bytes changed, taken out, put in, or with its end cut."""
    out = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        at = int(rng.integers(len(out)))
        kind = rng.integers(6)
        if kind == 0:
            out[at] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            out[at] = int(rng.integers(256))
        elif kind == 2:
            del out[at : at + int(rng.integers(1, 20))]
        elif kind == 3:
            out[at:at] = rng.bytes(int(rng.integers(1, 5)))
        elif kind == 4:
            out[at : at + 4] = rng.choice(
                [b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"9999", b"-1e9", b" nan", b"\n\n\n\n"]
            )
        else:
            del out[at + 1 :]
        if not out:
            break
    return bytes(out)


FUZZED = [
    "stl_good",
    "stl_good_text",
    "obj_slashes",
    "ply_colours",
    "ply_binary",
    "ply_binary_mixed",
    "off_coff",
    "glb_transform",
]


@pytest.mark.parametrize("name", FUZZED)
def test_mutated_files_raise_nothing_but_input_errors(name, tmp_path):
    case = BY_NAME[name]
    rng = np.random.default_rng(len(name))
    loaded = 0
    for _ in range(120):
        path = put(tmp_path, case.file, mutated(case.data, rng))
        try:
            raw = read_mesh(path)
        except InputError:
            continue
        loaded += 1
        assert np.isfinite(raw.vertices).all()
        assert raw.faces.min() >= 0
        assert raw.faces.max() < len(raw.vertices)
        json.dumps(mesh_quality(raw, "mm").as_dict(), allow_nan=False)
    assert loaded < 110  # most damage is noticed


@pytest.mark.parametrize(
    "name", ["stl_good", "ply_binary", "ply_good", "off_good", "stl_good_text", "glb_good"]
)
def test_every_cut_is_noticed(name, tmp_path):
    case = BY_NAME[name]
    for length in range(1, len(case.data) - 1, max(1, len(case.data) // 150)):
        path = put(tmp_path, case.file, case.data[:length])
        try:
            assert "may have been cut" in read_mesh(path).notes[0]
        except InputError:
            continue
        assert length > len(case.data) - 5  # "endsolid t", the name cut off
