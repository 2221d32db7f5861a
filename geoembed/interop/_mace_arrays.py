"""The arrays of a model of mace-torch, by their meaning."""

import math
from typing import Any

import numpy as np

from ..core import InputError

_REST = ("output_mask", "_zeroed", "num_interactions", "r_max")


def refusal(
    where: str, reason: str, hint: str = "Only what geoembed computes exactly is converted"
) -> InputError:
    """The error for a model that cannot be converted."""
    return InputError("mace-torch model", where, reason, hint)


class State:
    """The arrays of a model; what is not taken in the end is a feature that nobody has thought of."""

    def __init__(self, model: Any):
        self.left = {name: value.detach().cpu().numpy() for name, value in model.state_dict().items()}

    def take(self, name: str) -> np.ndarray:
        """Takes one array out."""
        if name not in self.left:
            raise refusal(
                name, "the model has no such array", "Load it with the version of mace-torch that made it"
            )
        return self.left.pop(name)

    def finish(self) -> None:
        """Refuses the model if something is left."""
        for name, value in self.left.items():
            if value.size and "_compiled_main" not in name and not name.endswith(_REST):
                raise refusal(name, "this array belongs to a feature that is not known")


def linear(module: Any, stem: str, state: State) -> dict[int, np.ndarray]:
    """The matrices of a linear map [inputs, outputs] by degree; blocks of the same degree one below the other."""
    flat, start = state.take(f"{stem}.weight"), 0
    found: dict[int, list[np.ndarray]] = {}
    weights: dict[int, float] = {}
    for step in module.instructions:
        rows, columns = step.path_shape
        degree = module.irreps_out[step.i_out].ir.l
        found.setdefault(degree, []).append(flat[start : start + rows * columns].reshape(rows, columns))
        weights[degree] = float(step.path_weight)
        start += rows * columns
    joined = {degree: np.concatenate(parts) for degree, parts in found.items()}
    for degree, matrix in joined.items():
        if not near(weights[degree], len(matrix) ** -0.5):
            raise refusal(stem, "this map is normalised in another way")
    return joined


def skip(module: Any, stem: str, state: State) -> dict[int, np.ndarray]:
    """The weights [inputs, elements, outputs] of a skip connection by degree."""
    flat, start, found = state.take(f"{stem}.weight"), 0, {}
    for step in module.instructions:
        degree, size = module.irreps_out[step.i_out].ir.l, math.prod(step.path_shape)
        expected = math.sqrt((2 * degree + 1) / (step.path_shape[0] * step.path_shape[1]))
        if degree in found or step.connection_mode != "uvw" or not near(step.path_weight, expected):
            raise refusal(stem, "this skip connection is normalised in another way")
        found[degree] = flat[start : start + size].reshape(step.path_shape)
        start += size
    return found


def near(value: float, expected: float) -> bool:
    """Whether two factors are equal up to single precision."""
    return abs(float(value) - expected) <= 1e-5 * expected
