"""Items and the usual judgement of a failed check."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

KEY = jax.random.key(0)


def cloud(dtype=jnp.float32, n=5, dimension=3, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=(n, dimension)), dtype)


def points(n=20, dimension=3, dtype=jnp.float32):
    return list(cloud(dtype, n, dimension))


def failing(result, least=0.0):
    assert not result
    assert not result.passed
    assert result.value > least
    assert "FAILED" in str(result)
    return True


@pytest.fixture(scope="module", autouse=True)
def few_numbers(compiled_quickly):
    """The encoders here are toys."""
