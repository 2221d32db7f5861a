"""Distance from potentials: what every small element of a boundary adds, whatever its neighbours are.

The power mean of the distances R = |x − y| to the points y of a boundary S in d dimensions,

    φ(x) = (1/c ∫_S R^(1−d−p) dS)^(−1/p),

is normalised to order p where S is flat: the integral over a whole line or plane at distance h is c/hᵖ, and what is
missing beyond the rim of S is a smooth function of x. A segment or triangle enters by an integral in closed form, and
cutting an element in two changes nothing. With the vectors r₁ … r_d from x to its corners, its height h over x, its
length or twice its area A, and

    D = r₁·r₂                                               for a segment,
    D = R₁R₂R₃ + r₁·r₂ R₃ + r₂·r₃ R₁ + r₃·r₁ R₂             for a triangle,

its share of the integral over c is, in two and in three dimensions,

    K₁ = arctan₂(A h, D)/(π h)                              for p = 1 (the angle or half the solid angle under which
                                                            it is seen, over h),
    K₃ = −(2/π) ∂(π K₁)/∂(h²)                               for p = 3.

The derivative is taken with the foot of x fixed. None of the forms below loses digits by cancellation.

References:
    A. Belyaev, P.-A. Fayolle and A. Pasko, Comput.-Aided Des. 45, 523 (2013): distances as power means.
    A. Van Oosterom and J. Strackee, IEEE Trans. Biomed. Eng. BME-30, 125 (1983): the solid angle of a triangle.
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

_SERIES = 14  # terms in w = u² below 1/20: the first one left out is 1e-19
_SMALL = 0.05

Elements = Float[Array, "*n"]


def power_for(order: int) -> int:
    """The p that serves an order: 1 or 3. The potentials of even p have no such simple closed forms."""
    return 1 if order == 1 else 3


def share(area: Elements, d: Elements, d_rise: Elements, height: Elements, power: int) -> Elements:
    """What one element adds to φ^(−p): K₁ or K₃.

    Args:
        area: A, the length of a segment, twice the area of a triangle.
        d: D.
        d_rise: The derivative of D in h², positive.
        height: h ≥ 0.
        power: p.
    """
    narrow = d > area * height  # seen under less than a right angle, a triangle under less than π
    d_safe, h_safe = jnp.where(narrow, d, 1.0), jnp.where(narrow | (height == 0), 1.0, height)
    a_safe = jnp.where(narrow, 1.0, area)
    w = jnp.where(narrow, (area * height / d_safe) ** 2, 0.0)
    angle = 0.5 * math.pi - jnp.arctan(d / (a_safe * h_safe))
    first = jnp.where(narrow, area / d_safe * _arctan_ratio(w), angle / h_safe)
    if power == 1:
        return first / math.pi
    square = d**2 + (area * height) ** 2
    flat = area * d_rise / square
    far = (area / d_safe) ** 3 * _arctan_slope(w)
    near = 0.5 / h_safe**2 * (angle / h_safe - a_safe * d / square)
    return 2.0 / math.pi * (flat + jnp.where(narrow, far, near))


def distance_from(
    total: Float[Array, ""], reach: Float[Array, ""], power: int, size: Float[Array, ""]
) -> Float[Array, ""]:
    """φ from the sum of the shares, times sizeᵖ, over all elements.

    A boundary that is far away adds little more than a point does, and φ would grow like R^(1 + (d−1)/p). The distance
    `reach` to its middle is therefore joined by R-equivalence of order p, which leaves the normalisation.

    Args:
        total: size^p Σ K.
        reach: √(|x − middle|² + radius²) of the boundary.
        power: p.
        size: A number of the size of the distance, which keeps powers of small distances in range.
    """
    return size * (total + (size / reach) ** power) ** (-1.0 / power)


def beside(value: Float[Array, ""], distance: Float[Array, ""], slack: Float[Array, ""]) -> Float[Array, ""]:
    """The value; within rounding of the boundary the distance instead, with the derivatives of the value.

    There the value was taken a little way inside the domain.
    """
    on = distance <= slack
    return jnp.where(on, value + jax.lax.stop_gradient(distance - value), value)


def _arctan_ratio(w: Elements) -> Elements:
    """arctan(√w)/√w."""
    small = w < _SMALL
    root = jnp.sqrt(jnp.where(small, 1.0, w))
    series = jnp.zeros_like(w)
    for k in range(_SERIES - 1, -1, -1):
        series = series * -jnp.where(small, w, 0.0) + 1.0 / (2 * k + 1)
    return jnp.where(small, series, jnp.arctan(root) / root)


def _arctan_slope(w: Elements) -> Elements:
    """−d/dw of the above: (arctan(√w)/√w − 1/(1 + w))/2w."""
    small = w < _SMALL
    large = jnp.where(small, 1.0, w)
    root = jnp.sqrt(large)
    series = jnp.zeros_like(w)
    for k in range(_SERIES - 1, -1, -1):
        series = series * -jnp.where(small, w, 0.0) + (k + 1) / (2 * k + 3)
    return jnp.where(small, series, (jnp.arctan(root) / root - 1.0 / (1.0 + large)) / (2.0 * large))
