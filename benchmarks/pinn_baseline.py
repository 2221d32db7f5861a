"""The strongest simple method for one forward solve of Burgers' equation: a sine series and scipy's integrator.

    python benchmarks/pinn_baseline.py [--again]

Method of lines: u(x, t) = Σ a_k(t) sin kπx, products by FFT with 2/3 of the modes kept, DOP853 in time. Rows go to
benchmarks/results/pinn_baseline.jsonl. The last line printed is one JSON object with errors against the same references
as benchmarks/pinn.py, and seconds, which depend on the machine.
"""

import argparse
import json
import math
import time
from typing import Any

import numpy as np
from pinn_references import burgers, relative
from rows import RESULTS, commit, row
from scipy.integrate import solve_ivp


def solve(
    viscosity: float, modes: int, moments: np.ndarray, points: np.ndarray, tolerance: float
) -> np.ndarray:
    """u at points and moments, from −sin πx."""
    waves = np.pi * np.arange(modes + 1)
    kept = np.arange(modes + 1) < 2 * modes // 3

    def rate(_: float, a: np.ndarray) -> np.ndarray:
        half = np.concatenate([-0.5j * a, [0.0]]) * 2 * modes  # u is odd: its spectrum is imaginary
        u = np.fft.irfft(half[: modes + 1], 2 * modes)
        square = np.fft.rfft(0.5 * u**2)[: modes + 1] / (2 * modes)
        change = 2 * waves * square.real * kept  # −∂(u²/2)/∂x of cosines is a sine series
        return change - viscosity * waves**2 * a

    start = np.zeros(modes + 1)
    start[1] = -1.0
    found = solve_ivp(
        rate, (0.0, moments[-1]), start, "DOP853", moments, rtol=tolerance, atol=1e-3 * tolerance
    )
    return (np.sin(np.pi * np.outer(points, np.arange(modes + 1))) @ found.y).T


def measured(viscosity: float, modes: int, tolerance: float) -> dict[str, Any]:
    points, moments = np.linspace(-1, 1, 256), 0.03 * np.arange(34)
    reference = burgers(viscosity, points, moments)
    start = time.perf_counter()
    found = solve(viscosity, modes, moments, points, tolerance)
    seconds = time.perf_counter() - start
    order = np.lexsort((reference.points[:, 0], reference.points[:, 1]))
    return {
        "error": relative(found.ravel(), reference.values[order]),
        "seconds": round(seconds, 2),
        "version": commit(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--again", action="store_true", help="run even what is in the results")
    again = parser.parse_args().again
    summary: dict[str, Any] = {"bench": "pinn_baseline"}
    for name, viscosity, modes in (("burgers", 0.01 / math.pi, 2048), ("burgers viscous", 0.01, 1024)):
        identity = {"problem": name, "modes": modes, "tolerance": 1e-12}
        summary[name] = row(
            RESULTS / "pinn_baseline.jsonl",
            identity,
            lambda v=viscosity, m=modes: measured(v, m, 1e-12),
            again=again,
        )
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
