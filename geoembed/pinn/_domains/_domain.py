"""What the residual form asks of a domain: its box, what lies inside, how large it is."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import jax
import numpy as np
from jaxtyping import Bool, Float

from ...sdf import MeshSDF, Shape, evaluate, signed_volume
from ._interval import Interval

Points = Float[np.ndarray, "n d"]
Source = Interval | Shape | MeshSDF

_SAMPLES = 2**14  # of the box, for the measure of a shape


@dataclass(frozen=True, eq=False)
class Domain:
    """A domain on the host, in float64.

    Args:
        source: What it was made from.
        lower: The lower corner of a box around it.
        upper: The upper corner.
        distance: Signed distances of many points, negative inside.
    """

    source: Source
    lower: Float[np.ndarray, " d"]
    upper: Float[np.ndarray, " d"]
    distance: Callable[[Points], Float[np.ndarray, " n"]]

    @property
    def dimension(self) -> int:
        """1, 2 or 3."""
        return len(self.lower)

    @property
    def bounds(self) -> tuple[Float[np.ndarray, " d"], Float[np.ndarray, " d"]]:
        """The lower and the upper corner of the box."""
        return self.lower, self.upper

    def contains(self, points: Points) -> Bool[np.ndarray, " n"]:
        """Which points lie strictly inside."""
        return self.distance(np.asarray(points, np.float64)) < 0

    def fill(self, unit_points: Points) -> Float[np.ndarray, "k d"]:
        """Maps points of the unit cube into the box and keeps those inside, in order.

        Args:
            unit_points: Points of [0, 1]ᵈ, for instance of a Sobol sequence.
        """
        points = self.lower + (self.upper - self.lower) * np.asarray(unit_points, np.float64)
        return points[self.contains(points)]

    @cached_property
    def measure(self) -> float:
        """The length, area or volume: exact for intervals and meshes, else from 16,384 points, good to 1 % or so."""
        if isinstance(self.source, Interval):
            return self.source.length
        if isinstance(self.source, MeshSDF):
            return signed_volume(self.source.vertices, self.source.faces)
        box = float(np.prod(self.upper - self.lower))
        return (
            box * len(self.fill(even_points(_SAMPLES, self.dimension, np.random.default_rng(0)))) / _SAMPLES
        )


def domain_of(domain: Source) -> Domain:
    """Returns a domain as the residual form uses it.

    Args:
        domain: An interval, a shape with bounds, or a mesh.

    Raises:
        ValueError: It is none of these, has no bounds, or is a mesh without an inside.
    """
    if isinstance(domain, Interval):
        lower, upper = np.array([domain.lower], np.float64), np.array([domain.upper], np.float64)
        return Domain(domain, lower, upper, lambda x: np.maximum(lower - x, x - upper)[:, 0])
    if not isinstance(domain, Shape | MeshSDF):
        raise ValueError(
            f"domain must be an Interval, a Shape or a MeshSDF, received {type(domain).__name__}"
        )
    if isinstance(domain, MeshSDF) and not domain.sign_reliable:
        raise ValueError("domain: the mesh is not a closed surface, so it has no inside: repair it first")
    with jax.enable_x64(True):
        bounds = domain.bounds
    if bounds is None:
        raise ValueError(f"domain: a {type(domain).__name__} has no bounds: intersect it with a Box")
    lower, upper = (np.asarray(corner, np.float64) for corner in bounds)
    return Domain(domain, lower, upper, partial(evaluate, domain))


def even_points(
    count: int, dimension: int, rng: np.random.Generator
) -> Float[np.ndarray, "{count} {dimension}"]:
    """The first points of a scrambled Sobol sequence."""
    from scipy.stats import qmc  # takes half a second to import

    # scipy before 1.15 knows no `rng=`, its successor
    sequence = qmc.Sobol(dimension, scramble=True, seed=rng)  # pyright: ignore[reportCallIssue]
    return sequence.random_base2(max(count - 1, 0).bit_length())[:count]
