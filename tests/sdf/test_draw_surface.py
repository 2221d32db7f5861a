"""Points on triangle meshes against exact integrals over them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import trimesh

from geoembed.sdf import draw_surface, facing, mesh_sdf, resolve_patches

PART = trimesh.creation.torus(1.0, 0.3, major_sections=9, minor_sections=5).apply_translation(
    (0.4, 0.1, -0.2)
)
VERTICES, FACES = np.array(PART.vertices), np.array(PART.faces)


def exact(vertices, faces, xp=np):
    """∫ x² dA: the mid-points of the sides integrate quadratics on a triangle exactly."""
    corners = vertices[faces]
    middles = 0.5 * (corners + xp.roll(corners, -1, axis=1))
    across = xp.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = 0.5 * xp.sqrt(xp.sum(across**2, axis=1))
    return xp.sum(area[:, None] / 3 * middles[:, :, 0] ** 2)


def favour_of(vertices):
    return np.clip(vertices[FACES].mean(axis=1)[:, 0] + 1.5, 0.3, 2.5)


@pytest.fixture(scope="module")
def estimates():
    """∫ x² dA and its derivative in the vertices for 2000 keys, plain and with favours, by each method."""

    def one(vertices, key, favour, method):
        found = draw_surface(vertices, FACES, 64, key=key, favour=favour, method=method)
        return jnp.sum(found.weights * found.points[:, 0] ** 2)

    keys, vertices = jax.random.split(jax.random.key(0), 2000), jnp.asarray(VERTICES, jnp.float32)
    favour = jnp.asarray(favour_of(VERTICES), jnp.float32)
    run = lambda f, m: jax.vmap(lambda k: jax.value_and_grad(one)(vertices, k, f, m))(keys)  # noqa: E731
    found = jax.jit(
        lambda: {
            "random": run(None, "random"),
            "sobol": run(favour, "sobol"),
            "halton": run(favour, "halton"),
        }
    )()
    return jax.tree.map(np.asarray, found)


@pytest.mark.parametrize("method", ["random", "sobol", "halton"])
def test_integrals_are_unbiased(method, estimates):
    values = estimates[method][0]
    error = values.std(ddof=1) / np.sqrt(len(values))
    truth = exact(VERTICES, FACES)
    assert error < (4e-3 if method == "random" else 1e-3) * truth
    assert abs(values.mean() - truth) < 4.5 * error


@pytest.mark.parametrize("method", ["random", "sobol"])
def test_derivatives_in_the_vertices_are_unbiased(method, estimates):
    slopes = estimates[method][1].reshape(2000, -1)
    with jax.enable_x64(True):
        truth = np.ravel(jax.grad(lambda v: exact(v, FACES, jnp))(jnp.asarray(VERTICES)))
    error = slopes.std(axis=0, ddof=1) / np.sqrt(len(slopes))
    assert np.median(error) < 0.1 * np.abs(truth).mean()
    gap = np.abs(slopes.mean(axis=0) - truth)
    assert np.all(gap < 5 * error + 1e-6)
    assert np.linalg.norm(gap) < 0.05 * np.linalg.norm(truth)


def test_points_lie_on_faces_of_their_patch(precision):
    part = mesh_sdf(VERTICES, FACES, unit="m")
    patches = resolve_patches(part, {"top": facing((0, 0, 1), angle=40.0)})
    favour = jnp.asarray(patches.mask("top"), precision)
    draw = jax.jit(lambda v: draw_surface(v, part.faces, 500, key=jax.random.key(1), favour=favour))
    found = draw(jnp.asarray(part.vertices, precision))
    assert found.points.dtype == found.weights.dtype == found.normals.dtype == precision
    assert set(patches.face_patch[found.faces]) == {0}
    corners, normals = part.vertices[part.faces[found.faces]], part.normals[found.faces]
    assert np.abs(np.sum((found.points - corners[:, 0]) * normals, axis=1)).max() < 1e-6
    np.testing.assert_allclose(found.normals, normals, atol=1e-5)
    assert float(found.weights.sum()) == pytest.approx(patches.area("top"), rel=1e-5)
    assert float(found.measure) == pytest.approx(patches.area("top"), rel=1e-5)
    assert np.all(found.valid)
    counts = np.bincount(found.faces, minlength=len(part.faces))
    expected = 500 * part.areas * patches.mask("top") / patches.area("top")
    np.testing.assert_allclose(
        counts, expected, atol=2.5
    )  # one dimension of Sobol's: random draws are √n off


def test_nothing_to_draw_from_and_faces_without_area():
    flat = np.vstack([FACES, [[3, 3, 5]], [[3, 5, 3]]])
    draw = jax.jit(jax.value_and_grad(lambda v, s: sum_of(v, flat, s), has_aux=True))
    (total, found), slope = draw(jnp.asarray(VERTICES, jnp.float32), jnp.ones(len(flat)))
    assert float(total) == pytest.approx(PART.area, rel=1e-5)
    assert np.all(np.asarray(found.faces) < len(FACES))
    assert np.all(np.isfinite(slope))
    (total, found), slope = draw(jnp.asarray(VERTICES, jnp.float32), jnp.zeros(len(flat)))
    assert (float(total), float(found.measure)) == (0, 0)
    assert not np.any(found.valid)
    assert np.all(np.isfinite(found.points))
    assert np.all(np.isfinite(slope))
    with pytest.raises(ValueError, match="at least 1"):
        draw_surface(VERTICES, FACES, 0, key=jax.random.key(0))


def sum_of(vertices, faces, favour):
    found = draw_surface(vertices, faces, 64, key=jax.random.key(0), favour=favour)
    return found.weights.sum(), found
