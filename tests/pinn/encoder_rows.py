"""The encoders of `geoembed.pinn` in the table of tests/test_conformance.py."""

import functools

import numpy as np

from geoembed import pinn, sdf
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


ROWS = [
    Encoder("pinn.SplineField", lambda: solved().field, field_examples, field_feared),
    Encoder("pinn.Result.value", lambda: solved().value, field_examples, field_feared),
]
