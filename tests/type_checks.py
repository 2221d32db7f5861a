"""The run-time type checks of a test run: what jaxtyping asks of beartype, each question asked once.

jaxtyping has two functions checked for each function of the library: before the call one that takes the arguments, and
after it one that takes the arguments again and returns the result, which it hands over as one more argument. And a
function defined inside another one is decorated anew whenever the outer one is called.
"""

from collections.abc import Callable
from typing import Any

from beartype import BeartypeConf, beartype

# The numeric tower: an int is welcome where a float is asked for, as PEP 484 has it.
_checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
_inner: dict[Any, Callable[..., Any]] = {}


def checked(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The type checker of pyproject.toml.

    Args:
        fn: A function without a body of its own, written by jaxtyping. It stands for one with the same signature, whose
            arguments are checked already where `fn` returns something: the sizes of their axes are remembered until
            its result is checked.

    Returns:
        The function that raises where a type is another.
    """
    returned = fn.__annotations__.get("return", Any)
    if returned is not Any:
        fn.__annotations__ = {"return": returned}
    if "<locals>" not in fn.__qualname__ or fn.__defaults__ or fn.__kwdefaults__:
        return _checked(fn)
    code = fn.__code__
    counts = code.co_posonlyargcount, code.co_argcount, code.co_kwonlyargcount, code.co_flags
    names = fn.__module__, fn.__qualname__, code.co_varnames
    try:
        key = (*names, *counts, tuple(fn.__annotations__.items()))
        if key not in _inner:
            _inner[key] = _checked(fn)
        return _inner[key]
    except TypeError:  # an annotation without a hash
        return _checked(fn)
