"""Elastic constants from exact second derivatives of the energy."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64, Int

from ._batch import Batch
from ._hessian import in_chunks, total_energy

VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


def elastic_constants(
    potential: Any, batch: Batch, *, relaxed: bool = True, chunk: int = 16
) -> Float[Array, "structures 6 6"]:
    """C = (1/V) d²E/dε dε in Voigt's notation (xx yy zz yz xz xy, shears γ = 2ε). Exact.

    With `relaxed` the atoms follow the strain to where the forces vanish again: C = (E_εε − E_εx H⁻¹ E_xε)/V with the
    Hessian H on all displacements but translations. Otherwise they only follow the cell. These are the constants
    between stress and strain where the structure has no forces and no stress: relax positions and cell first.

    Args:
        potential: A `Potential`.
        batch: Periodic structures.
        relaxed: Whether the atoms relax; this needs the Hessian, O(atoms²) memory and O(atoms³) time.
        chunk: How many rows of the Hessian are computed side by side.

    Returns:
        eV/Å³ (160.2 GPa); 0 for structures without a volume.

    Raises:
        ValueError: `chunk` is not positive.

    References:
        Wallace, Thermodynamics of Crystals (1972), ch. 2 and 3. Internal strain: Wu, Vanderbilt, Hamann, Phys. Rev. B
        72, 035105 (2005), eq. 7 and 15.
    """
    if chunk < 1:
        raise ValueError(
            f"chunk={chunk} is not positive; give how many derivatives are computed side by side"
        )
    size, still = batch.positions.size if relaxed else 0, jnp.zeros_like(batch.cells)
    slopes = jax.grad(total_energy(potential, batch), argnums=(0, 1))
    change = jax.linearize(slopes, batch.positions, still)[1]
    units = jnp.asarray(_units(), still.dtype)

    def row(place: Int[Array, ""]) -> tuple[Array, Array]:
        """How the slopes change with one coordinate of an atom or, behind these, one component of the strain."""
        move = jnp.zeros(batch.positions.size, still.dtype).at[place].set(jnp.where(place < size, 1.0, 0.0))
        strain = jnp.where(place < size, 0.0, units[jnp.maximum(place - size, 0)])
        return change(move.reshape(batch.positions.shape), jnp.broadcast_to(strain[None], still.shape))

    by_position, by_strain = in_chunks(row, np.arange(size + 6), chunk)
    stiffness = jnp.einsum("isab,jab->sij", by_strain[size:], units)
    if relaxed:
        mixed = by_position[size:]
        moves = _relaxation(by_position[:size], mixed, batch)
        stiffness = stiffness + batch.total(jnp.einsum("iak,jak->aij", mixed, moves))
    volume = jnp.abs(jnp.linalg.det(batch.cells))[:, None, None]
    return jnp.where(volume > 0, stiffness / jnp.where(volume > 0, volume, 1.0), 0.0)


def _units() -> Float64[np.ndarray, "6 3 3"]:
    """The symmetric strains that are 1 in one of Voigt's components."""
    units = np.zeros((6, 3, 3))
    for k, (i, j) in enumerate(VOIGT):
        units[k, i, j] += 0.5
        units[k, j, i] += 0.5
    return units


def _relaxation(
    matrix: Float[Array, "coordinates atoms 3"], slopes: Float[Array, "strains atoms 3"], batch: Batch
) -> Float[Array, "strains atoms 3"]:
    """How far the atoms move for each strain: −H⁻¹ times the slopes, without a move of the whole structure."""
    size = slopes.shape[1] * 3
    member = jax.nn.one_hot(batch.owner, batch.cells.shape[0], dtype=slopes.dtype)
    member = member / jnp.sqrt(jnp.maximum(batch.counts, 1).astype(slopes.dtype))[None]
    together = jnp.kron(member @ member.T, jnp.eye(3, dtype=slopes.dtype))
    scale = 1.0 + jnp.max(jnp.abs(matrix))  # of the matrix, which is 0 where each cell has one atom
    padding = jnp.repeat(jnp.where(batch.atom_mask, 0.0, scale), 3)
    full = matrix.reshape(size, size) + scale * together + jnp.diag(padding)
    return -jnp.linalg.solve(full, slopes.reshape(-1, size).T).T.reshape(slopes.shape)
