"""The posterior of a trained potential from the structures that it was trained on."""

import math
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float64

from ...core import InputError
from .._committee import Committee
from .._frame import Frame
from .._training._evaluate import check_labels, evaluate
from .._training._interaction import check_elements, precision, real_type
from . import _numbers as numbers
from ._frames import directions
from ._posterior import Posterior

_ISOLATED = 10.0  # eV, the prior of an energy of isolated atoms
_FLOOR = (1e-6, 1e-5)  # eV/atom, eV/Å: no label is better known
_ROUNDS = 200


def posterior(
    potential: Any,
    frames: Sequence[Frame],
    *,
    over: str | Sequence[str] = numbers.LAST_LAYER,
    noise: tuple[float, float] | None = None,
    prior: float | None = None,
    batch: int = 16,
) -> Posterior:
    """The Laplace approximation: a Gaussian over a few numbers of a trained potential, all others held fixed.

    With J the derivatives of energies per atom and of forces of the labelled structures in the numbers θ, the inverse
    covariance is the Gauss–Newton matrix

        Σ J_Eᵀ J_E / σ_E² + Σ J_Fᵀ J_F / σ_F² + 1/τ².

    It takes errors as independent of each other. They are not: those of a potential are smooth in space, and every
    component of a force counts as a label of its own, so deviations come out too small, often by far. Their ratios
    are what is wanted; measure and mend the size with `calibration` on structures that the potential was not
    trained on.

    Args:
        potential: The trained potential.
        frames: The structures that it was trained on; labels that are missing do not count, nor do stresses.
        over: Which numbers: "last layer", the last matrix of every readout, in which energies and forces are linear;
            the symbol of an element, its vector and its energy E0; or the name of a part, such as "readouts"; or
            several of these.
        noise: σ_E, eV/atom, and σ_F, eV/Å; None for the potential's root mean square errors on the frames.
        prior: τ, the standard deviation of each number before there was any data, around what it is now; None for
            the one that makes the labels most probable. Of an energy E0 it is always 10 eV.
        batch: Structures in a batch.

    Returns:
        The posterior.

    Raises:
        InputError: There are no labels, the potential does not know an element, it has no such numbers or more than
            4096, or noise or prior are not positive.

    References:
        The prior by fixed-point iteration: MacKay, "Bayesian interpolation", Neural Computation 4, 415 (1992),
        eq. 4.9.

    Example:
        >>> import equinox as eqx, jax, jax.numpy as jnp, numpy as np
        >>> class Constant(eqx.Module):
        ...     energy: jax.Array
        ...     cutoff: float = 3.0
        ...     def __call__(self, batch):
        ...         return self.energy + 0.0 * batch.positions[:, 0]
        >>> frames = [Frame(np.array([18]), np.zeros((1, 3)), None, np.zeros(3, bool), energy=e) for e in (0.9, 1.1)]
        >>> found = posterior(Constant(jnp.ones(())), frames, over="energy", noise=(0.1, 0.1), prior=100.0)
        >>> round(float(found.root[0, 0]), 3)  # 0.1/√2
        0.071
    """
    if isinstance(potential, Committee | Posterior):
        reason = f"a {type(potential).__name__} has an uncertainty already"
        raise InputError("<posterior>", "potential", reason, "Give one trained potential")
    check_labels(frames, "frames")
    check_elements(potential, frames, "frames")
    over = (over,) if isinstance(over, str) else tuple(over)
    numbers.check(potential, over)
    _check_positive("prior", () if prior is None else (prior,))
    _check_positive("noise", noise or ())
    with precision(potential):
        kind = real_type(potential)
        sigma = noise or _errors(potential, frames, batch)
        values = np.asarray(numbers.take(potential, over), np.float64)
        ones = jnp.ones(2, kind)
        unit = Posterior(potential, jnp.eye(len(values), dtype=kind), ones, jnp.asarray(sigma, kind), over)
        gram = np.zeros((len(values), len(values)))
        for frame, one in zip(frames, directions(unit, frames, batch), strict=True):
            if frame.energy is not None:
                gram += information(one.energy[:, None], sigma[0])
            if frame.forces is not None:
                gram += information(one.forces, sigma[1])
        alone = numbers.isolated(potential, over)
        tau = np.where(alone, _ISOLATED, prior or _likely_prior(gram[~alone][:, ~alone], values[~alone]))
        root = _root(gram + np.diag(tau**-2.0))
        return Posterior(potential, jnp.asarray(root, kind), ones, unit.noise, over)


def information(
    rows: Float64[np.ndarray, "count *shape"], sigma: float
) -> Float64[np.ndarray, "count count"]:
    """What labels with this noise say about numbers in which they change by these rows: J Jᵀ/σ²."""
    flat = rows.reshape(len(rows), -1) / sigma
    return flat @ flat.T


def _errors(potential: Any, frames: Sequence[Frame], batch: int) -> tuple[float, float]:
    """Root mean square errors of energies per atom and components of forces."""
    found = evaluate(potential, frames, batch=batch).errors
    energy, forces = found.energy.rmse or 0.0, found.forces.rmse or 0.0
    return max(energy, _FLOOR[0]), max(forces, _FLOOR[1])


def _likely_prior(gram: np.ndarray, values: np.ndarray) -> float:
    """The τ of a prior around 0 under which the labels are most probable, if the numbers fit them best without it.

    τ² = |m|²/γ with the numbers m that fit best with the prior, and γ = Σ λτ²/(λτ² + 1), how many are determined.
    """
    if not np.any(values):
        return 1.0
    sizes, axes = np.linalg.eigh(gram)
    sizes, values = np.maximum(sizes, 0.0), axes.T @ values
    variance = float(np.mean(values**2))
    for _ in range(_ROUNDS):
        share = sizes * variance / (sizes * variance + 1.0)
        determined = float(np.sum(share))
        if determined < 1e-6:  # the labels say nothing
            break
        variance = float(np.sum((share * values) ** 2)) / determined
    return math.sqrt(variance)


def _root(matrix: np.ndarray) -> np.ndarray:
    """Rows whose outer products add up to the inverse, the largest first."""
    sizes, axes = np.linalg.eigh(matrix)
    return axes.T / np.sqrt(sizes)[:, None]


def _check_positive(name: str, values: Sequence[float]) -> None:
    if not all(0 < value < math.inf for value in values):
        raise InputError("<posterior>", name, f"{values} is not positive", "Give numbers above 0")
