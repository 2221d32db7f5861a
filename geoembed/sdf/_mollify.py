"""A smoothed signed distance."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ._bspline._bake import BAND, Bounds, box_of, brick_grid, check_memory
from ._bspline._bake_run import BakeRun
from ._bspline._baked import BakedSDF
from ._bspline._brick import quasi_interpolant
from ._bspline._brick_levels import Levels, base_bricks, base_values
from ._bspline._chunks import BakeProgress, Exact

# The cubic B-spline at multiples of half its knot distance; its sum is 1, its variance that of the spline, 1/3.
_KERNEL = np.array([1, 8, 23, 32, 23, 8, 1]) / 96
_REACH = len(_KERNEL) // 2


def mollify(
    sdf: Callable[[Array], Array],
    width: float,
    *,
    key: PRNGKeyArray,
    band: float | None = None,
    memory: int = 2**28,
    bounds: Bounds | None = None,
    dtype: str = "float32",
    callback: Callable[[BakeProgress], None] | None = None,
) -> BakedSDF:
    """Bakes a signed distance without its kinks, for residuals that need second derivatives.

    f(x) = ∫ d(x − y) ρ(y) dy with ρ(y) = Π β(yᵢ/w)/w, the cubic B-spline of width w: zero beyond 2w along an axis,
    standard deviation w/√3. The convolution is a sum over a uniform grid of spacing w/2; for smooth d it differs
    from the integral by O(w⁴). A kink with a jump J of the gradient becomes a second derivative of at most
    about 2J/(3w), so residuals are bounded; |∇f| falls below 1 there. Planes stay where they are; a surface
    of mean curvature H moves by about H w²/3, a right-angled edge by about 0.45 w, a corner by 0.7 w.

    Args:
        sdf: Maps one point to its signed distance; as for `bake`.
        width: The width w, in the unit of length.
        key: Random key of the points at which the difference to `sdf` is measured.
        band: Half the width of the zone that is measured near the surface, in the unit of length. None: 0.5 % of
            the diagonal.
        memory: Largest size of the field, in bytes.
        bounds: Lower and upper corner of the box; as for `bake`.
        dtype: "float32" or "float64".
        callback: Receives a `BakeProgress` after every chunk of evaluations.

    Returns:
        The smoothed field. Its `report` compares it with `sdf` itself; `report.surface` is how far the zero set
        moved.

    Raises:
        ValueError: `width` is not positive.
        InputError: As for `bake`.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from geoembed.sdf import Box
        >>> box = mollify(Box(jnp.ones(3)), 0.05, key=jax.random.key(0))
        >>> bool(jnp.isfinite(jax.grad(box)(jnp.zeros(3))).all())
        True

    References:
        K. O. Friedrichs, Trans. Am. Math. Soc. 55, 132 (1944).
    """
    if not width > 0:
        raise ValueError(f"width must be positive, received {width}")
    lower, upper, diagonal = box_of(sdf, bounds)
    exact = Exact(sdf, callback)
    grid = brick_grid(lower, upper, width / 2)
    check_memory(grid, memory, dtype)
    values = base_values(exact, grid, 2 + _REACH)
    levels = Levels(exact, grid, base_bricks(quasi_interpolant(_smoothed(values)[None])[0], grid, dtype))
    half_width = BAND * diagonal if band is None else float(band)
    return BakeRun(levels, band=half_width, memory=memory, key=key).to_level(0)


def _smoothed(values: Float[np.ndarray, "x y z"]) -> Float[np.ndarray, "u v w"]:
    """The values averaged with the kernel along each axis, as many layers fewer as it reaches."""
    for axis in range(3):
        count = values.shape[axis] - 2 * _REACH
        shifted = (np.take(values, range(i, i + count), axis) * weight for i, weight in enumerate(_KERNEL))
        values = sum(shifted, start=np.zeros(()))
    return values
