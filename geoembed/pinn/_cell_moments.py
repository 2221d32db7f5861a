"""Integrals over the part of single cells: moments of the filled space, and what products of splines make of them."""

from functools import cache

import numpy as np
from jaxtyping import Float

from ..sdf import micro_centres
from ._spline import FEATURES

DEGREES = 5  # 1, t, … t⁴ along each axis: a product of two quadratic splines
_CELLS = 4096  # at a time
# Coefficients of the three splines of an axis, and of their derivatives, at 1, t and t².
_SPLINES = np.array([[0.5, -1.0, 0.5], [0.5, 1.0, -1.0], [0.0, 0.0, 0.5]])
_SLOPES = np.array([[-1.0, 1.0, 0.0], [1.0, -2.0, 0.0], [0.0, 1.0, 0.0]])


def moments(
    filled: Float[np.ndarray, "k micro"], weights: Float[np.ndarray, "k micro"] | None = None
) -> Float[np.ndarray, "k 125"]:
    """Returns ∫ xᵃ yᵇ zᶜ over the filled part of cells, for a, b, c = 0 … 4, in cells.

    What fills a micro-cell is taken to be a box in it, of the right volume, against the side to which the fractions
    grow. For a plane across an axis that is exact. Over random planes the first and second moments of a cell are right
    to 9e-4 (root mean square, in cells), against 3e-3 for fractions at the middles of the micro-cells; a plate in
    bending feels that. Since the rule is an integral over boxes, matrices made with it are positive semi-definite.

    Args:
        filled: The filled fraction of each micro-cell of each cell, x slowest.
        weights: A factor for each micro-cell; None: 1.

    Returns:
        The moments, the power of x slowest.
    """
    found = np.empty((len(filled), DEGREES**3))
    for start in range(0, len(filled), _CELLS):
        low, high = boxes(filled[start : start + _CELLS])
        power = np.arange(1, DEGREES + 1)
        along = (high[..., None] ** power - low[..., None] ** power) / power  # cell, micro-cell, axis, power
        if weights is not None:
            along[:, :, 2] *= weights[start : start + _CELLS, :, None]
        plane = along[:, :, 0, :, None] * along[:, :, 1, None, :]
        plane = plane.reshape(*plane.shape[:2], -1).transpose(0, 2, 1)
        found[start : start + _CELLS] = (plane @ along[:, :, 2]).reshape(-1, DEGREES**3)
    return found


def boxes(filled: Float[np.ndarray, "k micro"]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the corners of the boxes that stand for what fills each micro-cell, [k, micro, 3], in cells."""
    centre = micro_centres()
    edge = round(len(centre) ** (1 / 3))
    cube = filled.reshape(-1, edge, edge, edge)
    grow = np.stack(np.gradient(cube, axis=(1, 2, 3)), axis=-1).reshape(*filled.shape, 3)
    size = np.abs(grow).sum(axis=-1, keepdims=True)
    share = np.where(size > 0, np.abs(grow) / np.where(size > 0, size, 1.0), 1 / 3)
    half = 0.5 * filled[..., None] ** share / edge  # the three sides multiply to the fraction
    middle = centre + np.sign(grow) * (0.5 / edge - half)
    return middle - half, middle + half


@cache
def whole_moments() -> Float[np.ndarray, " 125"]:
    """The moments of a whole cell."""
    one = 1 / np.arange(1, DEGREES + 1)
    return np.einsum("a,b,c->abc", one, one, one).ravel()


@cache
def slope_products(i: int, j: int) -> Float[np.ndarray, "125 27 27"]:
    """Returns ∂ᵢbₐ ∂ⱼb_b of the splines of a cell as coefficients of the monomials of `moments`."""
    axes = []
    for axis in range(3):
        left = _SLOPES if axis == i else _SPLINES
        right = _SLOPES if axis == j else _SPLINES
        product = np.zeros((3, 3, DEGREES))
        for one in range(3):
            for other in range(3):
                product[one, other] = np.convolve(left[one], right[other])
        axes.append(product)
    table = np.einsum("adx,bey,cfz->xyzabcdef", *axes, optimize=True)
    return table.reshape(DEGREES**3, FEATURES, FEATURES)


@cache
def spline_moments() -> Float[np.ndarray, "125 27"]:
    """Returns the splines of a cell as coefficients of the monomials of `moments`."""
    padded = np.pad(_SPLINES, ((0, 0), (0, DEGREES - 3)))
    table = np.einsum("ax,by,cz->xyzabc", padded, padded, padded)
    return table.reshape(DEGREES**3, FEATURES)


@cache
def value_products() -> Float[np.ndarray, "125 27 27"]:
    """Returns bₐ b_b of the splines of a cell as coefficients of the monomials of `moments`."""
    axis = np.array([[np.convolve(one, other) for other in _SPLINES] for one in _SPLINES])
    table = np.einsum("adx,bey,cfz->xyzabcdef", axis, axis, axis, optimize=True)
    return table.reshape(DEGREES**3, FEATURES, FEATURES)


def monomials(places: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 125"]:
    """Returns the monomials of `moments` at places in a cell."""
    power = places[:, :, None] ** np.arange(DEGREES)
    return np.einsum("na,nb,nc->nabc", power[:, 0], power[:, 1], power[:, 2]).reshape(len(places), -1)
