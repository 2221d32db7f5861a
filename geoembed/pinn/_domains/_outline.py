"""The named pieces of the boundary of a domain."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from ...sdf import Boundary, MeshSDF, Shape, evaluate, sample_surface
from ._domain import Source, domain_of, even_points
from ._parts import Part, Sample
from ._parts_of import parts_of

ALL = "all"  # every piece
WHOLE = "boundary"  # the one piece of a boundary that is not known in parts
Where = Callable[[Float[np.ndarray, "n d"]], Bool[np.ndarray, " n"]]

_ROUNDS = 30
_BATCH = 2**14
_STEPS = 3  # of Newton's method from the band to the surface
_WIDTH = 0.02  # of the band that is projected on the surface of a shape, in parts of its longest side


@dataclass(frozen=True, eq=False)
class Piece:
    """A named piece of the boundary of a domain.

    Args:
        name: Its name.
        part: Its geometry; None for a surface that is only known through its signed distance.
        domain: The domain.
        where: Which of its points are meant; None for all of them.
    """

    name: str
    part: Part | None
    domain: Source
    where: Where | None = None

    @property
    def boundary(self) -> Boundary | None:
        """φ of the piece, 0 on it; None where none is known: conditions on such a piece must be soft."""
        return None if self.part is None or self.where is not None else self.part.boundary()

    @property
    def measure(self) -> float:
        """Its length or area; 1 for the end of an interval. Estimated where the geometry is not known in parts."""
        whole = self.part.measure if self.part is not None else _surface(self.domain, 4096, _fixed())[2]
        if self.where is None:
            return whole
        return whole * float(np.mean(self.where(self._whole(4096, _fixed())[0])))

    def sample(self, count: int, rng: np.random.Generator) -> Sample:
        """Draws points evenly by length or area.

        Args:
            count: How many.
            rng: Source of random numbers.

        Returns:
            Points and the outward unit normals there.

        Raises:
            ValueError: The patch is so small that too few points were found on it.
        """
        if self.where is None:
            return self._whole(count, rng)
        points, normals, drawn = [], [], max(64, 2 * count)
        for _ in range(_ROUNDS):
            tried, outward = self._whole(drawn, rng)
            kept = np.flatnonzero(self.where(tried))
            kept = kept[rng.permutation(len(kept))]  # the first of a sorted sample would be its beginning
            points, normals = [*points, *tried[kept]], [*normals, *outward[kept]]
            if len(points) >= count:
                return np.array(points[:count]), np.array(normals[:count])
        raise ValueError(f"piece {self.name!r}: {len(points)} of {count} points found: is its patch empty?")

    def _whole(self, count: int, rng: np.random.Generator) -> Sample:
        if self.part is not None:
            return self.part.sample(count, rng)
        points, normals, _ = _surface(self.domain, count, rng)
        return points, normals


def outline(domain: Source) -> tuple[Piece, ...]:
    """The named pieces of the boundary of a domain.

    | domain | names |
    |---|---|
    | `Interval` | left, right |
    | `Box` in the plane | left, right (along x), bottom, top (along y) |
    | `Box` in space | also back, front (along z) |
    | `Polygon`, `RegularPolygon`, `Star` | edge 0, edge 1, … from corner i to corner i + 1; hole 0 edge 0, … |
    | `Circle`, `Sphere` | rim, surface |
    | `Translate`, `Rotate`, `Scale`, `Mirror` | those of the shape, which move with it |
    | `Difference` | those of the base; those of each hole after "hole 0 ", "hole 1 ", … |
    | anything else | boundary |

    A difference has named pieces if its holes lie strictly inside and apart from each other; a hole that is a union
    of parts apart from each other counts as several. Whether they do is checked at points on their outlines.
    """
    parts = parts_of(domain)
    if parts is None:
        return (Piece(WHOLE, None, domain),)
    return tuple(Piece(name, part, domain) for name, part in parts.items())


def chosen(pieces: tuple[Piece, ...], names: Iterable[str]) -> tuple[Piece, ...]:
    """The pieces with these names, in the order of the outline; "all" is every piece.

    Raises:
        ValueError: A name that none has.
    """
    wanted = (names,) if isinstance(names, str) else tuple(names)
    known = [piece.name for piece in pieces]
    unknown = [name for name in wanted if name not in (ALL, *known)]
    if unknown:
        raise ValueError(f"no piece {unknown[0]!r} of the boundary: there are {', '.join(known)}, and {ALL}")
    return tuple(piece for piece in pieces if ALL in wanted or piece.name in wanted)


def patch(piece: Piece, name: str, where: Where) -> Piece:
    """A part of a piece: those of its points for which a function of many points is true. It has no hard factor.

    Args:
        piece: The piece.
        name: The name of the part.
        where: Takes points of shape (n, d), returns n truth values.
    """
    return replace(piece, name=name, where=where)


def _fixed() -> np.random.Generator:
    return np.random.default_rng(0)


def _surface(domain: Source, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    """Points evenly on a surface, the normals there, and its area."""
    if isinstance(domain, MeshSDF):
        sample = sample_surface(domain, count, key=jax.random.key(int(rng.integers(2**31))))
        return sample.points, sample.normals, float(np.sum(domain.areas))
    if not isinstance(domain, Shape):
        raise ValueError(f"a {type(domain).__name__} has no surface")
    lower, upper = domain_of(domain).bounds
    width = _WIDTH * float(np.max(upper - lower))
    lower, upper = lower - width, upper + width
    points, tried = np.zeros((0, len(lower))), 0
    while len(points) < count and tried < _ROUNDS * _BATCH:
        batch = lower + (upper - lower) * even_points(_BATCH, len(lower), rng)
        points = np.concatenate([points, batch[np.abs(evaluate(domain, batch)) < width]])
        tried += _BATCH
    if len(points) < count:
        raise ValueError(
            f"{len(points)} of {count} points found on the boundary of a {type(domain).__name__}"
        )
    area = len(points) / tried * float(np.prod(upper - lower)) / (2 * width)
    chosen_ones = points[rng.permutation(len(points))[:count]]
    return *_dropped(domain, chosen_ones), area


def _dropped(shape: Shape, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The points of the surface that belong to points near it, and the outward normals there."""
    jet = np.zeros((len(points), 1 + points.shape[1]))
    for _ in range(_STEPS):
        jet = evaluate(_Jet(shape), points)
        points = points - jet[:, :1] * jet[:, 1:] / np.sum(jet[:, 1:] ** 2, axis=1, keepdims=True)
    return points, jet[:, 1:] / np.linalg.norm(jet[:, 1:], axis=1, keepdims=True)


class _Jet(eqx.Module):
    """The value of a shape and its gradient."""

    shape: Shape

    def __call__(self, x: Array) -> Array:
        value, gradient = jax.value_and_grad(lambda y: self.shape(y))(x)
        return jnp.append(value, gradient)

    def __hash__(self) -> int:
        return hash(self.shape)
