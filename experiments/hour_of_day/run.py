"""Where the raw hour and the raw day of the year fail, and what the circle costs: two series of temperatures.

    python experiments/hour_of_day/run.py [--only NAME] [--force]

Writes results/rows.json and results/errors.png. Rows that are already there are kept, so an interrupted run goes
on where it stopped. All errors are root mean squares in °C, of predictions for what was held out.
"""

import argparse
import hashlib
import json
import subprocess
import tomllib
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import matplotlib
import models
import numpy as np
from features import Encode, encodings
from matplotlib import pyplot as plt
from vega_datasets import local_data

from geoembed.cyclic import fold

HERE = Path(__file__).resolve().parent
ROWS = HERE / "results" / "rows.json"
CONFIG = tomllib.loads((HERE / "config.toml").read_text())
STAMP = hashlib.sha256((HERE / "config.toml").read_bytes()).hexdigest()[:12]
ENCODINGS = encodings(**CONFIG["encodings"])
DAY, YEAR = 24.0, 365.0

normals = local_data.seattle_temps()  # °F at each hour of a normal year
TIME, NORMAL = normals["date"], (normals["temp"].to_numpy() - 32) / 1.8
HOUR = fold(TIME, "day") * DAY
DATE = fold(TIME, "year") * YEAR

observed = local_data.seattle_weather()  # °C, four years of days
MEAN = (observed["temp_max"].to_numpy() + observed["temp_min"].to_numpy()) / 2
SEASON = fold(observed["date"], "year")[:, None] * YEAR
WHICH = observed["date"].dt.year.to_numpy()


def apart(x: np.ndarray, centre: float, period: float) -> np.ndarray:
    """The shorter way from x to the centre."""
    return np.abs((x - centre + period / 2) % period - period / 2)


def features(encode: Encode, training: np.ndarray, *, product: bool, begin: tuple = (0, 0)) -> np.ndarray:
    """Of the hour and of the day of the year; with all products of the two for linear models."""
    start = timedelta(hours=begin[0])
    hour = fold(TIME - start, "day")[:, None] * DAY
    date = (DATE[:, None] - begin[1]) % YEAR
    of_hour, of_date = encode(hour[training], hour, DAY), encode(date[training], date, YEAR)
    parts = [of_hour, of_date]
    if product:
        parts.append((of_hour[:, :, None] * of_date[:, None, :]).reshape(len(of_hour), -1))
    return np.hstack(parts)


def error(model: str, encode: Encode, held_out: list[np.ndarray], begin: tuple = (0, 0)) -> float:
    """RMS over folds, each of which is predicted from all that is not in it."""
    fit, product = MODELS[model]
    squares = []
    for test in held_out:
        x, level = features(encode, ~test, product=product, begin=begin), NORMAL[~test].mean()
        found = fit(x[~test], NORMAL[~test] - level, SETTINGS["seed"]).predict(x[test]) + level
        squares.append((found - NORMAL[test]) ** 2)
    return float(np.sqrt(np.concatenate(squares).mean()))


def gap(centre: float) -> np.ndarray:
    """The hours around the centre, on every day."""
    return apart(HOUR, centre, DAY) < CONFIG["hourly"]["gap"] / 2


def hourly_row(model: str, encode: Encode) -> dict:
    """Errors of one model and one encoding on the normal year."""
    settings = CONFIG["hourly"]
    week = (DATE // 7).astype(int) % settings["week_folds"]
    weeks = [week == f for f in range(settings["week_folds"])]
    midnight = [gap(centre) for centre in settings["midnight"]]
    winter = [apart(DATE, 0, YEAR) <= settings["winter"] / 2]
    return {
        "weeks": error(model, encode, weeks),
        "midnight": error(model, encode, midnight),
        "midnight, day from noon": error(model, encode, midnight, (settings["other_hour"], 0)),
        "New Year": error(model, encode, winter),
        "New Year, year from July": error(model, encode, winter, (0, settings["other_day"])),
    }


def daily_row(model: str, encode: Encode) -> dict:
    """Errors of one model and one encoding on observations, one year held out at a time."""
    fit = DAILY_MODELS[model]
    near = apart(SEASON[:, 0], 0, YEAR) <= CONFIG["daily"]["near"]
    squares, steps = np.zeros(len(MEAN)), []
    for year in np.unique(WHICH):
        test = np.isin(WHICH, year)
        level = MEAN[~test].mean()
        found = fit(encode(SEASON[~test], SEASON[~test], YEAR), MEAN[~test] - level, SETTINGS["seed"])
        squares[test] = (found.predict(encode(SEASON[~test], SEASON[test], YEAR)) + level - MEAN[test]) ** 2
        ends = found.predict(encode(SEASON[~test], np.array([[YEAR - 1e-6], [0.0]]), YEAR))
        steps.append(abs(ends[1] - ends[0]))
    row = {"year": squares.mean() ** 0.5, "around New Year": squares[near].mean() ** 0.5}
    return {**{name: float(value) for name, value in row.items()}, "step at New Year": float(np.mean(steps))}


SETTINGS = CONFIG["models"]
LINEAR = models.linear(SETTINGS["ridge"])
NEIGHBOURS = {name: models.neighbours(count) for name, count in SETTINGS["neighbours"].items()}
MODELS = {  # how it is fitted, and whether it gets products
    "linear": (LINEAR, True),
    "neighbours": (NEIGHBOURS["hourly"], False),
    "network": (models.network(SETTINGS["hidden"], SETTINGS["epochs"]), False),
    "trees": (models.trees, False),
}
DAILY_MODELS = {"linear": LINEAR, "neighbours": NEIGHBOURS["daily"], "trees": models.trees}
FEW = ("raw", "largest value as period", "circle", "circle, 2 harmonics")
CURVES = (  # model, encoding, line
    ("linear", "splines, not periodic", "C1-"),
    ("linear", "splines, periodic", "C2-"),
    ("linear", "circle, 4 harmonics", "C0-"),
    ("neighbours", "raw", "C1:"),
    ("neighbours", "largest value as period", "C3:"),
    ("neighbours", "circle", "C0:"),
)


def gap_row(model: str, encode: Encode) -> dict:
    """The error in the gap for each of its 24 places."""
    return {"gap": [error(model, encode, [gap(centre)]) for centre in range(24)]}


def plan() -> dict:
    """Name of each row → how to compute it."""
    jobs: dict = {}
    for model in MODELS:
        for name in ENCODINGS if model == "linear" else FEW:
            jobs[f"hourly | {model} | {name}"] = lambda m=model, n=name: hourly_row(m, ENCODINGS[n])
    for model in DAILY_MODELS:
        for name in ENCODINGS if model == "linear" else FEW:
            jobs[f"daily | {model} | {name}"] = lambda m=model, n=name: daily_row(m, ENCODINGS[n])
    for model, name, _ in CURVES:
        jobs[f"gap | {model} | {name}"] = lambda m=model, n=name: gap_row(m, ENCODINGS[n])
    return jobs


def draw(rows: dict[str, dict]) -> None:
    """Error over the place of the gap, and the season around New Year."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
    for model, name, line in CURVES:
        if f"gap | {model} | {name}" in rows:
            places = rows[f"gap | {model} | {name}"]["gap"]
            left.semilogy(range(25), [*places, places[0]], line, label=f"{model}: {name}")
    left.set(
        xlabel=f"middle of the {CONFIG['hourly']['gap']} hours that are held out", ylabel="error in them / °C"
    )
    left.set(
        xticks=range(0, 25, 6),
        yticks=[0.5, 1, 2, 5, 10],
        title="On a circle no hour is special",
        ylim=(0.25, 40),
    )
    left.yaxis.set_major_formatter("{x:g}")
    left.yaxis.set_minor_formatter("")
    left.legend(fontsize=7.5, loc="upper center", ncols=2)
    days = np.arange(-60.0, 60.0, 0.05)[:, None]
    training = np.ones(len(MEAN), bool)
    near = (SEASON[:, 0] + 182) % YEAR - 182
    shown = np.abs(near) <= 60
    right.plot(near[shown], MEAN[shown], ".", color="0.8", markersize=3, label="days of 2012 to 2015")
    for name, line in (("splines, not periodic", "C1-"), ("one-hot", "C3-"), ("circle, 2 harmonics", "C0-")):
        found = LINEAR(ENCODINGS[name](SEASON[training], SEASON, YEAR), MEAN, 0)
        right.plot(
            days, found.predict(ENCODINGS[name](SEASON, days % YEAR, YEAR)), line, label=f"linear: {name}"
        )
    right.set(
        xlabel="days after New Year", ylabel="mean of the day / °C", title="Observed days, linear models"
    )
    right.legend(fontsize=7.5)
    figure.savefig(HERE / "results" / "errors.png", dpi=130)


def tables(rows: dict[str, dict]) -> str:
    """The rows as the Markdown tables of README.md."""
    lines = []
    for kind in ("hourly", "daily"):
        chosen = {name: row for name, row in rows.items() if name.startswith(kind)}
        columns = next(iter(chosen.values()), {"errors": {}})["errors"]
        lines += [
            "",
            "| model | encoding | " + " | ".join(columns) + " |",
            "|---|---|" + "---|" * len(columns),
        ]
        for name, row in chosen.items():
            _, model, encoding = name.split(" | ")
            values = " | ".join(f"{value:.2f}" for value in row["errors"].values())
            lines.append(f"| {model} | {encoding} | {values} |")
    return "\n".join(lines)


def commit() -> str:
    """The commit that the code belongs to; "+" marks changes on top of it."""
    command = ["git", "describe", "--always", "--dirty=+"]
    return subprocess.run(command, cwd=HERE, capture_output=True, text=True).stdout.strip() or "unknown"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="rows whose name contains this")
    parser.add_argument("--force", action="store_true", help="compute rows again that are there")
    options = parser.parse_args()
    matplotlib.use("Agg")
    ROWS.parent.mkdir(exist_ok=True)
    rows = json.loads(ROWS.read_text()) if ROWS.exists() else {}
    versions = {name: version(name) for name in ("jax", "numpy", "scikit-learn", "vega_datasets")}
    for name, job in plan().items():
        done = name in rows and rows[name]["config"] == STAMP
        if options.only in name and (options.force or not done):
            result = job()
            kept = {"gap": result["gap"]} if "gap" in result else {"errors": result}
            rows[name] = {**kept, "config": STAMP, "commit": commit(), "versions": versions}
            ROWS.write_text(json.dumps(rows, indent=1) + "\n")
            print(name, json.dumps(result), flush=True)
    draw(rows)
    print(tables({name: rows[name] for name in plan() if name in rows}))


if __name__ == "__main__":
    main()
