"""Groups that inputs can be moved by, with random elements."""

import dataclasses
import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key

from ._items import QUICKLY, Arguments

_HIGHEST = (
    jax.lax.Precision.HIGHEST
)  # a matrix unit's bfloat16 or TF32 would be measured as a broken symmetry


@dataclasses.dataclass(frozen=True)
class Group:
    """A group (or a set of changes) with random elements and its action on one array.

    Args:
        name: As it is printed and declared, for example "SO(3)".
        sample: A random element, from a key and the array to move.
        act: The moved array, from an element and an array.
        moves: Numbers of the arguments that are moved; the others stay.
    """

    name: str
    sample: Callable[[Any, Any], Any]
    act: Callable[[Any, Any], Any]
    moves: tuple[int, ...] = (0,)

    def moving(self, *arguments: int) -> "Group":
        """The same group acting on these arguments, for example on positions and species."""
        return dataclasses.replace(self, moves=arguments)

    def draw(self, keys: Key[Array, "items draws"], args: Arguments) -> Any:
        """Random elements [items, draws] that fit the first moved argument."""
        return _draw(self, keys, self.subject(args))

    def subject(self, args: Arguments) -> Any:
        """The first array that is moved: it decides the size and the dtype of the elements.

        Raises:
            ValueError: The call has no such argument, or it holds no array.
        """
        for number in self.moves:
            if not 0 <= number < len(args):
                raise ValueError(f"{self.name} moves argument {number}, the call has {len(args)} from 0 on")
        arrays = jax.tree.leaves(args[self.moves[0]]) if self.moves else []
        if not arrays:
            raise ValueError(f"{self.name} has no array to move: its first moved argument is empty")
        return arrays[0]

    def move(self, element: Any, args: Arguments) -> Arguments:
        """The moved arguments of a call."""
        act = functools.partial(self.act, element)
        return tuple(jax.tree.map(act, arg) if i in self.moves else arg for i, arg in enumerate(args))


# Compiled once per group and shape, not once per encoder.
@functools.partial(jax.jit, static_argnums=0, compiler_options=QUICKLY)
def _draw(group: Group, keys: Any, x: Array) -> Any:
    return jax.vmap(jax.vmap(group.sample, (0, None)))(keys, x)


# --- isometries of n-dimensional space, on the last axis; elements are a matrix, or a matrix and a vector


@functools.cache
def isometries(name: str, n: int | None, determinants: tuple[int, ...], translates: bool) -> Group:
    """Matrices of ±1 determinants, with or without a translation of unit normal length per axis."""

    def sample(key: Any, x: Array) -> Any:
        if x.ndim == 0 or n not in (None, x.shape[-1]):
            length = "" if n is None else f" of length {n}"
            raise ValueError(f"{name} acts on a last axis{length}, received an array of shape {x.shape}")
        _require_floats(name, x)
        size = x.shape[-1]
        numbers = jax.random.normal(key, (size + 2, size), x.dtype)  # one draw: it is what compiles slowly
        sign = jnp.where(numbers[-1, 0] > 0, determinants[0], determinants[-1]).astype(x.dtype)
        matrix = _orthogonal(numbers[:size], sign)
        return (matrix, numbers[size]) if translates else matrix

    def act(element: Any, x: Array) -> Array:
        matrix, vector = element if translates else (element, None)
        turned = jnp.matmul(x, matrix.T, precision=_HIGHEST)
        return turned if vector is None else turned + jnp.broadcast_to(vector, turned.shape)

    return Group(name, sample, act)


def _orthogonal(normals: Array, determinant: Any) -> Array:
    """From n × n normal numbers an orthogonal matrix, uniform over those of the given determinant."""
    q, r = jnp.linalg.qr(normals)
    q = q * jnp.sign(jnp.diagonal(r))[None, :]
    return q.at[:, 0].multiply(determinant * jnp.sign(jnp.linalg.det(q)))


# --- the others


def _require_floats(name: str, x: Array) -> None:
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise ValueError(f"{name} moves floating-point numbers, received {x.dtype}: convert them first")


def _require_rows(name: str, x: Array, axis: int) -> int:
    if not -x.ndim <= axis < x.ndim or x.shape[axis] < 2:
        raise ValueError(f"{name} need two rows or more on axis {axis}, received an array of shape {x.shape}")
    return x.shape[axis]


def _shift(element: Any, x: Array) -> Array:
    return x + jnp.broadcast_to(element, x.shape)


def _vector(key: Any, x: Array) -> Array:
    _require_floats("translations", x)
    return jax.random.normal(key, x.shape[-1:], x.dtype)


def _order(key: Any, x: Array) -> Array:
    n = _require_rows("permutations", x, 0)
    order = jax.random.permutation(key, n)
    return jnp.where(jnp.all(order == jnp.arange(n)), jnp.roll(order, 1), order)  # never the identity


def _reorder(element: Any, x: Array) -> Array:
    if x.ndim == 0 or x.shape[0] != element.shape[0]:  # indexing would clamp and pass over the difference
        raise ValueError(f"an order of {element.shape[0]} rows cannot move an array of shape {x.shape}")
    return x[element]


def lattice(period: float | Sequence[Any] | np.ndarray) -> Group:
    """Translations by whole periods.

    Args:
        period: One period for every axis; or a flat sequence with the period of each coordinate of the last axis, None
            for a coordinate without one; or the lattice vectors as rows, acting on the last axis.

    Returns:
        The group; its random elements reach three periods in either direction and are never 0.

    Raises:
        ValueError: A period or a lattice vector is 0 or not finite.

    Example:
        >>> lattice((24.0, None)).name
        'lattice (24.0, None)'
    """
    return _lattice(_plain_period(period))


@functools.cache
def _lattice(period: Any) -> Group:
    basis = _basis(period)
    whole = bool(np.all(basis == np.rint(basis)))

    def sample(key: Any, x: Array) -> Array:
        if not whole:
            _require_floats(f"lattice {period}", x)
        if not isinstance(period, tuple):
            return _whole_numbers(key, x.shape[-1:]).astype(x.dtype) * jnp.asarray(period, x.dtype)
        if x.shape[-1:] != basis.shape[1:]:
            raise ValueError(
                f"lattice {period} acts on a last axis of length {basis.shape[1]}, received shape {x.shape}"
            )
        counts = _whole_numbers(key, basis.shape[:1]).astype(x.dtype)
        return jnp.matmul(counts, jnp.asarray(basis, x.dtype), precision=_HIGHEST)

    return Group(f"lattice {period}", sample, _shift)


def _whole_numbers(key: Any, shape: Any) -> Array:
    """From −3 to 3, not all of them 0."""
    numbers = jax.random.randint(key, shape, -3, 4)
    return jnp.where(jnp.all(numbers == 0), 1, numbers)


def _plain_period(period: Any) -> Any:
    """Python floats in tuples: hashable, and without the dtype of a numpy number."""
    if isinstance(period, np.ndarray | jax.Array):
        period = period.tolist()
    if isinstance(period, tuple | list):
        return tuple(_plain_period(row) for row in period)
    return None if period is None else float(period)


def _basis(period: Any) -> np.ndarray:
    """The lattice vectors as rows; of one period for every axis a row of one."""
    flat = isinstance(period, tuple) and not any(isinstance(row, tuple) for row in period)
    if flat:
        size = len(period)
        rows = [[p if i == j else 0.0 for j in range(size)] for i, p in enumerate(period) if p is not None]
        rows = np.asarray(rows, float).reshape(len(rows), size)
    else:
        rows = np.atleast_2d(np.asarray(period, float))
    if rows.ndim != 2 or not len(rows) or not np.isfinite(rows).all() or not rows.any(axis=1).all():
        raise ValueError(f"periods must be finite and not 0, at least one, received {period}")
    return rows


@functools.cache
def cyclic_shifts(axis: int = 0) -> Group:
    """Rolling along one axis, by 1 to n − 1 places.

    Args:
        axis: The axis that is rolled.

    Returns:
        The group.
    """
    name = "cyclic shifts" if axis == 0 else f"cyclic shifts of axis {axis}"

    def sample(key: Any, x: Array) -> Array:
        return jax.random.randint(key, (), 1, _require_rows(name, x, axis))

    def act(element: Any, x: Array) -> Array:
        return jnp.roll(x, element, axis=axis)

    return Group(name, sample, act)


SO2 = isometries("SO(2)", 2, (1,), False)
SO3 = isometries("SO(3)", 3, (1,), False)
O2 = isometries("O(2)", 2, (1, -1), False)
O3 = isometries("O(3)", 3, (1, -1), False)
SE2 = isometries("SE(2)", 2, (1,), True)
SE3 = isometries("SE(3)", 3, (1,), True)
E2 = isometries("E(2)", 2, (1, -1), True)
E3 = isometries("E(3)", 3, (1, -1), True)
mirrors = isometries("mirrors", None, (-1,), False)
translations = Group("translations", _vector, _shift)
permutations = Group("permutations", _order, _reorder)

ISOMETRIES = (SO2, SO3, O2, O3, SE2, SE3, E2, E3, mirrors)
GROUPS: dict[str, Group] = {
    group.name: group for group in (*ISOMETRIES, translations, permutations, cyclic_shifts())
}


_DETERMINANTS = {"S": (1,), "O": (1, -1), "E": (1, -1), "m": (-1,)}


def special_isometries(group: Group, x: Array) -> list[Any]:
    """The identity, quarter turns and mirror images that a group of isometries of up to three dimensions has."""
    if group.sample not in [isometry.sample for isometry in ISOMETRIES] or x.shape[-1] > 3:
        return []
    n = x.shape[-1]
    turns = [
        np.diag(signs)[list(order)]
        for order in itertools.permutations(range(n))
        for signs in itertools.product((1.0, -1.0), repeat=n)
    ]
    allowed = _DETERMINANTS[group.name[0]]
    matrices = [jnp.asarray(turn, x.dtype) for turn in turns if round(np.linalg.det(turn)) in allowed]
    if "E" not in group.name:
        return matrices
    return [(matrix, jnp.full(n, shift, x.dtype)) for shift in (0.0, 1.0) for matrix in matrices]


def as_group(group: Any) -> Group:
    """The group itself, or the one of that name."""
    if isinstance(group, Group):
        return group
    if group in GROUPS:
        return GROUPS[group]
    raise ValueError(f"unknown group {group!r}: use a Group or one of {', '.join(GROUPS)}")
