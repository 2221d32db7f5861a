"""The derivative of a functional of the temperature in the place of the surface, from two forms.

In the units of `Scales`, with the temperature θ and the adjoint η, which solves the same problem with the derivative
of −J as its load,

    L = J + ∫ ∇θ·∇η − s η dV + ∫ t (θ − g) η − f η dS = ∫ a dV + ∫ b dS

is J whatever η is, and stationary in θ and η. When every point moves with a velocity V and takes its values of θ
and η along, what is left is the volume form

    dJ = ∫ a div V − ∇θ·(∇V + ∇Vᵀ)·∇η dV + ∫ b div_Γ V dS.

When θ and η stay where they are and the surface alone moves, it is the surface form

    dJ = ∫ a V·n + ∇b·V + b div_Γ V dS.

For exact θ and η both are equal and hold the normal velocity alone.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from ._conditions import Temperature
from ._energy import Quadratic, assemble, dimensionless_source
from ._nested_features import NestedFeatures
from ._problem import Problem
from ._shape_functional import TemperatureFunctional
from ._shape_quadrature import CellBlock, cell_blocks
from ._surface_conditions import HOLD, surface_conditions

Solver = Callable[[Quadratic, Float[np.ndarray, " d"], float], Float[np.ndarray, " d"]]
_EXTENSION = 1e-4  # residual of the extension of velocities, relative to the load


@dataclass(frozen=True)
class Averages:
    """J at a temperature, and its derivatives.

    Args:
        value: J, K.
        load: dJ/d(coefficients), K.
        density: Density of J's derivative in the measure of volume or area, by dimensionless temperature: K.
        slope: Its derivative in the temperature.
    """

    value: float
    load: Float[np.ndarray, " d"]
    density: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray], np.ndarray]


class ShapeForms:
    """The integrals over the cells and the surface of one grid.

    Args:
        problem: The problem.
        features: The features of its field.
        functional: J.
    """

    def __init__(self, problem: Problem, features: NestedFeatures, functional: TemperatureFunctional):
        self.problem, self.features, self.functional = problem, features, functional
        self.surface = surface_conditions(problem, features.cells.rule)
        self.at_surface = features.values(self.surface.points)
        self.length = problem.scales.length
        self.source = dimensionless_source(problem)
        patch = functional.over
        chosen = np.zeros(len(self.surface.points), bool)
        if patch is not None:
            chosen = problem.resolved.mask(patch)[self.surface.faces]
        self.chosen = chosen

    def averages(self, coefficients: Float[np.ndarray, " d"]) -> Averages:
        """Returns J at a temperature and its derivative in the coefficients."""
        scales, j = self.problem.scales, self.functional
        blocks, weights, thetas = self._averaged_over(coefficients)
        highest = max(float(theta[w > 0].max()) for w, theta in zip(weights, thetas, strict=True))
        top = scales.reference + scales.span * highest

        def per_point(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return j.density(np.minimum(scales.reference + scales.span * theta, top), top)

        measure = sum(float(w.sum()) for w in weights)
        total = sum(float(np.sum(w * per_point(t)[0])) for w, t in zip(weights, thetas, strict=True))
        mean = total / measure
        value, change = j.outer(mean, top)
        factor = change / measure

        def density(theta: np.ndarray) -> np.ndarray:
            return factor * (per_point(theta)[0] - mean)

        def slope(theta: np.ndarray) -> np.ndarray:
            return factor * scales.span * per_point(theta)[1]

        loads = [w * slope(theta) for w, theta in zip(weights, thetas, strict=True)]
        if j.over is None:
            pairs = zip(blocks, loads, strict=True)
            load = self._gathered((block, part @ block.values) for block, part in pairs)
        else:
            load = self.at_surface.T @ loads[0]
        return Averages(float(value), load, density, slope)

    def _averaged_over(
        self, coefficients: Float[np.ndarray, " d"]
    ) -> tuple[list[CellBlock], list[np.ndarray], list[np.ndarray]]:
        """The blocks of the volume (none for a patch), and the weights and temperatures of all points."""
        if self.functional.over is not None:
            return [], [self.surface.weights * self.chosen], [self.at_surface @ coefficients]
        splines, blocks = self._splines(coefficients), list(self._blocks())
        return blocks, [block.weights for block in blocks], [block.at(splines) for block in blocks]

    def volume_form(
        self, theta: Float[np.ndarray, " d"], eta: Float[np.ndarray, " d"], averages: Averages, solve: Solver
    ) -> Float[np.ndarray, "v 3"]:
        """Returns dJ/d(vertices) by the volume form.

        V is the harmonic extension of the vertices' velocities: K v = τ ∫ B V dS. As K is symmetric, three solutions
        of K z = dJ/dv serve the velocities of all vertices.
        """
        load = self._stresses(theta, eta, averages)
        extension = assemble(_held(self.problem), self.features)
        force = np.stack(
            [self.at_surface @ solve(extension, load[:, axis], _EXTENSION) for axis in range(3)], axis=1
        )
        force = HOLD * self.surface.weights[:, None] * force
        return (self._to_vertices(force) + self._stretched(theta, eta, averages)) / self.length

    def surface_form(
        self, theta: Float[np.ndarray, " d"], eta: Float[np.ndarray, " d"], averages: Averages
    ) -> Float[np.ndarray, "v 3"]:
        """Returns dJ/d(vertices) by the surface form."""
        s = self.surface
        slopes = self.features.gradients(s.points) * self.length
        d_theta, d_eta = ((slopes @ field).reshape(-1, 3) for field in (theta, eta))
        t, e = self.at_surface @ theta, self.at_surface @ eta
        inside = np.sum(d_theta * d_eta, axis=1) - self.source * e
        if self.functional.over is None:
            inside = inside + averages.density(t)
        along = (s.transfer * e)[:, None] * d_theta
        along = along + (s.transfer * (t - s.target) - s.flux)[:, None] * d_eta
        if self.functional.over is not None:
            along = along + np.where(self.chosen, averages.slope(t), 0.0)[:, None] * d_theta
        normal = np.asarray(self.problem.domain.normals, np.float64)[s.faces]
        force = s.weights[:, None] * (inside[:, None] * normal + along)
        return (self._to_vertices(force) + self._stretched(theta, eta, averages)) / self.length

    def _stresses(self, theta: np.ndarray, eta: np.ndarray, averages: Averages) -> Float[np.ndarray, "d 3"]:
        """∫ M·∇B for each component of V, with M = a I − ∇θ ⊗ ∇η − ∇η ⊗ ∇θ."""
        first, second = self._splines(theta), self._splines(eta)

        def local(block: CellBlock) -> Float[np.ndarray, "b 27 3"]:
            p, q = block.gradient(first), block.gradient(second)
            a = np.sum(p * q, axis=2) - self.source * block.at(second)
            if self.functional.over is None:
                a = a + averages.density(block.at(first))
            m = -p[..., :, None] * q[..., None, :]
            m = m + np.swapaxes(m, 2, 3) + a[..., None, None] * np.eye(3)
            m = m * block.weights[..., None, None]
            return np.moveaxis(np.tensordot(m, block.slopes, axes=([1, 3], [0, 2])), 1, 2)

        return self._gathered((block, local(block)) for block in self._blocks())

    def _stretched(self, theta: np.ndarray, eta: np.ndarray, averages: Averages) -> Float[np.ndarray, "v 3"]:
        """∫ b div_Γ V dS: by how much the faces grow, in units of length."""
        s = self.surface
        t, e = self.at_surface @ theta, self.at_surface @ eta
        b = (s.transfer * (t - s.target) - s.flux) * e
        if self.functional.over is not None:
            b = b + np.where(self.chosen, averages.density(t), 0.0)
        domain = self.problem.domain
        per_face = np.bincount(s.faces, s.weights * b, minlength=len(domain.faces))
        corners = np.asarray(domain.vertices, np.float64)[domain.faces] / self.length
        across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        double = np.linalg.norm(across, axis=1)
        normal = across / double[:, None]
        found = np.zeros((len(domain.vertices), 3))
        for k in range(3):
            opposite = corners[:, (k + 2) % 3] - corners[:, (k + 1) % 3]
            growth = np.cross(normal, opposite) / double[:, None]  # of ln(area) with corner k
            np.add.at(found, domain.faces[:, k], per_face[:, None] * growth)
        return found

    def _to_vertices(self, force: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "v 3"]:
        """Shares what acts at points of the faces among their corners, which move the points linearly."""
        domain, home = self.problem.domain, self.surface.faces
        faces = np.asarray(domain.faces)
        corners = np.asarray(domain.vertices, np.float64)[faces[home]]
        share = _barycentric(corners, self.surface.points)
        found = np.zeros((len(domain.vertices), 3))
        for k in range(3):
            np.add.at(found, faces[home, k], share[:, k, None] * force)
        return found

    def _splines(self, coefficients: Float[np.ndarray, " d"]) -> list[Float[np.ndarray, " _"]]:
        return [transfer @ coefficients for transfer in self.features.transfer]

    def _blocks(self) -> Iterator[CellBlock]:
        return cell_blocks(self.features, self.length)

    def _gathered(self, parts: Iterable[tuple[CellBlock, np.ndarray]]) -> Float[np.ndarray, "d *m"]:
        """Sums what cells contribute to their splines, and carries it over to the features."""
        totals: dict[int, np.ndarray] = {}
        for block, local in parts:
            extra = local.shape[2:]
            empty = np.zeros((self.features.grids[block.grid].count, *extra))
            total = totals.setdefault(block.grid, empty)
            np.add.at(total, block.own.ravel(), local.reshape(-1, *extra))
        return np.sum([self.features.transfer[k].T @ total for k, total in totals.items()], axis=0)


def _held(problem: Problem) -> Problem:
    """The same part with its whole surface held: its matrix extends what is given on the surface."""
    names = [
        name
        for number, name in enumerate(problem.resolved.names)
        if np.any(problem.resolved.face_patch == number)
    ]
    return replace(problem, conditions=[Temperature(name, 300.0) for name in names])


def _barycentric(
    corners: Float[np.ndarray, "n 3 3"], points: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, "n 3"]:
    one, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    normal = np.cross(one, other)
    size = np.sum(normal**2, axis=1)
    rest = points - corners[:, 0]
    second = np.sum(np.cross(rest, other) * normal, axis=1) / size
    third = np.sum(np.cross(one, rest) * normal, axis=1) / size
    return np.stack([1 - second - third, second, third], axis=1)
