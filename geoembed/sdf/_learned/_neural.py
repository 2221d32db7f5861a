"""A signed distance that a network has learned."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ...core import (
    MLP,
    FourierFeatures,
    HashGrid,
    Property,
    Siren,
    host_generator,
    norm,
    one_point,
    register,
    rows_on_device,
    sqrt,
)
from ._fit_report import FitReport
from ._training_points import Triple

_DECLARED = 0.25  # a worst deviation of |∇f| from 1 above this is no promise
_CANDIDATES = 32  # random points for each example
_BATCH = 256  # and at least so many: the search is compiled for each number
_NEWTON_STEPS = 4


@register
class NeuralSDF(eqx.Module):
    """An approximate signed distance as a network over a box. Make one with `fit`, `fit_points` or a `ShapeFamily`.

    With u = (x − centre)/s, s the largest half side of the box, f(x) = s N(u, e((u + 1)/2) ; shifts): N a network, e an
    encoding or nothing, and shifts that a code adds in its hidden layers. Approximate: `report` says how far f is
    from the distance that it was fitted to. Only the sign and the zero set are what a network is usually trusted for;
    |∇f| = 1 holds as well as the eikonal term was minimised.

    Outside the box, with q the nearest point of the box and r the distance to it, the value is √(f(q)² + r²) where
    f(q) ≥ 0 and f(q) + r elsewhere: continuous, with a jump of the gradient at the box.

    Differentiable as often as the network and the encoding are: always, but for a `HashGrid`, whose gradient jumps at
    its cells ("linear"), or whose second ("cubic") or third derivatives do ("quintic").

    Args:
        network: Takes the point and its encoding; gives one number.
        encoding: Of the point in the unit cube, or None.
        shifts: What the hidden layers get from a code, or None.
        centre: Of the box.
        half: Half the sides of the box.
        report: How it was fitted and how well.

    References:
        J. J. Park et al., DeepSDF, CVPR 2019; A. Gropp et al., Implicit geometric regularization, ICML 2020.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from geoembed import core, sdf
        >>> key = jax.random.key(0)
        >>> network = core.Siren(3, 1, 8, 1, key=key), None
        >>> found = sdf.fit(sdf.Sphere(1.0), network=network, steps=5, batch=64, points=512, key=key)
        >>> found(jnp.array([0.5, 0.0, 0.0])).shape, found.report.status
        ((), 'done')
    """

    network: MLP | Siren
    encoding: FourierFeatures | HashGrid | None
    shifts: Float[Array, "depth width"] | None
    centre: Triple = eqx.field(static=True)
    half: Triple = eqx.field(static=True)
    report: FitReport = eqx.field(static=True)

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        """Returns the field at one point.

        Args:
            x: The point, in the unit of length of what was fitted.

        Returns:
            The value, in the unit of length, negative inside.

        Raises:
            ValueError: The argument is not one point of three floating-point coordinates.
        """
        x = one_point(x, "a NeuralSDF")
        scale = max(self.half)
        u = (x - jnp.asarray(self.centre, x.dtype)) / scale
        wall = jnp.asarray(self.half, x.dtype) / scale
        nearest = jnp.clip(u, -wall, wall)
        beyond = norm(u - nearest)
        value = self.unit(nearest)
        outside = beyond > 0
        far = jnp.where(value >= 0, sqrt(jnp.where(outside, value**2 + beyond**2, 1.0)), value + beyond)
        return scale * jnp.where(outside, far, value)

    def unit(self, u: Float[Array, "3"]) -> Float[Array, ""]:
        """f in the coordinates of the network, in which the longest side of the box is [−1, 1]; no continuation."""
        features = u if self.encoding is None else jnp.concatenate([u, self.encoding(0.5 * (u + 1.0))])
        shifts = None if self.shifts is None else self.shifts.astype(u.dtype)
        return self.network(features, shifts)[0]

    @property
    def bounds(self) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
        """The lowest and the highest corner of the box, in the unit of length."""
        centre, half = np.array(self.centre), np.array(self.half)
        return centre - half, centre + half

    def examples(self, count: int, *, key: PRNGKeyArray) -> list[Float[Array, "3"]]:
        """Points in the domain of the properties: in the box and in the band of the report around the surface.

        Args:
            count: How many.
            key: Random key.
        """
        random = host_generator(key)
        dtype = jnp.zeros(()).dtype
        low, high = self.bounds
        drawn = random.uniform(low, high, (max(_BATCH, _CANDIDATES * count), 3)).astype(dtype)
        levels = (self.report.band * random.uniform(-0.8, 0.8, len(drawn))).astype(dtype)
        points, off = _to_levels(self, jnp.asarray(drawn), jnp.asarray(levels))
        room = 1e-6 * (high - low)
        places = np.asarray(points)
        inside = np.all((places > low + room) & (places < high - room), axis=1)
        order = np.argsort(~(inside & (np.asarray(off) < 0.1 * self.report.band)), kind="stable")
        return rows_on_device(places[order[:count]])

    def __hash__(self) -> int:
        return hash((self.report, hash(self.network)))  # lets `jax.jit(sdf)` find its cache

    @property
    def properties(self) -> tuple[Property, ...]:
        """What this encoder promises; see `geoembed.check`."""
        promises = ()
        orders = {"linear": 0, "cubic": 1, "quintic": 2}
        order = orders[self.encoding.blend] if isinstance(self.encoding, HashGrid) else 2
        if order > 0:
            promises = (Property("smooth", constant=order, domain="inside the box"),)
        # Twice the largest deviation that was measured: other points may be a little worse.
        tolerance = 2 * self.report.eikonal.largest
        if not tolerance <= 2 * _DECLARED:
            return promises
        domain = f"within {self.report.band:.3g} of the surface, inside the box"
        kind = Property(
            "eikonal", exactness="approximate", tol_f32=tolerance, tol_f64=tolerance, domain=domain
        )
        return (*promises, kind)


@eqx.filter_jit
def _to_levels(field: NeuralSDF, points: Array, levels: Array) -> tuple[Array, Array]:
    """Newton steps along the gradient towards given values, and how far off they end."""

    def one(x: Array, level: Array) -> tuple[Array, Array]:
        for _ in range(_NEWTON_STEPS):
            value, slope = jax.value_and_grad(field)(x)
            x = x - (value - level) * slope / jnp.maximum(jnp.sum(slope**2), 1e-2)
        return x, jnp.abs(field(x) - level)

    return jax.vmap(one)(points, levels)


def box_around(bounds: tuple, margin: float) -> tuple[Triple, Triple]:
    """Centre and half sides of a box, grown on every side by a part of its longest side.

    Raises:
        ValueError: It is no box in space, or the margin is negative.
    """
    low, high = (np.asarray(corner, np.float64) for corner in bounds)
    if low.shape != (3,) or high.shape != (3,) or not np.all(high > low) or not np.isfinite(high - low).all():
        raise ValueError(f"bounds must be two corners of a box in space, received {low} and {high}")
    if not 0 <= margin < math.inf:
        raise ValueError(f"margin must be at least 0, received {margin}")
    half = 0.5 * (high - low) + margin * float((high - low).max())
    return tuple((0.5 * (low + high)).tolist()), tuple(half.tolist())
