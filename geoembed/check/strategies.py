"""Hypothesis strategies for tests of encoders: keys, phases, points, clouds, group elements and moved items.

    from geoembed.check import strategies

Needs hypothesis, which `pip install 'geoembed[test]'` brings. Arrays are jax arrays in `dtype`, by default in jax's
default dtype at the time of the draw; float64 needs x64 switched on. Counterexamples shrink to few and round numbers:
towards the origin, the phase 0, and the identity of a group. jax compiles on first use, so a test wants
`@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])`.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ._groups import GROUPS, Group, as_group, special_isometries
from ._items import Arguments

try:
    from hypothesis import strategies as st
except ModuleNotFoundError as error:
    if error.name != "hypothesis":
        raise
    message = "geoembed.check.strategies needs hypothesis: run  pip install 'geoembed[test]'"
    raise ModuleNotFoundError(message, name="hypothesis") from None


def keys() -> st.SearchStrategy[Any]:
    """Random keys.

    Returns:
        The strategy; it shrinks to `jax.random.key(0)`.
    """
    return st.integers(0, 2**32 - 1).map(jax.random.key)


def phases(shape: tuple[int, ...] = (), *, dtype: Any = None) -> st.SearchStrategy[Any]:
    """Phases in turns, with those that cyclic encodings get wrong.

    Besides one turn: quarter turns and their neighbouring floating-point numbers, negative zero, the smallest normal
    number, and phases so large that floating-point numbers are whole turns apart.

    Args:
        shape: The shape of the array.
        dtype: The dtype; None for jax's default.

    Returns:
        The strategy; it shrinks to 0.
    """

    def numbers(width: Any) -> st.SearchStrategy[float]:
        quarters = (0.0, 0.25, 0.5, 0.75, 1.0, -0.25, -0.5, -0.75, -1.0)
        huge = _WHOLE[width]
        one_turn, any_turns = st.floats(0.0, 1.0, width=width), st.floats(-huge, huge, width=width)
        return st.one_of(one_turn, st.sampled_from(_beside(quarters, 2, width)), any_turns)

    return _arrays(numbers, shape, dtype)


def points(n: int, *, bound: float = 10.0, dtype: Any = None) -> st.SearchStrategy[Any]:
    """Points with coordinates in [−bound, bound], often on axes, planes, diagonals and at the origin.

    Args:
        n: The number of coordinates.
        bound: The largest coordinate, in the unit of the encoder's input.
        dtype: The dtype; None for jax's default.

    Returns:
        The strategy; it shrinks to the origin.
    """
    return _arrays(lambda width: _coordinates(bound, width), (n,), dtype)


def clouds(
    count: int | tuple[int, int], n: int = 3, *, bound: float = 10.0, dtype: Any = None
) -> st.SearchStrategy[Any]:
    """Sets of points [count, n]: as they come, with one point twice, or all on one line.

    Args:
        count: The number of points, or the smallest and the largest.
        n: The number of coordinates.
        bound: The largest coordinate, in the unit of the encoder's input.
        dtype: The dtype; None for jax's default.

    Returns:
        The strategy; it shrinks to few points at the origin.
    """
    fewest, most = (count, count) if isinstance(count, int) else count

    def arranged(cloud: Any, kind: str) -> Any:
        if kind == "one point twice":
            cloud[-1] = cloud[0]
        elif kind == "on a line":
            cloud = cloud[:1] * np.linspace(-1, 1, len(cloud), dtype=cloud.dtype)[:, None]
        return jnp.asarray(cloud)

    def of(rows: int) -> st.SearchStrategy[Any]:
        return _host_arrays(lambda width: _coordinates(bound, width), (rows, n), dtype)

    kinds = st.sampled_from(["as they come", "one point twice", "on a line"])
    return st.builds(arranged, st.integers(fewest, most).flatmap(of), kinds)


def beside(*places: float, steps: int = 2, dtype: Any = None) -> st.SearchStrategy[Any]:
    """Numbers at and around places to be feared: kinks, cutoffs, ends of a domain, multiples of a period.

    Args:
        places: The places, the simplest first.
        steps: How many neighbouring floating-point numbers on either side; numbers at relative distances of 1e-6 and
            1e-3 are added.
        dtype: The dtype; None for jax's default.

    Returns:
        The strategy; it shrinks to the first place. Around 0 are −0 and the smallest normal numbers.

    Raises:
        ValueError: No place is given.
    """
    if not places:
        raise ValueError("beside needs at least one place, for example beside(0.0)")
    return _arrays(lambda width: st.sampled_from(_beside(places, steps, width)), (), dtype)


def elements(group: Group | str, x: Any) -> st.SearchStrategy[Any]:
    """Elements of a group that fit an item, special ones among them.

    Special are the identity, quarter turns and mirror images of isometries in up to three dimensions, round
    translations, every order of `permutations`. Elements of other groups are those that the group itself draws.

    Args:
        group: A group or its name, see `geoembed.check.GROUPS`.
        x: The item to be moved; a tuple is the arguments of one call.

    Returns:
        The strategy; it shrinks to the identity where it holds one.
    """
    group = as_group(group)
    array = jnp.asarray(group.subject(_arguments(x)))
    drawn = keys().map(lambda key: group.sample(key, array))
    if group.sample is GROUPS["permutations"].sample:
        return st.permutations(range(array.shape[0])).map(jnp.asarray)
    if group.sample is GROUPS["translations"].sample:
        return st.one_of(
            points(array.shape[-1], dtype=array.dtype) if array.ndim else _one(array.dtype), drawn
        )
    special = special_isometries(group, array)
    return st.one_of(st.sampled_from(special), drawn) if special else drawn


@st.composite
def _moved(draw: Any, group: Group, items: st.SearchStrategy[Any]) -> Any:
    x = draw(items)
    there = group.move(draw(elements(group, x)), _arguments(x))
    return x, there if isinstance(x, tuple) else there[0]


def moved(group: Group | str, items: Any) -> st.SearchStrategy[tuple[Any, Any]]:
    """Pairs (x, g·x) of an item and the same item moved by a group element.

    Args:
        group: A group or its name, see `geoembed.check.GROUPS`.
        items: A strategy of items, or one item; a tuple is the arguments of one call.

    Returns:
        The strategy; the item shrinks, and the element to the identity where it can.

    Example:
        >>> from hypothesis import HealthCheck, given, settings
        >>> import jax.numpy as jnp
        >>> @settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=10)
        ... @given(moved("SO(3)", clouds(4, bound=1.0)))
        ... def test_it_is_invariant(pair):
        ...     x, turned = pair
        ...     assert jnp.allclose(jnp.sum(x**2), jnp.sum(turned**2), atol=1e-4)
        >>> test_it_is_invariant()
    """
    return _moved(as_group(group), items if isinstance(items, st.SearchStrategy) else st.just(items))


# What is called while hypothesis draws has no annotation like `tuple[int, ...]`: beartype looks at one random element
# of it, and hypothesis takes that for randomness that it cannot repeat.

# above these every floating-point number is a whole one
_WHOLE = {16: 2.0**11, 32: 2.0**24, 64: 2.0**53}


def _arrays(numbers: Any, shape: Any, dtype: Any) -> st.SearchStrategy[Any]:
    return _host_arrays(numbers, shape, dtype).map(jnp.asarray)


@st.composite
def _host_arrays(
    draw: Any,
    numbers: Callable[[Any], st.SearchStrategy[float]],
    shape: Any,
    dtype: Any,
) -> Any:
    """Arrays of numbers of a width in bits; that of jax's default is looked up at every draw."""
    dtype = jnp.zeros(()).dtype if dtype is None else jnp.dtype(dtype)
    if dtype.name not in ("float16", "float32", "float64"):
        raise ValueError(f"strategies draw float16, float32 or float64, received {dtype.name}")
    size = int(np.prod(shape))
    values = draw(st.lists(numbers(8 * dtype.itemsize), min_size=size, max_size=size))
    return np.reshape(np.asarray(values, dtype), shape)


def _one(dtype: Any) -> st.SearchStrategy[Any]:
    return _arrays(lambda width: _coordinates(10.0, width), (), dtype)


def _coordinates(bound: float, width: Any) -> st.SearchStrategy[float]:
    largest = float(np.dtype(f"float{width}").type(bound))
    special = [0.0, largest, -largest, 0.5 * largest]
    return st.one_of(st.sampled_from(special), st.floats(-largest, largest, width=width))


def _beside(places: Any, steps: int, width: Any) -> list[Any]:
    """The places and their neighbours as Python floats, each once; −0 is not 0."""
    kind = np.dtype(f"float{width}").type
    numbers = [float(number) for place in places for number in _neighbours(kind(place), kind, steps)]
    return list({(number, math.copysign(1.0, number)): number for number in numbers}.values())


def _neighbours(place: Any, kind: Any, steps: int) -> Iterator[Any]:
    yield place
    if place == 0:
        yield -place
    for way in (kind(np.inf), kind(-np.inf)):
        number = place
        for _ in range(steps):
            # next to 0 the smallest normal number: XLA takes subnormal ones for 0
            number = np.copysign(np.finfo(kind).tiny, way) if number == 0 else np.nextafter(number, way)
            yield number
    size = max(1.0, abs(float(place)))
    for offset in (1e-6, -1e-6, 1e-3, -1e-3):
        yield kind(float(place) + offset * size)


def _arguments(x: Any) -> Arguments:
    return x if isinstance(x, tuple) else (x,)
