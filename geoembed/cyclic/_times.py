"""Dates and durations of Python, numpy and pandas as whole ticks.

The length of a tick is a Python integer of attoseconds (10⁻¹⁸ s, the finest unit numpy has). So nothing is rounded
here, and the greatest common divisor of two resolutions is a resolution for both.
"""

import datetime
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Int64, Shaped

from ..core import InputError

SECOND = 10**18
DAY = 86_400 * SECOND
_UNITS = {"W": 7 * DAY, "D": DAY, "h": 3_600 * SECOND, "m": 60 * SECOND, "s": SECOND}
_UNITS |= {"ms": 10**15, "us": 10**12, "ns": 10**9, "ps": 10**6, "fs": 10**3, "as": 1}
_EPOCH = datetime.datetime(1970, 1, 1)
_MICROSECOND = datetime.timedelta(microseconds=1)


@dataclass(frozen=True, eq=False)
class Ticks:
    """Times counted in ticks: since 1970-01-01T00:00 for datetimes, the length for durations.

    Args:
        count: How many; 0 where missing.
        present: False where a time is missing (NaT).
        tick: Attoseconds each.
    """

    count: Int64[np.ndarray, "*shape"]
    present: Bool[np.ndarray, "*shape"]
    tick: int


def ticks_of_array(array: Shaped[np.ndarray, "*shape"], name: str) -> Ticks:
    """Returns the ticks of datetime64 and timedelta64 of any unit.

    Args:
        array: The times.
        name: Which argument they are, for messages.

    Raises:
        InputError: A duration in months, in years or without a unit; or a year beyond 10¹⁵.
    """
    present = np.asarray(~np.isnat(array))
    unit, size = np.datetime_data(array.dtype)
    if unit == "generic" and not present.any():
        unit = "s"
    if unit in "YM" and array.dtype.kind == "M":
        array, unit, size = _first_days(array, present, name), "D", 1
    if unit not in _UNITS:
        why = "has no unit" if unit == "generic" else "has no fixed length: months and years differ"
        hint = "Write a unit from weeks to attoseconds, such as np.timedelta64(30, 'D')"
        if name == "period" and unit in "YM":
            hint = 'Write period="month" or period="year" for datetimes, or a length in days'
        raise InputError("fold", name, f"{array.dtype} {why}", hint)
    return Ticks(filled(array.astype(np.int64), present), present, _UNITS[unit] * size)


def _first_days(array: np.ndarray, present: np.ndarray, name: str) -> np.ndarray:
    """datetime64[Y] and [M] in days: the first of January and of the month."""
    unit, size = np.datetime_data(array.dtype)
    months = size * (12 if unit == "Y" else 1)
    largest = int(np.max(np.abs(filled(array.astype(np.int64), present)), initial=0)) * months
    if largest > 12 * 10**15:  # later, numpy's count of days overflows
        raise InputError("fold", name, "a year beyond 10¹⁵ cannot be counted in days", "Correct the dates")
    return array.astype("datetime64[D]")


def ticks_of_objects(times: list[Any], name: str) -> Ticks:
    """Returns the ticks of Python's, numpy's and pandas' times: all datetimes and dates, or all durations.

    An aware datetime is read on its own wall clock.

    Args:
        times: The times, none missing.
        name: Which argument they are, for messages.

    Raises:
        InputError: They and their finest resolution do not fit 64 bits together.
    """
    methods = {t: _conversion(t) for t in set(map(type, times))}
    plain = [_plain(x, methods[type(x)]) for x in times]
    groups: dict[Any, list[int]] = {}
    for index, x in enumerate(plain):
        groups.setdefault(getattr(x, "dtype", type(x)), []).append(index)
    parts = [(members, _ticks_of_group([plain[i] for i in members], name)) for members in groups.values()]
    tick = math.gcd(*(part.tick for _, part in parts))
    count = np.empty(len(times), np.int64)
    for members, part in parts:
        factor = part.tick // tick
        if int(np.max(np.abs(part.count))) * factor >= 2**63:
            reason = "these times and their finest resolution do not fit 64 bits together"
            raise InputError("fold", name, reason, "Round them to one resolution, such as datetime64[us]")
        count[members] = part.count * factor
    return Ticks(count, np.ones(len(times), bool), tick)


def _conversion(t: type) -> str:
    """The method of pandas' Timestamp and Timedelta that gives numpy's type without rounding; else ""."""
    return next((method for method in ("to_datetime64", "to_timedelta64") if hasattr(t, method)), "")


def _plain(x: Any, conversion: str) -> Any:
    """A time without its zone (its own wall clock stays), and without pandas."""
    if getattr(x, "tzinfo", None) is not None:
        x = x.replace(tzinfo=None)
    return getattr(x, conversion)() if conversion else x


def _ticks_of_group(times: list[Any], name: str) -> Ticks:
    """Times of one type."""
    first = times[0]
    if isinstance(first, np.generic):
        return ticks_of_array(np.array(times, first.dtype), name)
    tick = DAY if not isinstance(first, (datetime.datetime, datetime.timedelta)) else 10**12
    if isinstance(first, datetime.datetime):  # numpy would take ten times as long
        count = ((x - _EPOCH) // _MICROSECOND for x in times)
    elif isinstance(first, datetime.date):
        count = (x.toordinal() - _EPOCH.toordinal() for x in times)
    else:
        count = (x // _MICROSECOND for x in times)
    try:
        whole = np.fromiter(count, np.int64, len(times))
    except OverflowError:
        reason = "a timedelta is longer than 64 bits can count in microseconds"
        raise InputError("fold", name, reason, "Correct it, or write it as np.timedelta64 in days") from None
    return Ticks(whole, np.ones(len(times), bool), tick)


def filled(array: np.ndarray, present: np.ndarray) -> np.ndarray:
    """The array with 0 where a value is missing."""
    return array if present.all() else np.where(present, array, array.dtype.type(0))
