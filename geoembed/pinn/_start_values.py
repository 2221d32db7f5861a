"""Whether given values on the boundary agree with the initial values at the first moment."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..core import InputError
from ._domains._domain import Domain
from ._domains._outline import Piece
from ._field_conditions import Dirichlet
from ._values import Known

_SAMPLE = 32
_SAME = 1e-4  # of the largest value: a smaller difference is none


def check_start(
    domain: Domain, given: Sequence[tuple[Piece, Dirichlet, Known]], initial: Known, start: float
) -> None:
    """Refuses hard values that no field can have at once.

    Args:
        domain: The domain.
        given: Pieces of the boundary with hard values.
        initial: The initial values.
        start: The first moment.

    Raises:
        InputError: Values on a piece differ from the initial ones there by more than 1e-4 of the largest value.
    """
    rng = np.random.default_rng(0)
    inside = domain.fill(rng.random((4 * _SAMPLE, domain.dimension)))
    largest = float(np.abs(_values(initial, inside, start)).max(initial=0.0))
    for piece, condition, value in given:
        points = piece.sample(_SAMPLE, rng)[0]
        wanted, there = _values(value, points, start), _values(initial, points, start)
        gap = np.abs(wanted - there)
        if gap.max() > _SAME * max(largest, float(np.abs(wanted).max()), float(np.abs(there).max())):
            worst = int(gap.argmax())
            place = ", ".join(f"{x:.4g}" for x in points[worst])
            raise InputError(
                "conditions",
                repr(condition.piece),
                f"at ({place}) and the first moment {start:g} its value is {wanted[worst]:.4g}, the initial value is "
                f"{there[worst]:.4g}: no field has both",
                "Make them agree, or give the condition with hard=False",
            )


def _values(function: Known, points: np.ndarray, start: float) -> np.ndarray:
    at = np.column_stack([points, np.full(len(points), start)])
    with jax.enable_x64(True):
        found: Any = jax.vmap(function)(jnp.asarray(at))
        return np.asarray(found)
