"""Predictions and their deviations, frame by frame, on the host in float64."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Float64

from ...core import InputError
from .._batch import Batch
from .._batches import batches
from .._frame import Frame
from .._predict import Prediction
from .._training._interaction import real_type

_SHAPES = 3  # a program of a potential takes long to compile


class Directions(NamedTuple):
    """How the predictions for a frame change along each direction of a posterior, or from member to member.

    Args:
        energy: eV/atom.
        forces: eV/Å.
    """

    energy: Float64[np.ndarray, " directions"]
    forces: Float64[np.ndarray, "directions atoms 3"]

    @property
    def deviation(self) -> float:
        """The root mean square of the standard deviations of the frame's forces, eV/Å."""
        return float(np.sqrt(np.sum(self.forces**2, axis=0).mean()))


def directions(model: Any, frames: Sequence[Frame], batch: int) -> Iterator[Directions]:
    """The directions of each frame, in their order.

    Raises:
        InputError: Something is not finite.
    """
    stream = batches(
        frames, model.cutoff, min(batch, len(frames)), seed=None, shapes=_SHAPES, dtype=real_type(model)
    )
    for step in range(stream.steps):
        chosen = stream.indices(0, step)
        said = _said(model, stream.at(0, step))
        assert said.forces is not None
        energy, forces = np.asarray(said.energy, np.float64), np.asarray(said.forces, np.float64)
        at = 0
        for row, place in enumerate(chosen):
            count = len(frames[place].numbers)
            one = Directions(energy[:, row] / count, forces[:, at : at + count])
            at += count
            if not (np.all(np.isfinite(one.energy)) and np.all(np.isfinite(one.forces))):
                hint = "See whether atoms lie on top of each other, or the model is damaged"
                raise InputError(
                    "frames", f"frame {place}", "its energy or forces change by what is not finite", hint
                )
            yield one


@eqx.filter_jit
def _said(model: Any, batch: Batch) -> Prediction:
    return model.directions(batch)
