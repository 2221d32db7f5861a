"""Another element for a trained potential."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Array, Float, Float64, PRNGKeyArray

from ..core import InputError, host_generator
from ._element_fit import fitted_vector
from ._element_from_frames import energy_from_frames, isolated_energy, ranked_by_frames, with_symbol
from ._element_mixture import mixture_by_properties, mixture_by_vector
from ._element_rows import (
    AnyPotential,
    P,
    first_of,
    heads_of,
    known_numbers,
    known_vectors,
    placed,
    widened,
    with_energies,
    with_room,
)
from ._elements import SYMBOLS
from ._frame import Frame
from ._heads import HeadsPotential

_NAME = "add_element"
_ENOUGH = 32  # structures to find a vector with
_DIRECTIONS = 16  # in which it is moved; each costs more than forces do
_LOG = logging.getLogger(__name__)


def add_element(
    potential: P,
    symbol: str,
    *,
    like: str | None = None,
    vector: Float[Array, " size"] | Float[np.ndarray, " size"] | str | None = None,
    key: PRNGKeyArray | None = None,
    frames: Sequence[Frame] | None = None,
    e0: float | Mapping[str, float] | None = None,
    wide: bool = False,
) -> P:
    """Adds an element to a potential: a row of numbers, and the energy of its free atom.

    All that the potential knows of the element is its vector, E0, and its nuclear charge and radius, where it has a
    repulsion of nuclei or a transform of distances. It takes a free row of the table, in which case no program is
    compiled again; without one the table grows by a row. Either way the arrays of all other elements stay the same
    bits. What the vector is worth is for the training to say: with `like` the element starts as another one.

    Works with potentials made here and with converted ones of mace-torch. The vector of a converted one says how much
    of each known element there is in the new one, until `wide` gives it weights of its own.

    Args:
        potential: The potential; of one with several heads all heads learn the element.
        symbol: Of the new element.
        like: The symbol of a known element whose vector it gets.
        vector: Its vector, or "properties": the mixture of known vectors that the physical properties of the elements
            suggest, without any data (see `element_mixture`).
        key: Random key, for a vector in a random direction, as long as the others on the average.
        frames: Labelled structures. Without `like`, `vector` and `key` they choose the vector: from the one of the
            known elements or of the properties with which their forces (without forces, their energies) are met best,
            a least squares fit of the vector and E0, by Levenberg and Marquardt's method, goes to where energies and
            forces are met best (of more than 32 structures 32, evenly chosen). With one of them they give E0 only.
            Structures without the element do not count.
        e0: The energy of the free atom, eV; by the name of the head where these differ. None: from the frames, for the
            first head (that of an isolated atom, else the one with which the energies are met best); else the same
            mixture of known E0 as the vector is of known vectors, which may be wrong by electronvolts.
        wide: Whether vectors become longer by a number that only the new element has: it gets weights of its own, those
            that its vector makes, or random ones of the usual size with `key`. So tables of elements, as MACE
            has, are extended. The shapes of arrays change.

    Returns:
        The potential. It predicts the same as before for all structures without the new element: bit for bit by the
        same program, up to rounding where shapes changed.

    Raises:
        InputError: There is no such element, it is known already, `like` is not, or the frames lack it; sources are
            missing or too many; the vector has another size, or a number is not finite; a radius is missing.

    Example:
        >>> import jax
        >>> from geoembed.atoms import ElementEmbedding, Mace, MacePotential
        >>> elements = ElementEmbedding.physical([41, 42, 73], 4, capacity=4)
        >>> encoder = Mace(elements, channels=2, max_ell=1, correlation=1, num_interactions=1, key=jax.random.key(0))
        >>> potential = MacePotential(encoder, key=jax.random.key(1))
        >>> add_element(potential, "W", like="Mo", e0=-11.2).numbers.tolist()
        [41, 42, 73, 74]
    """
    number = _number(symbol)
    _check(potential, symbol, number)
    sources = sum(source is not None for source in (like, vector, key))
    if sources > 1 or (sources == 0 and frames is None):
        reason = "expected one of like=, vector= and key=, or frames="
        raise InputError(_NAME, symbol, reason, 'Say where its vector comes from, for example like="Mo"')
    own = None if frames is None else with_symbol(frames, number, symbol)
    result, row = with_room(potential, number)
    if sources == 0 and own is not None:
        mixture, directions = _best(potential, result, row, _evenly(own))
        chosen = mixture @ known_vectors(potential)
    else:
        mixture, directions = _mixture(potential, number, like, vector), None
        chosen = _vector(potential, mixture, vector, key)
    result = placed(result, row, chosen, mixture)
    energies, fixed = _energies(result, row, symbol, own, e0)
    result = with_energies(result, row, energies)
    if directions is not None and own is not None:
        some = _evenly(own)
        result, before, after = fitted_vector(result, some, row, directions, move_energy=not fixed)
        _LOG.info("%s: errors of the frames fell from %.3g to %.3g eV/Å", symbol, before, after)
    return widened(result, potential, row, key) if wide else result


def element_mixture(potential: AnyPotential, symbol: str) -> dict[str, float]:
    """How much of each known element there is in another one, by its physical properties.

    Universal kriging over the standardised properties of `ElementEmbedding.physical`; see `add_element`.

    Args:
        potential: The potential.
        symbol: Of an element, which the potential need not know.

    Returns:
        The parts by symbol, largest first; they add up to 1, and some may be negative.

    Raises:
        InputError: There is no such element.

    Example:
        >>> import jax
        >>> from geoembed.atoms import ElementEmbedding, Mace, MacePotential
        >>> elements = ElementEmbedding.one_hot([41, 42, 73])
        >>> encoder = Mace(elements, channels=2, max_ell=1, correlation=1, num_interactions=1, key=jax.random.key(0))
        >>> found = element_mixture(MacePotential(encoder, key=jax.random.key(1)), "W")
        >>> {symbol: round(part, 1) for symbol, part in found.items()}
        {'Ta': 0.8, 'Mo': 0.4, 'Nb': -0.2}
    """
    number, known = _number(symbol), known_numbers(potential)
    others = [z for z in known if z != number]
    if not others:
        raise InputError(
            "element_mixture", symbol, "the potential knows no other element", "Give another one"
        )
    parts = dict(zip(others, mixture_by_properties(number, others).tolist(), strict=True))
    return {SYMBOLS[z - 1]: part for z, part in sorted(parts.items(), key=lambda item: -item[1])}


def _number(symbol: str) -> int:
    if symbol not in SYMBOLS:
        raise InputError(_NAME, symbol, "there is no element with this symbol", "Write it as in W or Mo")
    return SYMBOLS.index(symbol) + 1


def _check(potential: AnyPotential, symbol: str, number: int) -> None:
    if not isinstance(potential, AnyPotential):
        reason = f"a {type(potential).__name__} has no table of elements"
        raise InputError(_NAME, symbol, reason, "Give a MacePotential or a HeadsPotential, or one member")
    first = first_of(potential)
    if number in first.numbers:
        raise InputError(_NAME, symbol, "the potential knows this element", "Train it, or add another one")
    for part in (first.repulsion, first.encoder.transform):
        if part is not None and not (len(part.radii) > number and part.radii[number] > 0):
            reason = f"its {type(part).__name__} has no radius for the element"
            raise InputError(_NAME, symbol, reason, "Give it radii by atomic number that reach so far")


def _weights(potential: AnyPotential, number: int) -> Float64[np.ndarray, " known"]:
    """A known element as a mixture: nothing but itself."""
    return (np.array(known_numbers(potential)) == number).astype(np.float64)


def _mixture(
    potential: AnyPotential, number: int, like: str | None, vector: Any
) -> Float64[np.ndarray, " known"]:
    """The new element as a mixture of known ones."""
    known = known_numbers(potential)
    if like is not None:
        if _number(like) not in known:
            listed = ", ".join(SYMBOLS[z - 1] for z in known)
            raise InputError(_NAME, f"like={like!r}", "the potential does not know it", f"It knows {listed}")
        return _weights(potential, _number(like))
    if vector is None or isinstance(vector, str):
        return mixture_by_properties(number, known)
    vectors = known_vectors(potential)
    given = np.asarray(vector, np.float64)
    if given.shape != vectors.shape[1:] or not np.all(np.isfinite(given)):
        reason = f"expected {vectors.shape[1]} finite numbers, received the shape {given.shape}"
        raise InputError(_NAME, "vector", reason, "Give as many numbers as the other elements have")
    return mixture_by_vector(given, vectors)


def _vector(
    potential: AnyPotential,
    mixture: Float64[np.ndarray, " known"],
    vector: Any,
    key: PRNGKeyArray | None,
) -> Float64[np.ndarray, " size"]:
    vectors = known_vectors(potential)
    if key is not None:
        drawn = host_generator(key).normal(size=vectors.shape[1])
        return drawn * (np.sqrt(np.mean(np.sum(vectors**2, axis=1))) / np.linalg.norm(drawn))
    if isinstance(vector, str) and vector != "properties":
        raise InputError(_NAME, f"vector={vector!r}", "there are no such vectors", 'Write "properties"')
    if vector is None or isinstance(vector, str):
        return mixture @ vectors
    return np.asarray(vector, np.float64)


def _best(
    before: P, grown: P, row: int, frames: Sequence[Frame]
) -> tuple[Float64[np.ndarray, " known"], Float64[np.ndarray, "directions size"]]:
    """The known element, or the mixture by properties, with which labelled structures are met best, as a mixture.

    And the directions in which its vector should be moved: all, or where these are many, towards the next best ones.
    """
    number = int(first_of(grown).numbers[row])
    tried = {SYMBOLS[z - 1]: _weights(before, z) for z in known_numbers(before)}
    tried["its properties"] = _mixture(before, number, None, None)
    vectors = known_vectors(before)
    made = {name: placed(grown, row, parts @ vectors, parts) for name, parts in tried.items()}
    best, *others = ranked_by_frames(made, frames, row)
    _LOG.info("%s starts from %s", SYMBOLS[number - 1], best)
    if vectors.shape[1] <= _DIRECTIONS:
        return tried[best], np.eye(vectors.shape[1])
    return tried[best], np.stack([(tried[name] - tried[best]) @ vectors for name in others[:_DIRECTIONS]])


def _evenly(frames: Sequence[Frame]) -> list[Frame]:
    """All of them, or as many as are enough for the few numbers of a vector."""
    places = np.linspace(0, len(frames) - 1, min(len(frames), _ENOUGH)).round().astype(int)
    return [frames[place] for place in places]


def _energies(
    potential: AnyPotential,
    row: int,
    symbol: str,
    frames: Sequence[Frame] | None,
    e0: float | Mapping[str, float] | None,
) -> tuple[list[float], bool]:
    """E0 by each head, eV: as given, else from the frames (first head), else the guess that is there already.

    And whether that of the first head is known for sure.
    """
    names = potential.names if isinstance(potential, HeadsPotential) else ("",)
    given = dict(e0) if isinstance(e0, Mapping) else {} if e0 is None else dict.fromkeys(names, e0)
    for name, value in given.items():
        if name not in names:
            raise InputError(_NAME, f"e0[{name!r}]", "there is no such head", f"There are {', '.join(names)}")
        if not np.isfinite(value):
            raise InputError(
                _NAME, "e0", f"{value} is not a number of eV", "Leave it out, or give the energy"
            )
    found, alone = [], None if frames is None else isolated_energy(frames)
    for k, (name, head) in enumerate(zip(names, heads_of(potential), strict=True)):
        value, source = float(head.energies[row]), "a mixture of those of known elements"
        if name in given:
            value, source = float(given[name]), "given"
        elif k == 0 and alone is not None:
            value, source = alone, "that of an isolated atom"
        elif k == 0 and frames is not None and any(frame.energy is not None for frame in frames):
            value, source = energy_from_frames(first_of(potential), frames, row), "from the frames"
        _LOG.info("E0 of %s%s: %.6g eV, %s", symbol, f" ({name})" if name else "", value, source)
        found.append(value)
    return found, names[0] in given or alone is not None
