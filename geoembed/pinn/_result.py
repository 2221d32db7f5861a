"""What `solve` returns."""

from typing import Any

import equinox as eqx

from ..core import register
from ._field import SplineField


@register
class Result(eqx.Module):
    """A temperature field with the evidence for it.

    Args:
        field: The field; `value` calls it.
        status: "converged" (the estimated error is below the tolerance), "cell limit", "time limit", "interrupted"
            or "diverged". Only "converged" reached what was asked for; the field is the best so far in any case.
        estimated_error: Estimate of ‖T − T*‖ / ‖T − mean T‖ from the last two grids; inf after one grid.
        heat: Heat into the part through each patch, W; see `heat_flows`.
        energy_balance: |Σ Q| / Σ Q⁺ over all patches and sources.
        iterations: Steps of the linear solver, on all grids together.
        seconds: Wall time, including that before a resume.
        history: One record a progress report: grid, iteration, energies, estimated error.
    """

    field: SplineField
    status: str = eqx.field(static=True)
    estimated_error: float = eqx.field(static=True)
    heat: tuple[tuple[str, float], ...] = eqx.field(static=True)
    energy_balance: float = eqx.field(static=True)
    iterations: int = eqx.field(static=True)
    seconds: float = eqx.field(static=True)
    history: tuple[dict[str, Any], ...] = eqx.field(static=True)

    @property
    def value(self) -> SplineField:
        """The temperature in K as a function of one point in the part's unit; nan farther than one cell outside.

        Differentiable; `jax.vmap(result.value)` for many points, `jax.jit(result.value)` to compile.
        """
        return self.field  # not a method: jax.jit cannot hash a method bound to arrays

    @property
    def parameters(self) -> int:
        """How many numbers were trained."""
        return self.field.parameters
