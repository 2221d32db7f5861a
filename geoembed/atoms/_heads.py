"""One encoder with a set of readouts for each data set it was trained on."""

from typing import TypeAlias

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float, Float64, Int

from ..core import InputError, register
from ._batch import Batch
from ._mace import MacePotential
from ._readout import LinearReadout, NonlinearReadout

Readouts: TypeAlias = tuple[LinearReadout | NonlinearReadout | None, ...]


@register
class Head(eqx.Module):
    """What one data set has of its own.

    Args:
        readouts: One for each layer, or None.
        energies: Of free atoms, for each row of the encoder's element table, eV.
        scale: eV.
        shift: eV.
    """

    readouts: Readouts
    energies: Float[Array, " capacity"]
    scale: Float[Array, ""]
    shift: Float[Array, ""]


@register
class HeadsPotential(eqx.Module):
    """Several potentials that share their encoder; the first of them answers. A pytree, trained as a whole.

    Args:
        potential: The potential of the first head.
        others: The rest of the others.
        names: The names of all heads, in this order.
    """

    potential: MacePotential
    others: tuple[Head, ...]
    names: tuple[str, ...] = eqx.field(static=True)

    @property
    def cutoff(self) -> float:
        """Up to which distance it looks at neighbours, Å."""
        return self.potential.cutoff

    def __call__(self, batch: Batch) -> Float[Array, " atoms"]:
        """The energies of the atoms by the first head, eV; without meaning for padding."""
        return self.potential(batch)

    @property
    def numbers(self) -> Int[np.ndarray, " capacity"]:
        """The atomic numbers that it knows; 0 where a row of the table is free."""
        return self.potential.numbers

    def interaction(self, batch: Batch) -> Float[Array, " atoms"]:
        """The energies of the atoms without E₀, which float32 cannot hold beside the rest; eV."""
        return self.potential.interaction(batch)

    def isolated(self, numbers: Int[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
        """E₀ of atoms by their atomic numbers, on the host, eV."""
        return self.potential.isolated(numbers)

    def select(self, name: str) -> MacePotential:
        """The potential of one head.

        Args:
            name: Of the head.

        Raises:
            InputError: There is no such head.
        """
        if name not in self.names:
            hint = f"Choose one of {', '.join(self.names)}"
            raise InputError("the potential", name, "it has no such head", hint)
        number = self.names.index(name)
        if number == 0:
            return self.potential
        head = self.others[number - 1]
        return eqx.tree_at(
            lambda m: (m.readouts, m.energies, m.scale, m.shift),
            self.potential,
            (head.readouts, head.energies, head.scale, head.shift),
        )
