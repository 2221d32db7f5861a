"""What outlines are made of: ends, edges, circles and spheres, faces. Numbers on the host, in float64."""

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from ...sdf import Boundary, LineBoundary, RoundBoundary
from ._domain import even_points
from ._plane import PlaneBoundary

Vector = Float[np.ndarray, " d"]
Sample = tuple[Float[np.ndarray, "n d"], Float[np.ndarray, "n d"]]


@dataclass(frozen=True)
class Motion:
    """x ↦ s Q x + t, with Q orthogonal."""

    turn: Float[np.ndarray, "d d"]
    shift: Vector
    factor: float = 1.0

    def point(self, x: np.ndarray) -> np.ndarray:
        return self.factor * x @ self.turn.T + self.shift

    def arrow(self, v: np.ndarray) -> np.ndarray:
        return v @ self.turn.T

    @property
    def mirrors(self) -> bool:
        return float(np.linalg.det(self.turn)) < 0


@dataclass(frozen=True, eq=False)
class End:
    """An end of an interval, with the outward direction ±1."""

    place: float
    outward: float

    measure: ClassVar[float] = 1.0

    def boundary(self) -> Boundary:
        return PlaneBoundary((self.place,), (self.outward,))

    def sample(self, count: int, rng: np.random.Generator) -> Sample:
        del rng
        return np.full((count, 1), self.place), np.full((count, 1), self.outward)

    def marks(self) -> np.ndarray:
        return np.array([[self.place]])


@dataclass(frozen=True, eq=False)
class Edge:
    """A straight line in the plane with the domain on its left."""

    start: Vector
    end: Vector

    @property
    def measure(self) -> float:
        return float(np.linalg.norm(self.end - self.start))

    @property
    def way(self) -> Vector:
        """Its unit direction."""
        return (self.end - self.start) / self.measure

    @property
    def outward(self) -> Vector:
        return np.array([self.way[1], -self.way[0]])

    def boundary(self) -> Boundary:
        return LineBoundary(self.start, self.end)

    def sample(self, count: int, rng: np.random.Generator) -> Sample:
        share = (np.arange(count) + rng.random(count)) / max(count, 1)
        points = self.start + share[:, None] * (self.end - self.start)
        return points, np.tile(self.outward, (count, 1))

    def marks(self) -> np.ndarray:
        """Points that stand for it."""
        return self.start + np.linspace(0.0, 1.0, 33)[:, None] * (self.end - self.start)

    def moved(self, motion: Motion) -> "Edge":
        ends = motion.point(self.start), motion.point(self.end)
        return Edge(*(reversed(ends) if motion.mirrors else ends))

    def flipped(self) -> "Edge":
        return Edge(self.end, self.start)


@dataclass(frozen=True, eq=False)
class Round:
    """A circle or a sphere, the domain inside it or outside."""

    centre: Vector
    radius: float
    outside: bool = False

    @property
    def measure(self) -> float:
        return 2 * math.pi * self.radius if len(self.centre) == 2 else 4 * math.pi * self.radius**2

    def boundary(self) -> Boundary:
        return RoundBoundary(self.centre, self.radius, outside=self.outside)

    def sample(self, count: int, rng: np.random.Generator) -> Sample:
        if len(self.centre) == 2:
            turn = 2 * math.pi * (np.arange(count) + rng.random(count)) / max(count, 1)
            ways = np.stack([np.cos(turn), np.sin(turn)], axis=1)
        else:
            u = even_points(count, 2, rng)
            height, turn = 2 * u[:, 0] - 1, 2 * math.pi * u[:, 1]
            flat = np.sqrt(1 - height**2)
            ways = np.stack([flat * np.cos(turn), flat * np.sin(turn), height], axis=1)
        return self.centre + self.radius * ways, -ways if self.outside else ways

    def marks(self) -> np.ndarray:
        return self.sample(64, np.random.default_rng(0))[0]

    def moved(self, motion: Motion) -> "Round":
        return Round(motion.point(self.centre), motion.factor * self.radius, self.outside)

    def flipped(self) -> "Round":
        return replace(self, outside=not self.outside)


@dataclass(frozen=True, eq=False)
class Face:
    """A rectangle in space: a corner, its two sides, the outward unit normal."""

    corner: Vector
    first: Vector
    second: Vector
    outward: Vector

    @property
    def measure(self) -> float:
        return float(np.linalg.norm(np.cross(self.first, self.second)))

    def boundary(self) -> Boundary:
        return PlaneBoundary(self.corner, self.outward)

    def sample(self, count: int, rng: np.random.Generator) -> Sample:
        u = even_points(count, 2, rng)
        points = self.corner + u[:, :1] * self.first + u[:, 1:] * self.second
        return points, np.tile(self.outward, (count, 1))

    def marks(self) -> np.ndarray:
        u = np.stack(np.meshgrid(*2 * [np.linspace(0.0, 1.0, 9)]), axis=-1).reshape(-1, 2)
        return self.corner + u[:, :1] * self.first + u[:, 1:] * self.second

    def moved(self, motion: Motion) -> "Face":
        first, second = (motion.factor * motion.arrow(side) for side in (self.first, self.second))
        return Face(motion.point(self.corner), first, second, motion.arrow(self.outward))

    def flipped(self) -> "Face":
        return replace(self, outward=-self.outward)


Part = End | Edge | Round | Face
