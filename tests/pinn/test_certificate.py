"""The finite-element judge against closed forms, and the rules of the certificate."""

import dataclasses
import functools
import hashlib
import importlib
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import trimesh

from geoembed.core import InputError
from geoembed.pinn import _certificate, _fem, _fem_adapt, _fem_mesh, _fem_reference, _fem_refine, _fem_surface

DATA = Path(_certificate.__file__).parent / "data"


def has_fem() -> bool:
    """Whether the packages of the extra can be imported (some releases of pytetwild need pyvista for it)."""
    try:
        return all(_fem_mesh.fem_package(name) for name in ("skfem", "pyamg", "pytetwild"))
    except ImportError:
        return False


def needs_fem(test):
    """Marks a test so that CI runs it when the extra is there, and skips it where it is not."""
    reason = "the extra `fem` (scikit-fem, pyamg, pytetwild) is not installed"
    return pytest.mark.fem(pytest.mark.skipif(not has_fem(), reason=reason)(test))


LENGTH, WIDTH = 0.1, 0.03  # m
SMALL = {"coarse": (200, 400), "fine": (400, 1200)}


def slab():
    """A bar along x from 0 to LENGTH; its triangles' normals tell the ends."""
    box = trimesh.creation.box(extents=(LENGTH, WIDTH, WIDTH))
    vertices, faces = np.asarray(box.vertices) + np.array([LENGTH / 2, 0.0, 0.0]), np.asarray(box.faces)
    normal = _fem_surface.face_normals(vertices, faces)
    return vertices, faces, normal[:, 0] < -0.9, normal[:, 0] > 0.9


def table(faces, *, held=(), convection=(), flux=()):
    """Boundary data per triangle from pairs (mask, value); what is not named is insulated."""
    columns = SimpleNamespace(
        temperature=np.full(faces, np.nan), h=np.zeros(faces), ambient=np.zeros(faces), flux=np.zeros(faces)
    )
    for mask, value in held:
        columns.temperature[mask] = value
    for mask, h, ambient in convection:
        columns.h[mask], columns.ambient[mask] = h, ambient
    for mask, value in flux:
        columns.flux[mask] = value
    return columns


def heat_by_name(reference):
    return {patch.name: patch.watts for patch in reference.heat}


@pytest.fixture(scope="module")
def convecting_slab():
    """x = 0 held at 400 K, x = LENGTH convecting, sides insulated: T falls linearly."""
    vertices, faces, left, right = slab()
    conditions = table(len(faces), held=[(left, 400.0)], convection=[(right, 50.0, 300.0)])
    reference = _fem_reference.fem_reference(vertices, faces, conditions, 2.0, 0.0, seed=1, **SMALL)
    slope = 100.0 * 50.0 / (2.0 + 50.0 * LENGTH)  # flux k s = h (400 − s L − 300)
    return reference, lambda x: 400.0 - slope * x[:, 0], 2.0 * slope * WIDTH**2


@needs_fem
def test_slab_held_and_convecting_is_exact(convecting_slab):
    reference, exact, watts = convecting_slab
    certificate = _certificate.judge(reference, exact, bar=1e-6, seed=1)
    assert certificate.status == "certified"
    assert certificate.certified
    assert certificate.relative_error < 1e-7
    heat = heat_by_name(reference)
    np.testing.assert_allclose(heat["held at 400 K"], watts, rtol=1e-7)
    np.testing.assert_allclose(heat["convection h=50 W/(m² K), ambient 300 K"], -watts, rtol=1e-7)
    assert abs(heat["flux 0 W/m²"]) < 1e-12
    assert reference.energy_balance < 1e-7
    assert certificate.points >= 10_000


@needs_fem
def test_slab_with_source_is_a_parabola():
    vertices, faces, left, right = slab()
    conditions = table(len(faces), held=[(left, 300.0), (right, 320.0)])
    k, q = 0.5, 4e4
    reference = _fem_reference.fem_reference(vertices, faces, conditions, k, q, seed=2, **SMALL)

    def exact(x):
        s = x[:, 0]
        return 300.0 + 20.0 * s / LENGTH + q * s * (LENGTH - s) / (2 * k)

    assert _certificate.judge(reference, exact).relative_error < 1e-7
    released = q * LENGTH * WIDTH**2
    np.testing.assert_allclose(reference.fine.source_heat, released, rtol=1e-9)
    conducted = k * 20.0 / LENGTH * WIDTH**2  # from the right end to the left
    heat = heat_by_name(reference)
    np.testing.assert_allclose(heat["held at 300 K"], -released / 2 - conducted, rtol=1e-6)
    np.testing.assert_allclose(heat["held at 320 K"], -released / 2 + conducted, rtol=1e-6)


@needs_fem
def test_positive_flux_heats_the_part():
    vertices, faces, left, right = slab()
    conditions = table(len(faces), held=[(left, 300.0)], flux=[(right, 1000.0)])
    reference = _fem_reference.fem_reference(vertices, faces, conditions, 5.0, 0.0, seed=3, **SMALL)
    rising = _certificate.judge(reference, lambda x: 300.0 + 1000.0 * x[:, 0] / 5.0)
    falling = _certificate.judge(reference, lambda x: 300.0 - 1000.0 * x[:, 0] / 5.0)
    assert rising.relative_error < 1e-7
    assert falling.status == "failed"
    heat = heat_by_name(reference)
    np.testing.assert_allclose(heat["flux 1000 W/m²"], 1000.0 * WIDTH**2, rtol=1e-7)
    np.testing.assert_allclose(heat["held at 300 K"], -1000.0 * WIDTH**2, rtol=1e-7)


@needs_fem
def test_a_constant_field_cannot_be_certified():
    """At one temperature everywhere the relative error is 0 / 0."""
    vertices, faces, left, right = slab()
    conditions = table(len(faces), held=[(left, 300.0)], convection=[(right, 20.0, 300.0)])
    reference = _fem_reference.fem_reference(vertices, faces, conditions, 1.0, 0.0, seed=3, **SMALL)
    np.testing.assert_allclose(reference.temperature, 300.0, rtol=1e-12)
    assert _certificate.judge(reference, lambda x: np.full(len(x), 300.0)).status == "uncertified"


@needs_fem
def test_flux_and_convection_on_one_patch_add():
    vertices, faces, left, right = slab()
    conditions = table(
        len(faces), held=[(left, 300.0)], convection=[(right, 20.0, 300.0)], flux=[(right, 1000.0)]
    )
    reference = _fem_reference.fem_reference(vertices, faces, conditions, 1.0, 0.0, seed=3, **SMALL)
    slope = 1000.0 / (1.0 + 20.0 * LENGTH)  # k s = flux − h s L
    assert _certificate.judge(reference, lambda x: 300.0 + slope * x[:, 0]).relative_error < 1e-7


@needs_fem
def test_spherical_shell():
    """Inner sphere held, outer sphere convecting: T = a + b / r, up to the error of the flat triangles."""
    inner, outer = 0.01, 0.02
    ball = trimesh.creation.icosphere(subdivisions=2)
    corners = ball.vertices * (4 * np.pi / 3 / ball.volume) ** (1 / 3)  # the volume of a ball of radius 1
    n = len(corners)
    vertices = np.concatenate([inner * corners, outer * corners])
    faces = np.concatenate([ball.faces[:, ::-1], ball.faces + n])
    cavity = np.arange(len(faces)) < len(ball.faces)
    k, h = 1.0, 100.0
    conditions = table(len(faces), held=[(cavity, 400.0)], convection=[(~cavity, h, 300.0)])
    reference = _fem_reference.fem_reference(
        vertices, faces, conditions, k, 0.0, seed=4, coarse=(500, 1000), fine=(1500, 3000)
    )
    watts = 4 * np.pi * 100.0 / ((1 / inner - 1 / outer) / k + 1 / (h * outer**2))

    def exact(x):
        return 400.0 - watts / (4 * np.pi * k) * (1 / inner - 1 / np.linalg.norm(x, axis=1))

    assert _certificate.judge(reference, exact).relative_error < 2e-2
    np.testing.assert_allclose(heat_by_name(reference)["held at 400 K"], watts, rtol=1.5e-2)
    assert reference.deviation.max_distance_relative < 1e-2


@needs_fem
def test_a_wrong_answer_fails(convecting_slab):
    reference, exact, _ = convecting_slab
    off = _certificate.judge(reference, lambda x: exact(x) + 0.03 * (400.0 - exact(x)))
    constant = _certificate.judge(reference, lambda x: np.full(len(x), reference.temperature.mean()))
    broken = _certificate.judge(reference, lambda x: np.full(len(x), np.nan))
    assert off.status == "failed"
    np.testing.assert_allclose(constant.relative_error, 1.0, rtol=1e-12)
    assert constant.status == broken.status == "failed"
    assert broken.as_dict()["relative_error"] is None


@needs_fem
def test_meshes_that_disagree_do_not_certify_even_the_right_answer():
    """Half an end face held: the gradient is unbounded at the border, too much for meshes this coarse."""
    box = trimesh.creation.box(extents=(0.02, 0.02, 0.02)).subdivide()
    vertices, faces = np.asarray(box.vertices), np.asarray(box.faces)
    centre = vertices[faces].mean(1)
    top = _fem_surface.face_normals(vertices, faces)[:, 2] > 0.9
    conditions = table(len(faces), held=[(top & (centre[:, 0] > 0), 400.0)], convection=[(~top, 50.0, 300.0)])
    reference = _fem_reference.fem_reference(vertices, faces, conditions, 0.5, 0.0, seed=5, **SMALL)

    def finer_mesh(x):
        return _fem.evaluate(reference.fine, x)[0]

    strict = _certificate.judge(reference, finer_mesh, bar=reference.agreement * 3.9)
    lenient = _certificate.judge(reference, finer_mesh, bar=reference.agreement * 4.1)
    assert reference.agreement > 1e-4
    assert strict.status == "uncertified"
    assert "quarter of the bar" in strict.text
    assert lenient.status == "certified"
    assert reference.energy_balance < 1e-7


def test_verdict():
    assert _certificate.verdict(0.01, 0.005, 10_000, 0.02)[0] == "certified"
    assert _certificate.verdict(0.021, 0.005, 10_000, 0.02)[0] == "failed"
    assert _certificate.verdict(0.01, 0.0051, 10_000, 0.02)[0] == "uncertified"
    assert _certificate.verdict(0.01, 0.005, 9_999, 0.02)[0] == "uncertified"
    assert _certificate.verdict(np.nan, 0.005, 10_000, 0.02)[0] == "failed"
    assert _certificate.verdict(0.01, np.nan, 10_000, 0.02)[0] == "uncertified"


def test_energy_balance_and_centred_error():
    assert _fem_reference.energy_balance([3.0, -1.0, -2.0]) == 0.0
    assert _fem_reference.energy_balance([2.0, -1.0]) == 0.5
    assert _fem_reference.energy_balance([0.0, 0.0]) == 0.0
    assert _fem_reference.energy_balance([-1.0]) == 1.0
    reference = np.array([1.0, 2.0, 3.0])
    assert _fem_reference.centred_error(np.full(3, 2.0), reference) == 1.0
    assert np.isnan(_fem_reference.centred_error(reference, np.full(3, 2.0)))


@needs_fem
def test_certificate_is_json(convecting_slab):
    reference, exact, _ = convecting_slab
    certificate = _certificate.judge(reference, exact)
    text = json.dumps(certificate.as_dict(), allow_nan=False)
    assert json.loads(text)["heat"][0].keys() == {"name", "watts", "area", "area_error"}
    assert json.loads(text)["dofs"][0] < json.loads(text)["dofs"][1]
    with pytest.raises(dataclasses.FrozenInstanceError):
        certificate.status = "certified"


@needs_fem
def test_bad_input_is_refused(convecting_slab):
    reference, _, _ = convecting_slab
    vertices, faces, left, _ = slab()
    held = table(len(faces), held=[(left, 400.0)])
    with pytest.raises(ValueError, match="predict must return shape"):
        _certificate.judge(reference, lambda x: x)
    with pytest.raises(ValueError, match="normals point outwards"):
        _fem_mesh.tetrahedralise(vertices, faces[:, ::-1], tets=200)
    mesh = reference.coarse.mesh
    with pytest.raises(ValueError, match="fixes the temperature"):
        _fem.solve_heat(mesh, table(len(faces)), 1.0)
    with pytest.raises(ValueError, match="conductivity"):
        _fem.solve_heat(mesh, held, 0.0)


def test_missing_extra_is_named(monkeypatch):
    def refuse(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", refuse)
    with pytest.raises(ImportError, match=r"pip install 'geoembed\[fem\]'"):
        _fem_mesh.fem_package("skfem")


@needs_fem
def test_mesher_keeps_edges_and_volume():
    vertices, faces, _, _ = slab()
    faces = faces.astype(np.int32)
    vertices.setflags(write=False)  # as the arrays of a MeshSDF are
    faces.setflags(write=False)
    mesh = _fem_mesh.tetrahedralise(vertices, faces, tets=400)
    deviation = _fem_mesh.mesh_deviation(mesh, vertices, faces)
    assert deviation.max_distance_relative < 1e-6
    assert abs(deviation.volume_error) < 1e-6
    assert abs(deviation.area_error) < 1e-6
    agree = _fem_surface.face_normals(mesh.points, mesh.facets)
    agree = (agree * _fem_surface.face_normals(vertices, faces)[mesh.facet_face]).sum(1)
    assert agree.min() > 0.999


@needs_fem
def test_refinement_keeps_volume_surface_and_random_state(convecting_slab):
    mesh = convecting_slab[0].coarse.mesh
    vertices, faces, left, right = slab()
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    finer = _fem_refine.refine(mesh, np.arange(0, len(mesh.tets), 3), vertices, faces)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002
    volume = _fem_mesh.tet_volumes(finer.points, finer.tets)
    assert len(finer.tets) > 1.2 * len(mesh.tets)
    assert volume.min() > 0
    np.testing.assert_allclose(volume.sum(), LENGTH * WIDTH**2, rtol=1e-9)
    for end in (left, right):
        facets = finer.facets[end[finer.facet_face]]
        np.testing.assert_allclose(_fem_surface.face_areas(finer.points, facets).sum(), WIDTH**2, rtol=1e-9)


@needs_fem
def test_mesh_follows_the_border_of_a_patch_inside_a_plane():
    """A strip of one side of a bar: no edge of the bar marks its border, and its area must still come out."""
    box = trimesh.creation.box(extents=(LENGTH, WIDTH, WIDTH)).subdivide().subdivide()
    vertices, faces = np.asarray(box.vertices), np.asarray(box.faces)
    centre, normal = vertices[faces].mean(1), _fem_surface.face_normals(vertices, faces)
    strip = ((normal[:, 2] > 0.9) & (np.abs(centre[:, 0]) < LENGTH / 4)).astype(int)
    area = np.bincount(strip, _fem_surface.face_areas(vertices, faces))
    i, j = np.nonzero(np.add.outer(np.arange(12), np.arange(12)) < 12)
    inner = (np.stack([i, j, 11 - i - j], axis=1) + 1 / 3) / 12  # barycentric

    def area_error(mesh):
        found = np.bincount(strip[mesh.facet_face], _fem_surface.face_areas(mesh.points, mesh.facets))
        return abs(found / area - 1)[1]

    def misplaced(mesh):
        """The share of the strip's area on the wrong side of its border; errors of either sign add up."""
        corners = mesh.points[mesh.facets]
        on_top = np.abs(corners[:, :, 2] - WIDTH / 2).max(axis=1) < 1e-9
        inside = on_top[:, None] & (np.abs(np.einsum("qk,fk->fq", inner, corners[:, :, 0])) < LENGTH / 4)
        wrong = (inside != (strip[mesh.facet_face] == 1)[:, None]).mean(axis=1)
        return wrong @ _fem_surface.face_areas(mesh.points, mesh.facets) / area[1]

    plain = _fem_mesh.tetrahedralise(vertices, faces, tets=300)
    resolved = _fem_refine.resolve_borders(plain, vertices, faces, strip, tets=3000)
    assert misplaced(resolved) < 0.2 * misplaced(plain)
    assert area_error(resolved) < 1e-2
    volume = _fem_mesh.tet_volumes(resolved.points, resolved.tets)
    assert volume.min() > 0
    np.testing.assert_allclose(volume.sum(), LENGTH * WIDTH**2, rtol=1e-9)


@needs_fem
def test_error_indicator_sees_the_border_of_a_held_patch():
    """Of a field that is linear away from one place, only the tetrahedra at that place are marked."""
    vertices, faces, left, right = slab()
    mesh = _fem_mesh.tetrahedralise(vertices, faces, tets=400)
    linear = _fem.solve_heat(mesh, table(len(faces), held=[(left, 400.0), (right, 300.0)]), 1.0)
    scale = 1000.0**2 * LENGTH * WIDTH**2  # ∫ |∇T|²
    assert _fem_adapt.error_indicator(linear).sum() < 1e-12 * scale
    bumped = linear.nodal.copy()
    bumped[linear.element_dofs[:, 7]] += 1.0
    indicator = _fem_adapt.error_indicator(dataclasses.replace(linear, nodal=bumped))
    assert indicator[7] > 0
    touched = np.isin(mesh.tets, mesh.tets[np.isin(mesh.tets, mesh.tets[7]).any(1)]).any(1)
    assert indicator[~touched].sum() < 1e-12 * scale


@needs_fem
def test_evaluate_outside_is_flagged(convecting_slab):
    solution = convecting_slab[0].fine
    points = np.array([[0.05, 0.0, 0.0], [-0.01, 0.0, 0.0], [0.1, 0.0149, -0.0149]])
    value, inside = _fem.evaluate(solution, points)
    np.testing.assert_array_equal(inside, [True, False, True])
    np.testing.assert_allclose(value[[0, 2]], convecting_slab[1](points[[0, 2]]), rtol=1e-8)


def test_nearest_face_and_inside_against_an_analytic_box():
    box = trimesh.creation.box(extents=(2.0, 1.0, 0.5)).subdivide()
    vertices, faces = np.asarray(box.vertices), np.asarray(box.faces)
    points = np.random.default_rng(0).uniform(-1.5, 1.5, (400, 3))
    gap = np.abs(points) - [1.0, 0.5, 0.25]
    exact = np.where(gap.max(1) > 0, np.linalg.norm(np.maximum(gap, 0), axis=1), -gap.max(1))
    for reach in (1e-3, 10.0):
        found = _fem_surface.nearest_face(vertices, faces, points, reach=reach)
        np.testing.assert_allclose(found.distance, exact, atol=1e-12)
        np.testing.assert_allclose(np.linalg.norm(found.point - points, axis=1), exact, atol=1e-12)
    np.testing.assert_array_equal(_fem_surface.inside_surface(vertices, faces, points), gap.max(1) < 0)
    np.testing.assert_allclose(_fem_surface.enclosed_volume(vertices, faces), 1.0)
    up = np.broadcast_to([0.0, 0.0, 1.0], points.shape)
    top = _fem_surface.nearest_face(vertices, faces, points, reach=1e-3, normals=up)
    np.testing.assert_allclose(top.point[:, 2], 0.25)


def test_no_face_with_a_suiting_normal():
    vertices, faces = np.eye(3), np.array([[0, 1, 2]])
    found = _fem_surface.nearest_face(vertices, faces, np.zeros((1, 3)), reach=1.0, normals=-np.ones((1, 3)))
    assert found.face[0] == -1
    assert np.isinf(found.distance[0])


def test_bundled_reference_belongs_to_the_bundled_part():
    path = DATA / "heat_sink_reference.npz"
    assert path.stat().st_size <= 300_000
    with np.load(path, allow_pickle=False) as stored:
        points, temperature, facts = stored["points"], stored["temperature"], json.loads(str(stored["facts"]))
    assert points.dtype == temperature.dtype == np.float32
    assert points.shape == (len(temperature), 3)
    assert len(points) >= 7_500
    assert facts["mesh_sha256"] == hashlib.sha256((DATA / "heat_sink.stl").read_bytes()).hexdigest()
    assert facts["fem_agreement"] <= 2e-3
    assert facts["fin_tip_ratio"] >= 0.3
    assert facts["ambient_K"] < temperature.min() < temperature.max() <= facts["base_temperature_K"]
    size = np.array([40e-3, 40e-3, 22e-3])
    assert (points.max(0) - points.min(0) > 0.95 * size).all()
    assert (points.max(0) - points.min(0) <= size).all()


@needs_fem
def test_where_the_linear_solver_stops_another_mesh_is_made(monkeypatch):
    """The mesher is not deterministic: now and then a tetrahedron is almost flat."""
    vertices, faces, left, right = slab()
    conditions = table(len(faces), held=[(left, 400.0), (right, 300.0)])
    asked, honest = [], _fem_reference.solve_adapted

    def stopping(*arguments, stops, **options):
        asked.append(len(arguments[0].tets))
        if len(asked) <= stops:
            raise _fem.NotSolved("the finite-element solver stopped at a relative residual of 3.2e+01")
        return honest(*arguments, **options)

    monkeypatch.setattr(_fem_reference, "solve_adapted", functools.partial(stopping, stops=1))
    found = _fem_reference.fem_reference(vertices, faces, conditions, 2.0, 0.0, seed=1, **SMALL)
    assert found.agreement < 1e-6
    assert len(asked) == 3
    asked.clear()
    monkeypatch.setattr(_fem_reference, "solve_adapted", functools.partial(stopping, stops=99))
    with pytest.raises(InputError, match=r"3.2e\+01 on each of 3 meshes"):
        _fem_reference.fem_reference(vertices, faces, conditions, 2.0, 0.0, seed=1, **SMALL)
    assert len(asked) == 3
