"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

_LARGEST = 2048  # a side of a matrix that has more rows is not rotated


class SoapState(NamedTuple):
    """The state of `scale_by_soap`.

    Args:
        count: Gradients that made a step.
        mean: M of each array, in the directions of the array.
        square: V, in the rotated directions.
        sums: L and R of each matrix; None for a side that is not rotated, an empty tuple for other arrays.
        bases: Q_L and Q_R, likewise.
    """

    count: Int[Array, ""]
    mean: Any
    square: Any
    sums: tuple[tuple, ...]
    bases: tuple[tuple, ...]


def scale_by_soap(
    b1: float = 0.95, b2: float = 0.999, eps: float = 1e-8, every: int = 2
) -> optax.GradientTransformation:
    """SOAP without the learning rate, for `optax.chain`.

    For a matrix with gradient G, moments M of G and V of (Q_Lᵀ G Q_R)², both corrected for their start, the step is

        Q_L [Q_Lᵀ M Q_R / (√V + ε)] Q_Rᵀ.

    Q_L and Q_R follow the eigenvectors of L = mean G Gᵀ and R = mean Gᵀ G by one orthogonal iteration
    Q ← qr(L Q) every few steps. The first gradient only makes the first bases, as in the authors' program. Arrays that
    are no matrices, and sides with more than 2048 rows, are not rotated: for them this is Adam. One step costs
    O(m² n + m n²) operations for an m × n matrix, and as much again with a new basis.

    Args:
        b1: Decay of M.
        b2: Decay of V, L and R.
        eps: ε.
        every: Steps between two changes of the bases.

    Returns:
        A gradient transformation of optax.

    Raises:
        ValueError: `every` is below 1.

    References:
        N. Vyas et al., SOAP: improving and stabilizing Shampoo using Adam, arXiv 2409.11321, algorithms 3 and 4.
    """
    if every < 1:
        raise ValueError(f"every must be at least 1, received {every}")

    def init(params: Any) -> SoapState:
        leaves = jax.tree.leaves(params)
        zeros = jax.tree.map(jnp.zeros_like, params)
        sums = tuple(_sides(leaf, jnp.zeros) for leaf in leaves)
        bases = tuple(_sides(leaf, lambda shape, dtype: jnp.eye(shape[0], dtype=dtype)) for leaf in leaves)
        return SoapState(jnp.asarray(-1, jnp.int32), zeros, zeros, sums, bases)

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, SoapState]:
        count, tree = state.count + 1, jax.tree.structure(updates)
        columns = [
            _leaf_step(count, *of_leaf, b1, b2, eps, every)
            for of_leaf in zip(
                jax.tree.leaves(updates),
                jax.tree.leaves(state.mean),
                jax.tree.leaves(state.square),
                state.sums,
                state.bases,
                strict=True,
            )
        ]
        steps, means, squares, sums, bases = zip(*columns, strict=True)
        mean, square = jax.tree.unflatten(tree, means), jax.tree.unflatten(tree, squares)
        return jax.tree.unflatten(tree, steps), SoapState(count, mean, square, sums, bases)

    return optax.GradientTransformation(init, update)


def soap(
    rate: float | optax.Schedule, b1: float = 0.95, b2: float = 0.999, eps: float = 1e-8, every: int = 2
) -> optax.GradientTransformation:
    """SOAP, an optimiser of optax; see `scale_by_soap`.

    Args:
        rate: The learning rate, or a function of the number of the step.
        b1: Decay of the mean gradient.
        b2: Decay of the mean squares.
        eps: Added to the root of the mean square.
        every: Steps between two changes of the bases.

    Returns:
        A gradient transformation of optax.

    Example:
        >>> import jax, jax.numpy as jnp, optax
        >>> from geoembed.train import soap
        >>> target = jnp.array([[1.0, 2.0], [3.0, 5.0]])
        >>> loss = lambda matrix: jnp.sum((matrix - target) ** 2)
        >>> optimiser, matrix = soap(0.05), jnp.zeros((2, 2))
        >>> state = optimiser.init(matrix)
        >>> @jax.jit
        ... def step(matrix, state):
        ...     updates, state = optimiser.update(jax.grad(loss)(matrix), state)
        ...     return optax.apply_updates(matrix, updates), state
        >>> for _ in range(3):
        ...     matrix, state = step(matrix, state)
        >>> bool(loss(matrix) < loss(jnp.zeros((2, 2))))
        True
    """
    return optax.chain(scale_by_soap(b1, b2, eps, every), optax.scale_by_learning_rate(rate))


def _sides(leaf: Array, make: Any) -> tuple:
    """What `make` returns for each side of a matrix that is rotated."""
    if leaf.ndim != 2:
        return ()
    return tuple(make((side, side), leaf.dtype) if side <= _LARGEST else None for side in leaf.shape)


def _leaf_step(
    count: Int[Array, ""],
    gradient: Array,
    mean: Array,
    square: Array,
    sums: tuple,
    bases: tuple,
    b1: float,
    b2: float,
    eps: float,
    every: int,
) -> tuple[Array, Array, Array, tuple, tuple]:
    """The step of one array, and its part of the next state."""
    first, power = count == 0, jnp.maximum(count, 1).astype(gradient.dtype)
    turned = _turned(gradient, bases)
    mean = jnp.where(first, mean, b1 * mean + (1 - b1) * gradient)
    square = jnp.where(first, square, b2 * square + (1 - b2) * turned**2)
    scale = jnp.sqrt(square / (1 - b2**power)) + eps
    step = _turned(_turned(mean, bases) / (1 - b1**power) / scale, bases, back=True)
    products = (gradient @ gradient.T, gradient.T @ gradient) if sums else ()
    sums = tuple(
        None if old is None else b2 * old + (1 - b2) * new for old, new in zip(sums, products, strict=True)
    )
    which = jnp.where(first, 2, jnp.where(count % every == 0, 1, 0))
    bases = tuple(
        None if basis is None else jax.lax.switch(which, (_kept, _iterated, _eigenvectors), basis, own)
        for basis, own in zip(bases, sums, strict=True)
    )
    return step, mean, square, sums, bases


def _turned(matrix: Array, bases: tuple, *, back: bool = False) -> Array:
    """Q_Lᵀ G Q_R, or Q_L G Q_Rᵀ to turn back."""
    for side, basis in enumerate(bases):
        if basis is not None:
            turn = basis.T if back else basis
            matrix = turn.T @ matrix if side == 0 else matrix @ turn
    return matrix


def _kept(basis: Float[Array, "m m"], own: Float[Array, "m m"]) -> Float[Array, "m m"]:
    return basis


def _iterated(basis: Float[Array, "m m"], own: Float[Array, "m m"]) -> Float[Array, "m m"]:
    """One orthogonal iteration."""
    return jnp.linalg.qr(own @ basis)[0]


def _eigenvectors(basis: Float[Array, "m m"], own: Float[Array, "m m"]) -> Float[Array, "m m"]:
    """The eigenvectors, that of the largest eigenvalue first."""
    return jnp.linalg.eigh(own)[1][:, ::-1]
