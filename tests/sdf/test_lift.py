"""From the plane to space and back: what the table of all shapes does not say."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import sdf

POINTS = np.random.default_rng(0).uniform(-2, 2, (200, 3))


@jax.jit
def batch(shape, points):
    """Shapes of one kind share the compiled function."""
    return jax.vmap(shape)(points)


def values(shape, points=POINTS):
    with jax.enable_x64(True):
        return np.asarray(batch(shape, jnp.asarray(points)))


@pytest.mark.parametrize(
    ("lifted", "solid"),
    [
        (sdf.Circle(0.6).extrude(1.2), sdf.Cylinder(0.6, 1.2)),
        (sdf.Box((1.0, 0.6)).extrude(0.8), sdf.Box((1.0, 0.6, 0.8))),
        (sdf.RegularPolygon(6, 0.7).extrude(0.8), sdf.Prism(6, 0.7, 0.8)),
        (sdf.Circle(0.3).revolve(0.8), sdf.Torus(0.8, 0.3)),
        (sdf.Ellipse((0.7, 0.7)).revolve(0.0), sdf.Sphere(0.7)),
        (
            sdf.Polygon([(-1, 0), (1, 0), (0, 1)]).revolve(0.0).translate((0, 0, -0.5)),
            sdf.CappedCone(1.0, 0.0, 1.0),
        ),
        (sdf.Capsule((0.0, -0.5), (0.0, 0.5), 0.3).revolve(), sdf.Capsule((0, 0, -0.5), (0, 0, 0.5), 0.3)),
    ],
    ids=["cylinder", "box", "prism", "torus", "sphere", "cone", "capsule"],
)
def test_a_lifted_shape_is_the_solid(lifted, solid):
    """Two ways to one solid; the symmetric profiles across the axis happen to be exact."""
    np.testing.assert_allclose(values(lifted), values(solid), atol=1e-13)


def test_a_slice_of_an_extrusion_is_the_shape():
    shape = sdf.Star(5, 1.0, 0.5)
    plane = POINTS[:, :2]
    np.testing.assert_allclose(values(shape.extrude(9.0).slice(0.3), plane), values(shape, plane), atol=1e-14)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_slice_keeps_the_order_of_the_other_coordinates(axis):
    solid = sdf.Ellipsoid((1.0, 0.7, 0.5))
    plane = POINTS[:, :2]
    np.testing.assert_allclose(
        values(solid.slice(0.2, axis), plane), values(solid, np.insert(plane, axis, 0.2, axis=1)), atol=1e-15
    )


def test_exactness_of_a_revolution_depends_on_the_axis():
    square = sdf.Box((1.0, 1.0))
    pairs = {offset: square.revolve(offset).exactness for offset in (0.7, 0.5, 0.2)}
    assert (pairs[0.7].inside, pairs[0.7].outside) == ("exact", "exact")
    assert (pairs[0.5].inside, pairs[0.5].outside) == ("bound", "exact")
    assert (pairs[0.2].inside, pairs[0.2].outside) == ("bound", "bound")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sdf.Sphere(1.0).extrude(1.0), "takes a shape in 2D"),
        (lambda: sdf.Sphere(1.0).revolve(), "takes a shape in 2D"),
        (lambda: sdf.Circle(1.0).slice(), "takes a shape in 3D"),
        (lambda: sdf.Sphere(1.0).slice(0.0, 3), "axis must be 0, 1 or 2"),
    ],
)
def test_impossible_operations_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
