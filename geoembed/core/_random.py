"""Random numbers on the host, and the way of numbers from there to the device."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray


def host_generator(key: PRNGKeyArray) -> np.random.Generator:
    """Returns numpy's generator, seeded by a random key: nothing has to be compiled to draw from it.

    Args:
        key: Random key; equal keys give equal numbers.
    """
    return np.random.default_rng(np.asarray(jax.random.key_data(key)).ravel())


def rows_on_device(points: Float[np.ndarray, "n ..."]) -> list[Float[Array, "..."]]:
    """Returns the rows as jax arrays of the default dtype, without compiling anything.

    To slice one jax array takes a program for each of its lengths, `jnp.asarray(row)` one for each shape (jax 0.10).

    Args:
        points: Numbers on the host, n rows.
    """
    return jax.device_put(list(points.astype(jnp.result_type(float))))


def on_device(values: Any) -> Any:
    """Returns a pytree of arrays as jax arrays of their own dtypes, whatever jax's mode is; nothing is compiled.

    Args:
        values: Arrays on the host.
    """
    with jax.enable_x64(True):  # only so that float64 stays float64
        return jax.device_put(values)
