# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Hours, days and angles
#
# 23:30 and 00:30 are an hour apart. The numbers 23.5 and 0.5 are not, and a model that is given numbers
# believes the numbers. This notebook puts cyclic quantities on a circle, measures on real temperatures what
# that is worth, against the strongest simple alternatives and also where it is worth nothing, and then uses
# what a circle has and a number does not: means, a metric, a torus, and networks that are periodic with all
# their derivatives.
#
# It takes about a minute on two cores and needs `pip install scikit-learn pandas vega_datasets` besides
# geoembed.

# %%
from datetime import timedelta

import equinox as eqx
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import optax
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer
from vega_datasets import local_data

from geoembed.cyclic import Cyclic, PeriodicLayer, Torus, encode, fold, mean
from geoembed.interop.sklearn import CyclicEncoder

# %% [markdown]
# ## The data
#
# Two series of Seattle ship with the package `vega_datasets` (MIT licence). The measurements behind both
# come from the U.S. National Oceanic and Atmospheric Administration (NOAA), whose data are [in the public
# domain](https://www.weather.gov/disclaimer).
#
# The hourly one is described as the temperatures of 2010, and that is not what it is: neighbouring days
# never differ by more than 0.4 K, and the warmest hour of the "year" has 24 °C, while Seattle reached 35 °C
# that August ([vega-datasets #42](https://github.com/vega/vega-datasets/issues/42)). It agrees with NOAA's
# *hourly normals*: for each hour of the calendar the mean of the thirty years 1981 to 2010, in standard
# time throughout. That makes it almost free of noise, so it shows the errors of a model and nothing else.
# The other series is weather as it was, day by day, for four years.

# %%
hourly = local_data.seattle_temps()
hourly["celsius"] = (hourly["temp"] - 32) / 1.8
by_day = hourly.pivot_table("celsius", hourly["date"].dt.date, hourly["date"].dt.hour).to_numpy()
step = np.nanmax(np.abs(np.diff(by_day, axis=0)))
print(
    f"{len(hourly)} hours, at most {hourly['celsius'].max():.1f} °C; neighbouring days differ by up to {step:.2f} K"
)
assert step < 0.4

daily = local_data.seattle_weather()
daily["celsius"] = (daily["temp_max"] + daily["temp_min"]) / 2
print(f"{len(daily)} days from {daily['date'].min():%Y-%m-%d} to {daily['date'].max():%Y-%m-%d}")

gaps = hourly["date"].diff().dropna()
print("an hour is missing after", hourly["date"][gaps[gaps > timedelta(hours=1)].index - 1].iloc[0])

# %% [markdown]
# One hour is missing: on the night in which the clocks go forward. Somebody passed standard time through a
# time zone in which that hour does not exist. Clocks come back below.
#
# Both axes of this picture are circles. Its left and right edges are one line, and so are its upper and
# lower edges: the paper is a torus cut open.

# %%
figure, axes = plt.subplots(figsize=(8, 3.4), layout="constrained")
shown = axes.pcolormesh(np.arange(by_day.shape[0]), np.arange(24), by_day.T, cmap="magma", shading="nearest")
axes.set(xlabel="day of the year", ylabel="hour", yticks=range(0, 25, 6), title="a normal year in Seattle")
figure.colorbar(shown, label="°C")
plt.show()

# %% [markdown]
# ## Fold, then encode
#
# Two steps lead from a number to a point on the circle. `fold` runs on the host in exact arithmetic and
# returns *turns*, the fraction of the cycle that has passed. `encode` is a jax function of turns, $(\sin
# 2\pi u, \cos 2\pi u)$.

# %%
clock = np.array(
    ["2010-07-01T23:59", "2010-07-02T00:00", "2010-07-02T00:01", "2010-07-02T00:02"], "datetime64[s]"
)
turns = fold(clock, "day")
before, midnight, after, later = encode(turns)
print("turns:", turns.round(6))
print(f"|e(23:59) - e(00:01)| = {jnp.linalg.norm(before - after):.4e}")
print(f"|e(00:00) - e(00:02)| = {jnp.linalg.norm(midnight - later):.4e}")
assert np.isclose(jnp.linalg.norm(before - after), 8.7266e-3, atol=1e-7)

# %% [markdown]
# The period is always given, never guessed. Libraries that take the largest value of the column as the
# period encode the hours 0 … 23 with the period 23, and then 23:00 is the same point as 00:00:

# %%
hours = np.arange(24.0)
guessed = 2 * np.pi * hours / hours.max()
largest = np.stack([np.sin(guessed), np.cos(guessed)], axis=1)
ours = encode(fold(hours, 24))
print(f"guessed period: |e(23) - e(0)| = {np.linalg.norm(largest[23] - largest[0]):.1e}")
print(f"period 24:      |e(23) - e(0)| = {jnp.linalg.norm(ours[23] - ours[0]):.4f}, as for every other hour")

quarter = np.arange(0, 24, 0.25)
circle = encode(fold(quarter, 24))
figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
axes.plot(quarter, np.abs(quarter - 23.5) / 24, "C1", label="|x - 23:30| of the raw hour, in days")
axes.plot(quarter, jnp.linalg.norm(circle - circle[94][None], axis=1) / (2 * np.pi), "C0", label="the circle")
axes.plot(quarter[::4], np.linalg.norm(largest - largest[23], axis=1) / (2 * np.pi), "C3o", markersize=3,
          label="the circle with the period 23, from 23:00")  # fmt: skip
axes.set(xlabel="hour", ylabel="distance from 23:30", xticks=range(0, 25, 6))
axes.legend(fontsize=8)
plt.show()

# %% [markdown]
# ## A fair comparison
#
# The target is the temperature of the normal year; the features are made of the hour and of the day of the
# year. Every fourth week is held out in turn, because neighbouring hours are so alike that a random split
# would measure memory. The encodings:
#
# - *raw*: the number itself;
# - *largest as period*: the mistake above;
# - *one-hot*: one feature for each hour and each month;
# - *splines, not periodic*: scikit-learn's cubic B-splines, the best a linear model can make of a raw
#   number;
# - *splines, periodic*: `CyclicEncoder(kind="spline")`; scikit-learn's periodic ones span the same
#   functions;
# - *circle* with 1, 2 and 4 harmonics. Four have eight features, as many as the splines.
#
# The linear model is ridge regression on both columns and all their products, so that summer days may swing
# more than winter days.

# %%
celsius = hourly["celsius"].to_numpy()
hour = 24 * fold(hourly["date"], "day")[:, None]
date = 365 * fold(hourly["date"], "year")[:, None]
week = (date[:, 0] // 7).astype(int)


def largest_as_period(x, period):
    angle = 2 * np.pi * x / x.max()
    return np.hstack([np.sin(angle), np.cos(angle)]) / (2 * np.pi)


def one_hot(x, period):
    count = 24 if period == 24 else 12
    return ((x * count // period).astype(int) == np.arange(count)).astype(float)


def splines(extrapolation):
    def encode_column(x, period):
        at = np.linspace(0, period, 9)[:, None]
        return SplineTransformer(knots=at, extrapolation=extrapolation).fit(at).transform(x)

    return encode_column


def on_circle(count):
    return lambda x, period: CyclicEncoder(period, harmonics=count).fit_transform(x) / (2 * np.pi)


encodings = {
    "raw": lambda x, period: x / period,
    "largest as period": largest_as_period,
    "one-hot": one_hot,
    "splines, not periodic": splines("linear"),
    "splines, periodic": lambda x, period: CyclicEncoder(period, kind="spline", knots=8).fit_transform(x),
    "circle": on_circle(1),
    "circle, 2 harmonics": on_circle(2),
    "circle, 4 harmonics": on_circle(4),
}


def features(encoding, *, product):
    """Of the hour and of the day of the year, with their products for linear models."""
    return joined(encodings[encoding](hour, 24), encodings[encoding](date, 365), product)


def joined(a, b, product):
    return np.hstack([a, b, (a[:, :, None] * b[:, None, :]).reshape(len(a), -1)] if product else [a, b])


def error(model, x, held_out):
    """Root mean square over the folds, °C."""
    squares = []
    for test in held_out:
        level = celsius[~test].mean()
        found = model.fit(x[~test], celsius[~test] - level).predict(x[test]) + level
        squares.append((found - celsius[test]) ** 2)
    return np.concatenate(squares).mean() ** 0.5


ridge, neighbours, trees = Ridge(1e-3), KNeighborsRegressor(8), HistGradientBoostingRegressor(max_iter=60)
weeks = [week % 4 == fold_number for fold_number in range(4)]
few = ["raw", "largest as period", "circle", "circle, 4 harmonics"]

table = pd.DataFrame(
    {
        "linear": {name: error(ridge, features(name, product=True), weeks) for name in encodings},
        "neighbours": {name: error(neighbours, features(name, product=False), weeks) for name in few[:3]},
        "trees": {name: error(trees, features(name, product=False), weeks) for name in ("raw", "circle")},
    }
).loc[list(encodings)]
print("error in the weeks held out, °C; the standard deviation is", celsius.std().round(2))
table.round(2)

# %% [markdown]
# For linear models, then: the raw hour is useless (5 °C). The circle reaches 1 °C with one harmonic, 0.35
# with two, 0.27 with four. And **it does not win**. Splines are as good, even those that are not periodic:
# where data lie on both sides of midnight, a flexible model of the raw hour has nothing to lose but its
# seam. Neighbours hardly care, since another week has the same hour. Trees cut a number where they like and
# need no circle. Even the guessed period costs next to nothing: one hour of 24 is wrong, and at night
# little changes.
#
# So a circle is not for the average error. It is for the seam.

# %%
around = np.linspace(-8, 8, 160)[:, None]
figure, axes = plt.subplots(figsize=(7, 3.4), layout="constrained")
for name, line in (
    ("raw", "C1:"),
    ("splines, not periodic", "C1-"),
    ("circle", "C0:"),
    ("circle, 2 harmonics", "C0--"),
    ("circle, 4 harmonics", "C0-"),
):
    model = Ridge(1e-3).fit(features(name, product=True), celsius - celsius.mean())

    def night(x, name=name, model=model):
        a, b = encodings[name](x % 24, 24), encodings[name](190 + x / 24, 365)
        return model.predict(joined(a, b, product=True)) + celsius.mean()

    axes.plot(around, night(around), line, label=name)
    step = np.ptp(night(np.array([[-1e-9], [0.0]])))
    print(f"{name:>21}: a step of {step:.3f} °C at midnight")
axes.plot(np.arange(-8, 9), by_day[189:191].ravel()[16:33], "k.", label="the normal night")
axes.set(xlabel="hours after midnight, 9 to 10 July", ylabel="°C")
axes.legend(fontsize=7.5)
plt.show()

# %% [markdown]
# ## Midnight is not special
#
# Where a day begins is a convention. An encoding that knows a circle cannot tell where the zero is: moving
# it turns each pair of features as a rigid body, and the answers of ridge regression and of neighbours stay
# as they are. So hold out five hours of every day, as when a sensor fails, at each of the 24 places in
# turn. No place should stand out because of the convention.

# %%
curves = {
    ("linear", "splines, not periodic"): "C1-",
    ("linear", "splines, periodic"): "C2-",
    ("linear", "circle, 4 harmonics"): "C0-",
    ("neighbours", "raw"): "C1:",
    ("neighbours", "circle"): "C0:",
}
places = {}
for model, name in curves:
    fitted, x = {"linear": ridge, "neighbours": neighbours}[model], features(name, product=model == "linear")
    gaps = [np.abs((hour[:, 0] - centre + 12) % 24 - 12) < 2.5 for centre in range(24)]
    places[model, name] = [error(fitted, x, [gap]) for gap in gaps]

figure, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
for (model, name), line in curves.items():
    errors = places[model, name]
    axes.semilogy(range(25), [*errors, errors[0]], line, label=f"{model}: {name}")
axes.set(
    xlabel="middle of the five hours that are held out", ylabel="error in them / °C", xticks=range(0, 25, 6)
)
axes.legend(fontsize=7.5, ncols=2)
plt.show()
around_midnight = [22, 23, 0, 1, 2]
pd.DataFrame(
    {
        "around midnight": {k: np.square(v)[around_midnight].mean() ** 0.5 for k, v in places.items()},
        "elsewhere": {k: np.delete(np.square(v), around_midnight).mean() ** 0.5 for k, v in places.items()},
    }
).round(2)

# %%
worst = {name: max(errors) / np.median(errors) for name, errors in places.items()}
assert worst["linear", "splines, not periodic"] > 4 > 2 > worst["linear", "circle, 4 harmonics"]
assert worst["neighbours", "raw"] > 2 > worst["neighbours", "circle"]

# %% [markdown]
# Here the convention shows. Splines that are not periodic are fine at noon and lost around midnight; the
# neighbours of a raw hour have to come from one side there. The periodic ones have no such place. What
# still varies along their curves is the shape of a day.
#
# Trees do not follow: behind a gap they extend by a constant, which suits a raw hour better than two
# coordinates of a circle. One-hot features know nothing of an hour they have not seen.
# `experiments/hour_of_day` in the repository has these rows, and networks.
#
# ## New Year, with real weather
#
# The seam of the year is winter. Here with the days as they were: each year is predicted from the three
# others. A perfect climate model would still be wrong by the weather, about 2.8 °C.

# %%
season = 365 * fold(daily["date"], "year")[:, None]
degrees, which = daily["celsius"].to_numpy(), daily["date"].dt.year.to_numpy()
light = RidgeCV(len(degrees) * np.array([1e-8, 1e-6, 1e-4, 1e-2]))


def one_for_each_day(x, period):
    return (x.astype(int) == np.arange(366)).astype(float)


def year_by_year(encode_column):
    """Error, and the step at New Year's midnight, °C."""
    errors, steps = [], []
    for year in np.unique(which):
        test = which == year
        level = degrees[~test].mean()
        model = light.fit(encode_column(season[~test], 365), degrees[~test] - level)
        errors.append((model.predict(encode_column(season[test], 365)) + level - degrees[test]) ** 2)
        ends = np.vstack(
            [season[:1] + 364.999, season[:1], season[~test]]
        )  # with the data: one encoding looks at it
        steps.append(np.ptp(model.predict(encode_column(ends, 365))[:2]))
    return {"error": np.concatenate(errors).mean() ** 0.5, "step at New Year": np.mean(steps)}


results = {name: year_by_year(e) for name, e in encodings.items()} | {
    "one-hot, days": year_by_year(one_for_each_day)
}
years = pd.DataFrame(results).T
years.round(2)

# %%
assert years["error"].idxmin() == "circle, 2 harmonics"
steps = years["step at New Year"]
assert steps["circle, 2 harmonics"] < 1e-3 < 0.5 < steps["splines, not periodic"]

# %% [markdown]
# With noise the picture changes again. All smooth models of a cycle are within 0.15 °C of each other; two harmonics are
# best by a hair, and a feature for each day learns the weather of three years by heart. The error around
# New Year hides in the weather, but not the step: in the night of New Year the splines that are not
# periodic jump by 1 °C. Whoever differentiates or plots the model will ask about it.
#
# ## In a pipeline
#
# `CyclicEncoder` takes the times themselves; each cycle is a line of the column transformer, and the number
# of harmonics is a parameter to search over, with whole weeks held out.

# %%
cycles = ColumnTransformer(
    [("day", CyclicEncoder("day"), ["date"]), ("year", CyclicEncoder("year"), ["date"])]
)
search = GridSearchCV(
    make_pipeline(cycles, Ridge(1e-3)),
    {"columntransformer__day__harmonics": [1, 2, 4], "columntransformer__year__harmonics": [1, 2]},
    cv=GroupKFold(4),
    scoring="neg_root_mean_squared_error",
)
search.fit(hourly[["date"]], celsius, groups=week)
print(
    {name.split("__")[1]: count for name, count in search.best_params_.items()},
    f"{-search.best_score_:.2f} °C",
)
print(list(search.best_estimator_[:-1].get_feature_names_out())[:4], "…")

# %% [markdown]
# Without products of hour and season this additive model stays near 0.9 °C, whatever its harmonics.
#
# ## Times are treacherous
#
# **Seconds since 1970 in float32** are 128 s apart, so an encoding of them is wrong by up to 64 s before it
# begins, and by nothing afterwards if the folding is done first.

# %%
seconds = 1_700_000_000 + 977 * np.arange(2000)
exact = 2 * np.pi * (seconds % 86_400) / 86_400
late = 2 * np.pi * (np.float32(seconds).astype(float) % 86_400) / 86_400  # what a float32 array holds
first = encode(jnp.asarray(fold(seconds, 86_400), jnp.float32))
print(f"cast, then fold: {np.abs(np.sin(late) - np.sin(exact)).max():.1e}")
print(f"fold, then cast: {np.abs(first[:, 0] - np.sin(exact)).max():.1e}")
try:
    fold(np.float32(seconds), 86_400)
except ValueError as refused:
    print(refused)

# %% [markdown]
# **Clocks change.** `fold` reads the wall clock: on the night in November when 01:30 comes twice, both have
# the phase of 01:30. That is right for traffic and power. For the sun and the tide convert to UTC first, a
# choice that nobody can make for you.

# %%
night_of_change = pd.date_range("2010-11-07 00:30", periods=4, freq="h", tz="America/Los_Angeles")
for name, times in (("wall clock", night_of_change), ("UTC", night_of_change.tz_convert("UTC"))):
    print(f"{name:>10}:", (24 * fold(times, "day")).round(2))

# %% [markdown]
# **Months differ.** "month" and "year" are the fraction of that very month and year, so that the last
# moment of February is next to the first of March. **Missing values** stay nan, or become the centre of the
# circle: radius 0, no direction.

# %%
days = np.array(["2011-02-28T23:59", "2012-02-28T23:59", "2012-02-29T23:59", "NaT"], "datetime64[m]")
turns, present = fold(days, "month", missing="mask")
print(turns.round(4), present)
print(encode(turns, present).round(3).tolist())

# %% [markdown]
# ## Means
#
# The mean of 23:00 and 01:00 is not noon. `mean` averages points on the circle; the length of the average
# says how much the angles agree, from 1 (all alike) to 0 (no direction at all).

# %%
print("mean of 23:00 and 01:00:", (24 * mean(jnp.array([23 / 24, 1 / 24])).turns).round(3) % 24)

# %% [markdown]
# When is it warm? Each month has a centre of its daily warmth: the mean of the hours, weighted by how far
# they are above the coldest. Its length says how the warmth is concentrated, a little more on the short days
# of winter than on the long ones of summer.

# %%
month = hourly["date"].dt.month.to_numpy()
lowest = hourly.groupby(hourly["date"].dt.date)["celsius"].transform("min").to_numpy()
phase = jnp.asarray(fold(hourly["date"], "day"), jnp.float32)
warmth = jnp.asarray(celsius - lowest, jnp.float32)
centres = {m: mean(phase[month == m], warmth[month == m]) for m in range(1, 13)}
for m, centre in centres.items():
    print(f"{pd.Timestamp(2010, m, 1):%b}: {24 * centre.turns:5.2f} h, length {centre.length:.2f}")

figure, panels = plt.subplots(
    1, 2, figsize=(9, 4.4), subplot_kw={"projection": "polar"}, layout="constrained"
)
for axes, m in zip(panels, (1, 7), strict=True):
    rose = np.array([float(warmth[(month == m) & (hour[:, 0].round() == h)].mean()) for h in range(24)])
    axes.bar(2 * np.pi * hours / 24, rose / rose.max(), width=0.2, color="0.8")
    direction = 2 * np.pi * float(centres[m].turns)
    axes.annotate("", (direction, float(centres[m].length)), (0, 0), arrowprops={"color": "C3", "width": 2})
    axes.set(theta_zero_location="N", theta_direction=-1, xticks=np.arange(0, 2 * np.pi, np.pi / 4))
    axes.set_xticklabels([f"{h:02d}:00" for h in range(0, 24, 3)])
    axes.set(
        yticks=[0.5, 1],
        title=f"{pd.Timestamp(2010, m, 1):%B}: above the coldest hour, by up to {rose.max():.1f} K",
    )
plt.show()

# %% [markdown]
# ## The metric, and the torus
#
# An encoding pulls the distance of its features back to the numbers: $\mathrm d\ell^2 = g\,\mathrm dx^2$.
# For one harmonic $g = (2\pi/p)^2$, the same at midnight as at noon; harmonics add $k^2$. Two cycles at
# once make a torus, with one metric for each: here the day is worth as much as the year.

# %%
one, four = Cyclic(24.0), Cyclic(24.0, harmonics=4)
print(
    "√g of one harmonic:",
    jnp.sqrt(one.metric(jnp.array([0.0, 12.0]))),
    " of four:",
    jnp.sqrt(four.metric(jnp.array(0.0))),
)
both = Torus((24.0, 365.0))
point = jnp.array([23.5, 364.5])
jacobian = jax.jacobian(both)(point)
print("J'J equals the metric:", bool(jnp.allclose(jacobian.T @ jacobian, both.metric(point), rtol=1e-5)))

sin_day, cos_day, sin_year, cos_year = jax.vmap(both)(jnp.asarray(np.hstack([hour, date]), jnp.float32)).T
ring = 1 + 0.42 * cos_day
figure, axes = plt.subplots(figsize=(6.4, 4.6), subplot_kw={"projection": "3d", "proj_type": "ortho"})
shown = axes.scatter(
    ring * cos_year, ring * sin_year, 0.42 * sin_day, c=celsius, cmap="magma", s=2, depthshade=False
)
axes.set_box_aspect((1, 1, 0.35))
axes.view_init(50, -60)
axes.set_axis_off()
axes.set_title("the year around the ring, the day around the tube")
figure.colorbar(shown, label="°C", shrink=0.6)
plt.show()

# %% [markdown]
# ## A network that is periodic by construction
#
# For a differential equation with periodic boundaries it is not enough that a network's values agree at both
# ends: its derivatives must. `PeriodicLayer` (Dong & Ni 2021) makes this so for every smooth network behind
# it, at every stage of training. Below it learns $f(x) = e^{\sin 2\pi x}$ from 20 points, beside a network of
# the raw coordinate that sees the same points.


# %%
def target(x):
    return jnp.exp(jnp.sin(2 * jnp.pi * x))


class Network(eqx.Module):
    """A network of one coordinate, with or without the periodic layer in front."""

    layer: PeriodicLayer | None
    mlp: eqx.nn.MLP

    def __init__(self, periodic, *, key):
        first, second = jax.random.split(key)
        self.layer = PeriodicLayer((1.0,), 16, key=first) if periodic else None
        self.mlp = eqx.nn.MLP(16 if periodic else 1, "scalar", 32, 2, jnp.tanh, key=second)

    def __call__(self, x):
        x = x[None]
        return self.mlp(x if self.layer is None else self.layer(x))


def train(network, points, steps=2000):
    """Least squares by Adam."""
    optimiser = optax.adam(optax.cosine_decay_schedule(5e-3, steps))
    parameters, rest = eqx.partition(network, eqx.is_inexact_array)

    def loss(parameters):
        return jnp.mean((jax.vmap(eqx.combine(parameters, rest))(points) - target(points)) ** 2)

    def update(state, _):
        parameters, moments = state
        change, moments = optimiser.update(jax.grad(loss)(parameters), moments)
        return (eqx.apply_updates(parameters, change), moments), None

    (parameters, _), _ = jax.jit(lambda s: jax.lax.scan(update, s, length=steps))(
        (parameters, optimiser.init(parameters))
    )
    return eqx.combine(parameters, rest)


def derivative(f, order):
    return f if order == 0 else derivative(jax.grad(f), order - 1)


with jax.enable_x64(True):
    points = jnp.sort(jax.random.uniform(jax.random.key(1), (20,), jnp.float64))
    networks = {
        name: train(Network(periodic, key=jax.random.key(3)), points)
        for name, periodic in (("raw coordinate", False), ("PeriodicLayer", True))
    }
    jumps = {
        name: [
            float(abs(derivative(f, n)(jnp.array(1.0)) - derivative(f, n)(jnp.array(0.0)))) for n in range(4)
        ]
        for name, f in networks.items()
    }
    x = jnp.linspace(-0.25, 1.25, 301)
    shown = {
        order: {name: jax.vmap(derivative(f, order))(x) for name, f in networks.items()} for order in (0, 2)
    }
    exact = {order: jax.vmap(derivative(target, order))(x) for order in (0, 2)}

pd.DataFrame(jumps, index=["value", "1st", "2nd", "3rd"]).rename_axis("jump between the ends").map(
    "{:.1e}".format
)

# %%
assert max(jumps["PeriodicLayer"]) < 1e-10 < 1e-3 < min(jumps["raw coordinate"])
figure, panels = plt.subplots(1, 2, figsize=(10, 3.2), layout="constrained")
for axes, order, title in zip(panels, (0, 2), ("value", "second derivative"), strict=True):
    axes.axvspan(0, 1, color="0.95", zorder=0)
    axes.plot(x, exact[order], "k", linewidth=3, alpha=0.3, label="exact")
    for name, line in (("raw coordinate", "C1"), ("PeriodicLayer", "C0--")):
        axes.plot(x, shown[order][name], line, label=name)
    axes.set(xlabel="x", title=title)
panels[0].plot(points, target(points.astype(np.float32)), "k.", label="points")
panels[0].legend(fontsize=8, loc=(0.5, 0.55))
plt.show()

# %% [markdown]
# ## When to use what
#
# - A quantity with a period that enters a linear model, neighbours, a kernel or a network: the circle, two
#   to four harmonics, or periodic splines when the shape is sharp. The seam disappears, and where the
#   cycle begins does not matter (to splines: hardly).
# - Trees: leave the number as it is.
# - Many data and a seam nobody looks at: any flexible encoding does.
# - Derivatives matter: `PeriodicLayer`.
#
# Fold first, with the period you mean.
