"""Small deformations of elastic solids."""

from typing import Any, Literal

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ...core import register
from .._along import Point
from .._operators import gradient, hessian, time_derivative
from ._coefficient import Coefficient, coefficient, number_at, vector_at
from ._divergence import DivergenceForm
from ._equation import in_space, several, space
from ._material import Isotropic, Lame


@register
class LinearElasticity(DivergenceForm):
    """ρ ∂²u/∂t² − ∇·σ = f with σ = λ (∇·u) I + μ (∇u + ∇uᵀ); steady, without the first term, if no density is given.

    u is the displacement. In the plane λ is that of the material for plane strain (nothing moves out of the plane) and
    2λμ/(λ + 2μ) for plane stress (a thin plate). Natural flux: the traction σ·n, N/m². Coordinates and
    displacements are in m, or both in another unit of length with stresses and forces to match.

    Args:
        material: `Isotropic(young, poisson)` or `Lame(first, shear)`.
        dimension: 2 or 3.
        plane: "strain" or "stress"; of no account in space.
        force: f, force in the volume, N/m³: a vector, or one number for all its components.
        density: ρ, kg/m³. With it the points end with time.

    Raises:
        InputError: A number is not finite, or the density is not positive.
        ValueError: The dimension is not 2 or 3, or there is no such plane.

    References:
        L. D. Landau and E. M. Lifshitz, Theory of Elasticity, 3rd ed., Pergamon 1986, sections 4, 7 and 22. S. P.
        Timoshenko and J. N. Goodier, Theory of Elasticity, 3rd ed., McGraw-Hill 1970, chapter 2: the plane.

    Example:
        >>> import jax.numpy as jnp
        >>> equation = LinearElasticity(Isotropic(young=200.0, poisson=0.25), dimension=3)
        >>> stretch = lambda x: 0.01 * x * jnp.array([1.0, -0.25, -0.25])
        >>> traction = equation.flux(stretch, jnp.zeros(3), jnp.array([1.0, 0.0, 0.0]))
        >>> [round(float(t), 5) + 0.0 for t in traction]
        [2.0, 0.0, 0.0]
    """

    material: Isotropic | Lame
    dimension: int = eqx.field(static=True, default=3)
    plane: Literal["strain", "stress"] = eqx.field(static=True, default="strain")
    force: Coefficient = coefficient("N/m³", rank=1, default=0.0)
    density: Coefficient = coefficient("kg/m³", positive=True, default=None)

    def __check_init__(self) -> None:
        if self.dimension not in (2, 3):
            raise ValueError(f"LinearElasticity has dimension 2 or 3, received {self.dimension}")
        if self.plane not in ("strain", "stress"):
            raise ValueError(f'LinearElasticity: plane is "strain" or "stress", received {self.plane!r}')

    @property
    def fields(self) -> tuple[str, ...]:
        """The components of the displacement."""
        return ("ux", "uy", "uz")[: self.dimension]

    @property
    def transient(self) -> bool:
        """Whether the points end with time."""
        return self.density is not None

    @property
    def dimensions(self) -> tuple[int, ...]:
        """The one number of spatial coordinates that it was made for."""
        return (self.dimension,)

    def residual(self, u: Any, x: Point) -> Float[Array, " n"]:
        """Returns ρ ∂²u/∂t² − ∇·σ − f."""
        axes = space(self, x)
        several(self, u(x))
        second = hessian(u, axes)(x)
        first, shear = self._lame(u, x)
        pull = (first + shear) * jnp.trace(second, axis1=0, axis2=1) + shear * jnp.trace(
            second, axis1=1, axis2=2
        )
        if self.material.varies:
            pull = pull + self._pull_of_variation(u, x)
        rest = -pull - vector_at(self.force, x, u, self.dimension)
        if self.transient:
            rest = rest + number_at(self.density, x, u) * time_derivative(u, 2)(x)
        return rest

    def _pull_of_variation(self, u: Any, x: Point) -> Float[Array, " n"]:
        """What ∇·σ gains where the moduli vary: (∇·u) ∇λ + (∇u + ∇uᵀ) ∇μ."""
        axes = space(self, x)
        slopes = gradient(u, axes)(x)
        first = gradient(lambda y: self._lame(u, y)[0], axes)(x)
        shear = gradient(lambda y: self._lame(u, y)[1], axes)(x)
        return jnp.trace(slopes) * first + jnp.sum((slopes + slopes.T) * shear[None, :], axis=1)

    def stress(self, u: Any, x: Point) -> Float[Array, "n n"]:
        """Returns σ, N/m², tension positive; in the plane without the component across it."""
        slopes = gradient(u, space(self, x))(x)
        several(self, u(x))
        first, shear = self._lame(u, x)
        return first * jnp.trace(slopes) * jnp.eye(self.dimension, dtype=slopes.dtype) + shear * (
            slopes + slopes.T
        )

    def flux(self, u: Any, x: Point, normal: Float[Array, " n"]) -> Float[Array, " n"]:
        """Returns the traction σ·n, N/m²."""
        arrow = in_space(self, x, normal)[: self.dimension]
        return jnp.sum(self.stress(u, x) * arrow[None, :], axis=1)

    def balance(self, u: Any, x: Point) -> Float[Array, " n"]:
        """Returns −f, which is ∇·σ of a body at rest."""
        if self.transient:
            raise ValueError("LinearElasticity: the weak form is for a body at rest: use form='strong'")
        space(self, x)
        return -vector_at(self.force, x, u, self.dimension)

    def _lame(self, u: Any, x: Point) -> tuple[Any, Any]:
        first, shear = self.material.moduli(x, u)
        if self.dimension == 2 and self.plane == "stress":
            first = 2 * first * shear / (first + 2 * shear)
        return first, shear
