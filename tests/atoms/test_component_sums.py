"""Sums over components and their derivatives in closed form, beside automatic ones; arrays as vectors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.atoms._component_sums import squares, weighted
from geoembed.atoms._training._vectors import Layout, matrices


def first(x, own, reverse_only):
    """A function of both."""
    found = weighted(own, x, reverse_only=reverse_only)
    return jnp.sum(jnp.sin(squares(x, reverse_only=reverse_only))) + jnp.sum(jnp.cos(found))


def second(x, own, reverse_only):
    """A function of its derivatives."""
    by_x, by_own = jax.grad(first, (0, 1))(x, own, reverse_only)
    return jnp.sum(jnp.sin(by_x)) + jnp.sum(by_own**3)


def third(x, own, reverse_only):
    """And once more."""
    by_x, by_own = jax.grad(second, (0, 1))(x, own, reverse_only)
    return jnp.sum(jnp.sin(by_x)) + jnp.sum(by_own**2)


@pytest.mark.parametrize("function", [second, third])
def test_derivatives_in_closed_form_are_the_automatic_ones(function):
    with jax.enable_x64(True):
        x, own = (jax.random.normal(jax.random.key(0), s, "float64") for s in ((2, 3, 2), (2, 2, 3, 2)))
        slope = jax.jit(jax.grad(function, (0, 1)), static_argnums=2)
        for found, wanted in zip(slope(x, own, True), slope(x, own, False), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)


def test_arrays_come_back_from_the_vectors():
    tree = {
        "a": np.arange(6, dtype="float32").reshape(2, 3),
        "b": (np.float32([7]), None, np.ones((1, 2, 2), "float64")),
        "c": np.zeros((), "float32"),
        "d": np.full((2, 2), 5, "float32"),
    }
    layout = Layout.of(tree)
    vectors = layout.ravel(tree)
    assert {name: len(vector) for name, vector in vectors.items()} == {
        "float32 matrices": 10,
        "float32 others": 2,
        "float64 matrices": 4,
    }
    assert matrices(vectors) == {
        "float32 matrices": True,
        "float32 others": False,
        "float64 matrices": True,
    }
    back = layout.unravel(vectors)
    assert jax.tree.structure(back) == jax.tree.structure(tree)
    for found, wanted in zip(jax.tree.leaves(back), jax.tree.leaves(tree), strict=True):
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)
    assert hash(layout) == hash(Layout.of(tree))
