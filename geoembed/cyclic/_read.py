"""Reading what `fold` takes: numbers and times, one or many, in the containers of several libraries."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Bool, Shaped

from ..core import InputError
from ._times import Ticks, filled, ticks_of_array, ticks_of_objects

Kind = Literal["numbers", "datetimes", "timedeltas", "nothing"]

_WANTED = "Pass numbers, datetimes or timedeltas: lists, numpy, pandas or jax arrays of them, or a single one"
_PARSE = "Parse them first: np.array(values, dtype='datetime64[s]') or pandas.to_datetime(values)"


@dataclass(frozen=True, eq=False)
class Readings:
    """Values as read.

    Args:
        kind: What they are; "nothing" where not one value is present.
        data: The numbers (int64, uint64 or a float), or the ticks of the times (int64); 0 where missing.
        present: False where a value is missing.
        tick: Attoseconds a tick; 0 for numbers.
        spacing: Of numbers in floating point: how far apart neighbours are at the largest of them; else 0.
    """

    kind: Kind
    data: Shaped[np.ndarray, "*shape"]
    present: Bool[np.ndarray, "*shape"]
    tick: int = 0
    spacing: float = 0.0


def read(values: Any, name: str = "values", wanted: str = _WANTED) -> Readings:
    """Reads numbers or times of any supported kind.

    Args:
        values: What the user passed.
        name: Which argument it is, for messages.
        wanted: The hint where its type is not supported.

    Raises:
        InputError: The type is not supported, kinds are mixed, or a value is infinite or does not fit 64 bits.
    """
    if isinstance(values, Tracer):
        reason = "jax is tracing them (jit, vmap, grad), and folding is done by numpy on the host"
        raise InputError("fold", name, reason, "Fold before the jitted function and pass the turns into it")
    try:
        array, present = _as_array(values, name)
        if not array.size:
            return Readings("nothing", np.zeros(array.shape), present)
        if array.dtype.kind == "O":
            return _from_objects(array, present, name, wanted)
    except InputError:
        raise
    except Exception as error:  # foreign containers and objects may raise anything
        reason = f"{type(values).__name__} cannot be read as an array ({type(error).__name__}: {error})"
        raise InputError("fold", name, reason, wanted) from error
    if array.dtype.kind in "mM":
        return _from_ticks(ticks_of_array(array, name), present, array.dtype.kind)
    return _from_numbers(array, present, name, wanted)


def place(name: str, index: int, shape: tuple[int, ...]) -> str:
    """The name of one element, counted flat: "values[3]", "values[1, 2]", or "values" of a single one."""
    where = ", ".join(str(i) for i in np.unravel_index(index, shape)) if shape else ""
    return f"{name}[{where}]" if where else name


def _as_array(values: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The values as an array, and which of them their container marks as present."""
    if isinstance(values, np.ma.MaskedArray):
        return np.ma.getdata(values), np.asarray(~np.ma.getmaskarray(values))
    dtype = getattr(values, "dtype", None)
    if hasattr(values, "isna") and hasattr(dtype, "kind"):
        return _from_pandas(values)
    # numpy would read the aware times of polars and pyarrow as UTC, without a word
    if getattr(dtype, "time_zone", None) or getattr(getattr(values, "type", None), "tz", None):
        hint = "Pass wall-clock times: .dt.replace_time_zone(None) in polars, pyarrow.compute.local_timestamp"
        raise InputError("fold", name, "numpy would drop the time zone of this container", hint)
    array = np.asarray(values)
    if isinstance(values, list | tuple) and _may_have_converted(array):
        array = _unconverted(values, array, name)
    return array, np.ones(array.shape, bool)


def _from_pandas(values: Any) -> tuple[np.ndarray, np.ndarray]:
    """A Series, Index or extension array, known by what it can do; aware times on their own wall clock."""
    dtype = values.dtype
    if getattr(dtype, "tz", None) or getattr(getattr(dtype, "pyarrow_dtype", None), "tz", None):
        to_local = getattr(getattr(values, "dt", values), "tz_localize", None)
        values = values if to_local is None else to_local(None)  # else numpy gets Timestamps, one by one
    present = ~np.asarray(values.isna(), bool)
    if dtype.kind in "iuf" and hasattr(dtype, "numpy_dtype"):  # NA must not turn integers into floats
        return values.to_numpy(dtype=dtype.numpy_dtype, na_value=0), present
    return np.asarray(values), present


def _may_have_converted(array: np.ndarray) -> bool:
    """Whether numpy, given a list, may have brought integers, units or kinds together at a loss."""
    return array.dtype.kind in "mM" or (array.dtype == np.float64 and bool(np.any(np.abs(array) >= 2.0**53)))


def _unconverted(values: Any, array: np.ndarray, name: str) -> np.ndarray:
    """The elements of a list as they are, where they are of several kinds."""
    leaves = list(_leaves(values))
    kinds = {getattr(leaf, "dtype", type(leaf)) for leaf in leaves}
    if len(kinds) == 1 and kinds != {int}:
        return array
    if any(np.ndim(leaf) for leaf in leaves):
        reason = "arrays of several dtypes stand in one list"
        raise InputError("fold", name, reason, "Give them one dtype, or fold them one by one")
    return np.fromiter(leaves, object, len(leaves)).reshape(array.shape)


def _leaves(values: Any) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from _leaves(value)
        else:
            yield value


def _from_numbers(array: np.ndarray, present: np.ndarray, name: str, wanted: str) -> Readings:
    dtype = array.dtype
    if jnp.issubdtype(dtype, jnp.integer):  # jax's answer knows bfloat16 and int4 too
        wide = np.uint64 if dtype.kind == "u" else np.int64
        return Readings("numbers", filled(array.astype(wide, copy=False), present), present)
    if not jnp.issubdtype(dtype, jnp.floating):
        hint = _PARSE if dtype.kind in "UST" else wanted
        raise InputError("fold", name, f"dtype {dtype} is neither a real number nor a time", hint)
    present = np.asarray(present & ~np.isnan(array))
    array = filled(array, present)
    infinite = np.isinf(array)
    if infinite.any():
        reason = f"{np.count_nonzero(infinite)} of {array.size} numbers are infinite, this one first"
        first = place(name, int(np.argmax(infinite)), array.shape)
        hint = "Mark them as missing (nan) or remove them" if name == "values" else "Pass a finite number"
        raise InputError("fold", first, reason, hint)
    wide = dtype if dtype == np.longdouble else np.float64
    return Readings("numbers", array.astype(wide, copy=False), present, spacing=_spacing(array))


def _spacing(array: np.ndarray) -> float:
    """The distance between neighbouring numbers at the largest of these, in their own dtype."""
    largest, dtype = np.max(np.abs(array)), array.dtype
    limits = np.finfo(dtype) if dtype == np.longdouble else jnp.finfo(dtype)
    with np.errstate(over="ignore", under="ignore"):
        # numpy's own `spacing` is infinite at the largest number of a dtype
        return float(np.ldexp(float(limits.eps), int(np.frexp(largest)[1]) - 1)) if largest else 0.0


def _from_ticks(ticks: Ticks, present: np.ndarray, dtype_kind: str) -> Readings:
    present = np.asarray(present & ticks.present)
    kind = "nothing" if not present.any() else "datetimes" if dtype_kind == "M" else "timedeltas"
    return Readings(kind, filled(ticks.count, present), present, tick=ticks.tick)


def _from_objects(array: np.ndarray, present: np.ndarray, name: str, wanted: str) -> Readings:
    """Python objects: datetimes, dates, timedeltas, numbers, None, and what pandas makes of them."""
    flat = array.ravel().tolist()
    kinds: dict[type, Kind | None] = {t: _kind(t) for t in set(map(type, flat))}
    # only nan and numpy's NaT differ from themselves
    here = [kinds[type(x)] != "nothing" and not (isinstance(x, (float, np.generic)) and x != x) for x in flat]
    present = np.asarray(present & np.reshape(here, array.shape))
    order = np.flatnonzero(present).tolist()
    kept = [flat[i] for i in order]
    if not kept:
        return Readings("nothing", np.zeros(array.shape), present)
    kind = kinds[type(kept[0])]
    for index, x in zip(order, kept, strict=True):
        if kinds[type(x)] is None or kinds[type(x)] != kind:
            raise _wrong_object(x, kinds[type(x)], kind, place(name, index, array.shape), wanted)
    tick = 0
    if kind == "numbers":
        data = _numbers_of_objects(kept, name)
    else:
        ticks = ticks_of_objects(kept, name)
        data, tick = ticks.count, ticks.tick
    whole = np.zeros(array.shape, data.dtype)
    whole[present] = data
    if kind is None or kind == "numbers":
        return _from_numbers(whole, present, name, wanted)
    return Readings(kind, whole, present, tick=tick)


def _wrong_object(x: Any, kind: Kind | None, first: Kind | None, where: str, wanted: str) -> InputError:
    if kind is not None:
        reason = f"{first} and {kind} are mixed"
        return InputError("fold", where, reason, "Fold each kind by itself, with a period of its own kind")
    reason = f"type {type(x).__name__} is neither a real number nor a time"
    return InputError("fold", where, reason, _PARSE if isinstance(x, (str, bytes)) else wanted)


def _kind(t: type) -> Kind | None:
    """What objects of a type are; None for a type that is not supported."""
    if t in (type(None), type(np.ma.masked)) or t.__name__ in (
        "NaTType",
        "NAType",
    ):  # the last two are pandas'
        return "nothing"
    if issubclass(t, (datetime.date, np.datetime64)):  # every datetime is a date
        return "datetimes"
    if issubclass(t, (datetime.timedelta, np.timedelta64)):  # before the integers: numpy derives it from them
        return "timedeltas"
    numbers = (int, float, np.integer, np.floating, np.ndarray, jax.Array)
    return "numbers" if issubclass(t, numbers) and not issubclass(t, bool) else None


def _numbers_of_objects(numbers: list[Any], name: str) -> np.ndarray:
    data = np.asarray(numbers)
    if data.ndim != 1:
        raise InputError("fold", name, "arrays stand inside an array of objects", "Pass one array of numbers")
    whole = [i for i, x in enumerate(numbers) if isinstance(x, int | np.integer)]
    if data.dtype.kind == "O" or (
        data.dtype.kind == "f" and any(float(data[i]) != numbers[i] for i in whole)
    ):
        reason = "integers do not fit 64 bits, or stand among floats and do not fit their 53 bits"
        raise InputError("fold", name, reason, "Subtract a common origin first, as Python integers")
    return data
