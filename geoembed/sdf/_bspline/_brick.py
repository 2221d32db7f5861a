"""One brick of a baked field: 13³ cells of a cubic grid with the 16³ spline coefficients that they need.

Along one axis, cell i of a brick (0…12) is governed by the coefficients i…i + 3. Bricks repeat the coefficients
that they share with their neighbours, so a point needs one brick only, and a row of 16 numbers in float32 is one
line of the processor's cache.
"""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

CELLS = 13  # cells of a brick along each axis
WIDTH = CELLS + 3  # coefficients of a brick along each axis
CHUNK = 128  # bricks treated at once on the host; bounds the memory


def spline_weights(t: Any, order: int = 0) -> tuple[Any, Any, Any, Any]:
    """Returns the four uniform cubic B-splines of a cell, or their derivatives.

    (1 − t)³/6, (4 − 6t² + 3t³)/6, the same two with t and 1 − t exchanged in reverse order. They sum to 1 and are
    twice continuously differentiable from cell to cell.

    Args:
        t: Position in the cell, 0…1; any array of numpy or jax.
        order: Which derivative with respect to t: 0, 1 or 2.
    """
    s = 1 - t
    if order == 0:
        return s * s * s / 6, 2 / 3 + t * t * (0.5 * t - 1), 2 / 3 + s * s * (0.5 * s - 1), t * t * t / 6
    if order == 1:
        return -0.5 * s * s, t * (1.5 * t - 2), s * (2 - 1.5 * s), 0.5 * t * t
    return s, 3 * t - 2, 3 * s - 2, t


def quasi_interpolant(values: Float[np.ndarray, "m *n"]) -> Float[np.ndarray, "m *k"]:
    """Returns spline coefficients from values at the grid points, one layer fewer on every side.

    cⱼ = (8 fⱼ − fⱼ₋₁ − fⱼ₊₁)/6 along each axis. The spline reproduces cubic polynomials, its error for a smooth
    function is O(h⁴) (gradient h³, second derivatives h²), and a value is felt at most three cells away.

    Args:
        values: Values at grid points; the first axis counts the bricks.

    References:
        C. de Boor and G. J. Fix, J. Approx. Theory 8, 19 (1973); I. J. Schoenberg, Q. Appl. Math. 4, 45 (1946).
    """
    for axis in (1, 2, 3):
        values = np.moveaxis(values, axis, 0)
        values = np.moveaxis((8 * values[1:-1] - values[:-2] - values[2:]) / 6, 0, axis)
    return values


def _subdivision() -> Float[np.ndarray, "2 w w"]:
    """The refinement of a cubic spline to half the spacing, for the lower and the upper half of a brick.

    Fine coefficient 2j is (1, 6, 1)/8 and 2j + 1 is (4, 4)/8 of the coarse ones around j.
    """
    mask = {-2: 1, -1: 4, 0: 6, 1: 4, 2: 1}
    matrices = np.zeros((2, WIDTH, WIDTH))
    for half in (0, 1):
        for fine in range(WIDTH):
            for coarse in range(WIDTH):
                apart = (half * CELLS + fine - 1) - 2 * (coarse - 1)
                matrices[half, fine, coarse] = mask.get(apart, 0) / 8
    return matrices


_HALVES = _subdivision()


def halved(
    coefficients: Float[np.ndarray, "m 16 16 16"], half: Int[np.ndarray, "m 3"]
) -> Float[np.ndarray, "m 16 16 16"]:
    """Returns the same splines on one octant of their bricks, with half the spacing.

    Args:
        coefficients: Coefficients of the bricks.
        half: For each brick, whether the lower (0) or upper (1) half is wanted, along each axis.
    """
    result = np.einsum("mai,mijk->majk", _HALVES[half[:, 0]], coefficients, optimize=True)
    result = np.einsum("mbj,majk->mabk", _HALVES[half[:, 1]], result, optimize=True)
    return np.einsum("mck,mabk->mabc", _HALVES[half[:, 2]], result, optimize=True)


def supported(present: Bool[np.ndarray, "m 3 3 3"]) -> Bool[np.ndarray, "m 16 16 16"]:
    """Says which coefficients of a brick belong to splines that live on present bricks only.

    Changing these leaves the field on all absent bricks as it is, so it stays twice continuously differentiable.

    Args:
        present: Whether the brick and its neighbours exist; [:, 1, 1, 1] is the brick itself.
    """
    first = np.arange(WIDTH) < 3  # a spline with this coefficient reaches into the brick before
    last = np.arange(WIDTH) >= CELLS  # ... into the brick behind
    kept = present
    for axis in (1, 2, 3):
        kept = np.moveaxis(kept, axis, -1)
        middle = kept[..., 1:2]
        before, behind = kept[..., 0:1] | ~first, kept[..., 2:3] | ~last
        kept = np.moveaxis(middle & before & behind, -1, axis)
    return kept
