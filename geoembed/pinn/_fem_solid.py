"""A conductivity that depends on the point, or a tensor, for the finite elements of the judge."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

_FINE = 4  # degree up to which volume integrals are exact


@dataclass(frozen=True, eq=False)
class SolidConductivity:
    """K at points of a solid.

    Args:
        at: K at points in m, shape [n, 3]: positive numbers, shape [n], or symmetric positive definite matrices, shape
            [n, 3, 3], in W/(m K).
        mean: Its size, W/(m K), to divide by.
    """

    at: Callable[[np.ndarray], Any]
    mean: float

    def relative(self, points: Float[np.ndarray, "3 t q"]) -> Float[np.ndarray, "3 3 t q"]:
        """Returns K over its mean at points in m, as matrices."""
        found = np.asarray(self.at(points.reshape(3, -1).T), np.float64) / self.mean
        if found.ndim == 1:
            found = found[:, None, None] * np.eye(3)
        return np.moveaxis(found, 0, -1).reshape(3, 3, *points.shape[1:])


def solid_stiffness(scaled: Any, conductivity: SolidConductivity) -> Any:
    """Returns ∫ ∇u·K∇v with K over its mean, on a `ScaledMesh`."""
    fine = scaled.fem.Basis(scaled.inside.mesh, scaled.inside.elem, intorder=_FINE)
    places = np.asarray(fine.global_coordinates()) * scaled.length + scaled.centre[:, None, None]
    form = scaled.fem.BilinearForm(lambda u, v, w: np.einsum("ij...,j...,i...->...", w.k, u.grad, v.grad))
    return form.assemble(fine, k=conductivity.relative(places))
