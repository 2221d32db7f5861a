"""Baking a signed distance into splines."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ...core import InputError
from ._bake_run import BakeRun
from ._baked import BakedSDF
from ._brick import CELLS, WIDTH, quasi_interpolant
from ._brick_levels import Levels, base_bricks, base_values
from ._brick_tree import BrickGrid
from ._chunks import BakeProgress, Exact

Bounds = tuple[Any, Any]

_BASE_CELLS = 32  # of the base grid along the diagonal, when a tolerance chooses the spacing
_PAD = 0.05  # of the diagonal, around the bounds of the function
BAND = 0.005  # of the diagonal


def bake(
    sdf: Callable[[Array], Array],
    *,
    key: PRNGKeyArray,
    tolerance: float | None = None,
    spacing: float | None = None,
    band: float | None = None,
    memory: int = 2**28,
    bounds: Bounds | None = None,
    dtype: str = "float32",
    callback: Callable[[BakeProgress], None] | None = None,
) -> BakedSDF:
    """Bakes a signed distance into a cubic spline on a grid and measures the error.

    With `tolerance` the grid is refined by halves where |d| ≤ `band` and the error exceeds the tolerance, until the
    99th percentile of |f − d| over held-out random points in that zone is at most the tolerance, or the memory is
    used up. With `spacing` alone the grid is uniform; with `spacing` and `band` it has that spacing for
    |d| ≤ `band` and is coarser elsewhere (narrow band). The field is twice continuously differentiable in each
    case.

    The error is O(h⁴) where d is smooth (gradient h³, second derivatives h²) and up to h/3 at kinks of d, so near
    edges and the medial axis, not on smooth surfaces, the tolerance decides how fine the grid gets.

    Args:
        sdf: Maps one point to its signed distance: a `MeshSDF`, a shape, or any function that `jax.vmap` takes. It
            must not change faster than the distance (Lipschitz constant 1), and jax must be able to differentiate
            it twice (for the measurement).
        key: Random key of the points at which errors are measured, such as `jax.random.key(0)`.
        tolerance: Asked-for 99th percentile of |f − d| for |d| ≤ `band`, in the unit of length of `sdf`. None
            without `spacing`: 1e-4 of the diagonal of the bounds.
        spacing: Edge length of the cells instead of a tolerance, in the unit of length.
        band: Half the width of the zone near the surface, in the unit of length; `float("inf")` for the whole box.
            None: 0.5 % of the diagonal. With `spacing`: None for a uniform grid.
        memory: Largest size of the field, in bytes. The bake itself needs about 10 times as much.
        bounds: Lower and upper corner of the box, in the unit of length. None: `sdf.bounds` and 5 % of its diagonal
            around. The box is enlarged to whole bricks of 13 cells of the coarsest grid.
        dtype: "float32", or "float64" for second derivatives whose rounding is below 1e-12 (twice the memory).
        callback: Receives a `BakeProgress` after every chunk of evaluations; an exception from it ends the bake.

    Returns:
        The field, with its `report`. Look at `report.status`: "not reached" is not an error.

    Raises:
        ValueError: Arguments contradict each other.
        InputError: The function has no bounds, is not finite on the grid, has no surface in the box, or even the
            coarsest grid exceeds the memory.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> ball = bake(lambda x: jnp.sqrt(jnp.sum(x**2)) - 1.0, bounds=((-1, -1, -1), (1, 1, 1)), tolerance=1e-3,
        ...             key=jax.random.key(0))
        >>> ball.report.status
        'reached'
        >>> ball.report.near.value.p99 <= 1e-3
        True
    """
    _check(tolerance, spacing, band, dtype)
    lower, upper, diagonal = box_of(sdf, bounds)
    if spacing is None:
        tolerance = 1e-4 * diagonal if tolerance is None else tolerance
        base, halvings = diagonal / _BASE_CELLS, 0
    else:
        halvings = 0 if band is None else max(0, math.floor(math.log2(diagonal / _BASE_CELLS / spacing)))
        base = spacing * 2**halvings
    exact = Exact(sdf, callback)
    grid = brick_grid(lower, upper, base)
    check_memory(grid, memory, dtype)
    coefficients = quasi_interpolant(base_values(exact, grid, 2)[None])[0]
    levels = Levels(exact, grid, base_bricks(coefficients, grid, dtype))
    half_width = BAND * diagonal if band is None else float(band)
    run = BakeRun(levels, band=half_width, memory=memory, key=key)
    return run.to_level(halvings) if tolerance is None else run.to_tolerance(tolerance)


def brick_grid(lower: Float[np.ndarray, "3"], upper: Float[np.ndarray, "3"], spacing: float) -> BrickGrid:
    """Returns the base grid of whole bricks around a box."""
    edge = CELLS * spacing
    x, y, z = (max(1, math.ceil(extent / edge - 1e-9)) for extent in (upper - lower).tolist())
    corner = 0.5 * (lower + upper) - 0.5 * edge * np.array([x, y, z])
    a, b, c = corner.tolist()
    return BrickGrid((a, b, c), float(spacing), (x, y, z))


def check_memory(grid: BrickGrid, memory: int, dtype: str) -> None:
    """Raises an InputError if the base grid alone exceeds the memory."""
    needed = math.prod(grid.bricks) * (WIDTH**3 * np.dtype(dtype).itemsize + 8)
    if needed > memory:
        reason = f"the base grid of spacing {grid.spacing:g} needs {needed} bytes, more than memory={memory}"
        raise InputError("<bake>", "memory", reason, "Allow more memory or use a coarser spacing")


def box_of(
    sdf: Callable[[Array], Array], bounds: Bounds | None
) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"], float]:
    """Returns the corners of the box to bake and the diagonal of the bounds."""
    given = getattr(sdf, "bounds", None) if bounds is None else bounds
    if given is None:
        hint = "Pass bounds=(lower corner, upper corner)"
        raise InputError("<bake>", "bounds", "the function has no finite bounds", hint)
    lower, upper = (np.asarray(corner, np.float64) for corner in given)
    if lower.shape != (3,) or upper.shape != (3,) or not np.all(np.isfinite([lower, upper])):
        raise ValueError(f"bounds must be two corners of three finite numbers, received {given!r}")
    if not np.all(upper > lower):
        raise ValueError(f"the upper corner of bounds must exceed the lower one, received {given!r}")
    diagonal = float(np.linalg.norm(upper - lower))
    pad = _PAD * diagonal if bounds is None else 0.0
    return lower - pad, upper + pad, diagonal


def _check(tolerance: float | None, spacing: float | None, band: float | None, dtype: str) -> None:
    if tolerance is not None and spacing is not None:
        raise ValueError("tolerance chooses the spacing: pass one of the two")
    for name, value in (("tolerance", tolerance), ("spacing", spacing), ("band", band)):
        if value is not None and not value > 0:
            raise ValueError(f"{name} must be positive, received {value}")
    if dtype not in ("float32", "float64"):
        raise ValueError(f"dtype must be 'float32' or 'float64', received {dtype!r}")
