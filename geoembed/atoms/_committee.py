"""Several potentials as one: their mean, and how far they are apart."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..core import register
from ._batch import Batch
from ._predict import Potential, Prediction, predict


class Spread(NamedTuple):
    """What a `Committee` or a `Posterior` says: means and standard deviations (of a committee with n − 1).

    Args:
        mean: Of energy, forces, stress and energies of the atoms.
        deviation: Of the same; of forces and stress for each component.
        energies: The energy of each structure by each member of a committee, eV; None for a posterior.
    """

    mean: Prediction
    deviation: Prediction
    energies: Float[Array, "members structures"] | None = None


@register
class Committee(eqx.Module):
    """Potentials that differ in their parameters only; as a potential it is their mean. A pytree.

    The parameters are stacked along a leading axis, so that one program, compiled once, computes all members; what
    does not depend on the parameters (distances, spherical harmonics) is computed once. The members can have been
    trained from other random keys or on other parts of the data. How far they are apart says where they were not
    trained; it is no bound of their common error.

    Args:
        potentials: Two or more, alike in all but the values of their arrays.

    Raises:
        ValueError: There are fewer than two, or they differ in more than the values of their arrays.

    Example:
        >>> class Springs(eqx.Module):
        ...     stiffness: jax.Array
        ...     cutoff: float = 3.0
        ...
        ...     def __call__(self, batch):
        ...         r = jnp.linalg.norm(batch.to_centre(), axis=-1)
        ...         return 0.25 * jnp.sum(batch.neighbours.mask * self.stiffness * (r - 1.0) ** 2, axis=1)
        >>> from geoembed.atoms import Frame, pack
        >>> pair = Frame(np.array([1, 1]), np.array([[0, 0, 0], [2.0, 0, 0]]), None, np.zeros(3, bool))
        >>> committee = Committee([Springs(jax.device_put(np.float32(k))) for k in (7, 8, 9)])
        >>> said = eqx.filter_jit(Committee.spread)(committee, pack([pair], 3.0))
        >>> said.mean.energy, said.deviation.energy, said.deviation.forces[1]
        (Array([4.], dtype=float32), Array([0.5], dtype=float32), Array([1., 0., 0.], dtype=float32))

    References:
        Seung, Opper, Sompolinsky, "Query by committee", COLT 1992; for potentials: Schran, Brezina, Marsalek, J. Chem.
        Phys. 153, 104105 (2020).
    """

    members: Any

    def __init__(self, potentials: Sequence[Potential]):
        if len(potentials) < 2:
            raise ValueError(f"a committee of {len(potentials)} has no spread; give two potentials or more")
        self.members = _stack(list(potentials))

    @property
    def cutoff(self) -> float:
        """Up to which distance its members look at neighbours, Å."""
        return self.members.cutoff

    @property
    def count(self) -> int:
        """How many members there are."""
        return jax.tree.leaves(eqx.filter(self.members, eqx.is_array))[0].shape[0]

    @property
    def numbers(self) -> Int[np.ndarray, " known"]:
        """The atomic numbers that all members know; members without `numbers` have none."""
        tables = [set(np.asarray(self.member(k).numbers).tolist()) for k in range(self.count)]
        return np.array(sorted(set.intersection(*tables) - {0}), np.int64)

    def member(self, number: int) -> Any:
        """One of the potentials."""
        return jax.tree.map(lambda leaf: leaf[number] if eqx.is_array(leaf) else leaf, self.members)

    def each(self, batch: Batch, *, forces: bool = True, stress: bool = False) -> Prediction:
        """What each member predicts: a `Prediction` whose arrays have a leading axis over the members."""
        return self.over_members(lambda one: predict(one, batch, forces=forces, stress=stress))

    def over_members(self, function: Any) -> Any:
        """A function of a potential for all members at once; results have a leading axis over them."""
        return eqx.filter_vmap(function, in_axes=(eqx.if_array(0),))(self.members)

    def __call__(self, batch: Batch) -> Float[Array, " atoms"]:
        """The mean energies of the atoms, eV; without meaning for padding."""
        return jnp.mean(self.over_members(lambda one: one(batch)), axis=0)

    def directions(self, batch: Batch, *, forces: bool = True, stress: bool = False) -> Prediction:
        """How far each member is from the mean, over √(n − 1): the sum of the squares is the variance.

        Args:
            batch: The structures.
            forces: Whether forces are wanted.
            stress: Whether stress is wanted.
        """
        each = self.each(batch, forces=forces, stress=stress)
        root = math.sqrt(self.count - 1)
        return jax.tree.map(lambda x: (x - jnp.mean(x, axis=0, keepdims=True)) / root, each)

    def spread(self, batch: Batch, *, forces: bool = True, stress: bool = False) -> Spread:
        """Means and standard deviations over the members.

        Args:
            batch: The structures.
            forces: Whether forces are wanted.
            stress: Whether stress is wanted.
        """
        each = self.each(batch, forces=forces, stress=stress)
        mean = jax.tree.map(lambda x: jnp.mean(x, axis=0), each)
        return Spread(mean, jax.tree.map(lambda x: jnp.std(x, axis=0, ddof=1), each), each.energy)


def _stack(models: list[Any]) -> Any:
    """One model whose arrays have a leading axis over the models."""
    arrays, rest = zip(*(eqx.partition(model, eqx.is_array) for model in models), strict=True)
    same = all(eqx.tree_equal(one, rest[0]) for one in rest)
    shapes = [[(a.shape, a.dtype) for a in jax.tree.leaves(one)] for one in arrays]
    if not same or any(one != shapes[0] for one in shapes):
        raise ValueError("the models of a committee differ in more than the values of their arrays")
    with jax.enable_x64(True):  # only so that float64 stays float64
        return eqx.combine(jax.tree.map(lambda *leaves: jnp.stack(leaves), *arrays), rest[0])
