"""Neighbours as a list of edges, beside the slots of each atom."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from ._batch import Batch
from ._neighbours import Neighbours, fill_slots


class Edges(eqx.Module):
    """One entry for each pair of near atoms, sorted by the receiver and padded at the end.

    Args:
        senders: The neighbour; 0 in empty entries.
        receivers: The atom; the number of atoms in empty entries, so that sums over the edges leave them out.
        shift: How many of each cell vector are added to the sender's position, whole numbers.
        mask: Which entries are no padding.
    """

    senders: Int[Array, " edges"]
    receivers: Int[Array, " edges"]
    shift: Float[Array, "edges 3"]
    mask: Bool[Array, " edges"]

    def to_receiver(self, batch: Batch) -> Float[Array, "edges 3"]:
        """The vectors from the senders to the receivers, Å; (1, 0, 0) in empty entries."""
        cells = batch.cells[batch.owner[self.receivers]]
        images = jnp.einsum("ei,eij->ej", self.shift, cells)
        vectors = batch.positions[self.receivers] - batch.positions[self.senders] - images
        return jnp.where(self.mask[:, None], vectors, jnp.zeros_like(vectors).at[:, 0].set(1.0))


def to_edges(neighbours: Neighbours, *, edges: int | None = None) -> Edges:
    """The taken slots one after the other; on the host, because their number is a shape.

    Args:
        neighbours: The slots of each atom.
        edges: The number of edges after padding; None adds none.

    Returns:
        The edges, sorted by the receiver.

    Raises:
        ValueError: `edges` is smaller than the number of taken slots.

    Example:
        >>> near = Neighbours(jnp.array([[1], [0], [2]]), jnp.zeros((3, 1, 3)), jnp.array([[True], [True], [False]]))
        >>> to_edges(near, edges=3).receivers
        Array([0, 1, 3], dtype=int32)
    """
    mask = np.asarray(neighbours.mask)
    receivers, slot = np.nonzero(mask)
    size = len(receivers) if edges is None else edges
    if size < len(receivers):
        raise ValueError(f"edges={edges} is too small: {len(receivers)} slots are taken")
    rest = size - len(receivers)
    senders = np.asarray(neighbours.index)[receivers, slot]
    shift = np.asarray(neighbours.shift)[receivers, slot]
    return Edges(
        jnp.asarray(np.pad(senders, (0, rest)), "int32"),
        jnp.asarray(np.pad(receivers, (0, rest), constant_values=len(mask)), "int32"),
        jnp.asarray(np.pad(shift, ((0, rest), (0, 0)))),
        jnp.asarray(np.arange(size) < len(receivers)),
    )


def to_slots(edges: Edges, atoms: int, slots: int) -> Neighbours:
    """The other way: every atom's edges in slots of its own; on the host.

    Args:
        edges: The edges.
        atoms: The number of atoms.
        slots: The number of slots of each atom.

    Returns:
        The slots.

    Raises:
        ValueError: An atom has more edges than slots.
    """
    taken = np.flatnonzero(np.asarray(edges.mask))
    receivers = np.asarray(edges.receivers)[taken]
    near = np.bincount(receivers, minlength=atoms)
    if near.max(initial=0) > slots:
        raise ValueError(f"slots={slots} is too small: an atom has {near.max()} edges")
    senders, shift = np.asarray(edges.senders)[taken], np.asarray(edges.shift)[taken]
    return fill_slots(receivers, senders, shift, atoms, slots, shift.dtype)
