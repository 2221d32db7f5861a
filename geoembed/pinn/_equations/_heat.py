"""Conduction of heat."""

from typing import Any, ClassVar

from jaxtyping import Array, Float

from ...core import register
from .._along import Point
from .._operators import diffusion, time_derivative
from ._coefficient import Coefficient, as_function, coefficient, number_at
from ._divergence import DivergenceForm
from ._equation import one_row, space
from ._poisson import conormal


@register
class HeatEquation(DivergenceForm):
    """ρc ∂T/∂t − ∇·(k ∇T) = q; steady, without the first term, if no capacity is given.

    Natural flux: −k ∂T/∂n, the heat that *leaves* through the boundary, W/m², negative where heat enters; −n·k∇T for
    a matrix. Coordinates are in m and s.

    Args:
        conductivity: k, W/(m K): a number, a symmetric positive d × d matrix (anisotropic), a function of the point, or
            `FieldDependent` for k(x, T). A function may return a matrix too.
        source: q, heat released in the volume, W/m³; negative where heat is removed.
        capacity: ρc, density times specific heat, J/(m³ K). With it the points end with time.

    Raises:
        InputError: A number is not finite, or conductivity or capacity are not positive.

    References:
        H. S. Carslaw and J. C. Jaeger, Conduction of Heat in Solids, 2nd ed., Oxford 1959, sections 1.6 and 1.17
        (anisotropic).

    Example:
        >>> import jax.numpy as jnp
        >>> equation = HeatEquation(conductivity=2.0, source=8.0, capacity=3.0)
        >>> equation.residual(lambda x: x[0] ** 2 + 4.0 * x[1], jnp.array([0.3, 0.7])).tolist()
        [0.0]
    """

    conductivity: Coefficient = coefficient("W/(m K)", positive=True, rank=2)
    source: Coefficient = coefficient("W/m³", default=0.0)
    capacity: Coefficient = coefficient("J/(m³ K)", positive=True, default=None)
    fields: ClassVar[tuple[str, ...]] = ("T",)
    dimensions: ClassVar[tuple[int, ...]] = (1, 2, 3)

    @property
    def transient(self) -> bool:
        """Whether the points end with time."""
        return self.capacity is not None

    def residual(self, u: Any, x: Point) -> Float[Array, " 1"]:
        """Returns ρc ∂T/∂t − ∇·(k ∇T) − q."""
        gain = -diffusion(u, as_function(self.conductivity, x, u), space(self, x))(x)
        if self.transient:
            gain = gain + number_at(self.capacity, x, u) * time_derivative(u)(x)
        return one_row(self, gain - number_at(self.source, x, u))

    def flux(self, u: Any, x: Point, normal: Float[Array, " n"]) -> Float[Array, " 1"]:
        """Returns −k ∂T/∂n, the heat that leaves, W/m²."""
        return one_row(self, -conormal(self, self.conductivity, u, x, normal))

    def balance(self, u: Any, x: Point) -> Float[Array, " 1"]:
        """Returns q − ρc ∂T/∂t, which is ∇·(−k ∇T), W/m³."""
        source = number_at(self.source, x, u)
        if self.transient:
            source = source - number_at(self.capacity, x, u) * time_derivative(u)(x)
        return one_row(self, source)
