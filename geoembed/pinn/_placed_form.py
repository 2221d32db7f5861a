"""Integrals over single cells with a factor that depends on the point: a conductivity K(x), a heat capacity."""

from collections.abc import Callable
from functools import cache

import numpy as np
from jaxtyping import Float, Int

from ..sdf import OccupiedCells
from ._cell_moments import boxes, moments, monomials, slope_products, value_products, whole_moments
from ._spline import FEATURES

GHOST = 1e-6  # share of the stiffness that a cut cell keeps outside the part: bounds the condition number
_ENTRIES = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))  # of a symmetric matrix
_PLACE, _SHARE = np.polynomial.legendre.leggauss(
    3
)  # exact to degree 5 along each axis: products of splines have 4
_PLACES = np.stack(np.meshgrid(*[0.5 * (1 + _PLACE)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
_SHARES = np.einsum("i,j,k->ijk", *[0.5 * _SHARE] * 3).ravel()


class PlacedForm:
    """∫ Σₑ κₑ(x) formₑ(bᵢ, bⱼ) dV of the splines of single cells, in cells.

    Whole cells take κ at 3³ Gauss points. In a cut cell κ is constant on each of the boxes that fill its micro-cells,
    with the value at the middle of the box. All weights are positive, so that the matrices are positive semi-definite
    if κ is; for a constant κ both are what the moments give.

    Args:
        cells: The cells.
        forms: Which products κ multiplies, as coefficients of the monomials of `moments`: a number κ the first of
            them, a matrix the entries after it.
        factor: κ at points in the part's unit: positive numbers, or symmetric positive definite matrices.
    """

    def __init__(
        self,
        cells: OccupiedCells,
        forms: Float[np.ndarray, "e 125 729"],
        factor: Callable[[np.ndarray], np.ndarray],
    ):
        self.cells, self.forms, self.factor = cells, forms, factor
        self.cut = np.full(len(cells.index), -1)
        self.cut[cells.cut] = np.arange(len(cells.cut))
        self.at_gauss = _SHARES[:, None] * (monomials(_PLACES) @ forms)  # form, point, product
        self.whole = whole_moments() @ forms[0]

    def __call__(self, block: Int[np.ndarray, " b"]) -> Float[np.ndarray, "b 27 27"]:
        """Returns the matrices of some cells."""
        local = np.empty((len(block), FEATURES**2))
        cut = self.cut[block]
        whole, some = np.flatnonzero(cut < 0), np.flatnonzero(cut >= 0)
        if len(whole):
            local[whole] = self._whole(block[whole])
        if len(some):
            local[some] = self._cut(block[some], self.cells.filled[cut[some]])
        return local.reshape(-1, FEATURES, FEATURES)

    def _whole(self, cells: Int[np.ndarray, " w"]) -> Float[np.ndarray, "w 729"]:
        kappa = _entries(self._at(cells, np.broadcast_to(_PLACES, (len(cells), *_PLACES.shape))))
        forms = _chosen(self.at_gauss, kappa)
        return np.einsum("ewq->weq", kappa).reshape(len(cells), -1) @ forms.reshape(-1, FEATURES**2)

    def _cut(
        self, cells: Int[np.ndarray, " k"], filled: Float[np.ndarray, "k micro"]
    ) -> Float[np.ndarray, "k 729"]:
        low, high = boxes(filled)
        middle = 0.5 * (low + high)
        # An empty micro-cell may lie far outside the part: it takes κ where most is filled, times no volume.
        fullest = np.argmax(filled, axis=1)
        middle = np.where(filled[..., None] > 0, middle, middle[np.arange(len(cells)), fullest][:, None])
        kept = filled.max(axis=1) > 0
        local = np.broadcast_to(GHOST * self.whole, (len(cells), FEATURES**2)).copy()
        if kept.any():
            kappa = _entries(self._at(cells[kept], middle[kept]))
            level = kappa[:3].mean(axis=(0, 2)) if len(kappa) > 1 else kappa[0].mean(axis=1)
            local[kept] *= level[:, None]
            for weights, form in zip(kappa, _chosen(self.forms, kappa), strict=True):
                local[kept] += moments(filled[kept], weights) @ form
        return local

    def _at(
        self, cells: Int[np.ndarray, " c"], places: Float[np.ndarray, "c q 3"]
    ) -> Float[np.ndarray, "c q *ij"]:
        points = self.cells.origin + self.cells.spacing * (self.cells.index[cells][:, None] + places)
        found = self.factor(points.reshape(-1, 3))
        return found.reshape(*places.shape[:2], *found.shape[1:])


def _entries(kappa: Float[np.ndarray, "c q *ij"]) -> Float[np.ndarray, "e c q"]:
    """The number κ, or the six entries of a symmetric matrix."""
    return kappa[None] if kappa.ndim == 2 else np.stack([kappa[..., i, j] for i, j in _ENTRIES])


def _chosen(forms: np.ndarray, kappa: np.ndarray) -> np.ndarray:
    return forms[:1] if len(kappa) == 1 else forms[1:]


@cache
def slope_forms() -> Float[np.ndarray, "7 125 729"]:
    """Returns ∇bᵢ·∇bⱼ, and what each entry of a symmetric matrix multiplies in ∇bᵢ·K∇bⱼ."""
    entries = [
        slope_products(i, j) if i == j else slope_products(i, j) + slope_products(j, i) for i, j in _ENTRIES
    ]
    forms = np.stack([entries[0] + entries[1] + entries[2], *entries])
    return forms.reshape(len(forms), -1, FEATURES**2)


@cache
def value_forms() -> Float[np.ndarray, "1 125 729"]:
    """Returns bᵢ bⱼ."""
    return value_products().reshape(1, -1, FEATURES**2)
