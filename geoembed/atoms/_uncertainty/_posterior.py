"""A Gaussian posterior over a few numbers of a potential, and what it says about predictions."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ...core import register, sqrt
from .._batch import Batch
from .._committee import Spread
from .._hessian import in_chunks
from .._predict import Prediction, predict
from . import _numbers as numbers

_CHUNK = 8  # directions side by side


@register
class Posterior(eqx.Module):
    """A potential with the uncertainty of a few of its numbers; as a potential it is the mean. Make it by `posterior`.

    The numbers are θ̂ + Σₖ zₖ aₖ with independent normal zₖ, and predictions are taken as linear in them: that of y has
    the standard deviation √Σₖ (∂y/∂θ · aₖ)². This is exact for what is linear in the numbers, as energies, forces
    and stresses are in the last layer, and the first order for the rest.

    Args:
        potential: The potential with its numbers θ̂.
        root: The directions aₖ as rows; rootᵀ·root is the covariance.
        scales: By which the standard deviations of energies and of forces (and stresses) are multiplied.
        noise: What the numbers cannot explain: root mean square errors of energies, eV/atom, and of components of
            forces, eV/Å. It is not part of the standard deviations; `select` weighs what a label says with it.
        over: Which numbers these are, see `posterior`.

    References:
        MacKay, "A practical Bayesian framework for backpropagation networks", Neural Computation 4, 448 (1992);
        Daxberger et al., "Laplace redux", NeurIPS 2021; for the last layer of potentials: Bigi, Chong, Ceriotti,
        Grasselli, Mach. Learn.: Sci. Technol. 5, 045018 (2024).
    """

    potential: Any
    root: Float[Array, "count count"]
    scales: Float[Array, "2"]
    noise: Float[Array, "2"]
    over: tuple[str, ...] = eqx.field(static=True)

    @property
    def cutoff(self) -> float:
        """Up to which distance the potential looks at neighbours, Å."""
        return self.potential.cutoff

    @property
    def count(self) -> int:
        """How many numbers are uncertain."""
        return self.root.shape[0]

    @property
    def numbers(self) -> Int[np.ndarray, " known"]:
        """The atomic numbers that the potential knows; 0 where a row of its table is free."""
        return np.asarray(self.potential.numbers)

    def __call__(self, batch: Batch) -> Float[Array, " atoms"]:
        """The energies of the atoms, eV; without meaning for padding."""
        return self.potential(batch)

    def scaled(self, energy: float, forces: float) -> "Posterior":
        """With standard deviations of energies and of forces multiplied, for example by those of a `Calibration`."""
        both = self.scales * jnp.asarray([energy, forces], self.scales.dtype)
        return eqx.tree_at(lambda one: one.scales, self, both)

    def directions(self, batch: Batch, *, forces: bool = True, stress: bool = False) -> Prediction:
        """How predictions change along each direction: a `Prediction` whose arrays have a leading axis over them.

        Independent normal numbers times these are draws from the posterior; the sum of their squares is the variance.

        Args:
            batch: The structures.
            forces: Whether forces are wanted.
            stress: Whether stress is wanted.
        """
        along = self._linearised(batch, forces, stress)[1]
        return in_chunks(lambda k: along(self.root[k]), np.arange(self.count), _CHUNK)

    def spread(self, batch: Batch, *, forces: bool = True, stress: bool = False) -> Spread:
        """Means and standard deviations. Costs about one evaluation of the forces for each number.

        Differentiable; where a deviation is 0, as that of forces on an atom in a centre of symmetry, its gradient
        is 0 too.

        Args:
            batch: The structures.
            forces: Whether forces are wanted.
            stress: Whether stress is wanted.
        """
        mean, along = self._linearised(batch, forces, stress)

        def squares(k: Int[Array, ""]) -> Prediction:
            return jax.tree.map(jnp.square, along(self.root[k]))

        found = in_chunks(squares, np.arange(self.count), _CHUNK)
        return Spread(mean, jax.tree.map(lambda x: sqrt(jnp.sum(x, axis=0)), found))

    def _linearised(
        self, batch: Batch, forces: bool, stress: bool
    ) -> tuple[Prediction, Callable[[Array], Prediction]]:
        """The prediction, and how it changes along a vector of the numbers; needs forward derivatives."""
        plain = eqx.tree_at(lambda b: b.neighbours.reverse, batch, None, is_leaf=lambda x: x is None)

        def said(values: Float[Array, " count"]) -> Prediction:
            moved = numbers.put(self.potential, self.over, values)
            return predict(moved, plain, forces=forces, stress=stress)

        mean, along = jax.linearize(said, numbers.take(self.potential, self.over))

        def scaled(vector: Float[Array, " count"]) -> Prediction:
            found = along(vector.astype(batch.positions.dtype))
            energy, force = self.scales.astype(batch.positions.dtype)
            return Prediction(
                energy * found.energy,
                None if found.forces is None else force * found.forces,
                None if found.stress is None else force * found.stress,
                energy * found.atom_energies,
            )

        return mean, scaled
