"""Waves and the arrival of their fronts."""

from typing import Any, ClassVar

from jaxtyping import Array, Float

from ...core import norm, register
from .._along import Point
from .._operators import diffusion, gradient, laplacian, time_derivative
from ._coefficient import Coefficient, coefficient, number_at
from ._equation import Equation, normal_derivative, one_row, space


@register
class Wave(Equation):
    """u_tt − ∇·(c² ∇u) = f. Natural flux: c² ∂u/∂n. Dimensionless.

    Args:
        speed: c, positive.
        source: f.

    Raises:
        InputError: A number is not finite or the speed is not positive.

    References:
        L. C. Evans, Partial Differential Equations, 2nd ed., AMS 2010, section 2.4.

    Example:
        >>> import jax.numpy as jnp
        >>> Wave(2.0).residual(lambda x: (x[0] - 2.0 * x[1]) ** 3, jnp.array([0.5, 1.0])).tolist()
        [0.0]
    """

    speed: Coefficient = coefficient("units of length per unit of time", positive=True)
    source: Coefficient = coefficient("dimensionless", default=0.0)
    fields: ClassVar[tuple[str, ...]] = ("u",)
    transient: ClassVar[bool] = True
    dimensions: ClassVar[tuple[int, ...]] = (1, 2, 3)

    def residual(self, u: Any, x: Point) -> Float[Array, " 1"]:
        """Returns u_tt − ∇·(c² ∇u) − f."""
        axes = space(self, x)
        if callable(self.speed):
            pull = diffusion(u, lambda y: number_at(self.speed, y, u) ** 2, axes)(x)
        else:
            pull = number_at(self.speed, x, u) ** 2 * laplacian(u, axes)(x)
        return one_row(self, time_derivative(u, 2)(x) - pull - number_at(self.source, x, u))

    def flux(self, u: Any, x: Point, normal: Float[Array, " n"]) -> Float[Array, " 1"]:
        """Returns c² ∂u/∂n."""
        return one_row(self, number_at(self.speed, x, u) ** 2 * normal_derivative(self, u, x, normal))


@register
class Eikonal(Equation):
    """|∇u| = s: the time at which a front arrives that moves with speed 1/s; with s = 1, a distance.

    It has no natural flux, because it is of first order; ∂u/∂n stands in. Where ∇u = 0 the derivative of the residual
    is 0, a choice among many. Dimensionless.

    Args:
        slowness: s, not negative.

    Raises:
        InputError: The slowness is negative or not finite.

    References:
        J. A. Sethian, Proc. Natl. Acad. Sci. 93, 1591 (1996).

    Example:
        >>> import jax.numpy as jnp
        >>> Eikonal().residual(lambda x: 0.6 * x[0] + 0.8 * x[1], jnp.array([0.5, 1.0])).tolist()
        [0.0]
    """

    slowness: Coefficient = coefficient("units of time per unit of length", nonnegative=True, default=1.0)
    fields: ClassVar[tuple[str, ...]] = ("u",)
    transient: ClassVar[bool] = False
    dimensions: ClassVar[tuple[int, ...]] = (1, 2, 3)

    def residual(self, u: Any, x: Point) -> Float[Array, " 1"]:
        """Returns |∇u| − s."""
        return one_row(self, norm(gradient(u, space(self, x))(x)) - number_at(self.slowness, x, u))

    def flux(self, u: Any, x: Point, normal: Float[Array, " n"]) -> Float[Array, " 1"]:
        """Returns ∂u/∂n."""
        return one_row(self, normal_derivative(self, u, x, normal))
