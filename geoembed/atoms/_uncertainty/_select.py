"""Which structures to label next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float64, Int64, PRNGKeyArray

from ...core import InputError, host_generator
from .._batch import Batch
from .._batches import batches
from .._committee import Committee
from .._descriptors import Descriptors
from .._frame import Frame
from .._soap import SoapPowerSpectrum
from .._training._interaction import check_elements, precision, real_type
from ._calibration import check_uncertain
from ._frames import directions
from ._greedy import by_determinant, farthest
from ._laplace import information
from ._posterior import Posterior

METHODS = ("determinant", "uncertainty", "weighted", "farthest", "random")
_MOST_BYTES = 2 << 30  # of the matrices that say what each structure tells


@dataclass(frozen=True, eq=False)
class Selection:
    """Structures to label.

    Args:
        indices: Their places in the pool, in the order in which they were chosen: the first ones are worth most.
        gains: What each adds when it is chosen. determinant: ½ log det in nats; uncertainty: its deviation, eV/Å;
            farthest: its distance from all before; weighted: deviation times distance; random: 0.
        deviation: For every structure of the pool the root mean square of the standard deviations of its forces, eV/Å;
            None where the method does not compute them.
        method: How they were chosen.
    """

    indices: Int64[np.ndarray, " count"]
    gains: Float64[np.ndarray, " count"]
    deviation: Float64[np.ndarray, " pool"] | None
    method: str


def select(
    model: Any,
    pool: Sequence[Frame],
    count: int,
    *,
    method: str | None = None,
    labelled: Sequence[Frame] = (),
    key: PRNGKeyArray | None = None,
    batch: int = 16,
) -> Selection:
    """Chooses structures from a pool whose labels would teach a potential most.

    determinant
        Of a `Posterior`: each step takes the structure whose energy and forces would shrink the posterior most, given
        that those chosen before are labelled too. Uncertainty and diversity in one: what is known already is worth
        less. Large structures have more forces and tell more. Errors count as independent, so that even a second copy
        of a structure tells something: remove copies from the pool.
    uncertainty
        Those with the largest deviations of forces, which may all be alike. A structure whose forces vanish by symmetry
        has none; that holds for "weighted" too.
    weighted
        Each step takes the largest deviation times distance from all before, in descriptors.
    farthest
        The largest distance from all before, whatever the potential knows: the baseline of a diverse choice.
    random
        The baseline.

    Descriptors are means over atoms of the invariants of the potential's encoder, of a committee's first member; a
    power spectrum where there is no encoder.

    Args:
        model: A `Posterior`, a `Committee`, or for "farthest" and "random" any potential.
        pool: Structures; labels are not looked at.
        count: How many to choose.
        method: None for "weighted" where the model has deviations, else "farthest".
        labelled: Structures with labels, from which "farthest" and "weighted" keep away.
        key: Random key, for "random" only.
        batch: Structures in a batch.

    Returns:
        The choice. The same on every run; where two structures are worth the same, the first of them.

    Raises:
        InputError: The pool has fewer structures, or one that the model does not know; the method needs deviations that
            the model does not have, or is unknown.
        ValueError: "random" without a key.

    References:
        Settles, "Active learning literature survey", 2009; the determinant: Podryabinkin and Shapeev, Comput. Mater.
        Sci. 140, 171 (2017), and Kirsch, van Amersfoort, Gal, "BatchBALD", NeurIPS 2019.
    """
    method = _usual(model) if method is None else method
    _check(model, pool, count, method)
    check_elements(_potential(model), pool, "pool")
    check_elements(_potential(model), labelled, "labelled structures")
    if method == "random":
        if key is None:
            raise ValueError("method 'random' needs a key: select(..., key=jax.random.key(0))")
        chosen = host_generator(key).permutation(len(pool))[:count].astype(np.int64)
        return Selection(chosen, np.zeros(count), None, method)
    with precision(model):
        if method == "determinant":
            return _by_determinant(model, pool, count, batch)
        deviation = None
        if method != "farthest":
            deviation = np.array([one.deviation for one in directions(model, pool, batch)])
        if method == "uncertainty":
            assert deviation is not None
            order = np.argsort(-deviation, kind="stable")[:count]
            return Selection(order, deviation[order], deviation, method)
        rows = _described(model, [*pool, *labelled], batch)
        known = rows[len(pool) :] if labelled else None
        found = farthest(rows[: len(pool)], count, known=known, weights=deviation)
        return Selection(*found, deviation, method)


def _by_determinant(model: Posterior, pool: Sequence[Frame], count: int, batch: int) -> Selection:
    if len(pool) * model.count**2 * 8 > _MOST_BYTES:
        reason = f"{len(pool)} structures with {model.count} numbers each are too many to hold"
        raise InputError("pool", "", reason, "Give a part of the pool, or a posterior over fewer numbers")
    energy, force = np.asarray(model.noise, np.float64).tolist()
    told, deviation = [], []
    for one in directions(model, pool, batch):
        told.append(information(one.energy[:, None], energy) + information(one.forces, force))
        deviation.append(one.deviation)
    return Selection(*by_determinant(np.stack(told), count), np.array(deviation), "determinant")


def _usual(model: Any) -> str:
    return "weighted" if isinstance(model, Posterior | Committee) else "farthest"


def _check(model: Any, pool: Sequence[Frame], count: int, method: str) -> None:
    if method not in METHODS:
        raise InputError("<select>", "method", f"there is no {method!r}", f"Choose {', '.join(METHODS)}")
    if not 1 <= count <= len(pool):
        reason = f"{count} structures are asked for, and the pool has {len(pool)}"
        raise InputError("<select>", "count", reason, f"Ask for 1 to {len(pool)}")
    if method in ("determinant", "uncertainty", "weighted"):
        check_uncertain(model, f"method {method!r}")
    if method == "determinant" and not isinstance(model, Posterior):
        reason = f"a committee of {model.count} knows {model.count - 1} directions, too few for 'determinant'"
        raise InputError("<select>", "method", reason, "Take 'weighted' or 'uncertainty', or a Posterior")


def _potential(model: Any) -> Any:
    return model.potential if isinstance(model, Posterior) else model


def _described(model: Any, frames: Sequence[Frame], batch: int) -> Float64[np.ndarray, "frames features"]:
    """The mean descriptors of structures."""
    descriptor = _descriptor(model, frames)
    stream = batches(
        frames, descriptor.cutoff, min(batch, len(frames)), seed=None, shapes=3, dtype=real_type(model)
    )
    rows = []
    for step in range(stream.steps):
        found = _rows(descriptor, stream.at(0, step))
        rows.append(np.asarray(found, np.float64)[: len(stream.indices(0, step))])
    table = np.concatenate(rows)
    bad = np.flatnonzero(~np.isfinite(table).all(axis=1))
    if len(bad):
        hint = "See whether atoms lie on top of each other, or the model is damaged"
        raise InputError("pool", f"frame {bad[0]}", "its descriptor is not finite", hint)
    return table


def _descriptor(model: Any, frames: Sequence[Frame]) -> Descriptors | SoapPowerSpectrum:
    inner = model.member(0) if isinstance(model, Committee) else _potential(model)
    inner = getattr(inner, "potential", inner)  # of several heads the first
    if hasattr(inner, "encoder"):
        return Descriptors(inner.encoder)
    numbers = np.unique(np.concatenate([frame.numbers for frame in frames])).tolist()
    return SoapPowerSpectrum(tuple(numbers), cutoff=float(inner.cutoff))


@eqx.filter_jit
def _rows(descriptor: Descriptors | SoapPowerSpectrum, batch: Batch) -> jax.Array:
    return descriptor.of_structures(batch)
