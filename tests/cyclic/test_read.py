"""The containers and types that `fold` reads, and what it makes of missing values."""

import datetime as dt

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from geoembed import InputError
from geoembed.cyclic import fold

HOURS = [6, 18, 30]
MOMENTS = [dt.datetime(1970, 1, 1, 6), dt.datetime(1970, 1, 1, 18), dt.datetime(1970, 1, 2, 6)]
SPANS = [dt.timedelta(hours=h) for h in HOURS]
STAMPS = np.array(MOMENTS, "datetime64[s]")
BIG = 2**53 + 1  # the first integer that float64 does not have


def arrow(values, dtype):
    pytest.importorskip("pyarrow")
    return pd.Series(values, dtype=dtype)


SAME = {
    "list": lambda: (HOURS, 24),
    "tuple": lambda: (tuple(HOURS), 24),
    "range": lambda: (range(6, 31, 12), 24),
    "list of scalars": lambda: ([np.int8(6), 18.0, np.float32(30)], 24),
    "objects": lambda: (np.array(HOURS, object), 24),
    "masked": lambda: (np.ma.array(HOURS), 24),
    "series": lambda: (pd.Series(HOURS), 24),
    "index": lambda: (pd.Index(HOURS), 24),
    "range index": lambda: (pd.RangeIndex(6, 31, 12), 24),
    "Int64": lambda: (pd.array(HOURS, "Int64"), 24),
    "Float64": lambda: (pd.Series(HOURS, dtype="Float64"), 24),
    "UInt8": lambda: (pd.Series(HOURS, dtype="UInt8"), 24),
    "sparse": lambda: (pd.arrays.SparseArray([6.0, 18.0, 30.0]), 24),
    "jax": lambda: (jnp.asarray(HOURS), 24),
    "arrow integers": lambda: (arrow(HOURS, "int64[pyarrow]"), 24),
    "datetimes": lambda: (MOMENTS, "day"),
    "object datetimes": lambda: (np.array(MOMENTS), "day"),
    "datetime64": lambda: (STAMPS, "day"),
    "foreign byte order": lambda: (STAMPS.astype(">M8[s]"), "day"),
    "list of datetime64": lambda: (list(STAMPS), "day"),
    "units in one list": lambda: ([STAMPS[0], STAMPS[1].astype("M8[ns]"), STAMPS[2].astype("M8[h]")], "day"),
    "kinds of datetimes": lambda: ([MOMENTS[0], STAMPS[1], pd.Timestamp(MOMENTS[2])], "day"),
    "masked datetime64": lambda: (np.ma.array(STAMPS), "day"),
    "timestamps": lambda: ([pd.Timestamp(m) for m in MOMENTS], "day"),
    "datetime series": lambda: (pd.Series(MOMENTS), "day"),
    "datetime index": lambda: (pd.DatetimeIndex(MOMENTS), "day"),
    "aware series": lambda: (pd.Series(MOMENTS).dt.tz_localize("Asia/Tokyo"), "day"),
    "aware array": lambda: (pd.DatetimeIndex(MOMENTS, tz="Asia/Tokyo").array, "day"),
    "aware objects": lambda: (pd.Series(MOMENTS).dt.tz_localize("Asia/Tokyo").astype(object), "day"),
    "aware categories": lambda: (pd.Categorical(pd.DatetimeIndex(MOMENTS, tz="Asia/Tokyo")), "day"),
    "arrow datetimes": lambda: (arrow(MOMENTS, "timestamp[us][pyarrow]"), "day"),
    "aware arrow": lambda: (arrow(MOMENTS, "timestamp[us][pyarrow]").dt.tz_localize("Asia/Tokyo"), "day"),
    "aware arrow index": lambda: (
        pd.Index(arrow(MOMENTS, "timestamp[us][pyarrow]").dt.tz_localize("Asia/Tokyo")),
        "day",
    ),
    "timedeltas": lambda: (SPANS, "day"),
    "timedelta64": lambda: (np.array(SPANS, "m8[us]"), "day"),
    "pandas timedeltas": lambda: (pd.Series(SPANS), "day"),
    "kinds of timedeltas": lambda: ([SPANS[0], np.timedelta64(18, "h"), pd.Timedelta("30h")], "day"),
    "arrow timedeltas": lambda: (arrow(SPANS, "duration[us][pyarrow]"), "day"),
}


@pytest.mark.parametrize("make", SAME.values(), ids=SAME.keys())
def test_the_same_hours_in_every_container(make):
    values, period = make()
    turns = fold(values, period)
    assert isinstance(turns, np.ndarray)
    assert turns.dtype == np.float64
    assert turns.tolist() == [0.25, 0.75, 0.25]


@pytest.mark.parametrize("table", [{"a": HOURS, "b": [6.5, 18.0, 30.0]}, {"a": HOURS, "b": [6, None, 30]}])
def test_a_frame_is_a_table(table):
    frame = pd.DataFrame(table)
    for values in (frame, frame.convert_dtypes()):
        assert fold(values, 24).shape == (3, 2)
        np.testing.assert_array_equal(fold(values, 24)[:, 0], [0.25, 0.75, 0.25])
    moments = pd.DataFrame({"a": MOMENTS, "b": MOMENTS}).apply(lambda s: s.dt.tz_localize("Asia/Tokyo"))
    np.testing.assert_array_equal(fold(moments, "day"), np.array([[0.25, 0.75, 0.25]] * 2).T)


MISSING = {
    "float": lambda: (np.array([6.0, np.nan, 30.0]), 24),
    "float32": lambda: (np.array([6.0, np.nan, 30.0], np.float32), 24),
    "list with None": lambda: ([6, None, 30], 24),
    "list with NA": lambda: ([6, pd.NA, 30.0], 24),
    "objects with nan": lambda: (np.array([6, np.nan, 30], object), 24),
    "masked": lambda: (np.ma.array([6, 7, 30], mask=[0, 1, 0]), 24),
    "masked infinity": lambda: (np.ma.array([6, np.inf, 30], mask=[0, 1, 0]), 24),
    "Int64": lambda: (pd.Series([6, None, 30], dtype="Int64"), 24),
    "Float64": lambda: (pd.array([6, None, 30], "Float64"), 24),
    "arrow integers": lambda: (arrow([6, None, 30], "int64[pyarrow]"), 24),
    "datetimes": lambda: ([MOMENTS[0], None, MOMENTS[2]], "day"),
    "datetimes with NaT": lambda: ([MOMENTS[0], pd.NaT, MOMENTS[2]], "day"),
    "datetimes with numpy's NaT": lambda: ([MOMENTS[0], np.datetime64("NaT"), MOMENTS[2]], "day"),
    "datetime64": lambda: (np.array(["1970-01-01T06", "NaT", "1970-01-02T06"], "M8[h]"), "day"),
    "years": lambda: (np.array(["1970", "NaT", "1970"], "M8[Y]"), "day"),
    "list of datetime64": lambda: ([STAMPS[0], np.datetime64("NaT"), STAMPS[2]], "day"),
    "masked datetime64": lambda: (np.ma.array(STAMPS, mask=[0, 1, 0]), "day"),
    "datetime series": lambda: (pd.Series([MOMENTS[0], None, MOMENTS[2]]), "day"),
    "aware series": lambda: (pd.Series([MOMENTS[0], None, MOMENTS[2]]).dt.tz_localize("Asia/Tokyo"), "day"),
    "arrow datetimes": lambda: (arrow([MOMENTS[0], None, MOMENTS[2]], "timestamp[ns][pyarrow]"), "day"),
    "timedeltas": lambda: ([SPANS[0], None, SPANS[2]], "day"),
    "timedelta64": lambda: (np.array([6, "NaT", 30], "m8[h]"), "day"),
    "pandas timedeltas": lambda: (pd.Series([SPANS[0], pd.NaT, SPANS[2]]), "day"),
}


@pytest.mark.parametrize("make", MISSING.values(), ids=MISSING.keys())
def test_missing_values(make):
    values, period = make()
    there = 0.0 if getattr(values, "dtype", None) == np.dtype("M8[Y]") else 0.25
    np.testing.assert_array_equal(fold(values, period), [there, np.nan, there])
    turns, present = fold(values, period, missing="mask")
    assert (turns.tolist(), present.tolist()) == ([there, 0.0, there], [True, False, True])
    assert (turns.dtype, present.dtype) == (np.float64, bool)
    with pytest.raises(InputError, match=r"values\[1\]: 1 of 3 values are missing.*missing=\"mask\""):
        fold(values, period, missing="error")
    turns, present = fold(values[:1], period, missing="mask")
    assert present.tolist() == [True]
    fold(values[:1], period, missing="error")


@pytest.mark.parametrize("nothing", [None, np.nan, pd.NaT, pd.NA, np.datetime64("NaT"), np.ma.masked])
@pytest.mark.parametrize("many", [False, True])
def test_nothing_at_all(nothing, many):
    """What is not there has no kind, so it fits every period; but nan is a number."""
    values = [nothing, nothing] if many and nothing is not np.ma.masked else nothing
    number = nothing is np.ma.masked or isinstance(nothing, float)
    for period in (24,) if number else (24, "day", "month", dt.timedelta(1)):
        assert np.isnan(fold(values, period)).all()
        turns, present = fold(values, period, missing="mask")
        assert not present.any()
        assert not turns.any()
        assert turns.shape == present.shape == np.shape(values)


def test_the_first_missing_value_of_a_table_is_named():
    with pytest.raises(InputError, match=r"values\[1, 1\]: 2 of 6 values"):
        fold([[1.0, 2.0, 3.0], [4.0, np.nan, np.nan]], 24, missing="error")


@pytest.mark.parametrize(
    "make",
    [
        lambda: [BIG, -1, None],
        lambda: pd.Series([BIG, -1, None], dtype="Int64"),
        lambda: np.ma.array([BIG, -1, 0], mask=[0, 0, 1]),
        lambda: np.array([BIG, -1, np.nan], object),
        lambda: arrow([BIG, -1, None], "int64[pyarrow]"),
    ],
)
def test_a_missing_value_does_not_round_large_integers(make):
    np.testing.assert_array_equal(fold(make(), 1000), [BIG % 1000 / 1000, 0.999, np.nan])
