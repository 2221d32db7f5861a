"""Folding values into turns of a cycle, exactly, on the host."""

import math
from datetime import date, timedelta
from typing import Any, Literal, overload

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt64

from ..core import InputError
from ._calendar import FIXED, MONDAY, WORDS, real_turns
from ._read import Kind, Readings, place, read
from ._times import Ticks

Word = Literal["minute", "hour", "day", "week", "month", "year"]
Period = Word | float | timedelta | np.timedelta64 | np.floating | np.integer
Origin = float | date | timedelta | np.datetime64 | np.timedelta64 | np.floating | np.integer

_BELOW_ONE = 1 - 2.0**-53
_LOST = 1e-3  # of a period: what is known no better has no phase
_PERIODS = f"Pass a number, a timedelta, or one of {', '.join(WORDS)}"
_ORIGINS = "Pass what the values are: a number, a datetime or a timedelta"


@overload
def fold(
    values: Any, period: Period, origin: Origin = 0, *, missing: Literal["propagate", "error"] = "propagate"
) -> Float64[np.ndarray, "*shape"]: ...
@overload
def fold(
    values: Any, period: Period, origin: Origin = 0, *, missing: Literal["mask"]
) -> tuple[Float64[np.ndarray, "*shape"], Bool[np.ndarray, "*shape"]]: ...
def fold(
    values: Any, period: Any, origin: Any = 0, *, missing: Any = "propagate"
) -> Float64[np.ndarray, "*shape"] | tuple[Float64[np.ndarray, "*shape"], Bool[np.ndarray, "*shape"]]:
    """Folds numbers or times into turns: where in its cycle each of them stands, from 0 up to but not including 1.

    Mathematics: u = (v − origin) / period − ⌊(v − origin) / period⌋. Integers and times are reduced in exact integer
    arithmetic and divided once, floating-point numbers by an exact remainder. Each of the few operations after
    it rounds once, so u is right to 4e-16 turns, whatever the size of v. A result that would round to 1 is the
    largest float64 below it. Cast the turns to float32 after folding: this costs 3e-8 turns, whereas seconds
    since 1970 cast to float32 before it are 128 s apart.

    Times are read as **local civil time**: an aware datetime on its own wall clock, so that 02:30 is 02:30 also
    on a day when the clocks change (an hour then comes twice, or not at all). That is right for what people do
    (traffic, power consumption). Where elapsed time counts (tides, sunlight), convert to UTC first:
    `x.astimezone(UTC)` in Python, `x.dt.tz_convert("UTC")` in pandas.

    Args:
        values: Numbers; datetimes (`datetime`, `date`, numpy's datetime64, pandas' Timestamp, aware or naive); or
            durations (`timedelta`, timedelta64, Timedelta). One, a list or an array of any shape: numpy, masked,
            jax, pandas Series, Index and nullable or arrow-backed arrays.
        period: The length of one cycle, greater than 0. For numbers a number, in their unit. For datetimes and
            durations a timedelta, or one of "minute", "hour", "day" and "week" (a week begins on Monday). For
            datetimes also "month" and "year": the fraction of that very month or year, 28 to 31 or 365 to 366 days.
        origin: The value whose phase is 0, of the same kind as the values. The default 0 stands for the number 0, a
            duration of 0, and 1970-01-01T00:00 (for "week" the Monday before). "month" and "year" have no other.
        missing: What becomes of None, nan, NaT and NA. "propagate": nan. "mask": turn 0, and a second result says
            which values are present, to be passed on to `encode`. "error": refused.

    Returns:
        The turns in [0, 1), float64, in the shape of the values (one value gives an array of shape ()); with
        `missing="mask"` a pair of them and a boolean array that is True where a value is present.

    Raises:
        InputError: A period or origin that does not fit the values, a value that is infinite, of an unsupported
            type or beyond 64 bits, values missing under `missing="error"`, or floating-point values so large that
            their own spacing exceeds 1e-3 of the period (seconds since 1970 in float32, folded into days). Whole
            numbers at most 1 apart always pass. The message says what to write instead.

    Example:
        Hours are numbers with the period 24; hour 24 is hour 0:

        >>> fold([0, 6, 23, 24], 24)
        array([0.        , 0.25      , 0.95833333, 0.        ])

        A quarter past noon of a Monday, as a fraction of its hour, day, week, month and year:

        >>> noon = np.datetime64("2024-02-05T12:15")
        >>> [round(float(fold(noon, word)), 4) for word in ("hour", "day", "week", "month", "year")]
        [0.25, 0.5104, 0.0729, 0.1555, 0.097]

        The tide of the moon, in UTC, and a day that begins at six:

        >>> from datetime import datetime, timedelta
        >>> fold(noon, timedelta(hours=12, minutes=25.236)).round(4)
        np.float64(0.8521)
        >>> fold(noon, "day", origin=datetime(2024, 1, 1, 6)).round(4)
        np.float64(0.2604)

        Missing values stay nan, or come with a mask:

        >>> fold([1.0, None], 4)
        array([0.25,  nan])
        >>> fold([1.0, None], 4, missing="mask")
        (array([0.25, 0.  ]), array([ True, False]))
    """
    if not isinstance(missing, str) or missing not in ("propagate", "mask", "error"):
        reason = f"{missing!r} is not a policy for missing values"
        raise InputError("fold", "missing", reason, 'Write "propagate", "mask" or "error"')
    readings = read(values)
    present = readings.present
    if missing == "error" and not present.all():
        reason = f"{np.count_nonzero(~present)} of {present.size} values are missing, this one first"
        first = place("values", int(np.argmin(present)), present.shape)
        raise InputError("fold", first, reason, 'Fill them, or write missing="mask" or missing="propagate"')
    turns = np.minimum(_turns(readings, period, origin), _BELOW_ONE)
    if missing == "mask":
        return np.asarray(np.where(present, turns, 0.0)), present
    return np.asarray(turns if present.all() else np.where(present, turns, np.nan))


def _turns(readings: Readings, period: Any, origin: Any) -> Float64[np.ndarray, "*shape"]:
    """The turns, up to rounding to 1; anything where a value is missing."""
    if isinstance(period, str):
        return _word_turns(readings, period, origin)
    unit, length = _scalar(period, "period", _PERIODS)
    fitting = {"nothing": ("numbers", "timedeltas"), "numbers": ("numbers",)}
    if unit not in fitting.get(readings.kind, ("timedeltas",)):
        raise _mixed(readings.kind, unit)
    if length <= 0:
        raise InputError("fold", "period", f"{period!r} is not greater than 0", _PERIODS)
    if readings.kind == "nothing":
        return np.zeros(readings.present.shape)
    start = _start(origin, readings.kind)
    if readings.kind == "numbers":
        return _number_turns(readings, length, start)
    return _whole_turns(readings.data, readings.tick, int(length), int(start))


def _word_turns(readings: Readings, word: str, origin: Any) -> Float64[np.ndarray, "*shape"]:
    """The turns of a cycle that has a name."""
    if word not in WORDS:
        raise InputError("fold", "period", f"{word!r} is not the name of a cycle", _PERIODS)
    if readings.kind == "nothing":
        return np.zeros(readings.present.shape)
    if readings.kind == "numbers":
        hint = "Pass the period in the unit of the values (24 for hours), or make them times: "
        hint += "np.asarray(values, 'datetime64[s]') of whole seconds since 1970"
        raise InputError("fold", "period", f"{word!r} is a period of datetimes; the values are numbers", hint)
    if word in FIXED:
        monday = word == "week" and readings.kind == "datetimes"
        start = _start(origin, readings.kind, MONDAY if monday else 0)
        return _whole_turns(readings.data, readings.tick, FIXED[word], int(start))
    if readings.kind == "timedeltas":
        reason = f"{word!r} is a period of datetimes; the values are durations, and {word}s differ in length"
        raise InputError("fold", "period", reason, "Pass a timedelta, such as timedelta(days=30)")
    if _start(origin, "datetimes") != 0:
        reason = f"a {word} has no other origin than its first day, because {word}s differ in length"
        raise InputError("fold", "origin", reason, "Leave it out, or add a constant to the turns")
    return real_turns(Ticks(readings.data, readings.present, readings.tick), word)


def _mixed(kind: Kind, unit: Kind) -> InputError:
    if kind == "nothing":
        hint = _PERIODS
    elif kind == "numbers":
        hint = "Pass the period as a number in the unit of the values, such as 86400 for seconds and a day"
    else:
        hint = 'Pass a timedelta, such as timedelta(hours=24) or np.timedelta64(24, "h"), or a word, such as "day"'
    return InputError("fold", "period", f"the values are {kind}, the period is one of {unit}", hint)


def _scalar(value: Any, name: str, wanted: str) -> tuple[Kind, int | float]:
    """What one number or time is, and how much: of a time, attoseconds."""
    one = read(value, name, wanted)
    if one.data.shape != () or not one.present:
        reason = "nothing, nan or NaT is given" if one.data.shape == () else "an array is given"
        raise InputError("fold", name, f"{reason} where one value is needed", wanted)
    amount = int(one.data) if one.data.dtype.kind in "iu" else float(one.data)
    return one.kind, amount * one.tick if one.tick else amount


def _start(origin: Any, kind: Kind, default: int = 0) -> int | float:
    """The origin as a number or in attoseconds."""
    unit, amount = _scalar(origin, "origin", _ORIGINS)
    if unit == "numbers" and amount == 0:
        return default
    if unit != kind:
        raise InputError("fold", "origin", f"the values are {kind}, the origin is one of {unit}", _ORIGINS)
    return amount


def _number_turns(
    readings: Readings, period: int | float, origin: int | float
) -> Float64[np.ndarray, "*shape"]:
    data = readings.data
    if data.dtype.kind in "iu":
        (whole, parts), (start, more) = period.as_integer_ratio(), origin.as_integer_ratio()
        tick = math.lcm(parts, more)  # so many parts make 1, and both are whole numbers of parts
        scaled = tick, whole * (tick // parts), start * (tick // more)
        if _fits(tick, scaled[1]) or _largest(data) > 2**53 or not _are_floats(period, origin):
            return _whole_turns(data, *scaled)
        data = data.astype(np.float64)
    if not _are_floats(period, origin):
        reason = "beyond 2**53 a period or origin must be a float when the values are"
        hint = "Write float(period) and float(origin), or pass integer values"
        raise InputError("fold", "period", reason, hint)
    _refuse_lost_phase(readings, period)
    period, origin = float(period), float(origin)
    with np.errstate(under="ignore"):
        turns = _remainder(data, period) / period
        if origin:
            turns = turns - math.fmod(origin, period) / period
        return np.asarray(turns - np.floor(turns), np.float64)


def _remainder(data: np.ndarray, period: float) -> np.ndarray:
    """The numbers less whole periods, exactly, between −period and period, of either sign.

    `fmod` is exact but divides bit by bit. While whole periods are exact products (those of 24 need two bits more than
    their count), so is number − count · period: it is a multiple of the smaller spacing and no longer than the period.
    """
    odd = period.as_integer_ratio()[0]
    odd //= odd & -odd  # the digits of the period
    if not np.max(np.abs(data), initial=0.0) / period * odd < 2**52:
        return np.fmod(data, period)
    return np.asarray(data - np.trunc(data / period) * period)


def _refuse_lost_phase(readings: Readings, period: int | float) -> None:
    """Refuses numbers whose dtype has already rounded their phase away."""
    data, spacing = readings.data, readings.spacing
    if spacing <= _LOST * period or (spacing <= 1 and bool(np.all(data == np.rint(data)))):
        return
    reason = f"numbers up to {float(np.max(np.abs(data))):.3g} in their dtype are {spacing:.3g} apart, which is more "
    reason += f"than 1e-3 of the period {period:.6g}: their phase is rounded away"
    hint = "Keep them in int64 or float64 until they are folded and cast the turns, or subtract a common origin first"
    raise InputError("fold", "values", reason, hint)


def _whole_turns(
    counts: Int64[np.ndarray, "*shape"] | UInt64[np.ndarray, "*shape"], tick: int, period: int, origin: int
) -> Float64[np.ndarray, "*shape"]:
    """((counts · tick − origin) mod period) / period, exact up to the division."""
    common = math.gcd(tick, period, origin)
    tick, period, origin = tick // common, period // common, origin % period // common
    if not _fits(tick, period):  # the slow way: Python's integers have any size
        turns = (counts.astype(object) * tick - origin) % period / period
        return np.asarray(turns, np.float64)
    shared = math.gcd(tick, period)
    step, cycle = tick // shared, period // shared
    left = np.mod(counts, cycle).astype(np.int64, copy=False)
    if step > 1:
        left = left * step % cycle
    left = left * shared - origin
    return np.asarray(np.where(left < 0, left + period, left) / period)


def _fits(tick: int, period: int) -> bool:
    """Whether no intermediate result of `_whole_turns` leaves 64 bits."""
    shared = math.gcd(tick, period)
    return period < 2**63 and (period // shared) * (tick // shared) < 2**63


def _are_floats(*numbers: int | float) -> bool:
    """Whether float64 holds these numbers."""
    return all(float(number) == number for number in numbers)


def _largest(data: np.ndarray) -> int:
    return max(int(data.max()), -int(data.min())) if data.size else 0
