"""Reference solutions in the plane: four problems of PINNacle, and −Δu = 1 on the L-shape.

The two domains with holes have series that satisfy the equation exactly, fitted to the boundary values.
Both equations have a maximum principle, so the largest residual on the boundary, measured between the fitted points,
bounds the error anywhere: that is the `accuracy` of these two, absolute, not relative.

The exports of a finite element program that PINNacle compares with are read by `exported`. Their relative L2 difference
to these series is 2.8e-5 (Poisson with holes), 9.0e-5 (Poisson–Boltzmann) and 1.3e-2 (heat multiscale: 1e-3 at t = 0,
1e-1 at t = 5): that is what they are good to.

References:
    Z. Hao et al., "PINNacle: a comprehensive benchmark of physics-informed neural networks", 2023, arXiv:2306.08827,
    appendix B.
    A. Gopal, L. N. Trefethen, SIAM J. Numer. Anal. 57 (2019) 2074: poles that cluster at corners.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from pinn_references import Reference, grid, relative
from scipy.linalg import eigh
from scipy.special import kv

SCREENING = 8.0  # k of the Poisson–Boltzmann problem
HOLES = ((0.5, 0.5, 0.2), (0.4, -0.4, 0.4), (-0.2, -0.7, 0.1), (-0.6, 0.5, 0.3))  # its holes: x, y, radius

Basis = Callable[[np.ndarray], np.ndarray]


def in_parts(function: Callable[[np.ndarray], np.ndarray], points: np.ndarray) -> np.ndarray:
    """The values of `function` at many points, a few at a time to keep its tables small."""
    return np.concatenate([function(part) for part in np.split(points, range(2048, len(points), 2048))])


def circle(x: float, y: float, radius: float, count: int, shift: float = 0.0) -> np.ndarray:
    """Points on a circle; `shift` in spacings."""
    angle = 2 * np.pi * (np.arange(count) + shift) / count
    return np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=-1)


def fit(basis: Basis, points: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Coefficients of the least squares problem basis(points) @ c = values."""
    return np.linalg.lstsq(basis(points), values, rcond=1e-15)[0]


def poisson_holes(points: np.ndarray, *, orders: int = 28) -> Reference:
    """Δu = 0 in [−½, ½]² less the discs of radius 0.1 about (±0.3, ±0.3); u = 1 on the square, 0 on the discs.

    u = 1 + Σ a_m Re ζ^−m over all reflections of one disc into 3 × 3 cells (m = 0: log |ζ|) + Σ b_k Re z^4k.

    Args:
        points: Where (n, 2).
        orders: Multipoles; a third as many polynomials.
    """
    basis = _laplace_basis(orders)
    side, ring = 16 * orders, 8 * orders

    def boundary(shift: float) -> np.ndarray:
        along = 0.5 * (1 - np.cos(np.pi * (np.arange(side) + shift) / (side - 1))) / 2
        edge = np.stack([np.full(side, 0.5), along], axis=-1)
        return np.concatenate([edge, circle(0.3, 0.3, 0.1, ring, shift)])

    wanted = np.concatenate([np.zeros(side), -np.ones(ring)])
    found = fit(basis, boundary(0.0), wanted)
    residual = np.abs(basis(boundary(0.5)) @ found - wanted).max()
    values = 1 + in_parts(lambda part: basis(part) @ found, points)
    return Reference(points, values, float(residual))


def _laplace_basis(orders: int) -> Basis:
    def basis(points: np.ndarray) -> np.ndarray:
        x, y = points.T
        multipoles = np.zeros((orders, len(points)))
        powers = -np.arange(1, orders)[:, None]
        for i in (-1, 0, 1):
            for j in (-1, 0, 1):
                for mirror in ((1, 1), (-1, 1), (1, -1), (-1, -1)):
                    z = mirror[0] * (x - i) + 1j * mirror[1] * (y - j)
                    zeta = (z - 0.3 - 0.3j) * np.exp(-0.25j * np.pi) / 0.1
                    sign = (-1) ** (i + j)
                    multipoles[0] += sign * np.log(np.abs(zeta))
                    multipoles[1:] += sign * (zeta**powers).real
        smooth = (((x + 1j * y) / np.sqrt(0.5)) ** (4 * np.arange(orders // 3)[:, None])).real
        return np.concatenate([multipoles, smooth]).T

    return basis


def l_shape(points: np.ndarray, *, poles: int = 80) -> Reference:
    """−Δu = 1 in [−1, 1]² less its first quadrant, u = 0 on the boundary.

    u = −|z|²/4 + Re of a rational function with poles outside, exponentially clustered at the six corners, and a
    polynomial, fitted to the boundary values. The accuracy is that farther than 1e-12 from the corners.

    Args:
        points: Where (n, 2).
        poles: At each corner.
    """
    corners = np.array([0, 1j, -1 + 1j, -1 - 1j, 1 - 1j, 1])
    after, before = np.roll(corners, -1), np.roll(corners, 1)
    outward = -((after - corners) / abs(after - corners) + (before - corners) / abs(before - corners))
    outward[0] = -outward[0]  # at the re-entrant corner the bisector of the edges points outside
    away = np.exp(-4 * (np.sqrt(poles) - np.sqrt(np.arange(1, poles + 1))))
    places = (corners[:, None] + (outward / abs(outward))[:, None] * away).ravel()

    def basis(points: np.ndarray) -> np.ndarray:
        z = (points[:, 0] + 1j * points[:, 1])[:, None]
        rational = np.tile(away, len(corners)) / (z - places)
        smooth = ((z + 0.3 + 0.3j) / 1.9) ** np.arange(25)
        return np.concatenate([rational.real, rational.imag, smooth.real, smooth.imag[:, 1:]], axis=1)

    def boundary(count: int) -> np.ndarray:
        share = np.geomspace(1e-12, 0.5, count)
        both = np.concatenate([share, 1 - share])
        z = (corners[:, None] + (after - corners)[:, None] * both).ravel()
        return np.stack([z.real, z.imag], axis=-1)

    fitted, checked = boundary(3 * poles), boundary(4 * poles + 13)
    found = fit(basis, fitted, np.sum(fitted**2, axis=1) / 4)
    residual = np.abs(basis(checked) @ found - np.sum(checked**2, axis=1) / 4).max()
    values = in_parts(lambda part: basis(part) @ found - np.sum(part**2, axis=1) / 4, points)
    return Reference(points, values, float(residual))


def boltzmann_source(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """f = 10 (17 + x² + y²) sin πx sin 4πy."""
    return 10 * (17 + x**2 + y**2) * np.sin(np.pi * x) * np.sin(4 * np.pi * y)


def poisson_boltzmann(points: np.ndarray, *, orders: int = 56) -> Reference:
    """−Δu + 64 u = `boltzmann_source` in [−1, 1]² less `HOLES`; u = 0.2 on the square, 1 on the discs.

    u = the solution without discs, in closed form, + Σ a_m K_m(8ρ) cos mθ + b_m K_m(8ρ) sin mθ about each disc, with
    their reflections at the square, whose sum vanishes on it.

    Args:
        points: Where (n, 2).
        orders: Orders of the Bessel functions at each disc.
    """
    ring = 8 * orders

    def boundary(shift: float) -> np.ndarray:
        return np.concatenate([circle(*hole, ring, shift) for hole in HOLES])

    def basis(points: np.ndarray) -> np.ndarray:
        return _bessel_basis(points, orders)

    found = fit(basis, boundary(0.0), 1 - without_holes(boundary(0.0)))

    def solution(points: np.ndarray) -> np.ndarray:
        return without_holes(points) + basis(points) @ found

    along = np.linspace(-1, 1, 501)
    sides = np.concatenate([np.stack([along, 0 * along + 1], -1), np.stack([0 * along - 1, along], -1)])
    residual = max(
        np.abs(in_parts(solution, boundary(0.5)) - 1).max(), np.abs(in_parts(solution, sides) - 0.2).max()
    )
    return Reference(points, in_parts(solution, points), float(residual))


def _bessel_basis(points: np.ndarray, orders: int) -> np.ndarray:
    columns = []
    for x, y, radius in HOLES:
        at_rim = kv(np.arange(orders), SCREENING * radius)[:, None]
        total = np.zeros((orders, len(points)), complex)
        for i in range(-2, 3):
            for j in range(-2, 3):
                away_x = (-1) ** i * points[:, 0] + 2 * i - x
                away_y = (-1) ** j * points[:, 1] + 2 * j - y
                radial = bessel_k(orders, SCREENING * np.hypot(away_x, away_y)) / at_rim
                turn = np.exp(1j * np.arange(orders)[:, None] * np.arctan2(away_y, away_x))
                total += (-1) ** (i + j) * radial * turn
        columns += [np.real(total), np.imag(total)[1:]]
    return np.concatenate(columns).T


def bessel_k(orders: int, z: np.ndarray) -> np.ndarray:
    """K_0 … K_{orders − 1} of z by K_{m+1} = K_{m−1} + (2m/z) K_m, which is stable upwards."""
    found = [kv(0, z), kv(1, z)]
    for m in range(1, orders - 1):
        found.append(found[-2] + 2 * m / z * found[-1])
    return np.stack(found)


def without_holes(points: np.ndarray) -> np.ndarray:
    """−Δu + 64 u = `boltzmann_source` in the whole square, u = 0.2 on its sides."""
    x, y = points.T
    both = 170 / (17 * np.pi**2 + SCREENING**2) * np.sin(np.pi * x) * np.sin(4 * np.pi * y)
    of_x = _squared_sine(x, np.pi, SCREENING**2 + 16 * np.pi**2) * np.sin(4 * np.pi * y)
    of_y = _squared_sine(y, 4 * np.pi, SCREENING**2 + np.pi**2) * np.sin(np.pi * x)
    return both + of_x + of_y + 0.2 * in_parts(_decay_from_sides, points)


def _squared_sine(x: np.ndarray, wave: float, decay: float) -> np.ndarray:
    """−g'' + decay · g = 10 x² sin(wave x), g(±1) = 0, for a wave that is a multiple of π."""
    total = wave**2 + decay
    a = 10 / total
    c = 4 * wave * a / total
    b = (2 * a - 2 * wave * c) / total
    rate = np.sqrt(decay)
    ends = -c * np.cos(wave) * np.sinh(rate * x) / np.sinh(rate)
    return (a * x**2 + b) * np.sin(wave * x) + c * x * np.cos(wave * x) + ends


def _decay_from_sides(points: np.ndarray, terms: int = 2000) -> np.ndarray:
    """−Δq + 64 q = 0 in the square, q = 1 on its sides: cosh(8x)/cosh 8 and a series of cosines for the rest."""
    near, far = np.sort(np.abs(points), axis=1).T[::-1]  # the series runs along the axis of the closer side
    n = np.arange(1, 2 * terms, 2)[:, None]
    rate = np.sqrt(SCREENING**2 + (n * np.pi / 2) ** 2)
    height = SCREENING**2 / rate**2 * 4 / (n * np.pi) * np.where(n % 4 == 1, 1, -1)
    rest = height * np.cos(n * np.pi / 2 * near) * _cosh_ratio(rate, far)
    return _cosh_ratio(SCREENING, near) + rest.sum(axis=0)


def _cosh_ratio(rate: np.ndarray | float, x: np.ndarray) -> np.ndarray:
    """cosh(rate x)/cosh(rate) for 0 ≤ x ≤ 1 without overflow."""
    return np.exp(rate * (x - 1)) * (1 + np.exp(-2 * rate * x)) / (1 + np.exp(-2 * rate))


def heat_multiscale(points: np.ndarray) -> Reference:
    """u_t = u_xx/(500π)² + u_yy/π² in [0, 1]², u = sin 20πx sin πy at t = 0, u = 0 on the sides; exact.

    Args:
        points: (x, y, t), shape (n, 3).
    """
    x, y, t = points.T
    rate = (20 / 500) ** 2 + 1
    return Reference(points, np.exp(-rate * t) * np.sin(20 * np.pi * x) * np.sin(np.pi * y), 0.0)


def darcy_waves(highest: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """The coefficient of `heat_darcy`: log a = Σ c_i cos(2π k_i·(x, y)) + s_i sin(2π k_i·(x, y)).

    A random field with amplitudes ∝ |k|^−2, as PINNacle's; its mean over the square is 0, its variance 1.

    Args:
        highest: Largest wave number of each direction.

    Returns:
        The wave numbers k (m, 2) and the factors (m, 2) of cosine and sine.
    """
    each = np.arange(-highest, highest + 1)
    waves = np.stack(np.meshgrid(each, each), axis=-1).reshape(-1, 2)
    waves = waves[len(waves) // 2 + 1 :]  # one of each k and −k
    factors = np.random.default_rng(2023).normal(size=waves.shape) / np.sum(waves**2, axis=1)[:, None]
    return waves, factors / np.sqrt(np.sum(factors**2) / 2)


def darcy_coefficient(points: np.ndarray) -> np.ndarray:
    """a at points (n, 2)."""
    waves, factors = darcy_waves()
    phase = 2 * np.pi * points @ waves.T
    return np.exp(np.cos(phase) @ factors[:, 0] + np.sin(phase) @ factors[:, 1])


def heat_darcy(points: np.ndarray, *, degree: int = 44) -> Reference:
    """u_t = ∇·(a ∇u) + 200 sin πx sin 5πy sin πt in [0, 1]², u = 0 at t = 0 and on the sides, 0 ≤ t ≤ 5.

    PINNacle's own a is a table of 256 × 256 random numbers that is not published with this data; this one has a formula
    (`darcy_coefficient`). A Galerkin method in polynomials, integrated in time exactly, mode by mode.

    Args:
        points: (x, y, t), shape (n, 3).
        degree: Polynomials of each direction; the accuracy compares with four fifths of them.
    """
    values, coarse = _darcy(points, degree), _darcy(points, 4 * degree // 5)
    return Reference(points, values, relative(coarse, values))


def _darcy(points: np.ndarray, degree: int) -> np.ndarray:
    nodes, weights = np.polynomial.legendre.leggauss(degree + 24)
    x, weights = (nodes + 1) / 2, weights / 2
    basis, slope = _bubbles(x, degree)
    root = np.sqrt(np.outer(weights, weights) * darcy_coefficient(grid(x, x)).reshape(len(x), -1)).ravel()[
        :, None
    ]
    along_x, along_y = root * np.kron(basis, slope), root * np.kron(slope, basis)  # y outermost, as in `grid`
    rates, modes = eigh(along_x.T @ along_x + along_y.T @ along_y, overwrite_a=True, driver="evd")
    one, five = ((weights * np.sin(m * np.pi * x)) @ basis for m in (1, 5))
    load = 200 * np.kron(five, one) @ modes
    where, which = np.unique(points[:, :2], axis=0, return_inverse=True)
    at_x, at_y = (_bubbles(where[:, axis], degree)[0] for axis in (0, 1))
    shape = (at_y[:, :, None] * at_x[:, None, :]).reshape(len(where), -1) @ modes * load

    def solution(part: np.ndarray) -> np.ndarray:
        t = part[:, :1]
        swing = rates * np.sin(np.pi * t) - np.pi * np.cos(np.pi * t) + np.pi * np.exp(-rates * t)
        return np.sum(shape[part[:, 1].astype(int)] * swing / (rates**2 + np.pi**2), axis=1)

    return in_parts(solution, np.stack([points[:, 2], which.ravel()], axis=-1))


def _bubbles(x: np.ndarray, degree: int) -> tuple[np.ndarray, np.ndarray]:
    """Polynomials that vanish at 0 and 1, orthonormal on [0, 1], and their derivatives: (points, degree) each."""

    def raw(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        legendre = np.polynomial.legendre
        change = np.eye(degree, degree + 2) - np.eye(degree, degree + 2, 2)
        slopes = legendre.legder(change.T, axis=0)
        return legendre.legvander(2 * x - 1, degree + 1) @ change.T, 2 * legendre.legvander(
            2 * x - 1, degree
        ) @ slopes

    nodes, weights = np.polynomial.legendre.leggauss(degree + 2)
    at_nodes, (table, slope) = raw((nodes + 1) / 2)[0], raw(x)
    factor = np.linalg.cholesky(at_nodes.T @ (weights[:, None] / 2 * at_nodes))
    return np.linalg.solve(factor, table.T).T, np.linalg.solve(factor, slope.T).T


def exported(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Points and values of an export of COMSOL in PINNacle's `ref`: (x, y) or, if there are times, (x, y, t).

    Args:
        folder: The data folder (GEOEMBED_DATA).
        name: The file without `pinnacle_` and `.dat`.
    """
    path = folder / "pinn" / f"pinnacle_{name}.dat"
    table = np.loadtxt(path, comments="%")
    points, values = table[:, :2], table[:, 2:]
    if values.shape[1] == 1:
        return points, values[:, 0]
    header = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("%")][-1]
    times = np.array([float(word.split()[0]) for word in header.split("@ t=")[1:]])
    where = np.repeat(points, len(times), axis=0)
    return np.concatenate([where, np.tile(times, len(points))[:, None]], axis=1), values.ravel()
