"""The run-time type checks of test runs see wrong arguments and wrong results, also of functions within functions."""

import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Float, TypeCheckError, jaxtyped

from geoembed import sdf
from tests.type_checks import checked


@jaxtyped(typechecker=checked)
def joined(a: Float[Array, " n"], b: Float[Array, " m"], times: float = 1) -> Float[Array, " n+m"]:
    """Right for `times` 1 and 3; otherwise of another length or type."""
    both = jnp.concatenate([a, b])
    return {0: "text", 1: both, 2: both[1:], 3: both * times}[int(times)]


A, B = jnp.ones(2), jnp.ones(3)


@pytest.mark.parametrize("times", [1, 3.0])
def test_what_is_declared_passes(times):
    assert joined(A, B, times).shape == (5,)


@pytest.mark.parametrize(
    "arguments", [(np.ones(2), B), (A, jnp.ones((3, 1))), (A, jnp.ones(3, int)), (A, B, "1")]
)
def test_wrong_arguments_are_seen_before_the_call(arguments):
    with pytest.raises(TypeCheckError, match="parameters"):
        joined(*arguments)


@pytest.mark.parametrize("times", [0, 2])
def test_a_wrong_result_is_seen(times):
    """Also a length that only the arguments tell to be wrong."""
    with pytest.raises(TypeCheckError, match="return value"):
        joined(A, B, times)


def made(kind, shape):
    """A function within a function, whose annotations change from call to call."""

    @jaxtyped(typechecker=checked)
    def first(x: Float[kind, shape]) -> Float[kind, ""]:  # pyright: ignore[reportInvalidTypeForm]
        return x[0]

    return first


def test_functions_within_functions_have_the_types_of_their_own_definition():
    ours, theirs = jnp.ones(2), np.ones((2, 2))
    for _ in range(2):  # anew, and as remembered
        assert made(Array, "2")(ours) == 1
        for kind, shape, x in ((Array, "3", ours), (np.ndarray, "2", ours), (np.ndarray, "2 2", theirs)):
            with pytest.raises(TypeCheckError):
                made(kind, shape)(x)


def test_the_library_is_checked():
    with pytest.raises(TypeCheckError):
        sdf.Sphere(1.0)(jnp.zeros((2, 3)))
