"""The encoders of `geoembed.pinn` in the table of tests/test_conformance.py."""

import functools

import jax
import numpy as np

from geoembed import core, pinn, sdf
from geoembed.pinn._rows import form_of
from geoembed.pinn._values import Between, Constant
from tests.encoder_row import KEY, Encoder
from tests.sdf.encoder_rows import box


@functools.cache
def solved() -> pinn.Result:
    """A temperature in the box: one end held, the other convecting."""
    ends = {"left": sdf.facing((-1, 0, 0)), "right": sdf.facing((1, 0, 0))}
    conditions = [pinn.Temperature("left", 400.0), pinn.Convection("right", 2e3, 300.0)]
    problem = pinn.Problem(box(), pinn.SteadyHeat(2.0), conditions, ends)
    return pinn.solve(problem, key=KEY, tolerance=0.0, cells=200, first_cells=200)


def field_examples() -> list[np.ndarray]:
    points = np.random.default_rng(0).uniform(0.02, 0.98, size=(40, 3)) * np.array([[2.0, 3.0, 4.0]])
    field = solved().field
    cell = (points - field.origin[None]) / field.spacing
    return list(points[np.abs(cell - np.rint(cell)).min(axis=1) > 0.01])  # off the planes: C¹, not C²


def field_feared() -> list[np.ndarray]:
    """Corners and faces of the box, and the corner of a cell."""
    field = solved().field
    node = field.origin + field.spacing * np.ceil((np.array([1, 1.5, 2]) - field.origin) / field.spacing)
    return [np.array(point, float) for point in ([0, 0, 0], [2, 3, 4], [2, 1.5, 2], [0, 3, 1], node)]


@functools.cache
def network_field() -> pinn.NetworkField:
    """Temperatures of a rod in time, given at both ends and at the first moment."""
    start = Between(-1.0, 1.0, Constant(1.0), Constant(2.0))
    conditions = [pinn.Initial(start), pinn.Dirichlet("left", 1.0), pinn.Dirichlet("right", 2.0)]
    equation = pinn.HeatEquation(1.0, capacity=1.0)
    problem = pinn.Problem(pinn.Interval(-1.0, 1.0), equation, conditions, time=(0.0, 2.0)).in_fields
    network = core.MLP(problem.coordinates.size, 1, 6, 1, activation="tanh", key=KEY)
    network = jax.tree.map(np.asarray, network)  # as `solve` returns it
    return pinn.NetworkField(network, problem.coordinates, (problem.shaping(0),), True)


def network_field_examples() -> list[np.ndarray]:
    return list(np.random.default_rng(0).uniform((-0.95, 0.05), (0.95, 1.95), (40, 2)))


def network_field_feared() -> list[np.ndarray]:
    """The ends, the first moment, and both."""
    return [np.array(place, float) for place in ([-1, 0.5], [1, 0.5], [0.3, 0], [-1, 0], [1, 2])]


@functools.cache
def region_field() -> pinn.RegionField:
    """Temperatures of a wall of two layers."""
    layers = pinn.Materials(
        {"brick": pinn.Interval(-1.0, 0.2)}, {"brick": pinn.HeatEquation(1.0), "rest": pinn.HeatEquation(0.1)}
    )
    conditions = [pinn.Dirichlet("left", 1.0), pinn.Dirichlet("right", 2.0)]
    problem = pinn.Problem(pinn.Interval(-1.0, 1.0), layers, conditions).in_fields
    network = core.MLP(problem.coordinates.size, 2, 6, 1, activation="tanh", key=KEY)
    network = jax.tree.map(np.asarray, network)
    return form_of(problem, problem.shapings, problem.coordinates)(network)


def region_field_examples() -> list[np.ndarray]:
    """Points of both layers, off their interface."""
    points = np.random.default_rng(0).uniform(-0.95, 0.95, (40, 1))
    return list(points[np.abs(points[:, 0] - 0.2) > 0.02])


ROWS = [
    Encoder("pinn.SplineField", lambda: solved().field, field_examples, field_feared),
    Encoder("pinn.NetworkField", network_field, network_field_examples, network_field_feared, slow_card=True),
    Encoder(
        "pinn.RegionField",
        region_field,
        region_field_examples,
        lambda: [np.array([-1.0]), np.array([1.0])],
        slow=True,
    ),
    Encoder("pinn.Result.value", lambda: solved().value, field_examples, field_feared, slow=True),
]
