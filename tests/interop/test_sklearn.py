"""The scikit-learn transformer: scikit-learn's own checks, values against numpy, tables of times, errors."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import jax
import numpy as np
import pytest

pytest.importorskip("sklearn")
pd = pytest.importorskip("pandas")

from sklearn.base import clone  # noqa: E402
from sklearn.compose import make_column_transformer  # noqa: E402
from sklearn.linear_model import LinearRegression, Ridge  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import SplineTransformer  # noqa: E402
from sklearn.utils.estimator_checks import estimator_checks_generator  # noqa: E402

from geoembed import InputError  # noqa: E402
from geoembed.interop.sklearn import CyclicEncoder  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
ENCODERS = [
    CyclicEncoder(period=24.0),
    CyclicEncoder(period=24.0, harmonics=3, missing="centre", origin=-1.5),
    CyclicEncoder(period=24.0, kind="spline"),
    CyclicEncoder(period=24.0, kind="spline", degree=0, knots=5, missing="error"),
    CyclicEncoder(period=24.0, dtype="float32"),
]
CHECKS = [pair for encoder in ENCODERS for pair in estimator_checks_generator(encoder)]
RNG = np.random.default_rng(0)
HOURS = np.concatenate([np.arange(0, 24.25, 0.25), RNG.uniform(-200, 200, 300)])[:, None]


@pytest.fixture
def frame():
    """A night in which the clocks go back, hour by hour, with the hour as a number and as a duration."""
    times = pd.date_range("2010-11-07", periods=6, freq="h", tz="America/Los_Angeles")
    return pd.DataFrame(
        {"time": times, "hour": times.hour, "since": pd.to_timedelta(times.hour, unit="h")},
        index=list("abcdef"),
    )


def _name(value):
    return getattr(getattr(value, "func", value), "__name__", None)


@pytest.mark.parametrize(("encoder", "check"), CHECKS, ids=_name)
def test_check_of_scikit_learn(encoder, check):
    check(encoder)


def test_there_are_as_many_checks_as_scikit_learn_has_for_transformers():
    assert len(CHECKS) > 40 * len(ENCODERS)


def _waves(x, period, count, origin=0.0):
    angle = 2 * np.pi * (x - origin) / period
    return np.concatenate([f(k * angle) for k in range(1, count + 1) for f in (np.sin, np.cos)], axis=1)


@pytest.mark.parametrize("origin", [0.0, 5.5])
@pytest.mark.parametrize("count", [1, 4])
def test_harmonics_against_numpy(count, origin):
    found = CyclicEncoder(24, harmonics=count, origin=origin).fit_transform(HOURS)
    assert found.dtype == np.float64
    assert found.flags.writeable
    # numpy rounds the angle, which the encoder does not: its error is the larger one
    np.testing.assert_allclose(found, _waves(HOURS, 24, count, origin), rtol=0, atol=1e-13)


def test_harmonics_are_exact_at_quarter_turns():
    found = CyclicEncoder(24).fit_transform(np.array([[0.0], [6.0], [12.0], [18.0], [24.0], [24e9 + 6]]))
    assert found.tolist() == [[0, 1], [1, 0], [0, -1], [-1, 0], [0, 1], [1, 0]]


def test_columns_have_their_own_periods_and_order():
    table = np.column_stack([RNG.uniform(0, 24, 50), RNG.uniform(0, 7, 50)])
    expected = np.concatenate([_waves(table[:, :1], 24, 2, 1), _waves(table[:, 1:], 7, 2, 3)], axis=1)
    for period, origin in (((24, 7), [1, 3]), (np.array([24, 7]), (1, 3)), ({0: 24, 1: 7}, {0: 1, 1: 3})):
        found = CyclicEncoder(period, harmonics=2, origin=origin).fit_transform(table)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_splines_against_scikit_learn(degree):
    """The values of its periodic B-splines, up to the number at which counting begins."""
    knots = 8
    theirs = SplineTransformer(
        n_knots=knots + 1,
        degree=degree,
        knots=np.linspace(0, 24, knots + 1)[:, None],
        extrapolation="periodic",
    )
    expected = theirs.fit_transform(HOURS)
    # theirs end at the knot where ours peak: half a support apart
    found = CyclicEncoder(24, kind="spline", knots=knots, degree=degree, origin=(degree + 1) / 2 * 24 / knots)
    found = found.fit_transform(HOURS)
    shifts = [np.abs(np.roll(found, shift, axis=1) - expected).max() for shift in range(knots)]
    assert min(shifts) < 1e-12
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-14)


@pytest.mark.parametrize(
    ("dtype", "kept"), [("f4", "f4"), ("f8", "f8"), ("i4", "f8"), ("i8", "f8"), ("f2", "f4")]
)
@pytest.mark.parametrize("kind", ["harmonics", "spline"])
def test_dtype_follows_the_input(kind, dtype, kept):
    table = np.arange(24)[:, None].astype(dtype)
    encoder = CyclicEncoder(24, kind=kind)
    assert encoder.fit_transform(table).dtype == np.dtype(kept)
    assert encoder.fit_transform(pd.DataFrame(table, columns=["hour"])).dtype == np.dtype(kept)
    for wanted in (np.float32, "float64"):
        assert clone(encoder).set_params(dtype=wanted).fit_transform(table).dtype == np.dtype(wanted)


def test_float64_does_not_need_the_x64_mode(precision):
    """In both modes of jax, which it leaves as they are."""
    found = CyclicEncoder(24, harmonics=2).fit_transform(HOURS)
    np.testing.assert_allclose(found, _waves(HOURS, 24, 2), rtol=0, atol=1e-13)
    assert jax.numpy.zeros(1).dtype == precision


@pytest.mark.parametrize("rows", [1, 255, 256, 257, 65_536, 65_537, 140_000])
def test_rows_do_not_depend_on_their_block(rows):
    table = RNG.uniform(0, 24, (rows, 1))
    found = CyclicEncoder(24).fit_transform(table)
    np.testing.assert_allclose(found, _waves(table, 24, 1), rtol=0, atol=1e-14)


def test_unix_seconds_keep_their_phase():
    """int64 seconds of 2024; float64 of the same; a day later the features are the same bits."""
    seconds = 1_700_000_000 + 977 * np.arange(500)[:, None]
    encoder = CyclicEncoder(86_400, harmonics=2).fit(seconds)
    expected = _waves((seconds % 86_400).astype(float), 86_400, 2)
    for table in (seconds, seconds.astype(float)):
        np.testing.assert_allclose(encoder.transform(table), expected, rtol=0, atol=1e-13)
        assert np.array_equal(encoder.transform(table + 86_400), encoder.transform(table))


def test_a_frame_of_times_durations_and_numbers(frame):
    encoder = CyclicEncoder({"since": timedelta(days=1), "hour": 24, "time": "day"}, harmonics=2)
    found = encoder.fit_transform(frame)
    hours = np.array([0.0, 1, 1, 2, 3, 4])[:, None]  # the clock shows one o'clock twice
    np.testing.assert_allclose(found, np.tile(_waves(hours, 24, 2), 3), rtol=0, atol=1e-14)
    assert encoder.feature_names_in_.tolist() == ["time", "hour", "since"]
    assert encoder.n_features_in_ == 3


@pytest.mark.parametrize("unit", ["M8[h]", "M8[ns]"])
def test_an_array_of_times(unit):
    times = np.array([["2010-03-01T06", "2010-03-01T12"]], "M8[h]").astype(unit)
    assert CyclicEncoder("day").fit_transform(times).tolist() == [[1, 0, 0, -1]]


def test_calendar_words():
    frame = pd.DataFrame({"time": pd.to_datetime(["2012-02-15T12:00", "2011-02-15T00:00"])})
    month = CyclicEncoder("month").fit_transform(frame)
    np.testing.assert_allclose(month, _waves(np.array([[14.5 / 29], [14 / 28]]), 1, 1), rtol=0, atol=1e-14)
    year = CyclicEncoder("year").fit_transform(frame)
    np.testing.assert_allclose(year, _waves(np.array([[45.5 / 366], [45 / 365]]), 1, 1), rtol=0, atol=1e-14)


def test_pandas_output_with_names_and_index(frame):
    encoder = CyclicEncoder({"time": "day", "hour": 24, "since": "day"}).set_output(transform="pandas")
    found = encoder.fit_transform(frame)
    assert list(found) == [f"{name}_{wave}_1" for name in frame for wave in ("sin", "cos")]
    assert list(found.index) == list(frame.index)
    assert list(encoder.get_feature_names_out()) == list(found)


def test_names_of_splines_and_of_columns_without_names():
    encoder = CyclicEncoder(24, kind="spline", knots=4).fit(HOURS)
    assert list(encoder.get_feature_names_out()) == [f"x0_spline_{i}" for i in range(4)]
    assert encoder.get_feature_names_out(["hour"])[0] == "hour_spline_0"
    both = CyclicEncoder(24, harmonics=2).fit(HOURS)
    assert list(both.get_feature_names_out(["h"])) == ["h_sin_1", "h_cos_1", "h_sin_2", "h_cos_2"]


@pytest.mark.parametrize("kind", ["harmonics", "spline"])
def test_missing_values(kind, frame):
    frame.iloc[2] = None
    periods = {"time": "day", "hour": 24, "since": "day"}
    whole = CyclicEncoder(periods, kind=kind, knots=5).fit_transform(frame)
    assert np.isnan(whole[2]).all()
    assert np.isfinite(np.delete(whole, 2, axis=0)).all()
    centred = CyclicEncoder(periods, kind=kind, knots=5, missing="centre").fit_transform(frame)
    # the mean over the circle, here over many angles
    angles = np.linspace(0, 24, 1000, endpoint=False)[:, None]
    mean = CyclicEncoder(24, kind=kind, knots=5).fit_transform(angles).mean(axis=0)
    np.testing.assert_allclose(centred[2], np.tile(mean, 3), rtol=0, atol=1e-14)
    assert np.array_equal(np.delete(centred, 2, axis=0), np.delete(whole, 2, axis=0))


@pytest.mark.parametrize("column", ["time", "hour", "since"])
def test_missing_values_refused(frame, column):
    frame.loc["c", column] = None
    encoder = CyclicEncoder({"time": "day", "hour": 24, "since": "day"}, missing="error")
    with pytest.raises(InputError, match=f"column '{column}', row 2: 1 of 6 values are missing") as caught:
        encoder.fit(frame)
    assert "centre" in caught.value.hint
    with pytest.raises(ValueError, match="NaN"):
        CyclicEncoder(24, missing="error").fit(np.array([[1.0], [np.nan]]))


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("count", [1, 3])
def test_round_trip(count, dtype):
    table = np.column_stack([RNG.uniform(-3, 21, 200), RNG.uniform(10, 17, 200)]).astype(dtype)
    table[0] = -3, 10
    table[1] = np.nan, 12
    encoder = CyclicEncoder([24, 7], harmonics=count, origin=[-3, 10], missing="centre")
    codes = encoder.fit_transform(table)
    found = encoder.inverse_transform(codes)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, table, rtol=0, atol=1e-5 if dtype == "f4" else 1e-13)
    later = encoder.inverse_transform(encoder.transform(table + np.array([24, 7], dtype)))
    far = np.abs(later - found) % np.array([24, 7])  # the origin itself may come back as itself only
    assert np.nanmax(np.minimum(far, np.array([24, 7]) - far)) < (1e-5 if dtype == "f4" else 1e-13)
    assert np.nanmin(later - [-3, 10]) >= 0
    assert np.nanmax(later - [21, 17]) < 0


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("small", [1e-30, 1e-17, 1e-12, 1e-7])
def test_an_angle_just_below_a_turn_does_not_become_the_period(small, dtype):
    code = np.array([[-small, 1.0]], dtype)
    found = CyclicEncoder(24).fit([[1.0]]).inverse_transform(code)[0, 0]
    assert 0 <= found < 24
    assert min(found, 24 - found) <= 24 * small + np.spacing(np.array(24, dtype))


def test_what_cannot_be_decoded(frame):
    splines = CyclicEncoder(24, kind="spline").fit(HOURS)
    assert not hasattr(splines, "inverse_transform")
    times = CyclicEncoder("day").fit(frame[["time"]])
    with pytest.raises(InputError, match="which cycle it was"):
        times.inverse_transform(np.ones((1, 2)))
    with pytest.raises(ValueError, match="has 3 features, but CyclicEncoder makes 2"):
        CyclicEncoder(24).fit(HOURS).inverse_transform(np.ones((1, 3)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "never guessed"),
        ({"period": 0}, "column 'x0', period: 0 is not greater than 0"),
        ({"period": np.nan}, "column 'x0', period"),
        ({"period": "day"}, "column 'x0', period: 'day' is a period of datetimes"),
        ({"period": timedelta(hours=1)}, "column 'x0', period"),
        ({"period": [24, 7]}, "2 are given for 1 columns"),
        ({"period": {"hour": 24}}, r"it lacks the columns \[0\]"),
        ({"period": {0: 24, 1: 7}}, r"there are no columns \[1\]"),
        ({"period": 24, "origin": "noon"}, "column 'x0', origin"),
        ({"period": 24, "kind": "circle"}, "'circle' is no kind"),
        ({"period": 24, "missing": "drop"}, "'drop' is no missing"),
        ({"period": 24, "harmonics": 0}, "harmonics: 0 is out of its range"),
        ({"period": 24, "harmonics": 1.5}, "harmonics: 1.5 is out"),
        (
            {"period": 24, "kind": "spline", "knots": 3},
            "knots: 3 is out of its range. Pass an integer, at least 4",
        ),
        ({"period": 24, "degree": 6}, "from 0 to 5"),
        ({"period": 24, "dtype": int}, "dtype"),
    ],
)
def test_what_fit_refuses(options, message):
    with pytest.raises(InputError, match=message):
        CyclicEncoder(**options).fit(HOURS)


def test_a_table_without_rows_is_refused(frame):
    with pytest.raises(ValueError, match="at least one row"):
        CyclicEncoder("day").fit(frame[["time"]].iloc[:0])


def test_clone_keeps_the_parameters():
    encoder = CyclicEncoder({"hour": 24}, harmonics=3, origin={"hour": 1}, missing="centre", dtype=np.float32)
    assert clone(encoder).get_params() == encoder.get_params()


def test_grid_search_over_a_column_transformer():
    """The hour has three harmonics: three are found, and beat the raw hour by far."""
    frame = pd.DataFrame(
        {"hour": RNG.integers(0, 24, 400), "month": RNG.integers(1, 13, 400), "trend": RNG.normal(size=400)}
    )
    hour, month = 2 * np.pi * frame["hour"] / 24, 2 * np.pi * frame["month"] / 12
    y = (
        3 * np.sin(hour)
        + np.cos(3 * hour + 0.5)
        + 2 * np.cos(month - 1)
        + 0.5 * frame["trend"]
        + 0.05 * RNG.normal(size=400)
    )
    columns = make_column_transformer(
        (CyclicEncoder(24), ["hour"]), (CyclicEncoder(12, origin=1), ["month"]), remainder="passthrough"
    )
    model = make_pipeline(columns, Ridge(1e-3))
    grid = {"columntransformer__cyclicencoder-1__harmonics": np.arange(1, 5)}
    search = GridSearchCV(model, grid, cv=4).fit(frame, y)
    assert search.best_params_ == {"columntransformer__cyclicencoder-1__harmonics": 3}
    assert search.best_score_ > 0.99
    assert LinearRegression().fit(frame, y).score(frame, y) < 0.7
    names = list(search.best_estimator_[:-1].get_feature_names_out())
    assert names[:2] == ["cyclicencoder-1__hour_sin_1", "cyclicencoder-1__hour_cos_1"]
    assert names[-1] == "remainder__trend"


def test_without_scikit_learn_the_message_says_what_to_install():
    code = "import sys; sys.modules['sklearn'] = None; import geoembed.interop.sklearn"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "geoembed.interop.sklearn needs scikit-learn 1.6 or later: pip install" in done.stderr
