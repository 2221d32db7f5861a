"""Energy, forces and stress of a potential."""

from typing import Any, Protocol, runtime_checkable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ._batch import Batch


@runtime_checkable
class Potential(Protocol):
    """What gives every atom of a batch an energy in eV; smooth in positions and cells."""

    @property
    def cutoff(self) -> float:
        """Up to which distance it looks at neighbours, Å."""
        ...

    def __call__(self, batch: Batch) -> Float[Array, " atoms"]: ...


class Prediction(eqx.Module):
    """What a potential says about the structures of a batch; 0 for padding.

    Args:
        energy: eV.
        forces: eV/Å; None if not asked for.
        stress: eV/Å³, tension positive; None if not asked for, 0 for structures without a volume.
        atom_energies: eV.
    """

    energy: Float[Array, " structures"]
    forces: Float[Array, "atoms 3"] | None
    stress: Float[Array, "structures 3 3"] | None
    atom_energies: Float[Array, " atoms"]


def predict(potential: Any, batch: Batch, *, forces: bool = True, stress: bool = False) -> Prediction:
    """Energy E, forces −∂E/∂x and stress (∂E/∂ε)/V, in one reverse pass.

    Args:
        potential: A `Potential`.
        batch: The structures.
        forces: Whether forces are wanted.
        stress: Whether stress is wanted.

    Returns:
        The prediction. For derivatives of the forces, differentiate it.
    """
    strain = jnp.zeros_like(batch.cells)

    def total(positions: Array, strain: Array) -> tuple[Array, Array]:
        moved = eqx.tree_at(lambda b: b.positions, batch, positions)
        energies = jnp.where(batch.atom_mask, potential(moved.strained(strain) if stress else moved), 0.0)
        return jnp.sum(energies), energies

    if not (forces or stress):
        energies = total(batch.positions, strain)[1]
        return Prediction(batch.total(energies), None, None, energies)
    (by_position, by_strain), energies = jax.grad(total, argnums=(0, 1), has_aux=True)(
        batch.positions, strain
    )
    volume = jnp.abs(jnp.linalg.det(batch.cells))[:, None, None]
    sigma = jnp.where(volume > 0, by_strain / jnp.where(volume > 0, volume, 1.0), 0.0) if stress else None
    return Prediction(batch.total(energies), -by_position if forces else None, sigma, energies)
