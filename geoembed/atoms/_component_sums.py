"""Sums over components for each channel and atom, whose derivatives are sums of the same kinds.

Automatic derivatives of slices are padded arrays, one for each slice and each order: many programs to compile.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def squares(
    x: Float[Array, "channels n atoms"], *, reverse_only: bool
) -> Float[Array, "channels pairs atoms"]:
    """xᵢ xⱼ for i ≤ j, by i and then by j; with `reverse_only` derivatives are found in reverse mode only."""
    if reverse_only:
        return _squares(x)
    return jnp.concatenate([x[:, i : i + 1] * x[:, i:] for i in range(x.shape[1])], axis=1)


@jax.custom_vjp
def _squares(x: Array) -> Array:
    return squares(x, reverse_only=False)


@jax.custom_vjp
def _mixed(x: Array, y: Array) -> Array:
    """xᵢ yⱼ + xⱼ yᵢ for i ≤ j."""
    return jnp.concatenate(
        [x[:, i : i + 1] * y[:, i:] + y[:, i : i + 1] * x[:, i:] for i in range(x.shape[1])], axis=1
    )


@jax.custom_vjp
def _applied(c: Array, y: Array) -> Array:
    """C y with the symmetric matrix C that has cᵢⱼ at both its places and 2 cᵢᵢ on the diagonal."""
    n = y.shape[1]
    first = [i * n - i * (i - 1) // 2 for i in range(n)]
    rows = []
    for i in range(n):
        own = 2.0 * c[:, first[i]] * y[:, i]
        for j in range(n):
            if j != i:
                own = own + c[:, first[min(i, j)] + abs(i - j)] * y[:, j]
        rows.append(own)
    return jnp.stack(rows, axis=1)


_squares.defvjp(lambda x: (_squares(x), x), lambda x, c: (_applied(c, x),))
_mixed.defvjp(lambda x, y: (_mixed(x, y), (x, y)), lambda s, c: (_applied(c, s[1]), _applied(c, s[0])))
_applied.defvjp(lambda c, y: (_applied(c, y), (c, y)), lambda s, g: (_mixed(g, s[1]), _applied(s[0], g)))


def weighted(
    own: Float[Array, "channels m factors atoms"],
    factor: Float[Array, "channels factors atoms"],
    *,
    reverse_only: bool,
) -> Float[Array, "channels m atoms"]:
    """Σ over factors of own · factor; with `reverse_only` derivatives are found in reverse mode only."""
    return _over_factors(own, factor) if reverse_only else _sum_over_factors(own, factor)


def _sum_over_factors(own: Array, factor: Array) -> Array:
    terms = [own[:, :, f] * factor[:, None, f] for f in range(factor.shape[1])]
    return sum(terms[1:], terms[0])


@jax.custom_vjp
def _over_factors(own: Array, factor: Array) -> Array:
    return _sum_over_factors(own, factor)


@jax.custom_vjp
def _over_components(own: Array, out: Array) -> Array:
    terms = [own[:, m] * out[:, m : m + 1] for m in range(out.shape[1])]
    return sum(terms[1:], terms[0])


@jax.custom_vjp
def _outer(out: Array, factor: Array) -> Array:
    return out[:, :, None] * factor[:, None]


def _keep(f: Callable[[Array, Array], Array]) -> Callable[[Array, Array], tuple[Array, tuple[Array, Array]]]:
    return lambda a, b: (f(a, b), (a, b))


_over_factors.defvjp(_keep(_over_factors), lambda s, g: (_outer(g, s[1]), _over_components(s[0], g)))
_over_components.defvjp(_keep(_over_components), lambda s, g: (_outer(s[1], g), _over_factors(s[0], g)))
_outer.defvjp(_keep(_outer), lambda s, g: (_over_factors(g, s[1]), _over_components(g, s[0])))
