"""Material numbers of a solid that may depend on the point: a conductivity, also as a tensor, and a heat capacity."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

from ...core import InputError
from ...sdf import evaluate

_SYMMETRIC = 1e-6  # largest difference of K and its transpose, over its largest entry
_UNITS = {"conductivity": "W/(m K)", "capacity": "J/(m³ K)"}

Tensor = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]


def solid_tensor(value: Any) -> Tensor:
    """Returns a constant conductivity tensor as nested tuples.

    Args:
        value: 3 × 3 numbers, W/(m K).

    Raises:
        InputError: They are no symmetric positive definite matrix.
    """
    try:
        tensor = np.asarray(value, np.float64)
    except (TypeError, ValueError) as error:
        raise _wrong("conductivity", f"{value!r} is no number and no matrix") from error
    if tensor.shape != (3, 3):
        raise _wrong(
            "conductivity", f"an array of shape {tensor.shape} is no matrix of three rows and columns"
        )
    _check_tensors(tensor[None], None)
    x, y, z = (tuple(row) for row in ((tensor + tensor.T) / 2).tolist())
    return x, y, z


def solid_values(
    name: str, function: Callable[[Any], Any], points: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, "n *ij"]:
    """Evaluates a number of the solid that is a function of one point.

    Args:
        name: "conductivity" or "capacity".
        function: Maps a point, in the part's unit, to a positive number; a conductivity also to a symmetric positive
            definite 3 × 3 matrix.
        points: Points.

    Returns:
        Numbers, shape [n], or matrices, shape [n, 3, 3].

    Raises:
        InputError: The function returns anything else at one of the points.
    """
    found = np.asarray(evaluate(function, points), np.float64)
    tensors = name == "conductivity" and found.shape[1:] == (3, 3)
    if found.shape[1:] != () and not tensors:
        kinds = "a number or a matrix of three rows and columns" if name == "conductivity" else "a number"
        hint = f"Return {kinds} at a point of three coordinates"
        if name == "conductivity":
            hint += "; a function of the temperature is ConductivityTable.of(function, lowest, highest)"
        reason = f"is a function that returns shape {found.shape[1:]} at one point"
        raise InputError("equation", name, reason, hint)
    if tensors:
        _check_tensors(found, points)
    else:
        _refuse(name, ~(np.isfinite(found) & (found > 0)), found, points, "not a positive number")
    return found


def conducted(
    conductivity: Float[np.ndarray, "n *ij"], gradient: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, "n 3"]:
    """Returns K ∇T at points, for numbers or matrices K."""
    if conductivity.ndim == 1:
        return conductivity[:, None] * gradient
    return np.einsum("nij,nj->ni", conductivity, gradient)


def level_of(conductivity: Float[np.ndarray, "n *ij"]) -> Float[np.ndarray, " n"]:
    """Returns the mean of the three principal conductivities."""
    return conductivity if conductivity.ndim == 1 else np.trace(conductivity, axis1=1, axis2=2) / 3


def highest_of(conductivity: Float[np.ndarray, "n *ij"]) -> Float[np.ndarray, " n"]:
    """Returns the largest of the three principal conductivities."""
    return conductivity if conductivity.ndim == 1 else np.linalg.eigvalsh(conductivity)[:, -1]


def _check_tensors(tensors: Float[np.ndarray, "n 3 3"], points: Float[np.ndarray, "n 3"] | None) -> None:
    size = np.abs(tensors).max(axis=(1, 2))
    _refuse("conductivity", ~np.isfinite(size), tensors, points, "not finite")
    skew = np.abs(tensors - tensors.transpose(0, 2, 1)).max(axis=(1, 2))
    _refuse("conductivity", skew > _SYMMETRIC * size, tensors, points, "not symmetric")
    # Sylvester: a symmetric matrix is positive definite if its three leading minors are positive.
    first, second = tensors[:, 0, 0], np.linalg.det(tensors[:, :2, :2])
    positive = (first > 0) & (second > 0) & (np.linalg.det(tensors) > 0)
    _refuse("conductivity", ~positive, tensors, points, "not positive definite")


def _refuse(name: str, wrong: np.ndarray, values: np.ndarray, points: np.ndarray | None, reason: str) -> None:
    if not wrong.any():
        return
    row = int(np.argmax(wrong))
    where = "" if points is None else f" at ({', '.join(f'{x:.6g}' for x in points[row])})"
    raise _wrong(name, f"{values[row].tolist()}{where} is {reason}")


def _wrong(name: str, reason: str) -> InputError:
    shape = " or a symmetric positive definite matrix" if name == "conductivity" else ""
    return InputError("equation", name, reason, f"Give a positive number{shape} in {_UNITS[name]}")
