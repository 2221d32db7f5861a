"""Folding times: words of the calendar, time zones, units, all against Python's datetime and fractions."""

import calendar
import datetime as dt
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geoembed import InputError
from geoembed.cyclic import fold

BOUND = 4e-16
BERLIN, NEW_YORK, UTC = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), dt.UTC
LENGTHS = {"minute": 60, "hour": 3600, "day": 86_400, "week": 7 * 86_400}
MICROSECOND = dt.timedelta(microseconds=1)
WORDS = [*LENGTHS, "month", "year"]
MOMENTS = st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 11, 30))


def phase(moment, word):
    """The fraction of its minute … year that has passed at a naive datetime, by Python's own calendar."""
    begun = moment.replace(second=0, microsecond=0)
    if word != "minute":
        begun = begun.replace(minute=0)
    if word not in ("minute", "hour"):
        begun = begun.replace(hour=0)
    length = dt.timedelta(seconds=LENGTHS.get(word, 0))
    if word == "week":
        begun = begun - dt.timedelta(days=moment.weekday())
    elif word == "month":
        begun = begun.replace(day=1)
        length = dt.timedelta(days=calendar.monthrange(moment.year, moment.month)[1])
    elif word == "year":
        begun = begun.replace(month=1, day=1)
        length = dt.timedelta(days=365 + calendar.isleap(moment.year))
    return Fraction((moment - begun) // MICROSECOND, length // MICROSECOND)


@given(st.lists(MOMENTS, min_size=1, max_size=4), st.sampled_from(WORDS))
@example([dt.datetime(1, 1, 8), dt.datetime(1969, 12, 31, 23, 59, 59, 999_999)], "year")
@example([dt.datetime(1900, 2, 28, 23), dt.datetime(2000, 2, 29, 23), dt.datetime(2000, 12, 31)], "month")
def test_words_against_the_calendar_of_python(moments, word):
    """Microseconds have at most 45 bits in a year: one rounding, so equality."""
    expected = [float(phase(m, word)) for m in moments]
    assert fold(moments, word).tolist() == expected
    assert fold(np.array(moments, "datetime64[us]"), word).tolist() == expected


@pytest.mark.parametrize("monday", ["1900-01-01", "1969-12-29", "1970-01-05", "2000-01-03", "2024-01-01"])
def test_a_week_begins_on_monday(monday):
    days = np.datetime64(monday) + np.arange(8)
    np.testing.assert_array_equal(fold(days, "week"), [*(np.arange(7) / 7), 0])


def test_february_of_leap_years_and_others():
    noon = [
        "2023-02-15T00",
        "2024-02-15T00",
        "1900-02-15T00",
        "2000-02-15T00",
        "2023-03-01T00",
        "2024-03-01T00",
    ]
    turns = fold(np.array(noon, "datetime64[h]"), "month")
    np.testing.assert_array_equal(turns, [14 / 28, 14 / 29, 14 / 28, 14 / 29, 0, 0])
    last = fold(np.array(["2023-02-28", "2024-02-29"], "datetime64[D]"), "month")
    np.testing.assert_array_equal(last, [27 / 28, 28 / 29])


def test_years_of_365_and_366_days():
    turns = fold(np.array(["2023-12-31", "2024-12-31", "1900-12-31", "2000-12-31"], "datetime64[D]"), "year")
    np.testing.assert_array_equal(turns, [364 / 365, 365 / 366, 364 / 365, 365 / 366])


@pytest.mark.parametrize("word", WORDS)
def test_the_calendar_repeats_after_four_centuries(word):
    """Also far outside the years that Python knows, up to the ends of 64 bits."""
    base = np.datetime64("2024-02-29T13:37:42", "s")
    centuries = np.array([-7e8, -1e3, -1, 0, 1, 1e3, 7e8]).astype(np.int64)
    turns = fold(base + centuries * 146_097 * 86_400, word)
    assert len(set(turns)) == 1
    ends = fold(np.array([2**63 - 1, 1 - 2**63], "datetime64[s]"), word)
    assert np.all((ends >= 0) & (ends < 1))


@pytest.mark.parametrize("unit", ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "25s", "7s", "3D"])
@pytest.mark.parametrize("word", WORDS)
def test_units_of_datetime64(unit, word):
    """Each unit rounds the moments down; from there on the phase is exact."""
    moments = np.array(
        ["1712-03-01T17:45:59.1", "1970-01-01", "2024-02-29T23:59:59.999", "2261-12-31"], "M8[ms]"
    )
    values = moments.astype(f"datetime64[{unit}]")
    expected = [float(phase(m, word)) for m in values.astype("datetime64[us]").tolist()]
    np.testing.assert_allclose(fold(values, word), expected, rtol=0, atol=BOUND)
    if unit == "ns":
        late = values[2] + np.timedelta64(999_999)
        assert float(fold(late, "day")) == pytest.approx(1 - 1 / 86_400e9, abs=BOUND)


def test_nanoseconds_reach_the_phase():
    values = np.datetime64("2024-03-01", "ns") + np.arange(3)
    np.testing.assert_array_equal(fold(values, "minute"), np.arange(3) / 60e9)
    np.testing.assert_array_equal(fold(values, "month"), np.arange(3) / (31 * 86_400e9))


def test_picoseconds_are_too_fine_for_months_only():
    values = np.array([0, 10**12], "datetime64[ps]")
    np.testing.assert_array_equal(fold(values, "minute"), [0, 1 / 60])
    with pytest.raises(InputError, match=r"too finely.*datetime64\[ns\]"):
        fold(values, "year")


def test_year_9999_in_seconds_against_nanoseconds():
    """In a common unit these numbers have 68 bits; the result is exact all the same."""
    values = np.array(["9999-12-31T23:59:59", "-9999-01-01T00:00:01"], "datetime64[s]")
    seconds = values.astype(np.int64).tolist()
    for period in (86_400_000_000_001, 1_000_000_007, 44_714_164_321_234_567, 10**9, 1):
        turns = fold(values, np.timedelta64(period, "ns"))
        expected = [Fraction(s * 10**9 % period, period) for s in seconds]
        np.testing.assert_allclose(turns, [float(e) for e in expected], rtol=0, atol=BOUND)
    moment = dt.datetime(9999, 12, 31, 23, 59, 59, 999_999)
    expected = Fraction(
        (moment - dt.datetime(1, 1, 1)) // MICROSECOND * 1000 % 86_399_999_999_999, 86_399_999_999_999
    )
    turns = fold(moment, np.timedelta64(86_399_999_999_999, "ns"), origin=dt.datetime(1, 1, 1))
    assert float(turns) == pytest.approx(float(expected), abs=BOUND)


@given(
    st.integers(1 - 2**63, 2**63 - 1),
    st.sampled_from(["W", "D", "s", "us", "as"]),
    st.integers(1, 2**63 - 1),
    st.sampled_from(["D", "s", "ns", "as"]),
    st.integers(1 - 2**63, 2**63 - 1),
)
def test_no_unit_overflows(value, unit, period, period_unit, origin):
    size = {"W": 604_800 * 10**18, "D": 86_400 * 10**18, "s": 10**18, "us": 10**12, "ns": 10**9, "as": 1}
    args = np.timedelta64(period, period_unit), np.timedelta64(origin, "us")
    turns = fold(np.array([value], f"m8[{unit}]"), *args)[0]
    cycle = period * size[period_unit]
    expected = Fraction((value * size[unit] - origin * size["us"]) % cycle, cycle)
    assert 0 <= turns < 1
    assert abs(Fraction(float(turns)) - expected) <= BOUND


@pytest.mark.parametrize(
    "span",
    [dt.timedelta(hours=1), np.timedelta64(1, "h"), np.timedelta64(3600, "s"), pd.Timedelta("1h"), "hour"],
)
def test_periods_of_every_kind(span):
    moments = [dt.datetime(1969, 12, 31, 23, 45), dt.datetime(2024, 5, 1, 7, 15)]
    assert fold(moments, span).tolist() == [0.75, 0.25]
    durations = [dt.timedelta(minutes=-15), dt.timedelta(days=3, minutes=15)]
    assert fold(durations, span).tolist() == [0.75, 0.25]


def test_durations():
    values = np.array([-6, 0, 30, 24 * 8], "timedelta64[h]")
    np.testing.assert_array_equal(fold(values, "day"), [0.75, 0, 0.25, 0])
    np.testing.assert_array_equal(fold(values, "week"), [162 / 168, 0, 30 / 168, 24 / 168])
    np.testing.assert_array_equal(fold(values, "day", origin=dt.timedelta(hours=6)), [0.5, 0.75, 0, 0.75])


@pytest.mark.parametrize(
    "origin",
    [
        dt.datetime(2020, 5, 17, 6),
        np.datetime64("2020-05-17T06"),
        pd.Timestamp("2020-05-17 06:00", tz="Asia/Tokyo"),
    ],
)
def test_the_origin_of_times_has_phase_zero(origin):
    """2020-05-17 was a Sunday."""
    moments = [dt.datetime(2024, 1, 7, 6), dt.datetime(2024, 1, 7, 18), dt.datetime(2019, 1, 6, 5)]
    assert fold(moments, "day", origin).tolist() == [0, 0.5, 23 / 24]
    assert fold(moments, "week", origin).tolist() == [0, 1 / 14, 167 / 168]
    assert fold(moments, dt.timedelta(hours=24), origin).tolist() == [0, 0.5, 23 / 24]
    assert fold(dt.date(2020, 5, 18), "day", dt.date(2020, 5, 17)) == 0


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (BERLIN, dt.date(2024, 3, 31), 23),
        (BERLIN, dt.date(2024, 10, 27), 25),
        (NEW_YORK, dt.date(2024, 3, 10), 23),
        (NEW_YORK, dt.date(2024, 11, 3), 25),
    ],
)
def test_days_on_which_the_clocks_change(zone, day, hours):
    """Local civil time: what the clock on the wall shows, on a day of 23 or 25 hours too."""
    start = dt.datetime.combine(day, dt.time(), zone).astimezone(UTC)
    aware = [(start + dt.timedelta(minutes=30 * k)).astimezone(zone) for k in range(2 * hours)]
    assert all(m.date() == day for m in aware)
    wall = [(m.hour + m.minute / 60) / 24 for m in aware]
    assert fold(aware, "day").tolist() == wall
    assert len(set(wall)) == (48 if hours == 25 else 46)  # an hour is shown twice, or never
    series = pd.Series(pd.DatetimeIndex(aware))
    assert series.dt.tz is not None
    for values in (
        series,
        series.array,
        pd.DatetimeIndex(series),
        list(series),
        series.astype(object),
        aware[:],
    ):
        assert fold(values, "day").tolist() == wall
    # elapsed time, by converting first: half hours of the same length all day
    elapsed = fold([m.astimezone(UTC) for m in aware], "day")
    np.testing.assert_allclose(np.diff(elapsed) % 1, 1 / 48, rtol=0, atol=3e-16)
    np.testing.assert_array_equal(fold(series.dt.tz_convert("UTC"), "day"), elapsed)


def test_the_hour_that_comes_twice_and_the_hour_that_does_not_exist():
    twice = [dt.datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN, fold=f) for f in (0, 1)]
    never = dt.datetime(2024, 3, 31, 2, 30, tzinfo=BERLIN)
    assert fold([*twice, never], "day").tolist() == [2.5 / 24] * 3


def test_zones_may_differ_from_value_to_value():
    mixed = [dt.datetime(2024, 7, 1, 6, tzinfo=BERLIN), dt.datetime(2024, 7, 1, 6, tzinfo=NEW_YORK)]
    assert fold([*mixed, dt.datetime(2024, 7, 1, 6)], "day").tolist() == [0.25] * 3


def test_midnight_in_turns():
    moments = ["2024-01-01T23:58", "2024-01-01T23:59", "2024-01-02T00:00", "2024-01-02T00:01"]
    turns = fold(np.array(moments, "datetime64[s]"), "day")
    np.testing.assert_allclose(np.diff(turns) % 1, 1 / 1440, rtol=0, atol=3e-16)
