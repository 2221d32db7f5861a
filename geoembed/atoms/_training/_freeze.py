"""Which numbers of a potential are trained."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from ...core import InputError, is_parameter
from .._element_embedding import ElementEmbedding

AS_IN_MACE = ("elements", "energies", "scale", "shift")


def trainable(potential: Any, freeze: Sequence[str] | None = None) -> Any:
    """Says for every array of a potential whether `fit` trains it.

    Args:
        potential: The potential.
        freeze: What stays as it is. Each entry is the name of a part, such as "energies" (of isolated atoms), "scale",
            "shift", "elements" (the element vectors), "encoder", "readouts", or the way to one, such as
            "encoder.interactions.0": with all the arrays in it. None: elements, energies, scale and shift, which MACE
            does not train either, in a potential whose element vectors are one-hot, as those of converted models are;
            nothing in any other.

    Returns:
        True and False in the form of the potential.

    Raises:
        InputError: The potential has no such part, or nothing is left to train.

    Example:
        >>> chosen = trainable({"pair": jax.numpy.ones(2), "scale": jax.numpy.ones(())}, ["scale"])
        >>> chosen["pair"], chosen["scale"]
        (True, False)
    """
    paths, form = jax.tree_util.tree_flatten_with_path(potential)
    names = [tuple(_name(step) for step in path) for path, _ in paths]
    wanted = _usual(potential, names) if freeze is None else list(freeze)
    ways = {name: tuple(name.split(".")) for name in wanted}
    for name, way in ways.items():
        if not any(_passes(own, way) for own in names):
            parts = sorted({step for own in names for step in own if not step.isdecimal()})
            raise InputError(
                "<training>", "freeze", f"there is no part {name!r}", f"It has {', '.join(parts)}"
            )
    flags = [not any(_passes(own, way) for way in ways.values()) for own in names]
    if not any(flag and is_parameter(leaf) for flag, (_, leaf) in zip(flags, paths, strict=True)):
        raise InputError("<training>", "freeze", "nothing is left to train", "Freeze less")
    return jax.tree.unflatten(form, flags)


def _usual(potential: Any, names: list[tuple[str, ...]]) -> list[str]:
    """What MACE does not train, where element vectors are one-hot."""
    tables = [
        leaf
        for leaf in jax.tree.leaves(potential, is_leaf=lambda part: isinstance(part, ElementEmbedding))
        if isinstance(leaf, ElementEmbedding)
    ]
    if not tables or not all(_one_hot(table) for table in tables):
        return []
    return [name for name in AS_IN_MACE if any(name in own for own in names)]


def _one_hot(table: ElementEmbedding) -> bool:
    """Whether every element has a number of its own, which is 1."""
    used = np.asarray(table.vectors)[np.asarray(table.numbers) > 0]
    return used.shape[0] == used.shape[1] and bool(np.array_equal(used, np.eye(len(used))))


def _name(step: Any) -> str:
    for kind in ("name", "idx", "key"):
        if hasattr(step, kind):
            return str(getattr(step, kind))
    return str(step)


def _passes(path: tuple[str, ...], way: tuple[str, ...]) -> bool:
    """Whether a path has these steps somewhere, one after the other."""
    return any(path[k : k + len(way)] == way for k in range(len(path) - len(way) + 1))
