"""Reference solutions of benchmarks/pinn.py, computed with numpy and scipy and independent of the library.

Every reference states its accuracy: the relative L2 difference to the same computation at a coarser setting, which for
a convergent method bounds the error of the finer one. Nothing is read from a file and nothing is kept.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

KDV_DISPERSION = 0.022  # Zabusky and Kruskal's δ: the equation has δ² u_xxx


class Reference(NamedTuple):
    """Values of the solution at points.

    Attributes:
        points: The points (n, 2) as (x, t), or (x, y) of a steady problem.
        values: The solution there (n,).
        accuracy: Relative L2 difference to a coarser computation.
    """

    points: np.ndarray
    values: np.ndarray
    accuracy: float


def relative(values: np.ndarray, reference: np.ndarray) -> float:
    """‖values − reference‖ / ‖reference‖ in L2."""
    return float(np.linalg.norm(values - reference) / np.linalg.norm(reference))


def grid(x: ArrayLike, t: ArrayLike) -> np.ndarray:
    """The points (x, t) of two axes, x fastest."""
    first, second = np.meshgrid(np.asarray(x, float), np.asarray(t, float))
    return np.stack([first.ravel(), second.ravel()], axis=-1)


# Burgers


def burgers(viscosity: float, x: ArrayLike, t: ArrayLike) -> Reference:
    """u_t + u u_x = ν u_xx, u(x, 0) = −sin πx, u(±1, t) = 0, on the grid of the axes x and t."""
    points = grid(x, t)
    values = burgers_at(viscosity, points)
    return Reference(points, values, relative(burgers_at(viscosity, points, nodes=2.0), values))


def burgers_at(viscosity: float, points: np.ndarray, *, nodes: float = 3.0) -> np.ndarray:
    """The solution of `burgers` at points (n, 2), by the transform of Cole and Hopf.

    u = ∫ u₀(η) w dη / ∫ w dη with w = exp(−(F(η) + (x − η)²/2t) / 2ν) and F' = u₀: a mean of the initial values,
    which neither cancels nor divides by t. The trapezoidal rule converges faster than exponentially on these
    integrands, which are entire and decay like a normal density; they end where the exponent is 40 below its largest.

    Args:
        viscosity: ν.
        points: (x, t) with t ≥ 0.
        nodes: Nodes of the rule in one standard deviation of the narrowest peak of w.

    References:
        E. Hopf, "The partial differential equation u_t + u u_x = μ u_xx", 1950, equation (6); J. D. Cole, 1951.
    """
    parts = np.split(points, range(4096, len(points), 4096))
    values = [_mean_of_start(viscosity, part[:, 0], part[:, 1], nodes) for part in parts]
    return np.concatenate(values)


def _mean_of_start(viscosity: float, x: np.ndarray, t: np.ndarray, nodes: float) -> np.ndarray:
    """The two integrals of `burgers_at`."""
    later = np.maximum(t, 1e-12)
    step = np.sqrt(2 * viscosity / (1 / later + np.pi)) / nodes
    reach = np.sqrt(2 * later * (2 / np.pi + 80 * viscosity))
    half = int(np.ceil((reach / step).max()))
    away = step * np.arange(-half, half + 1)[:, None]
    start = np.pi * (x + away)
    exponent = -(-2 * np.sin(start / 2) ** 2 / np.pi + away**2 / (2 * later)) / (2 * viscosity)
    weight = np.exp(exponent - exponent.max(axis=0))
    mean = -np.sum(weight * np.sin(start), axis=0) / weight.sum(axis=0)
    return np.where(t > 0, mean, -np.sin(np.pi * x))


# Allen–Cahn and Korteweg–de Vries, periodic on [−1, 1]


def allen_cahn(
    x: ArrayLike | None = None, outputs: int = 100, *, modes: int = 1536, steps: int = 1200
) -> Reference:
    """u_t = 1e-4 u_xx + 5 (u − u³), u(x, 0) = x² cos πx, periodic on [−1, 1], 0 ≤ t ≤ 1.

    The initial values have a kink at ±1. Their Fourier coefficients are the exact ones, and the first interval of time
    begins with very short steps, because the kink is rounded off like √t.

    Args:
        x: Where; 256 points of one period if left out.
        outputs: Intervals between the times that are returned, which are equally spaced and include 0 and 1.
        modes: Fourier modes 0 … modes − 1.
        steps: Equal steps of time from 0 to 1; a multiple of 2 `outputs`.
    """

    def solve(modes: int, steps: int) -> np.ndarray:
        wave = np.pi * np.arange(modes)

        def reaction(c: np.ndarray) -> np.ndarray:
            return -5 * coefficients(on_circle(c) ** 3)

        return etdrk4(5 - 1e-4 * wave**2, reaction, kinked_cosine(modes), outputs, steps, halvings=7)

    return _periodic(solve, lambda x: x**2 * np.cos(np.pi * x), x, outputs, modes, steps)


def kdv(
    x: ArrayLike | None = None, outputs: int = 100, *, modes: int = 256, steps: int = 40_000
) -> Reference:
    """u_t + u u_x + 0.022² u_xxx = 0, u(x, 0) = cos πx, periodic on [−1, 1], 0 ≤ t ≤ 1.

    Args:
        x: Where; 256 points of one period if left out.
        outputs: Intervals between the times that are returned, which are equally spaced and include 0 and 1.
        modes: Fourier modes 0 … modes − 1.
        steps: Equal steps of time from 0 to 1; a multiple of 2 `outputs`.

    References:
        N. J. Zabusky, M. D. Kruskal, Phys. Rev. Lett. 15, 240 (1965), equation (1).
    """

    def solve(modes: int, steps: int) -> np.ndarray:
        slope = 1j * np.pi * np.arange(modes)
        start = np.zeros(modes, complex)
        start[1] = 0.5

        def transport(c: np.ndarray) -> np.ndarray:
            return -0.5 * slope * coefficients(on_circle(c) ** 2)

        return etdrk4(-(KDV_DISPERSION**2) * slope**3, transport, start, outputs, steps)

    return _periodic(solve, lambda x: np.cos(np.pi * x), x, outputs, modes, steps)


def _periodic(
    solve: Callable[[int, int], np.ndarray],
    start: Callable[[np.ndarray], np.ndarray],
    x: ArrayLike | None,
    outputs: int,
    modes: int,
    steps: int,
) -> Reference:
    """Evaluates Fourier coefficients in time, once with two thirds of the modes and half of the steps."""
    at = np.arange(256) / 128 - 1 if x is None else np.asarray(x, float)
    fine = fourier_sum(solve(modes, steps), at)
    coarse = fourier_sum(solve(2 * modes // 3, steps // 2), at)
    fine[0] = coarse[0] = start(at)
    points = grid(at, np.arange(outputs + 1) / outputs)
    return Reference(points, fine.ravel(), relative(coarse, fine))


def kinked_cosine(modes: int) -> np.ndarray:
    """Fourier coefficients of x² cos πx on [−1, 1]: of e^{iπkx} for k = 0 … modes − 1, exact."""
    k = np.arange(-1, modes + 1)
    square = np.where(k == 0, 1 / 3, 2 * (-1.0) ** k / (np.pi * np.where(k == 0, 1, k)) ** 2)  # those of x²
    return (square[:-2] + square[2:]) / 2 + 0j


def on_circle(c: np.ndarray) -> np.ndarray:
    """Values of Σ c_k e^{iπkx} at 3 points per mode, so that a square aliases nothing, beginning at x = 0."""
    return np.fft.irfft(c, 3 * len(c), norm="forward")


def coefficients(values: np.ndarray) -> np.ndarray:
    """The inverse of `on_circle`."""
    return np.fft.rfft(values, norm="forward")[: len(values) // 3]


def fourier_sum(c: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Values of the real series with coefficients c (times, modes) at any x, (times, points)."""
    twice = np.where(np.arange(c.shape[1]) == 0, 1, 2)
    return ((twice * c) @ np.exp(1j * np.pi * np.arange(c.shape[1])[:, None] * x)).real


def etdrk4(
    linear: np.ndarray,
    rest: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    outputs: int,
    steps: int,
    halvings: int = 0,
) -> np.ndarray:
    """Solves c' = linear · c + rest(c) from 0 to 1 by exponential time differencing of order 4.

    Args:
        linear: The diagonal operator.
        rest: The other terms.
        start: c at time 0.
        outputs: Times that are returned beside 0.
        steps: Steps from 0 to 1; a multiple of `outputs`.
        halvings: The first interval between outputs is cut in halves that often, towards 0; each piece has as many
            steps as the whole had.

    References:
        A.-K. Kassam, L. N. Trefethen, "Fourth-order time-stepping for stiff PDEs", SIAM J. Sci. Comput. 26 (2005),
        equations (26)–(29), their coefficients by means over a circle.
    """
    each, size = steps // outputs, 1 / steps
    if each * outputs != steps:
        raise ValueError(f"{steps} steps are no multiple of {outputs} outputs")
    c, found = start, [start]
    for piece in (halvings, *range(halvings, 0, -1)) if halvings else ():
        c = _advance(linear, rest, c, size / 2**piece, each)
    found += [c] if halvings else []
    for _ in range(len(found), outputs + 1):
        c = _advance(linear, rest, c, size, each)
        found.append(c)
    return np.stack(found)


def _advance(
    linear: np.ndarray, rest: Callable[[np.ndarray], np.ndarray], c: np.ndarray, size: float, steps: int
) -> np.ndarray:
    """`steps` equal steps of `etdrk4`."""
    whole, half, inner, first, middle, last = _step_weights(size * linear, size)
    for _ in range(steps):
        at_start = rest(c)
        a = half * c + inner * at_start
        at_a = rest(a)
        at_b = rest(half * c + inner * at_a)
        at_end = rest(half * a + inner * (2 * at_b - at_start))
        c = whole * c + first * at_start + middle * (at_a + at_b) + last * at_end
    return c


def _step_weights(z: np.ndarray, size: float) -> tuple[np.ndarray, ...]:
    """exp(z), exp(z/2) and the four weights of a step; each mean over a circle is exact to rounding."""
    around = z + np.exp(2j * np.pi * (np.arange(64)[:, None] + 0.5) / 64)
    power = np.exp(around)
    weights = [
        np.expm1(around / 2) / around,
        (-4 - around + power * (4 - 3 * around + around**2)) / around**3,
        2 * (2 + around + power * (around - 2)) / around**3,
        (-4 - 3 * around - around**2 + power * (4 - around)) / around**3,
    ]
    means = [size * weight.mean(axis=0) for weight in weights]
    if np.isrealobj(z):
        means = [mean.real for mean in means]
    return (np.exp(z), np.exp(z / 2), *means)
