"""Groups that inputs can be moved by, with random elements."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Key

from ._items import Arguments

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
        return _draw(self, keys, jax.tree.leaves(args[self.moves[0]])[0])

    def move(self, element: Any, args: Arguments) -> Arguments:
        """The moved arguments of a call."""
        act = functools.partial(self.act, element)
        return tuple(jax.tree.map(act, arg) if i in self.moves else arg for i, arg in enumerate(args))


@functools.partial(jax.jit, static_argnums=0)  # compiled once per group and shape, not once per encoder
def _draw(group: Group, keys: Any, x: Array) -> Any:
    return jax.vmap(jax.vmap(group.sample, (0, None)))(keys, x)


# --- isometries of n-dimensional space, on the last axis; elements are a matrix, or a matrix and a vector


@functools.cache
def isometries(name: str, n: int | None, determinants: tuple[int, ...], translates: bool) -> Group:
    """Matrices of ±1 determinants, with or without a translation of unit normal length per axis."""

    def sample(key: Any, x: Array) -> Any:
        if n is not None and (x.ndim == 0 or x.shape[-1] != n):
            raise ValueError(
                f"{name} acts on a last axis of length {n}, received an array of shape {x.shape}"
            )
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


def _shift(element: Any, x: Array) -> Array:
    return x + jnp.broadcast_to(element, x.shape)


def _vector(key: Any, x: Array) -> Array:
    return jax.random.normal(key, x.shape[-1:], x.dtype)


def _order(key: Any, x: Array) -> Array:
    return jax.random.permutation(key, x.shape[0])


def _reorder(element: Any, x: Array) -> Array:
    return x[element]


@functools.cache
def lattice(period: float | tuple[tuple[float, ...], ...]) -> Group:
    """Translations by whole periods.

    Args:
        period: One period for every axis, or the lattice vectors as rows, acting on the last axis.

    Returns:
        The group; its random elements reach three periods in either direction.
    """

    def sample(key: Any, x: Array) -> Array:
        if not isinstance(period, tuple):
            return jax.random.randint(key, x.shape[-1:], -3, 4).astype(x.dtype) * period
        basis = jnp.asarray(period, x.dtype)
        counts = jax.random.randint(key, basis.shape[:1], -3, 4).astype(x.dtype)
        return jnp.matmul(counts, basis, precision=_HIGHEST)

    return Group(f"lattice {period}", sample, _shift)


@functools.cache
def cyclic_shifts(axis: int = 0) -> Group:
    """Rolling along one axis, by 1 to n − 1 places.

    Args:
        axis: The axis that is rolled.

    Returns:
        The group.
    """

    def sample(key: Any, x: Array) -> Array:
        return jax.random.randint(key, (), 1, max(x.shape[axis], 2))

    def act(element: Any, x: Array) -> Array:
        return jnp.roll(x, element, axis=axis)

    return Group("cyclic shifts", sample, act)


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

GROUPS: dict[str, Group] = {
    group.name: group
    for group in (SO2, SO3, O2, O3, SE2, SE3, E2, E3, mirrors, translations, permutations, cyclic_shifts())
}


def as_group(group: Any) -> Group:
    """The group itself, or the one of that name."""
    if isinstance(group, Group):
        return group
    if group in GROUPS:
        return GROUPS[group]
    raise ValueError(f"unknown group {group!r}: use a Group or one of {', '.join(GROUPS)}")
