"""The loss of a batch: errors of energies per atom, forces and stresses, without what is not known."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from .._batch import Batch
from .._predict import predict
from ._settings import LossKind


class Terms(NamedTuple):
    """Sums over the labels that are known, or how many they are: three numbers each."""

    energy: Float[Array, ""]
    forces: Float[Array, ""]
    stress: Float[Array, ""]


class Form(NamedTuple):
    """What of the loss is decided before a program is compiled.

    Args:
        kind: The form of the loss.
        huber: Where the Huber loss becomes linear.
        forces: Whether forces count.
        stress: Whether stresses count.
    """

    kind: LossKind
    huber: float
    forces: bool
    stress: bool


def known(batch: Batch) -> Terms:
    """How many energies, components of forces and components of stresses are known."""
    assert batch.labels is not None

    def count(values: Array) -> Array:
        return jnp.sum(~jnp.isnan(values)).astype(batch.positions.dtype)

    return Terms(count(batch.labels.energy), count(batch.labels.forces), count(batch.labels.stress))


def sums(potential: Any, batch: Batch, form: Form) -> Terms:
    """The sums of the loss over the known labels of a batch.

    Args:
        potential: Gives the energies of atoms.
        batch: The structures; labels that are NaN do not count.
        form: The form of the loss.

    Returns:
        Σ w ℓ((E − E*)/atoms), Σ w ℓ(F − F*) and Σ w ℓ(σ − σ*) with the weights w of the structures, and with
        ℓ(e) = e², or the Huber loss: e²/2 up to δ, then δ(|e| − δ/2).
    """
    assert batch.labels is not None
    found = predict(potential, batch, forces=form.forces, stress=form.stress)
    atoms = jnp.maximum(batch.counts, 1).astype(batch.positions.dtype)
    zero = jnp.zeros((), batch.positions.dtype)
    weight = jnp.ones_like(atoms) if batch.labels.weight is None else batch.labels.weight
    return Terms(
        _sum(found.energy / atoms, batch.labels.energy / atoms, weight, form),
        zero
        if found.forces is None
        else _sum(found.forces, batch.labels.forces, weight[batch.owner][:, None], form),
        zero
        if found.stress is None
        else _sum(found.stress, batch.labels.stress, weight[:, None, None], form),
    )


def _sum(values: Array, labels: Array, weight: Array, form: Form) -> Float[Array, ""]:
    there = ~jnp.isnan(labels)
    errors = jnp.where(there, values - jnp.where(there, labels, 0.0), 0.0)
    if form.kind == "huber":
        return jnp.sum(weight * optax.losses.huber_loss(errors, delta=form.huber))
    return jnp.sum(weight * errors * errors)
