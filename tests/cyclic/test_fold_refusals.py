"""What `fold` refuses, and that its messages say what, where, and how to mend it."""

import datetime as dt
import decimal
import fractions

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoembed import InputError
from geoembed.cyclic import fold

HOURS = [6, 18, 30]
MOMENTS = [dt.datetime(1970, 1, 1, 6), dt.datetime(1970, 1, 1, 18), dt.datetime(1970, 1, 2, 6)]
SPANS = [dt.timedelta(hours=h) for h in HOURS]
STAMPS = np.array(MOMENTS, "datetime64[s]")
BIG = 2**53 + 1  # the first integer that float64 does not have


class Zoned:
    """Like a polars Series or a pyarrow array of aware times, which numpy reads as UTC."""

    def __init__(self, **attributes):
        self.__dict__.update(attributes)

    def __array__(self, dtype=None, copy=None):
        return STAMPS


class Broken:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("no")


ZONE = type("Type", (), {"time_zone": "Europe/Berlin", "tz": "Europe/Berlin"})()
SECONDS = np.array([0, 3600])
MIXED_ARRAYS = [STAMPS, STAMPS.astype("M8[ns]")]

# name: (values, further arguments, where, what the message says)
REFUSED = {
    "period 0": (HOURS, (0,), "period", "0 is not greater than 0"),
    "negative period": (HOURS, (-24.0,), "period", "not greater than 0.*Pass a number"),
    "nan period": (HOURS, (np.nan,), "period", "nan or NaT is given.*Pass a number"),
    "infinite period": (HOURS, (np.inf,), "period", "infinite.*finite"),
    "no period": (HOURS, (None,), "period", "nothing.*Pass a number"),
    "period True": (HOURS, (True,), "period", "bool.*Pass a number"),
    "complex period": (HOURS, (1j,), "period", "complex128.*Pass a number"),
    "list of periods": (HOURS, ([24],), "period", "an array is given"),
    "decimal period": (HOURS, (decimal.Decimal(24),), "period", "Decimal.*Pass a number"),
    "huge period": (HOURS, (10**30,), "period", "64 bits"),
    "word for numbers": (SECONDS, ("day",), "period", r"values are numbers.*24 for hours.*datetime64\[s\]"),
    "timedelta for numbers": (HOURS, (dt.timedelta(1),), "period", "numbers.*timedeltas.*86400"),
    "unknown word": (MOMENTS, ("days",), "period", "'days' is not the name.*day, week, month"),
    "number for datetimes": (MOMENTS, (24,), "period", r"datetimes.*numbers.*timedelta\(hours=24\).*day"),
    "number for timedeltas": (SPANS, (24.0,), "period", r"timedeltas.*numbers.*timedelta\(hours=24\)"),
    "datetime as period": (MOMENTS, (MOMENTS[0],), "period", "one of datetimes.*Pass a timedelta"),
    "no timedelta": (SPANS, (dt.timedelta(0),), "period", "not greater than 0"),
    "negative timedelta": (MOMENTS, (np.timedelta64(-1, "h"),), "period", "not greater than 0"),
    "NaT period": (MOMENTS, (np.timedelta64("NaT"),), "period", "NaT is given"),
    "pandas NaT period": (MOMENTS, (pd.NaT,), "period", "NaT is given"),
    "months as period": (MOMENTS, (np.timedelta64(1, "M"),), "period", 'differ.*period="month"'),
    "years as period": (MOMENTS, (np.timedelta64(1, "Y"),), "period", 'differ.*period="year"'),
    "period without unit": (MOMENTS, (np.timedelta64(1),), "period", "no unit.*Write a unit"),
    "offset": (MOMENTS, (pd.offsets.MonthEnd(),), "period", "MonthEnd.*month, year"),
    "word for nothing": ([None], ("days",), "period", "'days'"),
    "0 for nothing": ([None], (0,), "period", "not greater than 0"),
    "datetime for nothing": ([None], (MOMENTS[0],), "period", "Pass a number, a timedelta"),
    "month of durations": (SPANS, ("month",), "period", r"months differ.*timedelta\(days=30\)"),
    "year of durations": (SPANS, ("year",), "period", "years differ"),
    "origin nan": (HOURS, (24, np.nan), "origin", "nan"),
    "origin None": (HOURS, (24, None), "origin", "nothing"),
    "origin False": (HOURS, (24, False), "origin", "bool"),
    "origins": (HOURS, (24, [1, 2]), "origin", "an array"),
    "origin infinite": (HOURS, (24, -np.inf), "origin", "infinite"),
    "datetime origin of numbers": (HOURS, (24, MOMENTS[0]), "origin", "numbers.*datetimes"),
    "number origin of datetimes": (MOMENTS, ("day", 6), "origin", "datetimes.*numbers.*a datetime"),
    "duration origin of datetimes": (MOMENTS, ("day", SPANS[0]), "origin", "datetimes.*timedeltas"),
    "origin of a month": (MOMENTS, ("month", MOMENTS[0]), "origin", "no other origin.*Leave it out"),
    "missing policy": (HOURS, (24, 0, "drop"), "missing", '"propagate", "mask" or "error"'),
    "missing policy None": (HOURS, (24, 0, None), "missing", "None is not a policy"),
    "infinite value": ([1.0, 2.0, -np.inf], (24,), "values[2]", "1 of 3 numbers are infinite.*missing"),
    "lost phase": (np.array([1.7e9], np.float32), (86_400,), "values", "128 apart.*int64 or float64"),
    "strings": (["2024-01-01"], ("day",), "values", r"U10.*datetime64\[s\].*pandas.to_datetime"),
    "bytes": ([b"2024"], ("day",), "values", "pandas.to_datetime"),
    "string among times": ([MOMENTS[0], "x"], ("day",), "values[1]", "type str.*to_datetime"),
    "pandas strings": (pd.Series(["a", None]), ("day",), "values[0]", "type str.*to_datetime"),
    "bools": ([True, False], (24,), "values", "bool.*Pass numbers"),
    "bool among objects": ([None, True], (24,), "values[1]", "bool"),
    "pandas bools": (pd.array([True, None], "boolean"), (24,), "values[0]", "bool"),
    "complex": ([1j], (24,), "values", "complex128"),
    "records": (np.zeros(2, [("a", "f8")]), (24,), "values", "neither a real number nor a time"),
    "time of day": ([dt.time(6)], ("day",), "values[0]", "type time"),
    "periods of pandas": (
        pd.Series(pd.period_range("2020", periods=2, freq="M")),
        ("day",),
        "values[0]",
        "Period",
    ),
    "fractions": ([fractions.Fraction(1, 3)], (24,), "values[0]", "Fraction"),
    "dictionary": ({"a": 1}, (24,), "values", "dict"),
    "ragged": ([1, [2, 3]], (24,), "values", "cannot be read as an array"),
    "broken": (Broken(), (24,), "values", "RuntimeError: no.*Pass numbers"),
    "numbers and times": ([MOMENTS[0], 5], ("day",), "values[1]", "datetimes and numbers are mixed"),
    "number among timedelta64": (
        [np.timedelta64(1, "h"), 5],
        ("day",),
        "values[1]",
        "timedeltas and numbers",
    ),
    "datetimes and timedeltas": ([SPANS[0], MOMENTS[0]], ("day",), "values[1]", "timedeltas and datetimes"),
    "arrays of several units": (MIXED_ARRAYS, ("day",), "values", "several dtypes.*one dtype"),
    "arrays among objects": (np.array([None, HOURS], object), (24,), "values[1]", "list"),
    "months of duration": (np.array([1], "m8[M]"), ("day",), "values", "months and years differ"),
    "durations without unit": (np.array([1], "m8"), ("day",), "values", "no unit"),
    "year 10¹⁷": (np.array([10**17], "M8[Y]"), ("day",), "values", "10¹⁵"),
    "beyond 64 bits": ([2**64], (24,), "values", "64 bits.*Subtract"),
    "ends of 64 bits": ([2**63 + 1, -1], (24,), "values", "64 bits"),
    "integer among floats": ([BIG, 0.5], (1e19,), "values", "53 bits"),
    "long period of floats": ([0.5], (BIG,), "period", r"2\*\*53.*float\(period\)"),
    "year 9999 and nanoseconds": (
        [np.datetime64("9999-01-01", "s"), np.datetime64("2020-01-01", "ns")],
        ("day",),
        "values",
        r"64 bits together.*datetime64\[us\]",
    ),
    "longest timedelta": ([dt.timedelta.max], ("day",), "values", "longer than 64 bits.*in days"),
    "zone of polars": (Zoned(dtype=ZONE), ("day",), "values", "time zone.*replace_time_zone"),
    "zone of pyarrow": (Zoned(type=ZONE), ("day",), "values", "time zone.*local_timestamp"),
}


@pytest.mark.parametrize(("values", "arguments", "where", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_refusals_say_what_where_and_how_to_mend_it(values, arguments, where, says):
    further = dict(zip(("period", "origin", "missing"), arguments, strict=False))
    with pytest.raises(InputError, match=says) as caught:
        fold(values, **further)
    error = caught.value
    assert (error.file, error.where) == ("fold", where)
    assert str(error) == f"fold: {where}: {error.reason}. {error.hint}."
    assert error.hint[0].isupper()
    assert not error.reason.endswith(".")


def test_a_period_must_be_given():
    with pytest.raises(TypeError, match="period"):
        fold(HOURS)  # pyright: ignore[reportCallIssue]


def test_whole_seconds_become_times_as_the_hint_says():
    assert fold(np.asarray(SECONDS, "datetime64[s]"), "day").tolist() == [0, 1 / 24]


ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=3),
        st.binary(max_size=3),
        st.datetimes(timezones=st.one_of(st.none(), st.timezones())),
        st.dates(),
        st.times(),
        st.timedeltas(),
        st.builds(np.timedelta64, st.integers(-9, 9), st.sampled_from(["generic", "M", "W", "as"])),
        st.builds(np.datetime64, st.just(2**62), st.sampled_from(["Y", "D", "ns"])),
        st.sampled_from(
            [pd.NaT, pd.NA, object(), object, np.float16(3), np.zeros(2), np.ma.masked, {1}, b""]
        ),
        st.sampled_from(["minute", "hour", "day", "week", "month", "year", dt.timedelta(1), 24, 0.1]),
    ),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


@given(ANYTHING, ANYTHING, st.one_of(st.just(0), ANYTHING))
def test_anything_gives_turns_or_an_input_error(values, period, origin):
    try:
        turns, present = fold(values, period, origin, missing="mask")
    except InputError:
        return
    assert turns.shape == present.shape
    assert np.all((turns >= 0) & (turns < 1))
