"""Operations of a traced program that leave the precision of its input."""

from collections.abc import Iterator
from typing import Any

import jax

_WIDE = ("float64", "complex128")


def wide_operations(jaxpr: Any) -> Iterator[str]:
    """The operations of a float32 program whose result is float64 or complex128 and no Python number."""
    for equation in equations(jaxpr):
        if any(_is_wide(out.aval) for out in equation.outvars):
            yield f"{equation.primitive.name} in float64"


def narrow_operations(jaxpr: Any) -> Iterator[str]:
    """The conversions of a float64 program that lose digits of numbers it computed."""
    for equation in equations(jaxpr):
        if equation.primitive.name != "convert_element_type" or not _is_wide(equation.invars[0].aval):
            continue
        to = equation.outvars[0].aval.dtype
        if jax.numpy.issubdtype(to, jax.numpy.inexact) and to.name not in _WIDE:
            yield f"float64 narrowed to {to.name}"


def equations(jaxpr: Any) -> Iterator[Any]:
    """All equations, also those of inner programs: branches, loops, jitted functions."""
    for equation in jaxpr.eqns:
        yield equation
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=lambda p: hasattr(p, "eqns")):
            inner = getattr(inner, "jaxpr", inner)
            if hasattr(inner, "eqns"):
                yield from equations(inner)


def _is_wide(aval: Any) -> bool:
    return str(getattr(aval, "dtype", "")) in _WIDE and not aval.weak_type
