"""What the ladder of grids asks of heat conduction and of elasticity."""

from dataclasses import replace
from typing import Any

from jaxtyping import PRNGKeyArray

from ._elastic_grid import ElasticGrid, ElasticHeldOut, build_elastic_grid, hold_out_elastic
from ._field import SplineField
from ._forces import elastic_evidence
from ._grids import Grid, build_grid
from ._heat import energy_balance, heat_flows
from ._heldout import HeldOut, hold_out
from ._kirchhoff import kirchhoff
from ._problem import Problem

PartPoints = HeldOut | ElasticHeldOut
PartGrid = Grid | ElasticGrid


def part_points(problem: Problem, count: int, key: PRNGKeyArray) -> PartPoints:
    """Draws held-out points: so many inside and as many on the surface."""
    return (hold_out_elastic if problem.elastic else hold_out)(problem, count, key=key)


def part_grid(problem: Problem, points: PartPoints, cells: int, key: PRNGKeyArray) -> PartGrid:
    """Builds a grid of about so many cells."""
    if isinstance(points, ElasticHeldOut):
        return build_elastic_grid(problem, points, cells, key=key)
    return build_grid(problem, points, cells, key=key)


def part_field(problem: Problem, field: SplineField) -> SplineField:
    """The temperature or displacement of what was trained: `Kirchhoff` where k depends on T."""
    if problem.elastic or not problem.equation.varies:
        return field
    return replace(field, transform=kirchhoff(problem.equation, problem.scales.reference).map)


def part_evidence(problem: Problem, field: SplineField, points: PartPoints) -> dict[str, Any]:
    """What `Result` says about balances."""
    if isinstance(points, ElasticHeldOut):
        return elastic_evidence(problem, field, points)
    heat = heat_flows(problem, field, points)
    return {"heat": tuple(heat.items()), "energy_balance": energy_balance(heat)}
