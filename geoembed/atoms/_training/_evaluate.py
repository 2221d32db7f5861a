"""What a potential says about labelled structures, and how far that is from the labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Float64

from ...core import InputError
from .._batch import Batch
from .._buckets import Buckets
from .._elements import SYMBOLS
from .._frame import Frame
from .._predict import Prediction, predict
from ._deviation import Deviation, Errors, deviation
from ._interaction import Interaction, check_elements, precision, real_type, reduced
from ._loader import Loader
from ._steps import AXIS, everywhere, mesh_of

_OTHERS = "others"
_BATCH = 16


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A potential beside labels.

    Args:
        errors: Over all structures.
        by_element: Errors of the forces on the atoms of each element, eV/Å.
        by_group: Errors over the structures of each group.
        energy: Label and prediction for each structure, eV/atom, without the energies of the isolated atoms where the
            potential has them; a label is NaN where it is not known.
        forces: The same for each component of the forces, eV/Å.
        stress: The same for each component of the stresses, eV/Å³.
    """

    errors: Errors
    by_element: dict[str, Deviation]
    by_group: dict[str, Errors]
    energy: Float64[np.ndarray, "structures 2"]
    forces: Float64[np.ndarray, "components 2"]
    stress: Float64[np.ndarray, "entries 2"]

    def to_dict(self) -> dict[str, Any]:
        """The errors as what JSON can hold."""
        elements = {name: vars(found) for name, found in self.by_element.items()}
        groups = {name: found.to_dict() for name, found in self.by_group.items()}
        return {**self.errors.to_dict(), "forces_by_element": elements, "groups": groups}


class Evaluator:
    """Structures that a potential is compared with again and again; their batches are made once.

    Args:
        potential: A potential like those that will be judged.
        frames: The labelled structures.
        batch: Structures in a batch.
        devices: How many devices share a batch.
        group: The value of the comment line that says to which group a structure belongs.
        buckets: The shapes of the batches; None chooses them.
    """

    def __init__(
        self,
        potential: Any,
        frames: Sequence[Frame],
        batch: int,
        devices: int,
        group: str,
        buckets: Buckets | None = None,
    ):
        self.frames, self.group = reduced(potential, frames), group
        self.loader = Loader(
            self.frames, float(potential.cutoff), batch, devices, real_type(potential), buckets
        )
        self.order, self.mesh = np.arange(len(frames)), mesh_of(devices)
        self.batches = [self.loader.batch(self.order, number) for number in range(self.loader.count)]
        self.forces = any(frame.forces is not None for frame in frames)
        self.stress = any(frame.stress is not None for frame in frames)

    def __call__(self, potential: Any) -> Evaluation:
        """Judges a potential."""
        energy = np.full((len(self.frames), 2), np.nan)
        forces: list[np.ndarray] = [np.zeros((0, 2))] * len(self.frames)
        stress = np.full((len(self.frames), 9, 2), np.nan)
        moving = everywhere(Interaction(potential), self.mesh)
        found = [_predicted(moving, batch, self.forces, self.stress, self.mesh) for batch in self.batches]
        for number, said in enumerate(found):
            for device, members in enumerate(self.loader.members(self.order, number)):
                own = jax.tree.map(lambda leaf, at=device: np.asarray(leaf, np.float64)[at], said)
                at = 0
                for row, place in enumerate(members):
                    frame = self.frames[place]
                    atoms = slice(at, at := at + len(frame.numbers))
                    label = np.nan if frame.energy is None else frame.energy / len(frame.numbers)
                    energy[place] = label, own.atom_energies[atoms].sum() / len(frame.numbers)
                    if own.forces is not None:
                        forces[place] = _pairs(frame.forces, own.forces[atoms])
                    if own.stress is not None:
                        stress[place] = _pairs(frame.stress, own.stress[row])
        return self._judged(energy, forces, stress)

    def _judged(self, energy: np.ndarray, forces: list[np.ndarray], stress: np.ndarray) -> Evaluation:
        groups: dict[str, list[int]] = {}
        for place, frame in enumerate(self.frames):
            groups.setdefault(str(frame.info.get(self.group, _OTHERS)), []).append(place)

        def errors(places: Sequence[int]) -> Errors:
            some = np.concatenate([forces[place] for place in places])
            return Errors(
                deviation(energy[places]), deviation(some), deviation(stress[places].reshape(-1, 2))
            )

        by_group = {name: errors(groups[name]) for name in sorted(groups)}
        return Evaluation(
            errors(self.order.tolist()),
            self._by_element(forces),
            by_group if set(by_group) != {_OTHERS} else {},
            energy,
            np.concatenate(forces),
            stress.reshape(-1, 2),
        )

    def _by_element(self, forces: list[np.ndarray]) -> dict[str, Deviation]:
        if not self.forces:
            return {}
        numbers = np.concatenate([np.repeat(frame.numbers, 3) for frame in self.frames])
        pairs = np.concatenate(forces)
        return {SYMBOLS[number - 1]: deviation(pairs[numbers == number]) for number in np.unique(numbers)}


def evaluate(
    potential: Any,
    frames: Sequence[Frame],
    *,
    batch: int = _BATCH,
    devices: int = 1,
    group: str = "config_type",
) -> Evaluation:
    """Compares a potential with the labels of structures.

    Sums over atoms and all errors are float64, whatever the potential computes in.

    Args:
        potential: A `Potential`.
        frames: The structures; labels that are missing do not count.
        batch: Structures in a batch, over all devices together.
        devices: How many devices share a batch.
        group: The value of the comment line that says to which group a structure belongs.

    Returns:
        The errors: over all structures, of the forces by element, and by group.

    Raises:
        InputError: There are no structures or no labels, or the potential does not know an element.

    Example:
        >>> import equinox as eqx, jax.numpy as jnp, numpy as np
        >>> class Free(eqx.Module):
        ...     cutoff: float = 3.0
        ...     def __call__(self, batch):
        ...         return 0.0 * batch.positions[:, 0]
        >>> frame = Frame(np.array([18]), np.zeros((1, 3)), None, np.zeros(3, bool), energy=-0.5)
        >>> evaluate(Free(), [frame]).errors.energy.mae
        0.5
    """
    check_labels(frames, "frames")
    check_elements(potential, frames, "frames")
    with precision(potential):
        return Evaluator(potential, frames, min(batch, max(len(frames), devices)), devices, group)(potential)


def check_labels(frames: Sequence[Frame], name: str) -> None:
    """Raises InputError when there are no structures, or nothing is known about them."""
    if not frames:
        raise InputError(name, "", "there are no structures", "Give at least one")
    if all(f.energy is None and f.forces is None and f.stress is None for f in frames):
        reason = "no structure has an energy, forces or a stress"
        raise InputError(name, "", reason, "See under which names the file has them: geoembed inspect")


def _pairs(label: np.ndarray | None, found: np.ndarray) -> np.ndarray:
    known = np.full(found.shape, np.nan) if label is None else label
    return np.stack([known.ravel(), found.ravel()], axis=1)


@eqx.filter_jit
def _predicted(potential: Any, batch: Batch, forces: bool, stress: bool, mesh: Mesh) -> Prediction:
    """The predictions of a batch, with an axis for the devices in front."""
    arrays, static = eqx.partition(potential, eqx.is_array)

    def of_device(arrays: Any, batch: Batch) -> Prediction:
        own = jax.tree.map(lambda leaf: leaf[0], batch)
        said = predict(eqx.combine(arrays, static), own, forces=forces, stress=stress)
        return jax.tree.map(lambda leaf: leaf[None], said)

    parted = PartitionSpec(AXIS)
    return jax.shard_map(
        of_device, mesh=mesh, in_specs=(PartitionSpec(), parted), out_specs=parted, check_vma=False
    )(arrays, batch)
