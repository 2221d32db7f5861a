"""Energies of isolated atoms that suit the labels of other structures."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Bool, Float64, Int64

from ...core import InputError
from .._elements import SYMBOLS
from .._frame import Frame
from .._heads import HeadsPotential
from .._statistics import is_isolated, nearest_solution
from .._training._evaluate import evaluate
from .._training._interaction import precision

_BATCH = 16


class EnergyChange(NamedTuple):
    """What `refit_energies` did to the energies of isolated atoms; host values in float64.

    Args:
        numbers: The atomic numbers whose energies were asked for, ascending.
        before: eV.
        after: eV.
        determined: Whether known energies or the compositions fix it; otherwise it is only the one of many that fit
            which is nearest to `before`.
        source: For each "given", "isolated atom" or "least squares".
    """

    numbers: Int64[np.ndarray, " elements"]
    before: Float64[np.ndarray, " elements"]
    after: Float64[np.ndarray, " elements"]
    determined: Bool[np.ndarray, " elements"]
    source: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """By symbol, as what JSON can hold."""
        rows = zip(
            self.numbers.tolist(), self.before.tolist(), self.after.tolist(), self.determined.tolist(), self.source,
            strict=True,
        )  # fmt: skip
        return {
            SYMBOLS[z - 1]: {"before": b, "after": a, "determined": d, "source": s} for z, b, a, d, s in rows
        }


def refit_energies(
    potential: Any,
    frames: Sequence[Frame],
    *,
    elements: Sequence[int] | None = None,
    known: Mapping[int, float] | None = None,
    batch: int = _BATCH,
) -> tuple[Any, EnergyChange]:
    """Moves the energies E0 of isolated atoms so that a potential suits the energies of structures.

    With E* the labels, I the interaction energies that the potential computes now, and N the number of atoms of each
    element in a structure, the sum over the structures of ((E* − I − N·E0)/Σ N)² becomes least. Where the compositions
    leave a freedom, E0 is the solution nearest to what it was. Structures of one atom without periodic directions are
    isolated atoms: their energies are E0 exactly. Labels of another method of computation differ by such energies
    first of all, and no training of forces can mend that.

    Args:
        potential: A `MacePotential`, or a `HeadsPotential`, of which the first head is changed.
        frames: Structures; those without an energy do not count.
        elements: Atomic numbers of those whose energies may change; None: all that occur in the structures.
        known: Energies of isolated atoms by atomic number, eV; taken as they are.
        batch: Structures in a batch.

    Returns:
        The potential with the new energies, and what has changed. Nothing else of it changes.

    Raises:
        InputError: The potential has no table of energies or does not know an element, or no structure with an energy
            contains an element whose energy is looked for.
    """
    known = {} if known is None else dict(known)
    at = _owner(potential)
    usable = [replace(frame, forces=None, stress=None) for frame in frames if frame.energy is not None]
    there = {int(number) for frame in usable for number in np.unique(frame.numbers)}
    wanted = sorted((there if elements is None else set(elements)) | set(known))
    table = dict(zip(at.numbers.tolist(), np.asarray(at.energies, np.float64).tolist(), strict=True))
    _check(wanted, table, there, known)
    alone = {int(frame.numbers[0]): float(frame.energy or 0.0) for frame in usable if is_isolated(frame)}
    fixed = {z: e - table[z] for z, e in (alone | known).items() if z in wanted}
    bulk = [frame for frame in usable if not is_isolated(frame)]
    shares = np.array([[np.mean(frame.numbers == z) for z in wanted] for frame in bulk], np.float64)
    shares = shares.reshape(len(bulk), len(wanted))
    left = _left_over(potential, bulk, batch)
    before = np.array([table[z] for z in wanted], np.float64)
    change, determined = nearest_solution(shares, left, np.array(wanted), fixed, dict.fromkeys(wanted, 0.0))
    changed = _with_energies(potential, dict(zip(wanted, (before + change).tolist(), strict=True)))
    stored = dict(
        zip(at.numbers.tolist(), np.asarray(_owner(changed).energies, np.float64).tolist(), strict=True)
    )
    source = ["given" if z in known else "isolated atom" if z in alone else "least squares" for z in wanted]
    after = np.array([stored[z] for z in wanted], np.float64)
    return changed, EnergyChange(np.array(wanted, np.int64), before, after, determined, tuple(source))


def _owner(potential: Any) -> Any:
    """The potential that holds the table of energies."""
    at = potential.potential if isinstance(potential, HeadsPotential) else potential
    if not (hasattr(at, "energies") and hasattr(at, "numbers")):
        reason = f"{type(at).__name__} has no table of the energies of isolated atoms"
        raise InputError("the potential", "energies", reason, 'Leave them as they are: energies = "keep"')
    return at


def _check(wanted: list[int], table: dict[int, float], there: set[int], known: Mapping[int, float]) -> None:
    for z in wanted:
        name = SYMBOLS[z - 1]
        if z not in table:
            reason = f"the potential does not know the element {name}"
            raise InputError("energies", name, reason, "Add the element first")
        if not np.isfinite(known.get(z, 0.0)):
            raise InputError("energies", name, f"{known[z]} is not a number", "Give the energy in eV")
        if z not in known and z not in there:
            reason = f"nothing says E0, the energy of an isolated atom of {name}: it is in no structure with an energy"
            raise InputError("energies", name, reason, f"Give e0 of {name}, or structures with energies")


def _left_over(potential: Any, frames: list[Frame], batch: int) -> Float64[np.ndarray, " frames"]:
    """What the potential leaves of the energy of an atom of each frame, eV."""
    if not frames:
        return np.zeros(0)
    label, said = evaluate(potential, frames, batch=batch).energy.T
    return label - said


def _with_energies(potential: Any, energies: Mapping[int, float]) -> Any:
    """The potential with other energies of some elements."""
    at = _owner(potential)
    rows = np.array(at.energies)
    for z, energy in energies.items():
        rows[at.numbers.tolist().index(z)] = energy
    with precision(potential):
        put = jax.device_put(rows)
    if isinstance(potential, HeadsPotential):
        return eqx.tree_at(lambda p: p.potential.energies, potential, put)
    return eqx.tree_at(lambda p: p.energies, potential, put)
