"""The words of the calendar: cycles of fixed length, and the months and years of the Gregorian calendar."""

import math

import numpy as np
from jaxtyping import Float64

from ..core import InputError
from ._times import DAY, SECOND, Ticks

FIXED = {"minute": 60 * SECOND, "hour": 3_600 * SECOND, "day": DAY, "week": 7 * DAY}  # attoseconds
REAL = {"month": "datetime64[M]", "year": "datetime64[Y]"}
WORDS = (*FIXED, *REAL)
MONDAY = -3 * DAY  # 1969-12-29, the Monday before the epoch

_FOUR_CENTURIES = 146_097  # days after which the Gregorian calendar repeats


def real_turns(ticks: Ticks, word: str) -> Float64[np.ndarray, "*shape"]:
    """Returns how much of its own month or year has passed at each datetime, in turns.

    The quotient of two exact integers: the ticks since the month (year) began and the ticks it has, 28 to 31 days
    (365 or 366). Days before 1582 are those of the proleptic Gregorian calendar, as in Python and numpy.

    Args:
        ticks: Datetimes.
        word: "month" or "year".

    Raises:
        InputError: The resolution is finer than a nanosecond, so that a year has no 64-bit count of ticks.
    """
    common = math.gcd(ticks.tick, DAY)
    step, per_day = ticks.tick // common, DAY // common
    if 366 * per_day * step >= 2**63:
        reason = f'the values are resolved too finely for period="{word}"'
        raise InputError(
            "fold", "values", reason, "Round them to nanoseconds: values.astype('datetime64[ns]')"
        )
    # ticks = quotient · per_day + rest, and each is worth `step` parts of 1 / per_day of a day
    quotient, rest = np.divmod(ticks.count, per_day)
    days, parts = np.divmod(rest * step, per_day)
    # the place in the calendar's cycle says all, and no date overflows in it
    days = (days + quotient % _FOUR_CENTURIES * (step % _FOUR_CENTURIES)) % _FOUR_CENTURIES
    begun = days.astype("datetime64[D]").astype(REAL[word])
    first, following = begun.astype("datetime64[D]"), (begun + 1).astype("datetime64[D]")
    passed = (days - first.astype(np.int64)) * per_day + parts
    return np.asarray(passed / ((following - first).astype(np.int64) * per_day))
