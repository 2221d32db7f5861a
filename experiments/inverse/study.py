"""Conductivity and heat transfer coefficient of the heat sink from noisy sensors, again and again."""

import json
import time
import tomllib
from functools import cache
from importlib import resources
from pathlib import Path

import jax
import numpy as np
from truth import AMBIENT, CONDUCTIVITY, HERE, H, heat_sink

from geoembed.pinn import Convection, Identified, InverseProblem, Problem, Sensors, Temperature

CONFIG = tomllib.loads((HERE / "config.toml").read_text(encoding="utf-8"))
SHARE = 0.01  # the noise
CLOSE = 0.02  # the bar
NUMBERS = {"conductivity": CONDUCTIVITY, "rest.h": H}
RATIO = {"rest.h": 1.0, "conductivity": -1.0}
DEMO = resources.files("geoembed.pinn") / "data" / "heat_sink_reference.npz"


@cache
def truth(held: bool) -> tuple[np.ndarray, np.ndarray, dict]:
    """Places in mm, the temperatures of finite elements there, and what is known about them."""
    path = Path(str(DEMO)) if held else HERE / "results" / "truth.npz"
    with np.load(path) as file:
        points, facts = file["points"].astype(float), json.loads(str(file["facts"]))
        return points * 1e3 if held else points, file["temperature"].astype(float), facts


@cache
def inverse(held: bool, cells: int) -> InverseProblem:
    """The problem with both numbers unknown; it keeps its grids."""
    problem = heat_sink(**CONFIG["problem"])
    if held:
        conditions = [Temperature("base", 350.0), Convection("rest", CONFIG["problem"]["h"], AMBIENT)]
        problem = Problem(problem.domain, problem.equation, conditions, problem.patches)
    key = jax.random.key(CONFIG["identify"]["seed"])
    return InverseProblem(problem, list(NUMBERS), key=key, cells=cells)


def readings(case: dict, seed: int) -> Sensors:
    """One draw of sensors and noise."""
    rng = np.random.default_rng(seed)
    points, temperature, _ = truth(case.get("held", False))
    chosen = rng.choice(len(points), case["sensors"], replace=False)
    true = temperature[chosen]
    excess = temperature.max() - AMBIENT if case["noise"] == "range" else true - AMBIENT
    sigma = np.broadcast_to(SHARE * excess, true.shape)
    read = true + sigma * rng.normal(size=len(true))
    if case["noise"] == "local":  # who knows only the readings takes 1 % of those
        sigma = SHARE * (read - AMBIENT)
    return Sensors(points[chosen], read, sigma.copy() if case["stated"] else None)


def measure(case: dict, seeds: int, cells: int) -> dict:
    """The figures of one case."""
    model, begin = inverse(case.get("held", False), cells), time.process_time()
    found, seconds = [], []
    for seed in range(seeds):
        start = time.process_time()
        found.append(model.identify(readings(case, seed)))
        seconds.append(time.process_time() - start)
    facts = truth(case.get("held", False))[2]
    return {
        "numbers": _both(found) if not case.get("held", False) else _ratio(found),
        "consistent": None if not case["stated"] else sum(bool(one.consistent) for one in found) / seeds,
        "sigma_K": float(np.mean([np.sqrt(np.mean(one.sigma**2)) for one in found])),
        "model_error_K": max(one.model_error for one in found),
        "status": sorted({one.status for one in found}),
        "not_identified": sorted({words for one in found for words in one.not_identified}),
        "cells": max(one.cells for one in found),
        "fem_agreement": facts["fem_agreement"],
        "cpu_seconds": round(time.process_time() - begin, 1),
        "cpu_seconds_median": round(float(np.median(seconds)), 1),
        "seeds": seeds,
    }


def _both(found: list[Identified]) -> dict:
    level = CONFIG["identify"]["level"]
    return {
        name: _figures([(one[name], *one.interval(name, level)) for one in found], truth)
        for name, truth in NUMBERS.items()
    }


def _ratio(found: list[Identified]) -> dict:
    """h/k, for nothing else is identified."""
    if any(any(one.identified.values()) for one in found):
        raise SystemExit("a held base cannot identify k or h, and one of the two was taken for identified")
    rows = [one.combination(RATIO, CONFIG["identify"]["level"]) for one in found]
    return {"rest.h / conductivity": _figures([(value, *ends) for value, ends in rows], H / CONDUCTIVITY)}


def _figures(rows: list[tuple[float, float, float]], truth: float) -> dict:
    value, low, high = np.array(rows).T
    error = np.abs(value / truth - 1)
    return {
        "truth": truth,
        "median_error": float(np.median(error)),
        "largest_error": float(error.max()),
        "within_2_percent": float(np.mean(error <= CLOSE)),
        "mean_of_estimates": float(value.mean() / truth - 1),
        "coverage": float(np.mean((low <= truth) & (truth <= high))),
        "half_width": float(np.mean((high - low) / (2 * truth))),
        "estimates": [[round(float(x), 6) for x in row] for row in rows],
    }
