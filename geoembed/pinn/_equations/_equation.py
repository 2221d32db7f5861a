"""What an equation is, and one made of any function."""

import abc
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ...core import register
from .._along import Point, field_point, padded
from .._operators import directional
from ._coefficient import check_coefficients


class Equation(eqx.Module):
    """A partial differential equation inside a domain.

    A point x has shape (d,): spatial coordinates first, time last if the equation is transient. A field u is a function
    of one point with values of shape (), or of shape (m,) for m unknowns in the order of `fields`.

    Attributes:
        fields: The names of the unknowns; one name means one value without an axis.
        transient: Whether the points end with time.
        dimensions: The numbers of spatial coordinates that it allows.
    """

    fields: eqx.AbstractVar[tuple[str, ...]]
    transient: eqx.AbstractVar[bool]
    dimensions: eqx.AbstractVar[tuple[int, ...]]

    def __check_init__(self) -> None:
        check_coefficients(self)

    @abc.abstractmethod
    def residual(self, u: Any, x: Point) -> Float[Array, " rows"]:
        """What is zero where the equation holds, one entry per scalar equation.

        Args:
            u: The field.
            x: The point.

        Raises:
            ValueError: The point or the field has another shape than the equation needs.
        """

    @abc.abstractmethod
    def flux(self, u: Any, x: Point, normal: Float[Array, " n"]) -> Float[Array, " m"]:
        """The natural flux: what a Neumann condition prescribes on the boundary.

        Args:
            u: The field.
            x: A point on the boundary.
            normal: The outward unit normal there, in space.

        Raises:
            ValueError: As for `residual`.
        """


def space(equation: Equation, x: Point) -> range:
    """The spatial coordinates of a point; refuses a point that the equation is not for."""
    count = field_point(x).shape[0] - equation.transient
    if count not in equation.dimensions:
        allowed = " or ".join(map(str, equation.dimensions))
        time = " and time" if equation.transient else ""
        raise ValueError(
            f"{type(equation).__name__} takes points with {allowed} coordinates in space{time}, "
            f"received {x.shape[0]} coordinates"
        )
    return range(count)


def one_row(equation: Equation, value: Any) -> Float[Array, " 1"]:
    """The residual or flux of an equation with one unknown, as a vector."""
    if value.shape != ():
        raise ValueError(
            f"{type(equation).__name__} has one unknown, so u(x) must have shape (), received {value.shape}: "
            "write lambda x: network(x)[0]"
        )
    return value[None]


def several(equation: Equation, value: Any) -> Any:
    """The values of a field, one per unknown of the equation."""
    if value.shape != (len(equation.fields),):
        raise ValueError(
            f"{type(equation).__name__} has the unknowns {', '.join(equation.fields)}, so u(x) must have shape "
            f"({len(equation.fields)},), received {value.shape}"
        )
    return value


def normal_derivative(equation: Equation, u: Any, x: Point, normal: Any) -> Any:
    """∂u/∂n; refuses a normal that does not have the coordinates of space."""
    return directional(u, in_space(equation, x, normal))(x)


def in_space(equation: Equation, x: Point, normal: Any) -> Point:
    """A normal as a direction at the point, 0 in time."""
    count = len(space(equation, x))
    if jnp.shape(normal) != (count,):
        raise ValueError(f"the normal must have shape ({count},), received {jnp.shape(normal)}")
    return padded(normal, x)


@register
class UserEquation(Equation):
    """An equation of your own, given as the function that is zero where it holds.

    Args:
        function: r(u, x) of the field and the point: one number, or a vector with one entry per scalar equation.
            `geoembed.pinn` has the operators it is written with. If it is a module, its parameters can be trained.
        fields: The names of the unknowns.
        dimensions: The numbers of spatial coordinates that it allows.
        transient: Whether the points end with time.
        natural_flux: f(u, x, n), its natural flux; ∂u/∂n if None.

    Raises:
        ValueError: There is no unknown, or a name occurs twice.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.pinn import laplacian
        >>> equation = UserEquation(lambda u, x: laplacian(u)(x) - u(x) ** 3, dimensions=(2,))
        >>> equation.residual(lambda x: x[0] ** 2 + x[1], jnp.array([1.0, 0.0])).tolist()
        [1.0]
    """

    function: Callable[[Any, Any], Any]
    fields: tuple[str, ...] = eqx.field(static=True, default=("u",))
    dimensions: tuple[int, ...] = eqx.field(static=True, default=(1, 2, 3))
    transient: bool = eqx.field(static=True, default=False)
    natural_flux: Callable[[Any, Any, Any], Any] | None = None

    def __check_init__(self) -> None:
        if not isinstance(self.fields, tuple) or not self.fields or len(set(self.fields)) < len(self.fields):
            raise ValueError(
                f"fields must be a tuple that names the unknowns, each once, received {self.fields}"
            )

    def residual(self, u: Any, x: Point) -> Float[Array, " rows"]:
        """Returns the value of the function, as a vector."""
        space(self, x)
        return jnp.atleast_1d(self.function(u, x))

    def flux(self, u: Any, x: Point, normal: Float[Array, " n"]) -> Float[Array, " m"]:
        """Returns the natural flux, ∂u/∂n if none was given."""
        if self.natural_flux is None:
            return jnp.atleast_1d(normal_derivative(self, u, x, normal))
        return jnp.atleast_1d(self.natural_flux(u, x, normal))
