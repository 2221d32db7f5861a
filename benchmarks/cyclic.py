"""A million hours of the day as points on the circle: geoembed against the usual ways, with the error of each.

    python benchmarks/cyclic.py [--quick] [--only NAME] [--repeats 35]

Needs the extra `bench` (feature_engine, scikit-learn, pandas). All run in this process, one after the other in five
rounds, so that a busy machine slows all alike (the wide rows in rounds of their own: large arrays would change how
memory is handed out to the others); ratios are of medians. Sine and cosine are stacked on the last axis, as
models take them; the `8 harmonics` rows give sixteen columns. Errors are the largest against long double of the
numbers as they were given.

Rows:
  geoembed f32            jitted Cyclic(24.0) of a float32 array of jax, the input of the rows of jax and numpy f32
  geoembed f64 frame      CyclicEncoder of scikit-learn's face on the frame that feature_engine gets, float64 out
  geoembed f64            jitted Cyclic(24.0) in float64
  geoembed fold + encode  from Unix seconds in int64 on the host to float32 codes
  feature_engine f64/f32  CyclicalFeatures.transform of a frame
  splines                 scikit-learn's periodic SplineTransformer, 12 features
  numpy, jnp              sine and cosine of 2πx/24

The last line printed is one JSON object of ratios and errors; it also goes to benchmarks/results/cyclic.jsonl.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import feature_engine
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import sklearn
from feature_engine.creation import CyclicalFeatures
from sklearn.preprocessing import SplineTransformer

from geoembed import cyclic
from geoembed.interop.sklearn import CyclicEncoder

RESULTS = Path(__file__).resolve().parent / "results" / "cyclic.jsonl"
COUNT = 8  # harmonics of the wide rows
ROUNDS = 5  # every row gets its turn so many times
DAY = 86400


def reference(hours: np.ndarray, count: int = 1) -> np.ndarray:
    """sin 1, cos 1, sin 2, cos 2, … in long double: 64 bits of mantissa."""
    angle = 2 * np.longdouble("3.14159265358979323846264338327950288") * hours.astype(np.longdouble) / 24
    return np.stack([f(k * angle) for k in range(1, count + 1) for f in (np.sin, np.cos)], axis=-1)


def rows_of(hours: np.ndarray) -> dict[str, tuple[Callable[[], Any], np.ndarray]]:
    """What is measured: a function without arguments, and what it should return."""
    single, wide = reference(hours), reference(hours, COUNT)
    on_device, double = jnp.asarray(hours), hours.astype(np.float64)
    frame, frame32 = pd.DataFrame({"hour": double}), pd.DataFrame({"hour": hours})
    theirs = CyclicalFeatures(max_values={"hour": 24}, drop_original=True).fit(frame)
    ours = CyclicEncoder(period=24.0).set_output(transform="pandas").fit(frame)
    splines = SplineTransformer(n_knots=13, knots=np.linspace(0, 24, 13)[:, None], extrapolation="periodic")
    splines.fit(frame)
    seconds = 1_700_000_000 + np.round(double * 3600).astype(np.int64)
    folded = reference((seconds % DAY).astype(np.float64) / 3600)

    encode, harmonics = jax.jit(cyclic.Cyclic(24.0)), jax.jit(cyclic.Cyclic(24.0, COUNT))
    fold_encode = jax.jit(cyclic.encode)
    plain = jax.jit(lambda x: _stack(jnp, x, 1))
    plain_wide = jax.jit(lambda x: _stack(jnp, x, COUNT))
    with jax.enable_x64(True):
        on_device64 = jnp.asarray(double)
    return {
        "geoembed f32": (lambda: encode(on_device), single),
        "numpy f32": (lambda: _stack(np, hours, 1), single),
        "jnp f32": (lambda: plain(on_device), single),
        "feature_engine f64 frame": (lambda: theirs.transform(frame), single),
        "feature_engine f32 frame": (lambda: theirs.transform(frame32), single),
        "geoembed f64 frame": (lambda: ours.transform(frame), single),
        "geoembed f64": (_with_x64(lambda: encode(on_device64)), single),
        "numpy f64": (lambda: _stack(np, double, 1), single),
        "geoembed fold + encode": (lambda: fold_encode(cyclic.fold(seconds, DAY)), folded),
        "sklearn splines": (lambda: splines.transform(frame), None),
        "geoembed f32, 8 harmonics": (lambda: harmonics(on_device), wide),
        "numpy f32, 8 harmonics": (lambda: _stack(np, hours, COUNT), wide),
        "jnp f32, 8 harmonics": (lambda: plain_wide(on_device), wide),
    }


def _stack(xp: Any, hours: Any, count: int) -> Any:
    """The formula as everybody writes it, in the dtype of the hours."""
    angle = hours * hours.dtype.type(2 * np.pi / 24)
    return xp.stack([f(k * angle) for k in range(1, count + 1) for f in (xp.sin, xp.cos)], axis=-1)


def _with_x64(f: Callable[[], Any]) -> Callable[[], Any]:
    def call() -> Any:
        with jax.enable_x64(True):
            return f()

    return call


def measure(rows: dict[str, tuple[Callable[[], Any], Any]], repeats: int) -> dict[str, dict[str, float]]:
    """First call, median and smallest time in ms, and the error, of each row."""
    times: dict[str, list[float]] = {name: [] for name in rows}
    found: dict[str, dict[str, float]] = {}
    for name, (f, expected) in rows.items():
        start = time.perf_counter()
        got = np.asarray(jax.block_until_ready(f()))
        found[name] = {"first_ms": 1e3 * (time.perf_counter() - start)}
        if expected is not None:
            found[name]["error"] = float(np.abs(got - expected).max())
    narrow = [name for name in rows if "harmonics" not in name]
    wide = [name for name in rows if "harmonics" in name]
    for group in (narrow, wide):
        for name in group * ROUNDS:
            f, _expected = rows[name]
            jax.block_until_ready(f())  # the row before may have emptied the caches
            for _ in range(-(-repeats // ROUNDS)):
                start = time.perf_counter()
                jax.block_until_ready(f())
                times[name].append(1e3 * (time.perf_counter() - start))
    for name, values in times.items():
        found[name] |= {"median_ms": float(np.median(values)), "smallest_ms": min(values)}
    return found


RATIOS = {
    "feature_engine f64 frame / geoembed f32": ("feature_engine f64 frame", "geoembed f32"),
    "feature_engine f64 frame / geoembed f64": ("feature_engine f64 frame", "geoembed f64"),
    "feature_engine f64 frame / geoembed f64 frame": ("feature_engine f64 frame", "geoembed f64 frame"),
    "feature_engine f32 frame / geoembed f32": ("feature_engine f32 frame", "geoembed f32"),
    "sklearn splines / geoembed f32": ("sklearn splines", "geoembed f32"),
    "numpy f32 / geoembed f32": ("numpy f32", "geoembed f32"),
    "numpy f64 / geoembed f64": ("numpy f64", "geoembed f64"),
    "jnp f32 / geoembed f32": ("jnp f32", "geoembed f32"),
    "numpy / geoembed, 8 harmonics": ("numpy f32, 8 harmonics", "geoembed f32, 8 harmonics"),
    "jnp / geoembed, 8 harmonics": ("jnp f32, 8 harmonics", "geoembed f32, 8 harmonics"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="1e5 numbers and 7 repeats")
    parser.add_argument("--only", default="", help="rows whose name contains this")
    parser.add_argument("--repeats", type=int, default=35)
    options = parser.parse_args()
    n, repeats = (100_000, 7) if options.quick else (1_000_000, options.repeats)
    hours = np.random.default_rng(0).uniform(0, 24, n).astype(np.float32)
    rows = {name: row for name, row in rows_of(hours).items() if options.only in name}
    found = measure(rows, repeats)
    pairs = {name: pair for name, pair in RATIOS.items() if all(part in found for part in pair)}
    result = {
        "benchmark": "cyclic",
        "n": n,
        "ratios": {
            name: round(found[a]["median_ms"] / found[b]["median_ms"], 2) for name, (a, b) in pairs.items()
        },
        "errors": {name: row["error"] for name, row in found.items() if "error" in row},
        "ms": {name: round(row["median_ms"], 3) for name, row in found.items()},
        "first_call_ms": {name: round(row["first_ms"], 1) for name, row in found.items()},
        "device": jax.devices()[0].device_kind,
        "versions": {m.__name__: m.__version__ for m in (jax, np, pd, sklearn, feature_engine)},
    }
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(result) + "\n")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
