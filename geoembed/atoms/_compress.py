"""Tables of elements, as MACE has them, as short vectors and what multiplies them."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float64

from ..core import InputError, on_device
from ._element_arrays import ElementArray, element_arrays, made_of, with_element_arrays
from ._element_rows import AnyPotential, P, first_of, heads_of, known_numbers, known_vectors
from ._elements import SYMBOLS
from ._frame import Frame
from ._training._evaluate import evaluate


class Compression(NamedTuple):
    """What `compress` has left out.

    Args:
        rank: How many numbers a vector has now.
        full: With how many nothing is lost.
        spectrum: How much each direction of the tables holds, largest first; the squares add up to 1.
        error: The root of the sum of squares of what was left out: the relative error of the tables.
        by_array: The relative error of each table, by the way to it in the encoder.
        by_element: The relative error of all weights of each element.
        parameters: How many numbers belong to elements, with vectors: before and now.
        energy: The root mean square difference of the energies of the frames, eV/atom; None without frames.
        forces: Of the components of their forces, eV/Å; None without frames.
    """

    rank: int
    full: int
    spectrum: Float64[np.ndarray, " full"]
    error: float
    by_array: dict[str, float]
    by_element: dict[str, float]
    parameters: tuple[int, int]
    energy: float | None
    forces: float | None


def compress(
    potential: P, rank: int | None = None, *, free_elements: int = 0, frames: Sequence[Frame] | None = None
) -> tuple[P, Compression]:
    """Writes all that depends on the element as a linear function of short vectors, one for each element.

    The weights of the elements (first features, skip connections, weights of products), one row for each element,
    become one matrix, in which each table has the Frobenius norm 1. Its singular value decomposition, cut off behind
    `rank` directions, is the best approximation of that rank in the sum of squares: T ≈ V G, with the vectors V (root
    mean square length 1) and the generators G, which take the places of the tables. E0 stays a table. With the full
    rank the potential is the same up to rounding.

    A converted model of mace-torch has as many numbers for a new element as it has for an old one. Afterwards a new one
    is a vector of `rank` numbers between those of the others; see `add_element`. `interop.mace.to_torch` expands it.

    Args:
        potential: A converted potential, or one made here.
        rank: How many numbers a vector will have; None for as many as are needed to lose nothing.
        free_elements: How many rows of the table stay free for elements to be added.
        frames: Structures, labelled or not, whose energies and forces are compared before and after.

    Returns:
        The potential, and what was left out.

    Raises:
        InputError: The rank is not 1 to the full one, or the potential has no table of elements.

    References:
        Eckart, Young, "The approximation of one matrix by another of lower rank", Psychometrika 1, 211 (1936).

    Example:
        >>> import jax
        >>> from geoembed.atoms import ElementEmbedding, Mace, MacePotential
        >>> elements = ElementEmbedding.one_hot([1, 6, 7, 8])
        >>> encoder = Mace(elements, channels=2, max_ell=1, correlation=1, num_interactions=1, key=jax.random.key(0))
        >>> small, report = compress(MacePotential(encoder, key=jax.random.key(1)), 3)
        >>> small.encoder.elements.vectors.shape, report.full
        ((4, 3), 4)
    """
    if not isinstance(potential, AnyPotential):
        reason = f"a {type(potential).__name__} has no table of elements"
        raise InputError("compress", "", reason, "Give a MacePotential or a HeadsPotential")
    old = known_vectors(potential)
    full = min(old.shape)
    if rank is not None and not 1 <= rank <= full:
        hint = "Give a rank in this range, or None for the largest"
        raise InputError("compress", f"rank={rank}", f"expected a rank of 1 to {full}", hint)
    kept: int = full if rank is None else rank
    if free_elements < 0:
        raise InputError("compress", "free_elements", f"{free_elements} is below 0", "Give 0 or more")
    arrays = element_arrays(first_of(potential).encoder)
    tables = [made_of(old, array).reshape(len(old), -1) for array in arrays]
    sizes = [float(np.linalg.norm(table)) for table in tables]
    joint = np.concatenate(
        [table / size if size else table for table, size in zip(tables, sizes, strict=True)], axis=1
    )
    left, spectrum, right = _decomposed(joint)
    scale = math.sqrt(len(old)) / max(float(np.linalg.norm(spectrum[:kept])), 1e-300)
    vectors = left[:, :kept] * (scale * spectrum[:kept])
    ends = np.cumsum([table.shape[1] for table in tables])[:-1]
    parts = [
        part * (size / scale) for part, size in zip(np.split(right[:kept], ends, axis=1), sizes, strict=True)
    ]
    made = _replaced(potential, vectors, arrays, parts, free_elements)
    rest = [table - vectors @ part for table, part in zip(tables, parts, strict=True)]
    energy, forces = (None, None) if frames is None else _differences(potential, made, frames)
    spectrum = spectrum[:full] / max(float(np.linalg.norm(spectrum)), 1e-300)
    return made, Compression(
        rank=kept,
        full=full,
        spectrum=spectrum,
        error=float(np.linalg.norm(spectrum[kept:])),
        by_array={
            array.name: float(np.linalg.norm(r)) / size
            for array, r, size in zip(arrays, rest, sizes, strict=True)
            if size
        },
        by_element=_by_element(known_numbers(potential), rest, tables, sizes),
        parameters=(_count(potential), _count(made)),
        energy=energy,
        forces=forces,
    )


def _decomposed(joint: Float64[np.ndarray, "elements columns"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The singular value decomposition, with signs that do not depend on the machine."""
    left, spectrum, right = np.linalg.svd(joint, full_matrices=False)
    signs = np.sign(left[np.argmax(np.abs(left), axis=0), np.arange(left.shape[1])])
    signs[signs == 0] = 1.0
    return left * signs, spectrum, right * signs[:, None]


def _replaced(
    potential: P,
    vectors: Float64[np.ndarray, "elements rank"],
    arrays: list[ElementArray],
    parts: list[np.ndarray],
    free: int,
) -> P:
    """The potential with these vectors and generators, and so many free rows."""
    first = first_of(potential)
    table = first.encoder.elements
    taken = np.asarray(table.numbers) > 0

    def rows(values: np.ndarray) -> Array:
        return on_device(np.concatenate([values, np.zeros((free, *values.shape[1:]), values.dtype)]))

    generators = []
    for array, part in zip(arrays, parts, strict=True):
        old = np.asarray(array.values)
        rest = tuple(size for axis, size in enumerate(old.shape) if axis != array.axis)
        generators.append(on_device(np.moveaxis(part.reshape(-1, *rest), 0, array.axis).astype(old.dtype)))
    encoder = eqx.tree_at(
        lambda e: (e.elements.numbers, e.elements.vectors),
        with_element_arrays(first.encoder, generators),
        (rows(np.asarray(table.numbers)[taken]), rows(vectors.astype(table.vectors.dtype))),
    )
    energies = [rows(np.asarray(head.energies)[taken]) for head in heads_of(potential)]
    made = eqx.tree_at(lambda p: first_of(p).encoder, potential, encoder)
    return eqx.tree_at(lambda p: [head.energies for head in heads_of(p)], made, energies)


def _by_element(
    numbers: list[int], rest: list[np.ndarray], tables: list[np.ndarray], sizes: list[float]
) -> dict[str, float]:
    """The relative error of each element's weights, each table counting equally."""
    squares = [
        sum(np.sum((part / size) ** 2, axis=1) for part, size in zip(some, sizes, strict=True) if size)
        for some in (rest, tables)
    ]
    shares = np.sqrt(squares[0] / np.maximum(squares[1], 1e-300))
    return {SYMBOLS[z - 1]: float(share) for z, share in zip(numbers, np.atleast_1d(shares), strict=True)}


def _count(potential: AnyPotential) -> int:
    encoder = first_of(potential).encoder
    return encoder.elements.vectors.size + sum(array.values.size for array in element_arrays(encoder))


def _differences(before: AnyPotential, after: AnyPotential, frames: Sequence[Frame]) -> tuple[float, float]:
    """Root mean square differences of energies, eV/atom, and of components of forces, eV/Å."""
    asked = [replace(f, energy=0.0, forces=np.zeros_like(f.positions), stress=None) for f in frames]
    one, other = evaluate(before, asked), evaluate(after, asked)
    energy, forces = one.energy[:, 1] - other.energy[:, 1], one.forces[:, 1] - other.forces[:, 1]
    return float(np.sqrt(np.mean(energy**2))), float(np.sqrt(np.mean(forces**2)))
