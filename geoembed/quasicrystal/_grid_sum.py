"""Sums over many points on a regular grid of wave vectors: a fast Fourier transform of points anywhere."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from ..core import sqrt
from ._complex import as_complex

_ENTRIES = 2**21  # of the kernel at once: 16 MiB in float64
_SHAPE = 2.30  # β / width of the kernel, for a grid twice as fine as needed (Barnett et al., eq. 4.5)


def grid_sum(
    points: Float[Array, "n d"],
    step: Float[Array, ""] | float,
    counts: tuple[int, ...],
    weights: Float[Array, " n"] | None = None,
    *,
    digits: int = 7,
) -> Complex[Array, "*counts"]:
    """Σ w exp(i Q·x) / Σ w over points, for all wave vectors of a regular grid at once.

    The points are spread on a grid of twice as many nodes with a smooth kernel, that grid is transformed, and the
    transform of the kernel divided out (a non-uniform fast Fourier transform of type 1). O(n digits^d + N log N) time
    for N wave vectors, where `direct_sum` needs O(n N). Differentiable in points and weights.

    Args:
        points: x, in 1 to 3 dimensions.
        step: The distance ΔQ of wave vectors, in radians per unit of length. Below 2π over the diameter of the points
            the grid shows every feature of the pattern; larger steps are right too.
        counts: How many wave vectors along each axis.
        weights: w; 1 by default.
        digits: The error is below 10^−digits Σ|w| / |Σw|, for float64 up to 12 digits; float32 has about 5, and no
            more than 7 − log₁₀(largest |Q·x|).

    Returns:
        The sum at Q = ΔQ (k₁, …), kᵢ from −(Nᵢ // 2) on, as `grid_wave_vectors` lists them.

    Raises:
        ValueError: There is not one count of at least 1 for each of 1 to 3 dimensions, or digits lie outside 1 to 12.

    Example:
        >>> import jax.numpy as jnp
        >>> comb = jnp.arange(8.0)[:, None]
        >>> print(jnp.abs(grid_sum(comb, jnp.pi / 4, (8,))).round(3))
        [0. 0. 0. 0. 1. 0. 0. 0.]

    References:
        A. H. Barnett, J. F. Magland, L. af Klinteberg, SIAM J. Sci. Comput. 41, C479 (2019), sections 2 to 4.
    """
    n, d = points.shape
    if not 1 <= d <= 3 or len(counts) != d or min(counts) < 1:
        raise ValueError(f"grid_sum needs a count for each of {d} (1 to 3) components, received {counts}")
    if not 1 <= digits <= 12:
        raise ValueError(f"grid_sum needs 1 to 12 digits, received {digits}")
    dtype, width = points.dtype, digits + 2
    fine = tuple(max(2 * count, 2 * width) for count in counts)
    sizes = jnp.asarray(np.array(fine), dtype)[None]
    w = jnp.ones(n, dtype) if weights is None else weights
    turns = points * (step / (2.0 * math.pi))
    places = (turns - jnp.floor(turns)) * sizes  # in steps of the fine grid
    size = max(1, min(n, _ENTRIES // width**d))
    pieces = -(-n // size)
    padded = ((0, pieces * size - n), (0, 0))
    chunks = (
        jnp.pad(places, padded).reshape(pieces, size, d),
        jnp.pad(w, padded[0]).reshape(pieces, size),
    )

    @jax.checkpoint
    def add(grid: Array, piece: tuple[Array, Array]) -> tuple[Array, None]:
        index, value = _spread(piece[0], width, fine)
        return grid.at[index].add((value * piece[1][:, None]).reshape(-1)), None

    grid, _ = jax.lax.scan(add, jnp.zeros(math.prod(fine), dtype), chunks)
    transformed = jnp.fft.ifftn(as_complex(grid.reshape(fine)), norm="forward")
    for axis, (count, total) in enumerate(zip(counts, fine, strict=True)):
        k = np.arange(count) - count // 2
        factor = jnp.asarray(1.0 / _kernel_transform(k, total, width), dtype)
        shape = [1] * d
        shape[axis] = count
        transformed = jnp.take(transformed, k % total, axis=axis) * as_complex(factor.reshape(shape))
    return transformed / as_complex(jnp.sum(w))


def grid_wave_vectors(
    step: Float[Array, ""] | float, counts: tuple[int, ...], dtype: jnp.dtype | None = None
) -> Float[Array, "*counts d"]:
    """The wave vectors of `grid_sum`, in radians per unit of length.

    Args:
        step: Their distance.
        counts: How many along each axis.
        dtype: Of the result; jax's default float type by default.
    """
    axes = [np.arange(count) - count // 2 for count in counts]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    return jnp.asarray(grid, dtype or jnp.result_type(float)) * step


def _spread(places: Float[Array, "n d"], width: int, fine: tuple[int, ...]) -> tuple[Array, Array]:
    """The nodes [n · width^d] around points, as places in the flat grid, and the kernel there [n, width^d]."""
    first = jnp.ceil(places - 0.5 * width)
    index, value = jnp.zeros((len(places), 1), jnp.int32), jnp.ones((len(places), 1), places.dtype)
    for axis, total in enumerate(fine):
        nodes = first[:, axis, None] + jnp.arange(width, dtype=places.dtype)[None]
        apart = (nodes - places[:, axis, None]) * (2.0 / width)
        inside = jnp.maximum(1.0 - jnp.square(apart), 0.0)
        kernel = jnp.exp(_SHAPE * width * (sqrt(inside) - 1.0))
        node = jnp.mod(nodes.astype(jnp.int32), total)
        index = (index[:, :, None] * total + node[:, None, :]).reshape(len(places), -1)
        value = (value[:, :, None] * kernel[:, None, :]).reshape(len(places), -1)
    return index.reshape(-1), value


def _kernel_transform(k: np.ndarray, total: int, width: int) -> np.ndarray:
    """∫ φ cos over the kernel, in steps of the fine grid: Gauss's quadrature, exact to rounding for its few waves."""
    nodes, weights = np.polynomial.legendre.leggauss(8 * width + 40)
    angles = 0.5 * np.pi * nodes  # z = sin t: the kernel is smooth in t
    values = np.exp(_SHAPE * width * (np.cos(angles) - 1.0)) * np.cos(angles) * weights * 0.5 * np.pi
    z = 0.5 * width * np.sin(angles)
    return 0.5 * width * np.cos(np.multiply.outer(2.0 * np.pi / total * k, z)) @ values
