"""Separation of phases."""

from typing import Any, ClassVar

from jaxtyping import Array, Float

from ...core import register
from .._along import Point
from .._operators import laplacian, time_derivative
from ._coefficient import Coefficient, coefficient, number_at
from ._divergence import DivergenceForm, constant
from ._equation import normal_derivative, one_row, space


@register
class AllenCahn(DivergenceForm):
    """u_t = d ∇²u + r (u − u³): two phases, u = −1 and u = 1, and a front of width √(d/r) between them.

    Natural flux: d ∂u/∂n. Dimensionless.

    Args:
        diffusivity: d, positive.
        rate: r. The defaults, d = 1e-4 and r = 5, are those of the benchmark of physics-informed networks.

    Raises:
        InputError: A number is not finite or the diffusivity is not positive.

    References:
        S. M. Allen and J. W. Cahn, Acta Metall. 27, 1085 (1979). M. Raissi et al., J. Comput. Phys. 378, 686
        (2019): the benchmark.

    Example:
        >>> import jax.numpy as jnp
        >>> front = lambda x: jnp.tanh(x[0] / 2.0**0.5)
        >>> bool(abs(AllenCahn(1.0, 1.0).residual(front, jnp.array([0.5, 1.0]))[0]) < 1e-6)
        True
    """

    diffusivity: Coefficient = coefficient("dimensionless", positive=True, default=1e-4)
    rate: Coefficient = coefficient("dimensionless", default=5.0)
    fields: ClassVar[tuple[str, ...]] = ("u",)
    transient: ClassVar[bool] = True
    dimensions: ClassVar[tuple[int, ...]] = (1, 2, 3)

    def residual(self, u: Any, x: Point) -> Float[Array, " 1"]:
        """Returns u_t − d ∇²u − r (u − u³)."""
        bent, value = laplacian(u, space(self, x))(x), u(x)
        reaction = number_at(self.rate, x, u) * (value - value**3)
        spread = number_at(self.diffusivity, x, u) * bent
        return one_row(self, time_derivative(u)(x) - spread - reaction)

    def flux(self, u: Any, x: Point, normal: Float[Array, " n"]) -> Float[Array, " 1"]:
        """Returns d ∂u/∂n."""
        return one_row(self, number_at(self.diffusivity, x, u) * normal_derivative(self, u, x, normal))

    def balance(self, u: Any, x: Point) -> Float[Array, " 1"]:
        """Returns u_t − r (u − u³), which is ∇·(d ∇u); for a constant d."""
        constant(self, "diffusivity")
        value = u(x)
        return one_row(self, time_derivative(u)(x) - number_at(self.rate, x, u) * (value - value**3))
