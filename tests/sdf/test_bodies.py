"""Which faces bound the same body."""

import numpy as np
import trimesh

from geoembed.sdf import bodies, mesh_sdf, signed_volume
from tests.pinn.parts import box, shell, together


def ball(radius, *, inward=False):
    mesh = trimesh.creation.icosphere(subdivisions=2, radius=radius)
    return np.asarray(mesh.vertices), np.asarray(mesh.faces)[:, ::-1] if inward else np.asarray(mesh.faces)


def union(*shells):
    starts = np.cumsum([0] + [len(vertices) for vertices, _ in shells])
    faces = [faces + start for (_, faces), start in zip(shells, starts, strict=False)]
    return mesh_sdf(np.concatenate([v for v, _ in shells]), np.concatenate(faces), unit="m")


def test_one_body_is_one():
    assert np.all(bodies(box((1, 2, 3))) == 0)


def test_a_cavity_belongs_to_the_body_around_it():
    assert np.all(bodies(shell()) == 0)


def test_separate_boxes_are_separate():
    part = together(box((1, 1, 1)), box((1, 1, 1), (3, 0, 0)))
    number = bodies(part)
    right = part.vertices[part.faces].mean(axis=1)[:, 0] > 2
    assert len(set(number)) == 2
    assert len(set(number[right])) == len(set(number[~right])) == 1


def test_a_ball_in_a_cavity_is_a_body_of_its_own():
    part = union(ball(3), ball(2, inward=True), ball(1))
    assert part.sign_reliable
    number = bodies(part)
    radius = np.linalg.norm(part.vertices[part.faces[:, 0]], axis=1)
    assert len({*number[radius > 1.5]}) == 1
    assert {*number[radius < 1.5]}.isdisjoint(number[radius > 1.5])


def test_the_cavity_of_an_inner_ball_is_not_given_to_the_outer_one():
    part = union(ball(4), ball(3, inward=True), ball(2), ball(1, inward=True))
    number = bodies(part)
    radius = np.linalg.norm(part.vertices[part.faces[:, 0]], axis=1)
    assert len({*number[radius > 2.5]}) == len({*number[radius < 2.5]}) == 1
    assert len({*number}) == 2


def test_the_volume_of_a_hollow_part_counts_the_cavity_as_negative():
    part = union(ball(2), ball(1, inward=True))
    exact = trimesh.Trimesh(part.vertices, part.faces, process=False).volume
    np.testing.assert_allclose(signed_volume(part.vertices, part.faces), exact, rtol=1e-12)
