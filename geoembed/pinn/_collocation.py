"""Where the equation is asked to hold: even points, points where the residual is large, points on the boundary."""

from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Float, PRNGKeyArray
from scipy.spatial import KDTree

from ._domains._domain import even_points
from ._domains._singular import graded
from ._field_problem import FieldProblem, Soft
from ._interfaces import Contact

_FLOOR = 0.2  # chance of a point without residual, in parts of that of the mean residual
_OVERDRAW = 1.3
_NEIGHBOURS = 6

Points = Float[np.ndarray, "n d"]


@dataclass(frozen=True, eq=False)
class Sides:
    """Points on the boundary.

    Args:
        points: The points, time last.
        normals: The outward normals in space.
    """

    points: Points
    normals: Float[np.ndarray, "n s"]


class Collocation:
    """Draws the points of a problem. What it draws depends only on the key and on the number of the draw.

    Args:
        problem: The problem.
        key: A random key.
    """

    def __init__(self, problem: FieldProblem, *, key: PRNGKeyArray):
        self.problem = problem
        self.sizes: dict[str, np.ndarray] = {}
        self.seed = [int(word) for word in np.asarray(jax.random.key_data(key)).ravel()]

    def random(self, number: int) -> np.random.Generator:
        """The source of random numbers of one draw."""
        return np.random.default_rng([*self.seed, number])

    def inside(self, count: int, number: int) -> Points:
        """Even points inside, a part of them dense at the corners, in random order."""
        problem, rng = self.problem, self.random(number)
        domain, dimension = problem.domain, problem.domain.dimension
        box = float(np.prod(domain.upper - domain.lower))
        tried = int(_OVERDRAW * count * box / domain.measure) + 16
        while True:
            unit = even_points(tried, dimension + (problem.time is not None), rng)
            points = self._placed(unit)
            if len(points) >= count:
                # The beginning of a Sobol sequence is even; points at corners come in blocks.
                first = rng.permutation(len(points))[:count] if problem.corners else rng.permutation(count)
                return points[first]
            tried *= 2

    def between(self, points: Points, count: int, number: int) -> Float[np.ndarray, "k d"]:
        """Points between neighbours among some points: many where those are dense, which even points would miss.

        A wave as narrow as the gaps between the points of the sample can grow unseen there.
        """
        rng = self.random(number)
        scaled = (points - points.min(axis=0)) / np.maximum(np.ptp(points, axis=0), 1e-300)
        chosen = rng.integers(len(points), size=count)
        near = np.asarray(KDTree(scaled).query(scaled[chosen], k=min(_NEIGHBOURS + 1, len(points)))[1])
        near = near.reshape(count, -1)
        other = near[np.arange(count), rng.integers(near.shape[1], size=count)]
        found = points[chosen] + rng.random((count, 1)) * (points[other] - points[chosen])
        return found[self.problem.domain.contains(found[:, : self.problem.domain.dimension])]

    def _placed(self, unit: Points) -> Float[np.ndarray, "k d"]:
        problem = self.problem
        dimension = problem.domain.dimension
        if problem.time is None:
            return (
                graded(problem.domain, problem.corners, unit)
                if problem.corners
                else problem.domain.fill(unit)
            )
        first, last = problem.time
        space = problem.domain.lower + (problem.domain.upper - problem.domain.lower) * unit[:, :dimension]
        inside = problem.domain.contains(space)
        return np.column_stack([space, first + (last - first) * unit[:, dimension]])[inside]

    def on(self, condition: Soft, count: int, number: int) -> Sides:
        """Even points on the pieces that a condition names, at even times."""
        problem, rng = self.problem, self.random(number)
        if isinstance(condition, Contact):
            drawn = [condition.meeting.sample(count, rng)]
        else:
            drawn = self._shared(condition.piece, count, rng)
        points, normals = (np.concatenate(part) for part in zip(*drawn, strict=True))
        order = rng.permutation(len(points))
        points, normals = points[order], normals[order]
        if problem.time is not None:
            first, last = problem.time
            moments = first + (last - first) * (np.arange(len(points)) + rng.random()) / len(points)
            points = np.column_stack([points, moments])
        return Sides(points, normals)

    def _shared(self, name: str, count: int, rng: np.random.Generator) -> list[tuple[Points, Points]]:
        """The points of several pieces, as many on each as its size asks for."""
        pieces = self.problem.pieces(name)
        if name not in self.sizes:
            self.sizes[name] = np.array([piece.measure for piece in pieces])
        sizes = self.sizes[name]
        ends = np.round(np.cumsum(sizes) / sizes.sum() * count).astype(int)
        counts = np.maximum(np.diff(ends, prepend=0), 1)
        return [piece.sample(int(n), rng) for piece, n in zip(pieces, counts, strict=True)]


def pick(
    residual: Float[np.ndarray, " n"], count: int, rng: np.random.Generator, *, small: bool = False
) -> np.ndarray:
    """Numbers of points drawn without repetition, with chances that grow with |residual|.

    Args:
        residual: The residual at each point.
        count: How many.
        rng: Source of random numbers.
        small: Prefer small residuals instead.

    References:
        C. Wu et al., Comput. Methods Appl. Mech. Eng. 403 (2023) 115671: RAD with k = 1, c = 0.2.
    """
    share = np.abs(residual) / max(float(np.mean(np.abs(residual))), 1e-300) + _FLOOR
    chance = 1 / share if small else share
    return rng.choice(len(residual), count, replace=False, p=chance / chance.sum())
