"""The potentials of benchmarks/new_element.py: trained without W, and with W added in several ways."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from new_element_data import CONFIG, CUTOFF, before, buckets

from geoembed import load, save
from geoembed.atoms import MacePotential, Stage, Statistics, Training, fit, statistics, untrained_mace


def settings(epochs: int, rate: float, validations: int = 20) -> Training:
    """Of a run; validated about so many times."""
    return Training(
        epochs=epochs,
        rate=rate,
        validate=max(1, epochs // validations),
        stages=(Stage(**CONFIG["loss"]),),
        **CONFIG["training"],
    )


def untrained(family: str, found: Statistics, key: jax.Array) -> MacePotential:
    """Random weights: "tables" has weights for each element, "vectors" makes them of vectors and has a free row."""
    options = CONFIG["vectors"] | {"free_elements": 1} if family == "vectors" else {}
    return untrained_mace(found, key=key, **CONFIG["potential"], **options)


def pretrained(family: str, folder: Path, tell: Callable[[dict[str, Any]], None]) -> MacePotential:
    """The potential trained on Mo, Nb, Ta and their binaries: from the folder, or trained and put there.

    A run that was interrupted goes on where it was.
    """
    place = folder / family
    if not place.exists():
        train, valid = before()
        start = untrained(family, statistics(train, CUTOFF), jax.random.key(0))
        own = CONFIG["before"]
        result = fit(
            start, train, valid, key=jax.random.key(0), settings=settings(own["epochs"], own["rate"]),
            buckets=buckets(), folder=folder / f"{family}-run", resume=True, group="set",
            callback=lambda progress: tell(progress.record) if progress.record else None,
        )  # fmt: skip
        save(place, result.potential)
    potential = load(place)
    assert isinstance(potential, MacePotential)
    return potential


def with_energies(potential: MacePotential, e0: dict[int, float]) -> MacePotential:
    """The potential with other energies of free atoms, eV; rows without an element get 0."""
    values = [e0.get(int(number), 0.0) for number in potential.numbers]
    return eqx.tree_at(lambda p: p.energies, potential, jnp.asarray(values, potential.energies.dtype))


def in_float64(potential: MacePotential) -> MacePotential:
    """The same numbers in float64; needs jax's x64 mode."""
    return jax.tree.map(lambda x: x.astype(jnp.float64) if eqx.is_inexact_array(x) else x, potential)
