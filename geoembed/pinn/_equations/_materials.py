"""Several materials in one domain."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ...core import InputError, register
from ...sdf import MeshSDF, Shape
from .._along import Point
from .._domains._interval import Interval
from .._region_field import of_region
from .._regions import REST, Regions, Segment
from ._equation import Equation


@register
class Materials(Equation):
    """An equation in every region of a domain, each point in the first shape that it lies in or in the rest.

    Every unknown is one function per region, so that its derivatives may jump on the interfaces between them. What
    holds on those is the subject of `Interface`; without one both the unknowns and their natural fluxes are
    continuous (those with a flux: not the pressure of a flow).

    The solution is smooth up to an interface that is smooth itself. Where three regions meet, at the corners of a
    region and where an interface meets the boundary it is often singular, and convergence slows down.

    Args:
        shapes: The regions by name but for the rest: signed distances, negative inside; an `Interval` on a line. They
            may reach over the rim of the domain. Of shapes that overlap the first one has the points of both.
        equations: The equation of every region, that of the rest under "rest": with the same unknowns, all steady or
            all transient. Each is evaluated in the other regions as well, so its coefficients must be finite there.

    Raises:
        InputError: A region has no equation, an equation no region, or their unknowns differ.

    References:
        A. Hansbo, P. Hansbo, Comput. Methods Appl. Mech. Eng. 191 (2002) 5537: a function per side on one grid.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.pinn import HeatEquation
        >>> wall = Materials({"brick": Interval(0.0, 0.2)}, {"brick": HeatEquation(0.8), "rest": HeatEquation(0.04)})
        >>> wall.flux(lambda x: 5.0 * x[0], jnp.array([0.1]), jnp.array([1.0])).tolist()
        [-4.0]
        >>> round(float(wall.flux(lambda x: 5.0 * x[0], jnp.array([0.3]), jnp.array([1.0]))[0]), 6)
        -0.2
    """

    regions: Regions
    equations: tuple[Equation, ...]

    def __init__(
        self,
        shapes: Mapping[str, Shape | MeshSDF | Interval],
        equations: Mapping[str, Equation],
    ):
        names = (*shapes, REST)
        if len(shapes) < 1 or set(names) != set(equations) or REST in shapes:
            raise InputError(
                "equation",
                "Materials",
                f"shapes for {', '.join(shapes) or 'nothing'}, equations for {', '.join(equations)}",
                f'Give every shape an equation, and one for "{REST}", what no shape takes',
            )
        own = tuple(equations[name] for name in names)
        kinds = {(equation.fields, equation.transient) for equation in own}
        if len(kinds) > 1:
            reason = "the regions have other unknowns, or only some of them have time: " + "; ".join(
                f"{', '.join(fields)}{' in time' if transient else ''}" for fields, transient in sorted(kinds)
            )
            raise InputError("equation", "Materials", reason, "Choose equations with the same unknowns")
        segments = tuple(Segment(s.lower, s.upper) if isinstance(s, Interval) else s for s in shapes.values())
        self.regions = Regions(segments, names, own[0].transient)
        self.equations = own

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the unknowns, the same in all regions."""
        return self.equations[0].fields

    @property
    def transient(self) -> bool:
        """Whether the points end with time."""
        return self.equations[0].transient

    @property
    def dimensions(self) -> tuple[int, ...]:
        """The numbers of spatial coordinates that all equations and shapes allow."""
        allowed = [set(equation.dimensions) for equation in self.equations]
        allowed += [{shape.dimension} for shape in self.regions.shapes]
        return tuple(sorted(set.intersection(*allowed)))

    def residual(self, u: Any, x: Point) -> Float[Array, " rows"]:
        """Returns the residual of the region that the point lies in."""
        found = [equation.residual(of_region(u, i), x) for i, equation in enumerate(self.equations)]
        return jnp.stack(found)[self.regions.number(x)]

    def flux(self, u: Any, x: Point, normal: Float[Array, " n"]) -> Float[Array, " m"]:
        """Returns the natural flux of the region that the point lies in."""
        found = [equation.flux(of_region(u, i), x, normal) for i, equation in enumerate(self.equations)]
        return jnp.stack(found)[self.regions.number(x)]

    def flux_count(self, x: Point) -> int:
        """How many unknowns have a natural flux: the first ones."""
        shape = (len(self.fields),) if len(self.fields) > 1 else ()
        normal = jnp.zeros(x.shape[0] - self.transient, x.dtype)
        flux = self.equations[0].flux
        return jax.eval_shape(lambda y: flux(lambda z: jnp.zeros(shape, z.dtype), y, normal), x).shape[0]
