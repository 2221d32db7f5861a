"""Random numbers on the host."""

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
