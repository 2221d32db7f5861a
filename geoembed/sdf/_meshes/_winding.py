"""Whether a point is inside by the generalised winding number: right on surfaces with holes and flipped faces.

w(x) = 1/4π ∫ n·(y − x)/|y − x|³ dA counts how often the surface winds around x; inside is |w| > ½. Near clusters of
triangles are summed exactly, far ones by an expansion whose error has a bound. Where the bound leaves the decision
open, more clusters are summed exactly.
"""

import math

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from ._blocks import Block, in_blocks
from ._keys import NONE, least
from ._winding_tables import CUBIC, QUADRATIC, WindingTable

_FAR = (
    2.5,
    6.0,
    15.0,
    40.0,
)  # clusters farther than so many times their radius are expanded: first, second, … try


def _sum(x: Float[Array, "n b"]) -> Float[Array, " b"]:
    while len(x) > 32 and len(x) % 32 == 0:  # in steps of 32, as in `least`
        x = jnp.sum(x.reshape(32, -1, x.shape[1]), axis=0)
    return jnp.sum(x, axis=0)


def from_afar(points: Float[Array, "3 b"], moments: Float[Array, "24 n"]) -> Float[Array, "n b"]:
    """The winding numbers of clusters around far points.

    With d = c − x, the field f(y) = (y − x)/|y − x|³ = −∇(1/|d|) is expanded about the centre c to second order:
    w ≈ (L·d − Q(d, d)/r² + C(d, d, d)/r⁴)/r³. The derivatives of 1/r are harmonic, so Q and C have no trace.

    References:
        G. Barill et al., Fast winding numbers for soups and clouds, ACM Trans. Graph. 37(4), 43 (2018).
    """
    column = [row[:, None] for row in moments]
    d = [column[i] - points[i][None, :] for i in range(3)]
    inverse = 1 / (d[0] * d[0] + d[1] * d[1] + d[2] * d[2])
    linear = sum(column[5 + i] * d[i] for i in range(3))
    quadratic = sum(c * (d[i] * d[j]) for c, (i, j) in zip(column[8:14], QUADRATIC, strict=True))
    cubic = sum(c * (d[i] * d[j] * d[k]) for c, (i, j, k) in zip(column[14:], CUBIC, strict=True))
    return (linear + (cubic * inverse - quadratic) * inverse) * inverse * jnp.sqrt(inverse)


def exactly(points: Float[Array, "3 b"], corners: Float[Array, "9 s"]) -> Float[Array, "s b"]:
    """The winding numbers of triangles.

    References:
        A. van Oosterom and J. Strackee, IEEE Trans. Biomed. Eng. 30, 125 (1983), eq. 8.
    """
    a, b, c = ([corners[k + i][:, None] - points[i][None, :] for i in range(3)] for k in (0, 3, 6))

    def dot(u: list, v: list) -> Array:
        return u[0] * v[0] + u[1] * v[1] + u[2] * v[2]

    la, lb, lc = (jnp.sqrt(dot(u, u)) for u in (a, b, c))
    u, v = ([q - p for p, q in zip(a, other, strict=True)] for other in (b, c))
    normal = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]
    bottom = la * lb * lc + dot(a, b) * lc + dot(b, c) * la + dot(c, a) * lb
    return _angle(bottom, dot(a, normal)) / (2 * math.pi)


# arctan x = x (1 + Σ aₖ x²ᵏ) on 0 … 1 with an error below 2e-8, the last coefficient first.
_ARCTAN = (
    *(0.0028662257, -0.0161657367, 0.0429096138, -0.0752896400),
    *(0.1065626393, -0.1420889944, 0.1999355085, -0.3333314528),
)


def _angle(x: Float[Array, "*n"], y: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """The angle of (x, y), which XLA on CPU does not vectorise; in float32 twelve times as fast.

    References:
        M. Abramowitz and I. A. Stegun, Handbook of Mathematical Functions, eq. 4.4.49.
    """
    if jnp.finfo(x.dtype).bits > 32:
        return jnp.arctan2(y, x)
    wide, high = jnp.abs(x), jnp.abs(y)
    steep = wide < high
    large = jnp.where(steep, high, wide)
    t = jnp.where(steep, wide, high) / jnp.where(large > 0, large, 1)
    series = jnp.zeros_like(t)
    for coefficient in _ARCTAN:
        series = (series + coefficient) * (t * t)
    angle = t + t * series
    angle = jnp.where(steep, math.pi / 2 - angle, angle)
    angle = jnp.where(x < 0, math.pi - angle, angle)
    return jnp.where(y < 0, -angle, angle)


def _open(
    moments: Float[Array, "24 n"], block: Block, far: Array
) -> tuple[Bool[Array, " n"], Float[Array, ""], Float[Array, " b"]]:
    """Returns which clusters are near, the bound of the error of the others, and their sum."""
    middle = 0.5 * (block.lower + block.upper)
    half = 0.5 * jnp.sqrt(jnp.sum((block.upper - block.lower) ** 2))
    distance = jnp.sqrt(sum((moments[i] - middle[i]) ** 2 for i in range(3))) - half
    near = ~(distance > far * moments[3])
    left = jnp.where(near, 1, distance - moments[3])
    bound = jnp.where(near, 0, moments[4] / left**5)
    total = _sum(jnp.where(near[:, None], 0, from_afar(block.points, moments)))
    return near, _sum(bound[:, None])[0], total


def _after(near: Bool[Array, " n"], last: Array) -> Array:
    number = jnp.arange(len(near), dtype=jnp.int32)
    return least(jnp.where(near & (number > last), number, NONE))


def _winding(table: WindingTable, block: Block, far: Array) -> tuple[Float[Array, " b"], Float[Array, ""]]:
    """Returns the winding numbers of the points of a block and the bound of their error."""
    near_groups, error, total = _open(table.groups, block, far)
    # One row for each place in a cluster, added up at the end: a sum inside the loop would not vectorise.
    rows = jnp.zeros((table.corners.shape[-1], len(total)), total.dtype)

    def visit_group(state: tuple) -> tuple:
        group, error, total, rows = state
        near, more_error, more = _open(table.clusters[group], block, far)

        def visit_cluster(state: tuple) -> tuple:
            cluster, rows = state
            return _after(near, cluster), rows + exactly(block.points, table.corners[group, cluster])

        start = (_after(near, jnp.int32(-1)), rows)
        _, rows = lax.while_loop(lambda state: state[0] < NONE, visit_cluster, start)
        return _after(near_groups, group), error + more_error, total + more, rows

    start = (_after(near_groups, jnp.int32(-1)), error, total, rows)
    _, error, total, rows = lax.while_loop(lambda state: state[0] < NONE, visit_group, start)
    return total + _sum(rows), error


def _inside_block(table: WindingTable, block: Block) -> Bool[Array, " b"]:
    steps = jnp.asarray(_FAR, block.points.dtype)

    def open_question(state: tuple) -> Array:
        tried, total, error = state
        return (tried < len(_FAR)) & jnp.any(jnp.abs(jnp.abs(total) - 0.5) <= error)

    def try_again(state: tuple) -> tuple:
        return state[0] + 1, *_winding(table, block, steps[state[0]])

    size, dtype = block.points.shape[1], block.points.dtype
    start = (jnp.int32(0), jnp.full(size, 0.5, dtype), jnp.ones((), dtype))
    _, total, _ = lax.while_loop(open_question, try_again, start)
    return jnp.abs(total) > 0.5


inside_by_winding = in_blocks(_inside_block)
