"""What files for ParaView say of an elastic part."""

import numpy as np
from jaxtyping import Float

from ..pinn import Result
from ..sdf import evaluate


def elastic_points(result: Result, points: Float[np.ndarray, "n 3"]) -> dict[str, np.ndarray]:
    """Returns the displacement in m and the von Mises stress in Pa at points in the part's unit."""
    points = np.asarray(points, np.float64)
    return {"displacement": evaluate(result.value, points), "von_mises": evaluate(result.von_mises, points)}


def stress_of(result: Result, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 6"]:
    """Returns the stress at points in the part's unit, Pa, in VTK's order xx, yy, zz, xy, yz, xz."""
    stress = evaluate(result.stress, np.asarray(points, np.float64))
    return stress[:, [0, 1, 2, 0, 1, 0], [0, 1, 2, 1, 2, 2]]
