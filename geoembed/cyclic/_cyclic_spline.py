"""One cyclic quantity in local features: periodic B-splines."""

import math

import equinox as eqx
from jaxtyping import Array, Float, PRNGKeyArray

from ..core import Property, host_generator, register, rows_on_device
from ._arguments import numbers, phase, plain, require_finite, require_period
from ._spline import require_spline, spline_basis


@register
class CyclicSpline(eqx.Module):
    """A number with a period in uniform periodic B-splines: local, non-negative features that sum to 1.

    Feature i is B(knots (x − origin)/period − i) continued periodically, it peaks at origin + i·period/knots; see
    `spline_basis`. A linear model of them is a periodic spline: unlike a Fourier series, one coefficient moves it
    near one knot only.

    The derivative of a B-spline of degree p is a difference of two of degree p − 1, so |de/dx| is knots/period times
    |D b|, where b are the features of degree p − 1 and D takes differences of neighbours. |D b| is convex in b, and
    b ≥ 0 sums to 1, so it is at most √2, the length of D's columns: |e(x) − e(y)| ≤ √2 knots/period · |x − y|.
    Degrees 1 and 2 reach this bound.

    Args:
        period: One turn, in the unit of x. Finite and above 0.
        knots: Number of features, at least degree + 1.
        degree: Degree of the pieces, 0 to 5. The features are C^(degree − 1).
        origin: The x at which feature 0 peaks.

    Raises:
        ValueError: One of these is out of its range. There is no default period.

    Example:
        >>> import jax.numpy as jnp
        >>> hour = CyclicSpline(24.0, knots=4, degree=1)
        >>> hour(jnp.array(21.0)).tolist()
        [0.5, 0.0, 0.0, 0.5]
    """

    period: float = eqx.field(static=True, converter=plain)
    knots: int = eqx.field(static=True)
    degree: int = eqx.field(default=3, static=True)
    origin: float = eqx.field(default=0.0, static=True, converter=plain, kw_only=True)

    def __check_init__(self) -> None:
        require_period("CyclicSpline", self.period)
        require_spline("CyclicSpline", self.knots, self.degree)
        require_finite("CyclicSpline", "origin", self.origin)

    def __call__(self, x: Float[Array, "*shape"]) -> Float[Array, "*shape n_features"]:
        """Returns the features.

        Args:
            x: Numbers in the unit of the period.

        Returns:
            The features on a new last axis of length `knots`, in the dtype of x.

        Raises:
            ValueError: The numbers have an integer dtype.
        """
        x = numbers(x, "CyclicSpline")
        return spline_basis(phase(x, self.period, self.origin), self.knots, self.degree)

    def examples(self, count: int, *, key: PRNGKeyArray) -> list[Float[Array, ""]]:
        """Numbers of one period.

        Args:
            count: How many.
            key: Random key.
        """
        return rows_on_device(self.origin + self.period * host_generator(key).uniform(size=count))

    @property
    def properties(self) -> tuple[Property, ...]:
        """What it promises for one number; see `geoembed.check`. Degree 0, which jumps, promises its period only."""
        slope = math.sqrt(2.0) * self.knots / self.period
        reach = (
            8.0 + 4.0 * abs(self.origin) / self.period
        )  # rounding of x, of x + p and of the division, in turns
        near = "within four periods of the origin"
        if self.degree == 0:
            return (Property("periodic", self.period, domain="off the ends of its intervals"),)
        single, double = (reach * e for e in (1.2e-7, 2.3e-16))
        kept = (
            Property(
                "periodic",
                self.period,
                tol_f32=max(1e-6, slope * self.period * single),
                tol_f64=max(1e-15, slope * self.period * double),
                domain=near,
            ),
            Property("smooth", constant=self.degree - 1),
            Property(
                "lipschitz",
                exactness="bound",
                constant=slope,
                tol_f32=200 * single,
                tol_f64=200 * double,
                domain=near,
            ),
        )
        if self.knots < 3:  # two hats: both sides of a peak look the same
            return kept
        where, least = "shifts that are no whole number of periods", min(1e-3, 1e-4 * slope)
        return (*kept, Property("sensitive", "translations", domain=where, constant=least))
