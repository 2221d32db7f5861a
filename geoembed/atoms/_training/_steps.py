"""One training step as one program, on one device or several."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float

from ...core import InputError
from ...train import Changes
from .._batch import Batch
from ._interaction import Interaction
from ._loss import Form, known, sums
from ._settings import Optimiser
from ._vectors import Layout, Vectors, matrices

AXIS = "structures"
Fixed = tuple[Any, Changes]


class Moving(NamedTuple):
    """What a step changes.

    Args:
        parameters: The trained numbers as vectors, see `Layout`.
        optimiser: The optimiser's state.
        average: The moving average of the parameters.
    """

    parameters: Vectors
    optimiser: Any
    average: Vectors


class Knobs(NamedTuple):
    """Numbers of one step that change without a new compilation."""

    rate: float
    average: float
    energy: float
    forces: float
    stress: float


@lru_cache
def transformation(optimiser: Optimiser, clip: float | None, decay: float) -> optax.GradientTransformation:
    """The direction of a step; the learning rate is applied to it later."""
    parts = [] if clip is None else [optax.clip_by_global_norm(clip)]
    parts.append(optax.scale_by_amsgrad() if optimiser == "amsgrad" else optax.scale_by_adam())
    if decay > 0:
        parts.append(optax.add_decayed_weights(decay, mask=matrices))
    return optax.chain(*parts)


def start(parameters: Vectors, optimiser: optax.GradientTransformation) -> Moving:
    """The state before the first step."""
    with _promoting():
        return Moving(parameters, optimiser.init(parameters), parameters)


def step(
    moving: Moving,
    fixed: Fixed,
    batch: Batch,
    knobs: Knobs,
    *,
    rates: Vectors,
    layout: Layout,
    form: Form,
    optimiser: optax.GradientTransformation,
    mesh: Mesh,
) -> tuple[Moving, Float[Array, ""], Float[Array, ""]]:
    """One step.

    Args:
        moving: The state.
        fixed: The potential without what is trained as a whole, and what makes one of it and the trained numbers.
        batch: Every array has an axis for the devices in front.
        knobs: The numbers of this step.
        rates: By which the learning rate of each trained number is multiplied.
        layout: Where the trained numbers stand in the vectors.
        form: The form of the loss.
        optimiser: The optimiser.
        mesh: The devices.

    Returns:
        The new state, the loss before the step, and the norm of its gradient.
    """
    numbers = np.array(knobs, jax.tree.leaves(moving.parameters)[0].dtype)
    return _step(moving, fixed, batch, everywhere(numbers, mesh), rates, layout, form, optimiser, mesh)


@eqx.filter_jit
def _step(
    moving: Moving,
    fixed: Fixed,
    batch: Batch,
    knobs: Float[Array, "5"],
    rates: Vectors,
    layout: Layout,
    form: Form,
    optimiser: optax.GradientTransformation,
    mesh: Mesh,
) -> tuple[Moving, Float[Array, ""], Float[Array, ""]]:
    value, slope = _gradient(moving.parameters, fixed, batch, knobs[2:], layout, form, mesh)
    size = optax.tree.norm(slope)
    with _promoting():
        updates, own = optimiser.update(slope, moving.optimiser, moving.parameters)
    parameters = jax.tree.map(
        lambda p, u, r: p - knobs[0].astype(p.dtype) * (r * u.astype(p.dtype)),
        moving.parameters,
        updates,
        rates,
    )
    average = jax.tree.map(
        lambda a, p: a + (1.0 - knobs[1]).astype(p.dtype) * (p - a), moving.average, parameters
    )
    return Moving(parameters, own, average), value, size


def _gradient(
    parameters: Vectors,
    fixed: Fixed,
    batch: Batch,
    weights: Float[Array, "3"],
    layout: Layout,
    form: Form,
    mesh: Mesh,
) -> tuple[Float[Array, ""], Vectors]:
    """The loss and its gradient. Every device sums over its structures; the means are over those of all."""
    arrays, static = eqx.partition(fixed, eqx.is_array)

    def of_device(parameters: Vectors, arrays: Any, batch: Batch, weights: Array) -> tuple[Array, Vectors]:
        own = jax.tree.map(lambda leaf: leaf[0], batch)
        counts = jax.lax.psum(jnp.stack(known(own)), AXIS)
        scales = weights / jnp.maximum(counts, 1.0)

        def loss(parameters: Any) -> Array:
            bare, changes = eqx.combine(arrays, static)
            potential = Interaction(changes(bare, parameters))
            return jnp.sum(scales * jnp.stack(sums(potential, own, form)))

        value, slope = jax.value_and_grad(loss)(layout.unravel(parameters))
        return jax.lax.psum((value, layout.ravel(slope)), AXIS)

    same, parted = PartitionSpec(), PartitionSpec(AXIS)
    return jax.shard_map(
        of_device,
        mesh=mesh,
        in_specs=(same, same, parted, same),
        out_specs=same,
        check_vma=False,
    )(parameters, arrays, batch, weights)


@contextmanager
def _promoting() -> Iterator[None]:
    """optax multiplies floats by its whole numbers."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def mesh_of(devices: int) -> Mesh:
    """So many devices in a row; raises InputError when there are fewer."""
    have = jax.device_count()
    if not 1 <= devices <= have:
        reason = f"{devices} devices are asked for, and there are only {have}"
        raise InputError("<training>", "devices", reason, f"Ask for 1 to {have}")
    return Mesh(np.array(jax.devices()[:devices]), (AXIS,), axis_types=(AxisType.Auto,))


def everywhere(tree: Any, mesh: Mesh) -> Any:
    """The arrays of a tree on all devices, as the results of `step` are: other places would be compiled for anew."""
    arrays, rest = eqx.partition(tree, eqx.is_array)
    return eqx.combine(replicated(arrays, mesh), rest)


def replicated(arrays: Any, mesh: Mesh) -> Any:
    """The same where all leaves are arrays, of numpy too."""
    return jax.device_put(arrays, NamedSharding(mesh, PartitionSpec()))


def parted(tree: Any, mesh: Mesh) -> Any:
    """The arrays of a tree, whose first axis is that of the devices, each part on its device."""
    return jax.device_put(tree, NamedSharding(mesh, PartitionSpec(AXIS)))
