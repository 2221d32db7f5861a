"""The stiffness of an elastic part from the small matrices of its cells."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from ._assemble import CELLS_AT_A_TIME, CellTable, Contact
from ._block_matrix import PAIRS
from ._cell_moments import moments, slope_products, spline_moments, whole_moments
from ._features import SplineFeatures
from ._placed_form import GHOST
from ._spline import FEATURES


@dataclass(frozen=True)
class ElasticIntegrals:
    """Integrals over the leaves of one grid.

    Args:
        blocks: ∫ λ ∂ᵢBₐ ∂ⱼB_b + μ ∂ⱼBₐ ∂ᵢB_b + δᵢⱼ μ ∇Bₐ·∇B_b dV for the pairs i, j of `PAIRS`, and on the diagonal
            Σ weight Bₐ B_b at the surface points.
        integral: ∫ Bₐ dV.
        volume: ∫ dV, in the part's unit cubed.
    """

    blocks: list[sparse.csr_array]
    integral: Float[np.ndarray, " s"]
    volume: float


def elastic_integrals(
    splines: SplineFeatures,
    leaf: Bool[np.ndarray, " c"],
    edge: float,
    lame: tuple[float, float],
    points: Float[np.ndarray, "n 3"],
    weight: Float[np.ndarray, "n 3"],
) -> ElasticIntegrals:
    """Integrates the splines of one grid over its leaves and at surface points in them.

    Args:
        splines: The splines.
        leaf: Which cells to integrate over.
        edge: Edge length of the cells, dimensionless.
        lame: λ and μ, dimensionless.
        points: Surface points, in the part's unit.
        weight: Their weights for each component, dimensionless.

    Returns:
        The integrals.
    """
    cells, rows = splines.cells, np.flatnonzero(leaf)
    number = np.full(len(cells.index), -1)
    number[cells.cut] = np.arange(len(cells.cut))
    cut = np.flatnonzero(number[rows] >= 0)
    filled = moments(cells.filled[number[rows[cut]]])
    own = splines.cell_features[leaf]
    inside = np.broadcast_to(whole_moments() @ spline_moments(), own.shape).copy()
    inside[cut] = filled @ spline_moments()
    integral = np.bincount(own.ravel(), inside.ravel(), minlength=splines.count)
    volume = len(rows) - len(cut) + float(filled[:, 0].sum())
    filled += GHOST * whole_moments()
    blocks = []
    for i, j in PAIRS:
        contact = Contact(cells, points, weight[:, i]) if i == j else None
        products = edge * _products(i, j, *lame)
        blocks.append(_block(own, splines.count, cut, filled, rows, products, contact))
    return ElasticIntegrals(blocks, integral * edge**3, volume * cells.spacing**3)


def _block(
    own: Int[np.ndarray, "c 27"],
    count: int,
    cut: Int[np.ndarray, " k"],
    filled: Float[np.ndarray, "k 125"],
    rows: Int[np.ndarray, " c"],
    products: Float[np.ndarray, "125 27 27"],
    contact: Contact | None,
) -> sparse.csr_array:
    """Sums the matrices of cells for one pair of components: whole cells are all alike."""
    table, flat = CellTable(own, count), products.reshape(len(products), -1)
    whole = (whole_moments() @ flat).reshape(FEATURES, FEATURES)
    for start in range(0, len(rows), CELLS_AT_A_TIME):
        some = slice(start, start + CELLS_AT_A_TIME)
        first, last = np.searchsorted(cut, [start, start + CELLS_AT_A_TIME])
        local = np.broadcast_to(whole, (len(rows[some]), FEATURES, FEATURES)).copy()
        local[cut[first:last] - start] = (filled[first:last] @ flat).reshape(-1, FEATURES, FEATURES)
        if contact is not None:
            contact.add(local, rows[some])
        table.add(local, start)
    return table.matrix()


def _products(i: int, j: int, first: float, shear: float) -> Float[np.ndarray, "125 27 27"]:
    """What `ElasticIntegrals` integrates, as coefficients of monomials."""
    products = first * slope_products(i, j) + shear * slope_products(j, i)
    return products + shear * sum(slope_products(k, k) for k in range(3)) if i == j else products
