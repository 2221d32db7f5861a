"""Equations that carry a field along: advection–diffusion, Burgers, Korteweg–de Vries, Kuramoto–Sivashinsky."""

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ...core import register
from .._along import Point
from .._operators import derivatives, diffusion, gradient, time_derivative
from ._coefficient import Coefficient, as_function, coefficient, number_at, vector_at
from ._divergence import DivergenceForm, constant
from ._equation import Equation, in_space, normal_derivative, one_row, space
from ._poisson import conormal


@register
class AdvectionDiffusion(DivergenceForm):
    """∂u/∂t + v·∇u − ∇·(D ∇u) = f; steady, without the first term, with `transient=False`.

    Natural flux: D ∂u/∂n, the part of diffusion. Dimensionless.

    Args:
        velocity: v: a vector, or one number for all its components.
        diffusivity: D, positive; or a symmetric positive matrix.
        source: f.
        transient: Whether the points end with time.

    Raises:
        InputError: A number is not finite or the diffusivity is not positive.

    References:
        J. Donea and A. Huerta, Finite Element Methods for Flow Problems, Wiley 2003, chapters 2 and 5.

    Example:
        >>> import jax.numpy as jnp
        >>> equation = AdvectionDiffusion(velocity=2.0, diffusivity=0.1)
        >>> equation.residual(lambda x: x[0] - 2.0 * x[1], jnp.array([0.3, 0.7])).tolist()
        [0.0]
    """

    velocity: Coefficient = coefficient("dimensionless", rank=1)
    diffusivity: Coefficient = coefficient("dimensionless", positive=True, rank=2)
    source: Coefficient = coefficient("dimensionless", default=0.0)
    transient: bool = eqx.field(static=True, default=True)
    fields: ClassVar[tuple[str, ...]] = ("u",)
    dimensions: ClassVar[tuple[int, ...]] = (1, 2, 3)

    def residual(self, u: Any, x: Point) -> Float[Array, " 1"]:
        """Returns ∂u/∂t + v·∇u − ∇·(D ∇u) − f."""
        axes = space(self, x)
        slopes = gradient(u, axes)(x)
        carried = jnp.sum(slopes * vector_at(self.velocity, x, u, len(axes)), axis=-1)
        rest = -diffusion(u, as_function(self.diffusivity, x, u), axes)(x) - number_at(self.source, x, u)
        if self.transient:
            rest = rest + time_derivative(u)(x)
        return one_row(self, carried + rest)

    def flux(self, u: Any, x: Point, normal: Float[Array, " n"]) -> Float[Array, " 1"]:
        """Returns D ∂u/∂n."""
        return one_row(self, conormal(self, self.diffusivity, u, x, normal))

    def balance(self, u: Any, x: Point) -> Float[Array, " 1"]:
        """Returns ∂u/∂t + v·∇u − f, which is ∇·(D ∇u)."""
        axes = space(self, x)
        carried = jnp.sum(gradient(u, axes)(x) * vector_at(self.velocity, x, u, len(axes)), axis=-1)
        rest = carried - number_at(self.source, x, u)
        return one_row(self, rest + time_derivative(u)(x) if self.transient else rest)


@register
class Burgers(DivergenceForm):
    """u_t + u u_x = ν u_xx in one dimension. Natural flux: ν ∂u/∂n. Dimensionless.

    Args:
        viscosity: ν, not negative. The benchmark of physics-informed networks has 0.01/π.

    Raises:
        InputError: The viscosity is negative or not finite.

    References:
        J. M. Burgers, Adv. Appl. Mech. 1, 171 (1948). M. Raissi et al., J. Comput. Phys. 378, 686 (2019),
        appendix A.1: the benchmark.

    Example:
        >>> import jax.numpy as jnp
        >>> Burgers(0.01).residual(lambda x: x[0] / (1.0 + x[1]), jnp.array([0.5, 1.0])).tolist()
        [0.0]
    """

    viscosity: Coefficient = coefficient("dimensionless", nonnegative=True)
    fields: ClassVar[tuple[str, ...]] = ("u",)
    transient: ClassVar[bool] = True
    dimensions: ClassVar[tuple[int, ...]] = (1,)

    def residual(self, u: Any, x: Point) -> Float[Array, " 1"]:
        """Returns u_t + u u_x − ν u_xx."""
        space(self, x)
        value, slope, second = derivatives(u, 0, 2)(x)
        spread = number_at(self.viscosity, x, u) * second
        return one_row(self, time_derivative(u)(x) + value * slope - spread)

    def flux(self, u: Any, x: Point, normal: Float[Array, " n"]) -> Float[Array, " 1"]:
        """Returns ν ∂u/∂n."""
        return one_row(self, number_at(self.viscosity, x, u) * normal_derivative(self, u, x, normal))

    def balance(self, u: Any, x: Point) -> Float[Array, " 1"]:
        """Returns u_t + u u_x, which is (ν u_x)_x; for a constant ν."""
        constant(self, "viscosity")
        value, slope = derivatives(u, 0, 1)(x)
        return one_row(self, time_derivative(u)(x) + value * slope)


@register
class KdV(Equation):
    """The Korteweg–de Vries equation u_t + a u u_x + b u_xxx = 0 in one dimension.

    Natural flux: (a u²/2 + b u_xx) n, whose difference between the ends is the change of ∫u dx. Dimensionless.

    Args:
        advection: a.
        dispersion: b. The default, 0.022², is that of Zabusky and Kruskal.

    Raises:
        InputError: A number is not finite.

    References:
        N. J. Zabusky and M. D. Kruskal, Phys. Rev. Lett. 15, 240 (1965), eq. 1.

    Example:
        >>> import jax.numpy as jnp
        >>> KdV().residual(lambda x: x[0] / (1.0 + x[1]), jnp.array([0.5, 1.0])).tolist()
        [0.0]
    """

    advection: Coefficient = coefficient("dimensionless", default=1.0)
    dispersion: Coefficient = coefficient("dimensionless", default=0.022**2)
    fields: ClassVar[tuple[str, ...]] = ("u",)
    transient: ClassVar[bool] = True
    dimensions: ClassVar[tuple[int, ...]] = (1,)

    def residual(self, u: Any, x: Point) -> Float[Array, " 1"]:
        """Returns u_t + a u u_x + b u_xxx."""
        space(self, x)
        value, slope, _, third = derivatives(u, 0, 3)(x)
        steepened = number_at(self.advection, x, u) * value * slope
        return one_row(self, time_derivative(u)(x) + steepened + number_at(self.dispersion, x, u) * third)

    def flux(self, u: Any, x: Point, normal: Float[Array, " n"]) -> Float[Array, " 1"]:
        """Returns (a u²/2 + b u_xx) n."""
        value, _, second = derivatives(u, 0, 2)(x)
        carried = number_at(self.advection, x, u) * value**2 / 2
        return one_row(
            self, (carried + number_at(self.dispersion, x, u) * second) * in_space(self, x, normal)[0]
        )


@register
class KuramotoSivashinsky(Equation):
    """u_t + a u u_x + b u_xx + c u_xxxx = 0 in one dimension: waves that become chaotic.

    Natural flux: (a u²/2 + b u_x + c u_xxx) n, whose difference between the ends is the change of ∫u dx.
    Dimensionless.

    Args:
        advection: a.
        growth: b; positive, it lets long waves grow.
        damping: c, positive; it damps short waves.

    Raises:
        InputError: A number is not finite or the damping is not positive.

    References:
        Y. Kuramoto and T. Tsuzuki, Prog. Theor. Phys. 55, 356 (1976). A.-K. Kassam and L. N. Trefethen, SIAM J. Sci.
        Comput. 26, 1214 (2005): a = b = c = 1.

    Example:
        >>> import jax.numpy as jnp
        >>> KuramotoSivashinsky().residual(lambda x: x[0] / (1.0 + x[1]), jnp.array([0.5, 1.0])).tolist()
        [0.0]
    """

    advection: Coefficient = coefficient("dimensionless", default=1.0)
    growth: Coefficient = coefficient("dimensionless", default=1.0)
    damping: Coefficient = coefficient("dimensionless", positive=True, default=1.0)
    fields: ClassVar[tuple[str, ...]] = ("u",)
    transient: ClassVar[bool] = True
    dimensions: ClassVar[tuple[int, ...]] = (1,)

    def residual(self, u: Any, x: Point) -> Float[Array, " 1"]:
        """Returns u_t + a u u_x + b u_xx + c u_xxxx."""
        space(self, x)
        value, slope, second, _, fourth = derivatives(u, 0, 4)(x)
        a, b, c = (number_at(each, x, u) for each in (self.advection, self.growth, self.damping))
        return one_row(self, time_derivative(u)(x) + a * value * slope + b * second + c * fourth)

    def flux(self, u: Any, x: Point, normal: Float[Array, " n"]) -> Float[Array, " 1"]:
        """Returns (a u²/2 + b u_x + c u_xxx) n."""
        value, slope, _, third = derivatives(u, 0, 3)(x)
        a, b, c = (number_at(each, x, u) for each in (self.advection, self.growth, self.damping))
        return one_row(self, (a * value**2 / 2 + b * slope + c * third) * in_space(self, x, normal)[0])
