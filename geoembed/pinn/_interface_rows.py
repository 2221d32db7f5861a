"""The rows of the least squares where two regions meet."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from ._field_problem import FieldProblem
from ._interfaces import Contact
from ._region_field import of_region
from ._values import as_function


def interface_rows(problem: FieldProblem, form: Any, contact: Contact) -> Any:
    """Returns the function of a network and (point, normal) with what the values or the fluxes lack of a condition."""
    equation: Any = problem.equation
    a, b = contact.meeting.first, contact.meeting.second
    count = len(contact.conditions)
    jumps = [as_function(c.flux_jump if contact.flux else c.jump) for c in contact.conditions]
    signs = [-1.0 if swapped and not contact.flux else 1.0 for swapped in contact.swapped]
    resisting = any(callable(c.resistance) or c.resistance != 0 for c in contact.conditions)
    resistances = [as_function(c.resistance) for c in contact.conditions]

    def rows(network: Any, item: tuple[Array, Array]) -> Float[Array, " k"]:
        x, normal = item
        field = form(network)
        one, other = of_region(field, a), of_region(field, b)
        wanted = jnp.stack([sign * jump(x) for sign, jump in zip(signs, jumps, strict=True)])
        if contact.flux:
            left, entered = (equation.equations[i].flux(u, x, normal) for i, u in ((a, one), (b, other)))
            return left - entered - wanted
        gap = (jnp.atleast_1d(one(x)) - jnp.atleast_1d(other(x)))[:count] - wanted
        if not resisting:
            return gap
        flow = -jnp.asarray(contact.ways, x.dtype) * equation.equations[a].flux(one, x, normal)
        return gap - jnp.stack([resistance(x) for resistance in resistances]) * flow

    return rows
