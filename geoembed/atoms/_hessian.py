"""Second derivatives of the energy in the positions: exact, forward over reverse."""

import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ._batch import Batch


def hessian_product(
    potential: Any, batch: Batch, direction: Float[Array, "atoms 3"]
) -> Float[Array, "atoms 3"]:
    """H·v with the second derivatives H = ∂²E/∂x∂x of the energy and a direction v. Exact; costs two to three forces.

    −H·v is how fast the forces change while the atoms move along v. H itself is never formed.

    Args:
        potential: A `Potential`.
        batch: The structures; H has no entries between two of them.
        direction: v, Å (or any unit).

    Returns:
        H·v in eV/Å² times the unit of v; 0 for padding.

    Example:
        >>> class Springs(eqx.Module):
        ...     cutoff: float = 3.0
        ...
        ...     def __call__(self, batch):
        ...         r = jnp.linalg.norm(batch.to_centre(), axis=-1)
        ...         return 2.0 * jnp.sum(batch.neighbours.mask * (r - 1.0) ** 2, axis=1)  # 8 eV/Å²
        >>> from geoembed.atoms import Frame, pack
        >>> places = np.array([[0.0, 0, 0], [1, 0, 0]])
        >>> batch = pack([Frame(np.array([1, 1]), places, None, np.zeros(3, bool))], 3.0)
        >>> eqx.filter_jit(hessian_product)(Springs(), batch, jax.device_put(np.float32(places)))[:, 0]
        Array([-8.,  8.], dtype=float32)
    """
    return _product(potential, batch)(direction)


def hessian(
    potential: Any, batch: Batch, *, atoms: Int[np.ndarray, " some"] | None = None, chunk: int = 16
) -> Float[Array, "some 3 atoms 3"]:
    """The second derivatives of the energy, H[a, i, b, j] = ∂²E/∂x_ai ∂x_bj. Exact.

    One derivative of the forces for each row, `chunk` of them at a time: O(rows) forces in time, O(chunk) forces and
    the result in memory.

    Args:
        potential: A `Potential`.
        batch: The structures; entries between two of them are 0.
        atoms: Which atoms' rows are wanted; None for all.
        chunk: How many rows are computed side by side.

    Returns:
        eV/Å²; 0 for padding.

    Raises:
        ValueError: `chunk` is not positive.
    """
    if chunk < 1:
        raise ValueError(f"chunk={chunk} is not positive; give how many rows are computed side by side")
    count = batch.positions.shape[0]
    wanted = np.arange(count) if atoms is None else atoms
    product = _product(potential, batch)

    def row(place: Int[Array, ""]) -> Float[Array, "atoms 3"]:
        return product(jnp.zeros(3 * count, batch.positions.dtype).at[place].set(1.0).reshape(count, 3))

    places = (3 * np.asarray(wanted)[:, None] + np.arange(3)[None]).ravel()
    return in_chunks(row, places, chunk).reshape(-1, 3, count, 3)


def in_chunks(row: Callable[[Array], Any], places: np.ndarray, chunk: int) -> Any:
    """The results of a function for all numbers, `chunk` side by side; it is compiled once."""
    rounds = max(math.ceil(len(places) / chunk), 1)
    size = math.ceil(len(places) / rounds)
    table = np.resize(places.astype(np.int32), rounds * size).reshape(rounds, size)
    if rounds == 1:
        return jax.vmap(row)(jax.device_put(table[0]))
    rows = jax.lax.map(jax.vmap(row), jax.device_put(table))
    return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:])[: len(places)], rows)


def _product(potential: Any, batch: Batch) -> Callable[[Array], Array]:
    """v ↦ H·v, with the forces linearised once."""
    slope = jax.grad(total_energy(potential, batch))
    return jax.linearize(slope, batch.positions)[1]


def total_energy(potential: Any, batch: Batch) -> Callable[..., Float[Array, ""]]:
    """Positions, and strains of the structures if given, ↦ the energy of all structures; has forward derivatives."""
    plain = eqx.tree_at(lambda b: b.neighbours.reverse, batch, None, is_leaf=lambda x: x is None)

    def total(positions: Array, strain: Array | None = None) -> Array:
        moved = eqx.tree_at(lambda b: b.positions, plain, positions)
        energies = potential(moved if strain is None else moved.strained(strain))
        return jnp.sum(jnp.where(batch.atom_mask, energies, 0.0))

    return total
