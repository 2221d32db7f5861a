"""The baseline: random tanh features in the energy form, output layer solved exactly.

With θ = (T − reference)/span and lengths in units of L the solver minimises

    J(θ) = ½ ∫ |∇θ|² dV + Σ_faces ∫ ½ t (θ − g)² dS

(t: Biot number, or that of the contact that holds the base; g: the held or ambient temperature). With
θ = c₀ + Σ cᵢ tanh(wᵢ·x + bᵢ), wᵢ and bᵢ drawn at random, J is quadratic in c and one Cholesky factorisation
finds its minimum. Volume and surface rules are those of the solver.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg

from geoembed.pinn import Problem
from geoembed.sdf import micro_centres, occupied_cells, sample_interior, sample_surface, triangle_rule

BLOCK = 4096


@dataclass(frozen=True)
class Rule:
    """Points and weights inside and on the surface, dimensionless, with the conditions on the surface."""

    inside: np.ndarray
    volume: np.ndarray
    surface: np.ndarray
    area: np.ndarray
    transfer: np.ndarray
    target: np.ndarray


def _rule(problem: Problem, inside, volume, surface, area, faces, hold: float) -> Rule:
    scales, table = problem.scales, problem.face_conditions
    lower, _ = problem.domain.bounds
    level = np.where(table.held, table.temperature, table.ambient)
    transfer = np.where(table.held, hold, table.h * scales.metres / problem.equation.conductivity)
    target = (level - scales.reference) / scales.span
    return Rule(
        (inside - lower) / scales.length, volume / scales.length**3,
        (surface - lower) / scales.length, area / scales.length**2,
        transfer[faces], target[faces],
    )  # fmt: skip


def training_rule(problem: Problem, cells: int, hold: float) -> Rule:
    """The solver's quadrature on one grid; each octant of a cell is lumped at the centroid of what it holds."""
    domain = problem.domain
    spacing = (abs(domain.quality.volume) / cells) ** (1 / 3)
    corners = domain.vertices[domain.faces]
    surface = triangle_rule(corners, 0.7 * spacing)
    grid = occupied_cells(domain, domain.bounds, spacing, offset=np.full(3, 0.5), surface=surface.points)
    micro = micro_centres()
    filled = np.ones((len(grid.index), len(micro)))
    filled[grid.cut] = grid.filled
    octant = np.rint(np.floor(2 * micro) @ np.array([4, 2, 1])).astype(int)
    members = (octant[:, None] == np.arange(8)[None]).astype(float)  # [micro, 8]
    weight = filled @ members
    centroid = np.einsum("cm,mo,mx->cox", filled, members, micro) / np.maximum(weight, 1e-12)[..., None]
    points = grid.origin + spacing * (grid.index[:, None] + centroid)
    some = weight > 0
    volume = weight[some] * spacing**3 / len(micro)
    return _rule(problem, points[some], volume, surface.points, surface.weights, surface.faces, hold)


def held_out_rule(problem: Problem, points: int, hold: float, *, key) -> Rule:
    """Quasi-random points apart from the training points."""
    inside_key, surface_key = jax.random.split(key)
    inside = sample_interior(problem.domain, points, key=inside_key)
    surface = sample_surface(problem.domain, points, key=surface_key)
    return _rule(problem, inside.points, inside.weights, surface.points, surface.weights, surface.faces, hold)


@dataclass(frozen=True)
class Features:
    """tanh(w·x + b) and a constant."""

    w: np.ndarray
    b: np.ndarray

    def __call__(self, points, coefficients):
        """θ at points, dimensionless."""
        with jax.enable_x64(True):
            return np.asarray(jnp.tanh(points @ self.w.T + self.b) @ coefficients[:-1] + coefficients[-1])

    def slope_z(self, points, coefficients):
        """∂θ/∂z."""
        with jax.enable_x64(True):
            units = jnp.tanh(points @ self.w.T + self.b)
            return np.asarray((1 - units**2) @ (coefficients[:-1] * self.w[:, 2]))


def draw(count: int, scales: tuple[float, float], rule: Rule, seed: int) -> Features:
    """Directions uniform, slopes log-uniform, and each unit centred at a random point of the part."""
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=(count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    w = direction * np.exp(rng.uniform(*np.log(scales), count))[:, None]
    centre = rule.inside[rng.choice(len(rule.inside), count, p=rule.volume / rule.volume.sum())]
    return Features(w, -np.sum(w * centre, axis=1))


@jax.jit
def _slopes(total, points, weights, w, b):
    rows = (1 - jnp.tanh(points @ w.T + b) ** 2) * jnp.sqrt(weights)[:, None]
    return total + rows.T @ rows


@jax.jit
def _values(total, points, weights, w, b):
    ones = jnp.ones((len(points), 1))
    rows = jnp.concatenate([jnp.tanh(points @ w.T + b), ones], axis=1) * jnp.sqrt(weights)[:, None]
    return total + rows.T @ rows


def _gram(function, points, weights, features: Features, size: int) -> np.ndarray:
    with jax.enable_x64(True):
        total = jnp.zeros((size, size))
        for start in range(0, len(points), BLOCK):
            block, weight = points[start : start + BLOCK], weights[start : start + BLOCK]
            missing = BLOCK - len(block)
            block = np.pad(block, ((0, missing), (0, 0)), mode="edge")
            total = function(total, block, np.pad(weight, (0, missing)), features.w, features.b)
        return np.array(total)


@dataclass(frozen=True)
class Energy:
    """J(c) = ½ cᵀ A c − bᵀ c + constant."""

    matrix: np.ndarray
    load: np.ndarray
    constant: float

    def __call__(self, coefficients: np.ndarray) -> float:
        return float((0.5 * self.matrix @ coefficients - self.load) @ coefficients + self.constant)


def energy(rule: Rule, features: Features) -> Energy:
    """The energy over a rule."""
    count = len(features.b)
    matrix = _gram(_values, rule.surface, rule.area * rule.transfer, features, count + 1)
    matrix[:count, :count] += _gram(_slopes, rule.inside, rule.volume, features, count) * (
        features.w @ features.w.T
    )
    weight = rule.area * rule.transfer * rule.target
    load = np.zeros(count + 1)
    for start in range(0, len(weight), BLOCK):
        block = slice(start, start + BLOCK)
        units = np.tanh(rule.surface[block] @ features.w.T + features.b)
        load += np.append(units.T @ weight[block], weight[block].sum())
    return Energy(matrix, load, float(0.5 * np.sum(weight * rule.target)))


def minimum(training: Energy, ridge: float) -> np.ndarray:
    """The minimising output layer, with a ridge relative to the diagonal."""
    scale = 1 / np.sqrt(np.diag(training.matrix))
    scaled = training.matrix * scale[:, None] * scale[None, :]
    scaled[np.diag_indices_from(scaled)] += ridge
    return scale * scipy.linalg.cho_solve(scipy.linalg.cho_factor(scaled), scale * training.load)
