"""Random numbers on the host."""

import jax
import numpy as np
from jaxtyping import PRNGKeyArray


def host_generator(key: PRNGKeyArray) -> np.random.Generator:
    """Returns numpy's generator, seeded by a random key: nothing has to be compiled to draw from it.

    Args:
        key: Random key; equal keys give equal numbers.
    """
    return np.random.default_rng(np.asarray(jax.random.key_data(key)).ravel())
