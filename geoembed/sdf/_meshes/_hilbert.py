"""The order of points along a Hilbert curve: neighbours in the order are neighbours in space."""

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int, UInt32

_LEVELS = 10  # halvings of each axis: three numbers of 10 bits fill 30 of 32


def hilbert_order(points: Float[Array, "n 3"]) -> Int[Array, " n"]:
    """Returns the numbers of at most 2¹⁷ points in the order of a Hilbert curve.

    The curve fills the box of the points within ±1, the frame in which a mesh has size about 1. As many of the 30 bits
    of the place on it are used as the number of a point leaves of 32: 15 for 10⁵ points, which is 32 cells along each
    axis. So the key and the number are sorted as one integer, five times as fast as a sort of pairs on a CPU.
    """
    count = len(points)
    for_number = max((count - 1).bit_length(), 1)
    spare = max(3 * _LEVELS + for_number - 32, 0)
    place = _place_on_curve(points) >> np.uint32(spare)
    tagged = (place << np.uint32(for_number)) | jnp.arange(count, dtype=jnp.uint32)
    return (lax.sort(tagged) & np.uint32(2**for_number - 1)).astype(jnp.int32)


def _place_on_curve(points: Float[Array, "n 3"]) -> UInt32[Array, " n"]:
    """The place of each point on a Hilbert curve through 2³⁰ cells.

    References:
        J. Skilling, AIP Conf. Proc. 707, 381 (2004): the transposed index and its Gray code.
    """
    inside = jnp.minimum(jnp.maximum(points.astype(jnp.float32), -1.0), 1.0)
    lower = inside.min(axis=0)[None, :]
    extent = jnp.max(inside - lower)
    cells = (inside - lower) * ((2**_LEVELS - 1) / jnp.where(extent > 0, extent, 1))
    axes = list(cells.astype(jnp.uint32).T)
    for level in reversed(range(1, _LEVELS)):
        bit, below = np.uint32(2**level), np.uint32(2**level - 1)
        for i in range(3):  # where the bit is set invert the lower bits of the first axis, else exchange them
            is_set = axes[i] & bit != 0
            change = jnp.where(is_set, below, (axes[0] ^ axes[i]) & below)
            axes[0] = axes[0] ^ change
            if i > 0:
                axes[i] = jnp.where(is_set, axes[i], axes[i] ^ change)
    axes[1] = axes[1] ^ axes[0]
    axes[2] = axes[2] ^ axes[1]
    turned = jnp.zeros_like(axes[0])
    for level in reversed(range(1, _LEVELS)):
        turned = jnp.where(axes[2] & np.uint32(2**level) != 0, turned ^ np.uint32(2**level - 1), turned)
    x, y, z = (_spread(axis ^ turned) for axis in axes)
    return (x << np.uint32(2)) | (y << np.uint32(1)) | z


def _spread(cell: UInt32[Array, " n"]) -> UInt32[Array, " n"]:
    """Leaves two free bits after each of the 10 low bits."""
    for shift, mask in ((16, 0x030000FF), (8, 0x0300F00F), (4, 0x030C30C3), (2, 0x09249249)):
        cell = (cell | (cell << np.uint32(shift))) & np.uint32(mask)
    return cell
