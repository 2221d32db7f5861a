"""Elastic parts at rest under load."""

from dataclasses import dataclass

from ...core import InputError, register


@register
@dataclass(frozen=True)
class SteadyElasticity:
    """Small deformations of a homogeneous isotropic elastic part at rest.

    −∇·σ = f with the stress σ = λ (∇·u) I + 2μ ε, the strain ε = (∇u + ∇uᵀ)/2, λ = Eν/((1 + ν)(1 − 2ν)) and
    μ = E/(2(1 + ν)). u is the displacement in m.

    Args:
        young: Young's modulus E, Pa, positive.
        poisson: Poisson's ratio ν, above −1 and at most 0.49: near ½ the splines lock.
        body_force: f, force in the volume, N/m³ (weight: density times (0, 0, −9.81)).

    Raises:
        InputError: A number is out of its range.

    Example:
        >>> first, shear = SteadyElasticity(young=2.5, poisson=0.25).lame
        >>> first, shear
        (1.0, 1.0)

    References:
        L. D. Landau and E. M. Lifshitz, Theory of Elasticity, 3rd ed., Pergamon 1986, sections 4 and 5.
    """

    young: float
    poisson: float
    body_force: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        if not 0 < self.young < float("inf"):
            raise InputError("equation", "young", f"{self.young} is not a positive number", "Give E in Pa")
        if not -1 < self.poisson <= 0.49:
            raise InputError(
                "equation",
                "poisson",
                f"{self.poisson} is not above -1 and at most 0.49",
                "Metals have 0.2 to 0.4",
            )
        force = tuple(float(component) for component in self.body_force)
        if len(force) != 3 or not all(abs(component) < float("inf") for component in force):
            raise InputError(
                "equation", "body_force", f"{self.body_force} is no vector", "Give three numbers in N/m³"
            )
        object.__setattr__(self, "body_force", force)

    @property
    def lame(self) -> tuple[float, float]:
        """λ and μ, Pa."""
        ratio = self.poisson
        return self.young * ratio / ((1 + ratio) * (1 - 2 * ratio)), self.young / (2 * (1 + ratio))
