"""Functions of the user's own as parts of pytrees."""

from typing import Any

import equinox as eqx
import jax


def as_pytree(function: Any) -> Any:
    """A module as it is, with its parameters; a plain function as a pytree without leaves."""
    if isinstance(function, eqx.Module | jax.tree_util.Partial):
        return function
    return jax.tree_util.Partial(function)
