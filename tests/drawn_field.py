"""A field that nobody solved for, which tests of pictures and files share."""

from collections.abc import Callable
from typing import Any

from geoembed.pinn import NetworkField, Problem, Result


def drawn(problem: Problem, network: Callable[[Any], Any], status: str = "converged") -> Result:
    """A result whose network is a function of the coordinates, scaled to [-1, 1]. It has no hard conditions."""
    own = problem.in_fields
    shapings = tuple(own.shaping(number) for number in range(len(problem.equation.fields)))
    return Result(
        field=NetworkField(network, own.coordinates, shapings, len(shapings) == 1),
        status=status,
        estimated_error=0.012,
        heat=(),
        energy_balance=None,
        iterations=5,
        seconds=1.0,
        history=(),
        held_out_residual=0.034,
    )
