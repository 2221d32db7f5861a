"""Flow of an incompressible fluid."""

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ...core import register
from .._along import Point
from .._operators import derivatives, time_derivative
from ._coefficient import Coefficient, coefficient, number_at, vector_at
from ._equation import Equation, in_space, normal_derivative, several, space


@register
class NavierStokes2D(Equation):
    """ρ (∂v/∂t + v·∇v) = −∇p + μ ∇²v + f and ∇·v = 0 in the plane, v = (u, v); steady without ∂v/∂t.

    The unknowns are u, v and p. The residual has three entries: momentum along x, along y, and ∇·v. Natural flux, two
    entries: (−p + μ ∂/∂n) applied to n and v, that is −p n + μ ∂v/∂n; 0 lets the fluid flow out. The pressure is fixed
    up to a constant unless such a flux is prescribed somewhere. Units: any consistent ones (SI, say, with μ in Pa s);
    dimensionless with ρ = 1 and μ = 1/Re.

    Args:
        viscosity: μ, positive.
        density: ρ, positive.
        force: f, force in the volume: two components, or one number for both.
        transient: Whether the points end with time.

    Raises:
        InputError: A number is not finite, or viscosity or density are not positive.

    References:
        G. K. Batchelor, An Introduction to Fluid Dynamics, Cambridge 1967, section 3.3. J. G. Heywood, R.
        Rannacher and S. Turek, Int. J. Numer. Meth. Fluids 22, 325 (1996): the flux.

    Example:
        >>> import jax.numpy as jnp
        >>> channel = lambda x: jnp.stack([x[1] * (1.0 - x[1]), 0.0 * x[0], -0.02 * x[0]])
        >>> bool(abs(NavierStokes2D(0.01).residual(channel, jnp.array([0.3, 0.7]))).max() < 1e-7)
        True
    """

    viscosity: Coefficient = coefficient("Pa s, or as 1/Re", positive=True)
    density: Coefficient = coefficient("kg/m³, or as 1", positive=True, default=1.0)
    force: Coefficient = coefficient("N/m³", rank=1, default=0.0)
    transient: bool = eqx.field(static=True, default=False)
    fields: ClassVar[tuple[str, ...]] = ("u", "v", "p")
    dimensions: ClassVar[tuple[int, ...]] = (2,)

    def residual(self, u: Any, x: Point) -> Float[Array, " 3"]:
        """Returns ρ (∂v/∂t + v·∇v) + ∇p − μ ∇²v − f, and ∇·v."""
        space(self, x)
        value, along_x, bent_x = derivatives(u, 0, 2)(x)
        _, along_y, bent_y = derivatives(u, 1, 2)(x)
        several(self, value)
        change = value[0] * along_x[:2] + value[1] * along_y[:2]
        if self.transient:
            change = change + time_derivative(u)(x)[:2]
        push = jnp.stack([along_x[2], along_y[2]]) - vector_at(self.force, x, u, 2)
        drag = number_at(self.viscosity, x, u) * (bent_x + bent_y)[:2]
        momentum = number_at(self.density, x, u) * change + push - drag
        return jnp.concatenate([momentum, (along_x[0] + along_y[1])[None]])

    def flux(self, u: Any, x: Point, normal: Float[Array, " n"]) -> Float[Array, " 2"]:
        """Returns −p n + μ ∂v/∂n."""
        slope = normal_derivative(self, u, x, normal)[:2]
        pressure = several(self, u(x))[2]
        return number_at(self.viscosity, x, u) * slope - pressure * in_space(self, x, normal)[:2]
