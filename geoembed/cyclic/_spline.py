"""Periodic B-splines on uniform knots."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from ._arguments import require_count
from ._sine import as_turns

HIGHEST_DEGREE = 5


def spline_basis(
    turns: Float[Array, "*shape"], knots: int, degree: int = 3
) -> Float[Array, "*shape n_features"]:
    """The uniform periodic B-splines of an angle: local, non-negative features that sum to 1.

    Feature i is B(knots·u − i), continued periodically, where B is the centred B-spline of the degree: piecewise
    polynomial, C^(degree − 1), not 0 on degree + 1 intervals. So feature i peaks at u = i / knots for every degree;
    the pieces meet there too when the degree is odd, and half-way between when it is even. Degree 0 is a histogram
    bin (of half-open intervals), degree 1 a hat.

    Computed by the recursion of Cox and de Boor on the fractional part, where all its terms are non-negative: exact
    up to rounding, cost O(knots · degree).

    Args:
        turns: Angles in turns.
        knots: Number of features, at least degree + 1.
        degree: Degree of the pieces, 0 to 5.

    Returns:
        The features on a new last axis, in the dtype of the angles; nan where the angle is not finite.

    Raises:
        ValueError: The degree or the number of knots is out of its range, or the angles have an integer dtype.

    Example:
        >>> import jax.numpy as jnp
        >>> spline_basis(jnp.array([0.0, 0.125]), knots=4, degree=1).tolist()
        [[1.0, 0.0, 0.0, 0.0], [0.5, 0.5, 0.0, 0.0]]

    References:
        C. de Boor, A Practical Guide to Splines, revised edition 2001, chapter IX, eq. (14) and (15).
    """
    require_spline("spline_basis", knots, degree)
    turns = as_turns(turns, "spline_basis")
    part = turns - jnp.round(turns)  # exact, and so are the features of whole turns
    position = knots * part + (degree + 1) / 2  # feature i lives on i … i + degree + 1
    cell = jnp.floor(position)
    weights = _local(position - cell, degree)
    start = jnp.where(jnp.isfinite(cell), cell, 0.0).astype(jnp.int32) - degree
    features = jnp.arange(knots, dtype=jnp.int32).reshape((1,) * turns.ndim + (-1,))
    place = jnp.mod(
        features - start[..., None], knots
    )  # which of the weights a feature has; from degree + 1 on none
    nothing = jnp.where(jnp.isfinite(part), 0.0, jnp.nan).astype(part.dtype)
    basis = jnp.broadcast_to(nothing[..., None], place.shape)
    for number, weight in enumerate(weights):
        basis = jnp.where(place == number, weight[..., None], basis)
    return basis


def _local(t: Array, degree: int) -> list[Array]:
    """The degree + 1 B-splines that are not 0 in a unit cell, at t in [0, 1], the one that ends first in front."""
    weights = [jnp.ones_like(t)]
    for p in range(1, degree + 1):
        lower = [(1 + r - t) / p * weights[r] for r in range(p)]
        upper = [(t + p - r) / p * weights[r - 1] for r in range(1, p + 1)]
        weights = [lower[0], *(a + b for a, b in zip(lower[1:], upper[:-1], strict=True)), upper[-1]]
    return weights


def require_spline(taker: str, knots: int, degree: int) -> None:
    """Raises ValueError unless there are uniform periodic splines of this kind."""
    if type(degree) is not int or not 0 <= degree <= HIGHEST_DEGREE:
        raise ValueError(
            f"{taker} needs a degree from 0 to {HIGHEST_DEGREE}, received {degree!r}: cubic is 3"
        )
    require_count(taker, f"knots for degree {degree}", knots, degree + 1)
