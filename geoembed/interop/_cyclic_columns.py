"""Columns of a table as angles, and angles as features in float64, for the scikit-learn transformer."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jaxtyping import Float64

from ..core import InputError
from ..cyclic import decode, fold, harmonics, spline_basis

_TAKER = "CyclicEncoder"
_BLOCK = 65_536  # rows that are computed at once
_LEAST = 256

_harmonics = jax.jit(harmonics, static_argnums=1)
_splines = jax.jit(spline_basis, static_argnums=(1, 2))
_decode = jax.jit(decode)


def one_for_each(value: Any, what: str, names: Sequence[str], keys: Sequence[Any]) -> list[Any]:
    """One period (or origin) for each column, from one for all, a list, or a mapping from columns.

    Args:
        value: What the user gave.
        what: The name of the argument, for messages.
        names: Names of the columns, for messages.
        keys: What a mapping calls the columns.
    """
    if isinstance(value, Mapping):
        absent = [key for key in keys if key not in value]
        unknown = [key for key in value if key not in keys]
        if absent or unknown:
            reason = f"it lacks the columns {absent}" if absent else f"there are no columns {unknown}"
            hint = f"Give each of {list(keys)} its {what}, or only these columns to the encoder"
            raise InputError(_TAKER, what, reason, hint)
        return [value[key] for key in keys]
    if isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim == 1):
        if len(value) != len(names):
            reason = f"{len(value)} are given for {len(names)} columns"
            raise InputError(
                _TAKER, what, reason, f"Give one for all columns, or one for each of {list(names)}"
            )
        return list(value)
    return [value] * len(names)


def folded(
    columns: Sequence[Any], names: Sequence[str], periods: Sequence[Any], origins: Sequence[Any], missing: str
) -> Float64[np.ndarray, "n d"]:
    """The turns of each column; nan where a value is missing.

    Raises:
        InputError: A column and its period do not fit, or something is missing that must not be.
    """
    turns = np.empty((len(columns[0]), len(columns)))
    for j, (column, name) in enumerate(zip(columns, names, strict=True)):
        try:
            turns[:, j] = fold(column, periods[j], origins[j])
        except InputError as error:
            where = f"column {name!r}, {error.where}" if error.where else f"column {name!r}"
            raise InputError(_TAKER, where, error.reason, error.hint) from error
        absent = np.isnan(turns[:, j])
        if missing == "error" and absent.any():
            reason = f"{np.count_nonzero(absent)} of {absent.size} values are missing, this one first"
            hint = 'Fill them, or write missing="centre" or missing="propagate"'
            raise InputError(_TAKER, f"column {name!r}, row {int(np.argmax(absent))}", reason, hint)
    return turns


def harmonic_features(turns: Float64[np.ndarray, "n d"], count: int) -> Float64[np.ndarray, "n n_features"]:
    """sin 1, cos 1, sin 2, … of the first column, then of the second."""
    return _in_blocks(lambda block: _harmonics(block, count), turns, 2 * count * turns.shape[1])


def spline_features(
    turns: Float64[np.ndarray, "n d"], knots: int, degree: int
) -> Float64[np.ndarray, "n n_features"]:
    """The periodic B-splines of the first column, then of the second."""
    return _in_blocks(lambda block: _splines(block, knots, degree), turns, knots * turns.shape[1])


def decoded(pairs: Float64[np.ndarray, "n d 2"]) -> Float64[np.ndarray, "n d"]:
    """Turns of (sine, cosine); nan at the centre of the circle, which is no angle."""
    turns = _in_blocks(lambda block: _decode(block).turns, pairs, pairs.shape[1])
    return np.where((pairs == 0).all(axis=-1), np.nan, turns)


def _in_blocks(
    function: Callable[[Any], Any], rows: Float64[np.ndarray, "n ..."], width: int
) -> Float64[np.ndarray, "n {width}"]:
    """The function of all rows in float64, without touching the caller's jax configuration.

    Blocks are filled up to a power of two, so that tables of all sizes share a few compiled programs.
    """
    out = np.empty((len(rows), width))
    with jax.enable_x64(True):
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            padded = np.zeros((max(_LEAST, 1 << (len(block) - 1).bit_length()), *rows.shape[1:]))
            padded[: len(block)] = block
            out[start : start + len(block)] = np.asarray(function(padded))[: len(block)].reshape(-1, width)
    return out
