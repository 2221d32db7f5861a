"""The base of all shapes: a signed distance with operators that make new shapes."""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ...core import Property, one_point
from ._exactness import Exactness, promises
from ._examples import draw_examples
from ._parameters import Number, Numbers, check_parameters, known

Corners = tuple[Float[Array, " d"], Float[Array, " d"]]


class Shape(eqx.Module):
    """A shape as its signed distance function, negative inside.

    One point in, one scalar out; `jax.vmap` for many. What a shape is made of are leaves of the pytree, so
    `jax.grad` differentiates in radii, corners and angles as well as in the point. The gradient is finite
    everywhere; where f has a kink it is that of one side, at a centre of symmetry it may be 0.

    Shapes combine: `a | b` union, `a & b` intersection, `a - b` difference, `a ^ b` symmetric difference,
    `-a` complement. The other operators are methods. `exactness` says what the values of the result mean.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed import sdf
        >>> plate = sdf.Box((4.0, 2.0, 0.5)) - sdf.Cylinder(0.5, 1.0)
        >>> float(plate(jnp.array([1.0, 0.0, 0.0])))
        -0.25
        >>> plate.exactness.inside, plate.exactness.outside
        ('exact', 'bound')
    """

    def __check_init__(self) -> None:
        check_parameters(self)

    @property
    @abc.abstractmethod
    def dimension(self) -> int:
        """2 for a shape in the plane, 3 for one in space."""

    @property
    @abc.abstractmethod
    def exactness(self) -> Exactness:
        """What the values mean inside and outside."""

    @property
    @abc.abstractmethod
    def bounded(self) -> bool:
        """Whether the inside fits in a box."""

    @abc.abstractmethod
    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        """Returns the signed distance of one point, in the dtype of the point."""

    @abc.abstractmethod
    def region(self, dtype: Any, grow: Float[Array, ""] | float = 0.0) -> Corners:
        """The lower and upper corner of a box that contains every x with f(x) < grow.

        Where f is only a bound such a set may reach farther than `grow` beyond the shape, so operators hand `grow`
        down to what they are made of. Of an unbounded shape it is a box around a part worth showing.
        """

    @property
    def bounds(self) -> Any:
        """The lower and upper corner of a box that contains the inside, or None when there is none."""
        return box_of(self) if self.bounded else None

    @property
    def properties(self) -> tuple[Property, ...]:
        """What this shape promises; see `geoembed.check`."""
        return promises(self.exactness)

    def examples(self, count: int, *, key: PRNGKeyArray) -> list[Float[Array, " d"]]:
        """Returns points in the domain of the properties: on the exact sides, off the surface and off kinks.

        Kinks are found by the direction of the gradient, which jumps there; its length, which the properties
        promise, is not looked at.

        Args:
            count: How many.
            key: Random key.

        Raises:
            ValueError: A side that is exact is so thin that no point was found.
        """
        return draw_examples(self, box_of(self), count, key)

    def __hash__(self) -> int:
        leaves, structure = jax.tree.flatten(self)  # lets `jax.jit(shape)` find its cache
        return hash((structure, tuple((np.shape(leaf), str(getattr(leaf, "dtype", ""))) for leaf in leaves)))

    def __or__(self, other: "Shape") -> "Shape":
        return _csg.Union(self, other)

    def __and__(self, other: "Shape") -> "Shape":
        return _csg.Intersection(self, other)

    def __sub__(self, other: "Shape") -> "Shape":
        return _csg.Difference(self, other)

    def __xor__(self, other: "Shape") -> "Shape":
        return _csg.SymmetricDifference(self, other)

    def __neg__(self) -> "Shape":
        return _csg.Complement(self)

    def smooth_union(self, other: "Shape", radius: Number) -> "Shape":
        """The union with a fillet; see `SmoothUnion`."""
        return _smooth.SmoothUnion(self, other, radius)

    def smooth_intersection(self, other: "Shape", radius: Number) -> "Shape":
        """The intersection with rounded edges; see `SmoothIntersection`."""
        return _smooth.SmoothIntersection(self, other, radius)

    def smooth_difference(self, other: "Shape", radius: Number) -> "Shape":
        """The difference with rounded edges; see `SmoothDifference`."""
        return _smooth.SmoothDifference(self, other, radius)

    def offset(self, distance: Number) -> "Shape":
        """All points nearer than `distance`; a negative distance takes material away. See `Offset`."""
        return _offset.Offset(self, distance)

    def shell(self, thickness: Number) -> "Shape":
        """A wall of this thickness, centred on the surface; see `Shell`."""
        return _offset.Shell(self, thickness)

    def translate(self, shift: Numbers) -> "Shape":
        """Moved by a vector; see `Translate`."""
        return _transforms.Translate(self, shift)

    def rotate(self, angle: Number, axis: Numbers | None = None) -> "Shape":
        """Turned by an angle in radians about the origin, in space about an axis; see `Rotate`."""
        return _transforms.Rotate(self, angle, axis)

    def scale(self, factor: Number) -> "Shape":
        """Magnified about the origin, equally in all directions; see `Scale`."""
        return _transforms.Scale(self, factor)

    def mirror(self, normal: Numbers, height: Number = 0.0) -> "Shape":
        """The mirror image in the plane normal · x = height; see `Mirror`."""
        return _transforms.Mirror(self, normal, height)

    def symmetric(self, normal: Numbers, height: Number = 0.0) -> "Shape":
        """The union with the mirror image; see `Symmetric`."""
        return _copies.Symmetric(self, normal, height)

    def repeat(self, period: Numbers, count: tuple[int | None, ...] | None = None) -> "Shape":
        """Copies at equal distances along the coordinate axes; see `Repeat`."""
        return _copies.Repeat(self, period, count)

    def elongate(self, length: Numbers) -> "Shape":
        """Cut at the origin and pulled apart by these lengths; see `Elongate`."""
        return _warps.Elongate(self, length)

    def twist(self, rate: Number) -> "Shape":
        """Twisted about the z axis, in radians per unit of length; see `Twist`."""
        return _warps.Twist(self, rate)

    def bend(self, radius: Number) -> "Shape":
        """The x axis bent to a circle of this radius; see `Bend`."""
        return _warps.Bend(self, radius)

    def extrude(self, height: Number) -> "Shape":
        """A prism over a shape in the plane; see `Extrude`."""
        return _lift.Extrude(self, height)

    def revolve(self, radius: Number = 0.0) -> "Shape":
        """A solid of revolution about the z axis; see `Revolve`."""
        return _lift.Revolve(self, radius)

    def slice(self, height: Number = 0.0, axis: int = 2) -> "Shape":
        """The section by a plane across a coordinate axis; see `Slice`."""
        return _lift.Slice(self, height, axis)


def point_of(x: Any, shape: Shape) -> Float[Array, " d"]:
    """Returns the argument of a shape as an array.

    Raises:
        ValueError: It is not one point of as many floating-point coordinates as the shape has dimensions.
    """
    return one_point(x, f"a {type(shape).__name__} in {shape.dimension}D", shape.dimension)


def require_dimension(shape: Shape, *allowed: int, taker: str) -> None:
    """Raises ValueError unless an operand has one of these dimensions."""
    if shape.dimension not in allowed:
        wanted = " or ".join(f"{d}D" for d in allowed)
        raise ValueError(
            f"{taker} takes a shape in {wanted}, received a {type(shape).__name__} in {shape.dimension}D"
        )


@jax.jit
def box_of(shape: Shape) -> Corners:
    """The region of a shape in the default dtype, as one program: its many small steps would be compiled one by one."""
    return shape.region(jnp.zeros(()).dtype)


def known_region(shape: Shape) -> tuple[np.ndarray, np.ndarray] | None:
    """Returns the region as numbers, or None when a traced parameter decides it."""
    with jax.ensure_compile_time_eval():
        low, high = (known(corner) for corner in box_of(shape))
    return None if low is None or high is None else (low, high)


# At the end, because every operator is itself a Shape.
from . import _copies, _csg, _lift, _offset, _smooth, _transforms, _warps  # noqa: E402
