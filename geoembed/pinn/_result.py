"""What `solve` returns."""

from typing import Any, Protocol, runtime_checkable

import equinox as eqx
import jax
import numpy as np

from ..core import register
from ._field import SplineField
from ._stress import Elasticity, Strain, Stress, VonMises
from ._training import AnyField
from ._transient_field import TransientField


@register
class Result(eqx.Module):
    """A field with the evidence for it.

    Args:
        field: The field; `value` calls it.
        status: "converged" (the estimated error is below the tolerance), "cell limit", "step limit", "stalled" (the
            held-out residual has stopped falling), "time limit", "interrupted" or "diverged". Only "converged"
            reached what was asked for; the field is the best so far in any case.
        estimated_error: Heat in a part: estimate of ‖T − T*‖ / ‖T − mean T‖ from the last two grids (for heat in time
            over the part and nine moments); elastic
            part: of ‖u − u*‖ / ‖u‖. Other equations:
            estimate of ‖u − u*‖ / ‖u‖ from two fields on the way. inf before there are two.
        heat: Heat into the part through each patch, W; see `heat_flows`. For heat in time what entered over the whole
            time, J, and under "stored" how much more the part holds at its end. Empty for other equations.
        energy_balance: |Σ Q| / Σ Q⁺ over all patches and sources; |Σ F| / Σ |F| over the forces of an elastic part;
            None for other equations.
        iterations: Steps of the solver.
        seconds: Wall time, including that before a resume.
        history: One record a progress report.
        held_out_residual: Root of the mean squared residual at points that were not trained on; None for heat in a
            part and for elastic parts, which minimise an energy.
        forces: Force on an elastic part through each patch and from the body force, N; see `patch_forces`.
        elasticity: What makes strain and stress of the displacement of an elastic part.
    """

    field: SplineField | TransientField | AnyField
    status: str = eqx.field(static=True)
    estimated_error: float = eqx.field(static=True)
    heat: tuple[tuple[str, float], ...] = eqx.field(static=True)
    energy_balance: float | None = eqx.field(static=True)
    iterations: int = eqx.field(static=True)
    seconds: float = eqx.field(static=True)
    history: tuple[dict[str, Any], ...] = eqx.field(static=True)
    held_out_residual: float | None = eqx.field(static=True, default=None)
    forces: tuple[tuple[str, tuple[float, float, float]], ...] = eqx.field(static=True, default=())
    elasticity: Elasticity | None = eqx.field(static=True, default=None)

    @property
    def temperature(self) -> SplineField:
        """The field of heat in a part.

        Raises:
            TypeError: The result is of another equation.
        """
        if not isinstance(self.field, SplineField) or self.elasticity is not None:
            raise TypeError(
                "this needs the temperature in a part (the equation SteadyHeat on a mesh), the result holds a "
                f"{type(self.field).__name__}: evaluate `result.value` instead"
            )
        return self.field

    @property
    def value(self) -> SplineField | TransientField | AnyField:
        """The field as a function of one point: the temperature in K of a part, in whose unit the point is, nan farther
        than one cell outside, in time as `value(x, t)`; or the unknowns of another equation, time last in the point.

        Differentiable; `jax.vmap(result.value)` for many points, `jax.jit(result.value)` to compile.
        """
        return self.field  # not a method: jax.jit cannot hash a method bound to arrays

    @property
    def strain(self) -> Strain:
        """ε of an elastic part as a function of one point.

        Raises:
            TypeError: The result is of another equation.
        """
        return Strain(self._displacement, self._elasticity)

    @property
    def stress(self) -> Stress:
        """σ of an elastic part in Pa as a function of one point; see `strain`."""
        return Stress(self._displacement, self._elasticity)

    @property
    def von_mises(self) -> VonMises:
        """The von Mises stress of an elastic part in Pa as a function of one point; see `strain`."""
        return VonMises(self._displacement, self._elasticity)

    @property
    def _elasticity(self) -> Elasticity:
        if self.elasticity is None:
            raise TypeError(
                "only an elastic part (the equation SteadyElasticity on a mesh) has strain and stress"
            )
        return self.elasticity

    @property
    def _displacement(self) -> SplineField:
        if not isinstance(self.field, SplineField):
            raise TypeError(
                f"strain needs a displacement in a part, the result holds a {type(self.field).__name__}"
            )
        return self.field

    @property
    def parameters(self) -> int:
        """How many numbers were trained."""
        return self.field.parameters


@runtime_checkable
class Standing(Protocol):
    """What a run by least squares knows when it ends."""

    @property
    def estimated_error(self) -> float: ...

    @property
    def best_held_out(self) -> float: ...

    @property
    def history(self) -> tuple[dict[str, Any], ...]: ...


def field_result(field: AnyField, status: str, at: Standing, *, iterations: int, seconds: float) -> Result:
    """The result of an equation other than those of a part; its arrays are numpy's, which no mode of jax narrows."""
    return Result(
        field=jax.tree.map(lambda leaf: np.asarray(leaf) if isinstance(leaf, jax.Array) else leaf, field),
        status=status,
        estimated_error=at.estimated_error,
        heat=(),
        energy_balance=None,
        iterations=iterations,
        seconds=seconds,
        history=at.history,
        held_out_residual=at.best_held_out,
    )
