"""Levenberg–Marquardt of `geoembed.train` beside optimistix on the same rows: loss against processor time.

    python benchmarks/least_squares.py [--points 2000] [--seconds 40] [--quick] [--again]

The rows are the residual of Burgers' equation (ν = 0.01/π) at Sobol points, with start and walls built into the field,
of a tanh network in float64. Both begin with the same numbers and have the same CPU seconds after compilation.
optimistix runs its QR factorisation (the default), the normal equations by Cholesky, and Dogleg. A row for each goes to
benchmarks/results/least_squares.jsonl. The last line printed is one JSON object: for each method the loss reached,
steps, and its seconds per step relative to ours.
`--quick` has 200 points and 5 seconds.
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import lineax as lx
import numpy as np
import optimistix as optx
from rows import RESULTS, commit, row
from scipy.stats import qmc

from geoembed.core import MLP
from geoembed.train import LevenbergMarquardt, Rows

jax.config.update("jax_enable_x64", True)
VISCOSITY = 0.01 / np.pi
UNITS = [24, 24, 24]


def residual(network: Any, point: Any) -> Any:
    """u_t + u u_x − ν u_xx at (x, t) for u = −sin πx + t (1 − x²) N(x, t)."""

    def u(x: Any, t: Any) -> Any:
        return -jnp.sin(jnp.pi * x) + t * (1 - x**2) * network(jnp.stack([x, t]))[0]

    def slope(x: Any) -> Any:
        return jax.jvp(lambda y: u(y, point[1]), (x,), (jnp.ones_like(x),))

    (here, u_x), (_, u_xx) = jax.jvp(slope, (point[0],), (jnp.ones_like(point[0]),))
    u_t = jax.jvp(lambda t: u(point[0], t), (point[1],), (jnp.ones_like(point[1]),))[1]
    return jnp.atleast_1d(u_t + here * u_x - VISCOSITY * u_xx)


def start() -> MLP:
    """The network that all methods begin with."""
    return MLP(2, 1, width=UNITS[0], depth=len(UNITS), activation="tanh", key=jax.random.key(0))


def ours(points: np.ndarray, seconds: float) -> dict[str, Any]:
    """`geoembed.train.LevenbergMarquardt`, Jacobians in float32 while the damping allows it."""
    solver = LevenbergMarquardt([residual], start())
    data = [Rows(points, np.full(len(points), len(points) ** -0.5))]
    state = solver.step(solver.start(), data)  # compiles
    state, steps, began = solver.start(), 0, time.process_time()
    while time.process_time() - began < seconds:
        state, steps = solver.step(state, data), steps + 1
    return {"loss": solver.loss(jnp.asarray(state.parameters), data), "steps": steps} | _pace(steps, began)


def theirs(make: Callable[[], Any], points: np.ndarray, seconds: float) -> dict[str, Any]:
    """A solver of optimistix, its own loop one step at a time."""
    network, solver = start(), make()
    at = jnp.asarray(points)

    def rows(y: Any, _: Any) -> Any:
        return jax.vmap(lambda x: residual(y, x)[0])(at) / len(points) ** 0.5, None

    options: dict[str, Any] = {}
    y, tags = eqx.filter(network, eqx.is_inexact_array), frozenset()
    static = eqx.filter(network, eqx.is_inexact_array, inverse=True)

    def fn(y: Any, args: Any) -> Any:
        return rows(eqx.combine(y, static), args)

    shapes = eqx.filter_eval_shape(fn, y, None)
    state = solver.init(fn, y, None, options, *shapes, tags)
    advance = eqx.filter_jit(lambda y, state: solver.step(fn, y, None, options, state, tags))
    loss = eqx.filter_jit(lambda y: 0.5 * jnp.sum(fn(y, None)[0] ** 2))
    jax.block_until_ready(advance(*advance(y, state)[:2])[0])  # the second call may compile again
    steps, began, best = 0, time.process_time(), float(loss(y))
    while time.process_time() - began < seconds:
        y, state, _ = advance(y, state)
        best, steps = min(best, float(loss(y))), steps + 1
    return {"loss": best, "steps": steps} | _pace(steps, began)


def _pace(steps: int, began: float) -> dict[str, float]:
    return {"seconds_per_step": (time.process_time() - began) / max(steps, 1)}


METHODS = {
    "geoembed": None,
    "optimistix LM, QR": lambda: optx.LevenbergMarquardt(rtol=1e-12, atol=1e-12),
    "optimistix LM, Cholesky": lambda: optx.LevenbergMarquardt(
        rtol=1e-12, atol=1e-12, linear_solver=lx.Normal(lx.Cholesky())
    ),
    "optimistix Dogleg, Cholesky": lambda: optx.Dogleg(
        rtol=1e-12, atol=1e-12, linear_solver=lx.Normal(lx.Cholesky())
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--again", action="store_true")
    options = parser.parse_args()
    count, seconds = (200, 5.0) if options.quick else (options.points, options.seconds)
    cube = qmc.Sobol(2, seed=0).random_base2(int(np.ceil(np.log2(count))))[:count]
    points = np.column_stack([2 * cube[:, 0] - 1, cube[:, 1]])
    found = {}
    for name, make in METHODS.items():
        identity = {"method": name, "points": count, "cpu_seconds": seconds, "units": UNITS}

        def measure(make: Any = make) -> dict[str, Any]:
            run = ours(points, seconds) if make is None else theirs(make, points, seconds)
            return {"version": commit()} | run

        found[name] = row(RESULTS / "least_squares.jsonl", identity, measure, again=options.again)
        print(json.dumps(found[name]), flush=True)
    pace = found["geoembed"]["seconds_per_step"]
    figures = {
        name: {"loss": r["loss"], "steps": r["steps"], "step_time_relative": r["seconds_per_step"] / pace}
        for name, r in found.items()
    }
    print(json.dumps({"bench": "least_squares", "points": count, "cpu_seconds": seconds, **figures}))


if __name__ == "__main__":
    main()
