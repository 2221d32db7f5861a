"""Moving, copying and warping: what the table of all shapes does not say."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import sdf

pytestmark = pytest.mark.usefixtures("compiled_quickly")  # formulas of a few numbers

POINTS = np.random.default_rng(0).uniform(-2, 2, (100, 3))


@jax.jit
def batch(shape, points):
    """Shapes of one kind share the compiled function."""
    return jax.vmap(shape)(points)


def values(shape, points=POINTS):
    with jax.enable_x64(True):
        return np.asarray(batch(shape, jnp.asarray(points)))


def test_rotations_compose():
    """Two turns about one axis add up; a full turn changes nothing; the other way about the other axis is the same."""
    shape, axis = sdf.Box((1.0, 0.6, 0.4)).translate((0.5, 0.0, 0.0)), (1.0, -2.0, 0.5)
    np.testing.assert_allclose(
        values(shape.rotate(0.4, axis).rotate(0.5, axis)), values(shape.rotate(0.9, axis)), atol=1e-14
    )
    np.testing.assert_allclose(values(shape.rotate(2 * np.pi, axis)), values(shape), atol=1e-14)
    other_way = shape.rotate(-0.9, [-a for a in axis])
    np.testing.assert_allclose(values(other_way), values(shape.rotate(0.9, axis)), atol=1e-14)


def test_a_mirror_undoes_itself():
    shape = sdf.Box((1.0, 0.6, 0.4)).translate((0.5, 0.2, 0.0))
    twice = shape.mirror((1.0, 2.0, -1.0), 0.3).mirror((2.0, 4.0, -2.0), 0.3)
    np.testing.assert_allclose(values(twice), values(shape), atol=1e-14)


def test_symmetric_is_the_union_with_the_mirror_image():
    shape = sdf.Sphere(0.4).translate((0.5, 0.2, 0.0))
    both = shape | shape.mirror((1.0, 0.3, 0.0))
    np.testing.assert_allclose(values(shape.symmetric((1.0, 0.3, 0.0))), values(both), atol=1e-15)
    assert both.exactness == shape.symmetric((1.0, 0.3, 0.0)).exactness


@pytest.mark.parametrize("count", [(2, 3, 1), pytest.param((4, 1, 2), marks=pytest.mark.slow)])
def test_repeat_is_the_union_of_its_copies(count):
    """A lopsided shape that fills its cell: the nearest copy is often not the one of the nearest cell."""
    shape = sdf.CappedCone(0.5, 0.0, 0.7).rotate(0.5, (0.0, 1.0, 0.0)).translate((0.1, -0.1, 0.3))
    lower, upper = shape.bounds
    period = 1.001 * np.asarray(upper - lower)
    points = np.random.default_rng(0).uniform(-2, 6, (400, 3))
    copies = period * np.stack(np.meshgrid(*map(np.arange, count), indexing="ij"), -1).reshape(-1, 3)
    expected = np.min([values(shape, points - copy) for copy in copies], axis=0)
    np.testing.assert_allclose(values(shape.repeat(period, count), points), expected, atol=1e-13)


def test_endless_repeat_is_periodic():
    shape = sdf.Torus(0.3, 0.1).repeat((1.0, 1.2, 0.8))
    shifted = POINTS + np.array([3.0, -2.4, 1.6])
    np.testing.assert_allclose(values(shape, shifted), values(shape), atol=1e-13)
    assert not shape.bounded


def test_bending_to_a_large_circle_changes_little():
    bar = sdf.Box((1.0, 0.2, 0.3))
    np.testing.assert_allclose(values(bar.bend(1e6)), values(bar), atol=1e-5)


def test_a_bent_bar_keeps_its_length_along_the_middle():
    """A quarter of a circle: its end lies at the angle length/(2 radius)."""
    bar = sdf.Box((np.pi, 0.2)).bend(2.0)
    angle = np.array([0.0, 0.5, 1.0]) * np.pi / 4
    middle = np.stack([2 * np.sin(angle), 2 - 2 * np.cos(angle)], 1)
    np.testing.assert_allclose(values(bar, middle) < 0, [True, True, False])
    assert abs(values(bar, middle)[2]) < 1e-12


def test_no_twist_is_no_change():
    shape = sdf.Torus(0.5, 0.2).translate((0.1, 0.2, 0.3))
    inside = values(shape) < 0
    np.testing.assert_allclose(values(shape.twist(0.0))[inside], values(shape)[inside], atol=1e-14)


def test_no_elongation_is_no_change():
    shape = sdf.Torus(0.5, 0.2)
    np.testing.assert_allclose(values(shape.elongate((0.0, 0.0, 0.0))), values(shape), atol=1e-15)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sdf.Circle(1.0).repeat((1.5, 3.0)), "2 long along axis 0, its period only 1.5"),
        (lambda: sdf.HalfSpace((1.0, 0.0)).repeat((1.0, 1.0)), "unbounded"),
        (lambda: sdf.Circle(1.0).repeat((3.0, 3.0), (2, 0)), "whole numbers of at least 1"),
        (lambda: sdf.Circle(1.0).translate((1.0, 0.0, 0.0)), "takes a shape in 3D, received a Circle in 2D"),
        (lambda: sdf.Sphere(1.0).rotate(0.3), "takes a shape in 2D"),
        (lambda: sdf.Circle(1.0).rotate(0.3, (0.0, 0.0, 1.0)), "takes a shape in 3D"),
        (lambda: sdf.Sphere(1.0).rotate(0.3, (0.0, 0.0, 0.0)), "axis must have a length"),
        (lambda: sdf.Circle(1.0).scale(0.0), "factor must be above 0"),
        (lambda: sdf.Circle(1.0).twist(0.3), "takes a shape in 3D"),
        (lambda: sdf.Box((2.0, 2.0)).bend(0.9), "the centre lies at y = 0.9"),
        (lambda: sdf.Box((9.0, 1.0)).bend(1.0), "longer than the circle"),
        (lambda: sdf.Slab((1.0, 0.0), 1.0).bend(1.0), "unbounded"),
    ],
)
def test_impossible_operations_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_traced_shape_may_be_repeated():
    """Its size is not known then, so the check that it fits is the caller's."""
    value = jax.jit(lambda r: sdf.Circle(r).repeat((3.0, 3.0))(jnp.asarray([3.0, 0.5])))(1.0)
    assert float(value) == -0.5
