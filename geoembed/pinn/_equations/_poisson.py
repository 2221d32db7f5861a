"""Elliptic equations: Poisson and Laplace with variable coefficient and reaction, Helmholtz."""

from typing import Any, ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from ...core import register
from .._along import Point
from .._operators import diffusion, directional, laplacian
from ._coefficient import Coefficient, as_function, at_point, coefficient, number_at
from ._divergence import DivergenceForm
from ._equation import Equation, in_space, normal_derivative, one_row, space


def conormal(equation: Equation, k: Coefficient, u: Any, x: Point, normal: Any) -> Any:
    """n·k∇u, for k a number or a matrix."""
    arrow, count = in_space(equation, x, normal), len(space(equation, x))
    found = at_point(k, x, u)
    if found.shape == ():
        return found * directional(u, arrow)(x)
    if found.shape != (count, count):
        raise ValueError(
            f"a matrix in {count} dimensions has shape ({count}, {count}), received {found.shape}"
        )
    return directional(u, jnp.sum(arrow[:count, None] * found, axis=0))(x)


@register
class Poisson(DivergenceForm):
    """−∇·(a ∇u) + c u = f. With f = 0 and c = 0 it is Laplace's equation, with c > 0 the linear Poisson–Boltzmann one.

    A term that is not linear in u goes into the source: `Poisson(FieldDependent(lambda x, u: -jnp.sinh(u)))` is the
    Poisson–Boltzmann equation ∇²u = sinh u. Natural flux: a ∂u/∂n, n·a∇u for a matrix. Dimensionless.

    Args:
        source: f.
        diffusivity: a, positive; or a symmetric positive matrix.
        reaction: c.

    Raises:
        InputError: A number is not finite or the diffusivity is not positive.

    References:
        L. C. Evans, Partial Differential Equations, 2nd ed., AMS 2010, section 2.2.

    Example:
        >>> import jax.numpy as jnp
        >>> Poisson(source=-4.0).residual(lambda x: x[0] ** 2 + x[1] ** 2, jnp.array([0.3, 0.7])).tolist()
        [0.0]
    """

    source: Coefficient = coefficient("dimensionless", default=0.0)
    diffusivity: Coefficient = coefficient("dimensionless", positive=True, rank=2, default=1.0)
    reaction: Coefficient = coefficient("dimensionless", default=0.0)
    fields: ClassVar[tuple[str, ...]] = ("u",)
    transient: ClassVar[bool] = False
    dimensions: ClassVar[tuple[int, ...]] = (1, 2, 3)

    def residual(self, u: Any, x: Point) -> Float[Array, " 1"]:
        """Returns −∇·(a ∇u) + c u − f."""
        spread = diffusion(u, as_function(self.diffusivity, x, u), space(self, x))(x)
        return one_row(self, number_at(self.reaction, x, u) * u(x) - spread - number_at(self.source, x, u))

    def flux(self, u: Any, x: Point, normal: Float[Array, " n"]) -> Float[Array, " 1"]:
        """Returns a ∂u/∂n."""
        return one_row(self, conormal(self, self.diffusivity, u, x, normal))

    def balance(self, u: Any, x: Point) -> Float[Array, " 1"]:
        """Returns c u − f, which is ∇·(a ∇u)."""
        return one_row(self, number_at(self.reaction, x, u) * u(x) - number_at(self.source, x, u))


@register
class Helmholtz(DivergenceForm):
    """−∇²u − k² u = f, a wave of one frequency. Natural flux: ∂u/∂n. Dimensionless.

    Args:
        wavenumber: k = 2π/wavelength, radians per unit of length.
        source: f.

    Raises:
        InputError: A number is not finite or the wavenumber is negative.

    References:
        J. D. Jackson, Classical Electrodynamics, 3rd ed., Wiley 1999, section 7.1.

    Example:
        >>> import jax.numpy as jnp
        >>> wave = lambda x: jnp.sin(3.0 * x[0])
        >>> float(abs(Helmholtz(3.0).residual(wave, jnp.array([0.5, 0.1]))[0])) < 1e-5
        True
    """

    wavenumber: Coefficient = coefficient("radians per unit of length", nonnegative=True)
    source: Coefficient = coefficient("dimensionless", default=0.0)
    fields: ClassVar[tuple[str, ...]] = ("u",)
    transient: ClassVar[bool] = False
    dimensions: ClassVar[tuple[int, ...]] = (1, 2, 3)

    def residual(self, u: Any, x: Point) -> Float[Array, " 1"]:
        """Returns −∇²u − k² u − f."""
        bent = laplacian(u, space(self, x))(x)
        k = number_at(self.wavenumber, x, u)
        return one_row(self, -bent - k**2 * u(x) - number_at(self.source, x, u))

    def flux(self, u: Any, x: Point, normal: Float[Array, " n"]) -> Float[Array, " 1"]:
        """Returns ∂u/∂n."""
        return one_row(self, normal_derivative(self, u, x, normal))

    def balance(self, u: Any, x: Point) -> Float[Array, " 1"]:
        """Returns −k² u − f, which is ∇²u."""
        k = number_at(self.wavenumber, x, u)
        return one_row(self, -(k**2) * u(x) - number_at(self.source, x, u))
