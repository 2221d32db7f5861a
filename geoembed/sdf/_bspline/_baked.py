"""A field baked into cubic splines: an encoder whose cost does not depend on what was baked."""

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ...core import Property, host_generator, one_point, register, rows_on_device
from ._bake_measure import smooth_points, uniform
from ._bake_report import BakeReport
from ._brick_field import BrickField, Jet


@register
class BakedSDF(eqx.Module):
    """A scalar field stored as cubic B-splines on a cubic grid that is finer where it must be. Make one with `bake`.

    f(x) = Σ cᵢⱼₖ β(u − i) β(v − j) β(w − k), with the cubic B-spline β and (u, v, w) the point in units of the local
    spacing. Everywhere in the box, also where the spacing changes, f is twice continuously differentiable: a fine
    spline is used only where its whole support is finely divided, and elsewhere the fine coefficients are those of
    the coarse splines. Approximate: `report` says how far f is from the field that was baked.

    Outside the box, with q the nearest point of the box and r the distance to it, the value is √(f(q)² + r²) where
    f(q) ≥ 0. If f is a signed distance and the box holds the surface, this is a lower bound to the distance, and
    |∇| ≤ 1. Where the box cuts through the inside it is f(q) + r. Continuous, but the gradient jumps at the box.

    One point in, one scalar out, in the dtype of the point; `jax.vmap` for many. Cost: 16 reads of 4 numbers,
    whatever was baked. The derivatives, by automatic differentiation or from `value_gradient_laplacian`, are those
    of the spline. The coefficients are leaves that can be trained.

    Give a large field to a jitted function as an argument (`equinox.filter_jit`): a function that closes over it
    copies the coefficients into the compiled program.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from geoembed.sdf import bake
        >>> ball = bake(lambda x: jnp.sqrt(jnp.sum(x**2)) - 1.0, bounds=((-1, -1, -1), (1, 1, 1)), spacing=0.1,
        ...             key=jax.random.key(0))
        >>> bool(abs(ball(jnp.array([0.5, 0.0, 0.0])) + 0.5) < 2e-4)
        True
    """

    field: BrickField
    report: BakeReport = eqx.field(static=True)

    def __call__(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        """Returns the field at one point.

        Args:
            x: The point, in the unit of length of the field.

        Returns:
            The value, in the unit of length.

        Raises:
            ValueError: The argument is not one point of three floating-point coordinates.
        """
        return self.field(one_point(x, "a BakedSDF"))

    def value_gradient_laplacian(self, x: Float[Array, "3"]) -> Jet:
        """Returns value, gradient and Laplacian at one point, from one read of the coefficients.

        Args:
            x: The point, in the unit of length of the field.

        Returns:
            The field and the exact derivatives of the spline; outside the box those of the continuation.

        Raises:
            ValueError: The argument is not one point of three floating-point coordinates.
        """
        return self.field.jet(one_point(x, "a BakedSDF"))

    def spacing(self, x: Float[Array, "3"]) -> Float[Array, ""]:
        """Returns the spacing of the grid at one point, in the unit of length.

        Args:
            x: The point, in the unit of length of the field.

        Returns:
            The edge length of the cell that holds the point; outside the box that of the cell nearest to it.

        Raises:
            ValueError: The argument is not one point of three floating-point coordinates.
        """
        return self.field.spacing(one_point(x, "a BakedSDF"))

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """The lowest and the highest corner of the box, in the unit of length."""
        return np.array(self.field.grid.lower), np.array(self.field.grid.upper)

    @property
    def properties(self) -> tuple[Property, ...]:
        """What this encoder promises; see `geoembed.check`."""
        smooth = Property("smooth", constant=2, domain="inside the box")
        good = self.report.near_smooth
        if good is None:
            return (smooth,)
        # Twice the largest error that was measured: other points than the measured ones may be a little worse.
        tolerance = 2 * good.gradient.largest + 1e-6
        domain = f"within {self.report.band:.3g} of the surface, 3 cells away from kinks, inside the box"
        eikonal = Property(
            "eikonal", exactness="approximate", tol_f32=tolerance + 1e-4, tol_f64=tolerance, domain=domain
        )
        return (smooth, eikonal)

    def examples(self, count: int, *, key: PRNGKeyArray) -> list[Float[Array, "3"]]:
        """Returns points in the domain of the properties: near the surface, away from kinks, inside the box.

        Args:
            count: How many.
            key: Random key.

        Raises:
            ValueError: Nearly all points near the surface are near kinks, too.
        """
        rng = host_generator(key)
        if self.report.near_smooth is None:
            points = uniform(self.field.grid, count, rng)
        else:
            points = smooth_points(self.field, self.report.band, count, rng)
        return rows_on_device(points)
