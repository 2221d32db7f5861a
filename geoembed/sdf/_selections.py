"""Choosing faces of a mesh: by direction, by box, by the smooth region around a point."""

import abc
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ._meshes._mesh import MeshSDF
from ._meshes._mesh_tables import mesh_edges

# A corner this part of the box diagonal outside a box still counts as inside: STL coordinates are rounded.
_BOX_SLACK = 1e-6


class Selection(abc.ABC):
    """A choice of faces. Combine two with `&` (faces in both) or `|` (faces in either)."""

    @abc.abstractmethod
    def mask(self, domain: MeshSDF) -> Bool[np.ndarray, " f"]:
        """Returns which faces of the mesh are chosen."""

    @abc.abstractmethod
    def advice(self, domain: MeshSDF) -> str:
        """Returns what to change when no face is chosen."""

    def __and__(self, other: "Selection") -> "Selection":
        return _Both(self, other)

    def __or__(self, other: "Selection") -> "Selection":
        return _Either(self, other)


def facing(direction: tuple[float, float, float], angle: float = 30.0) -> Selection:
    """Chooses the faces whose outward normal points in a direction, give or take an angle.

    It chooses *every* such face, wherever it lies: `facing((0, 0, -1))` of a heat sink takes the underside of
    the base and the undersides of its fins. Restrict it to a place with `facing((0, 0, -1)) & in_box(lower,
    upper)`, or take the one smooth region around a point with `segment`.

    Args:
        direction: Where the normals point; any length but 0.
        angle: The largest angle between a normal and the direction, in degrees, between 0 and 180.

    Returns:
        The selection.

    Raises:
        ValueError: The direction has no length or the angle is out of range.

    Example:
        >>> bottom = facing((0, 0, -1)) & in_box((-50, -50, 0), (50, 50, 1))
    """
    vector = _three_numbers("direction", direction)
    length = float(np.linalg.norm(vector))
    if length == 0:
        raise ValueError("direction must have a length, received (0, 0, 0): give for instance (0, 0, -1)")
    return _Facing(tuple(float(x) / length for x in vector), _angle(angle))


def in_box(lower: tuple[float, float, float], upper: tuple[float, float, float]) -> Selection:
    """Chooses the faces that lie entirely inside a box, that is with all three corners.

    A large triangle that only reaches into the box is not taken, so a patch never extends beyond its box.
    Corners on the boundary of the box are inside (with a slack of 1e-6 of the part's diagonal).

    Args:
        lower: The lowest corner of the box, in the mesh's unit; -inf leaves a side open.
        upper: The highest corner, in the mesh's unit; inf leaves a side open.

    Returns:
        The selection.

    Raises:
        ValueError: A corner is not three numbers, or `lower` exceeds `upper`.

    Example:
        >>> lowest_layer = in_box((float("-inf"), float("-inf"), 0.0), (float("inf"), float("inf"), 0.5))
    """
    low = _three_numbers("lower", lower, finite=False)
    high = _three_numbers("upper", upper, finite=False)
    if not np.all(low <= high):
        raise ValueError(f"lower must not exceed upper, received {tuple(lower)} and {tuple(upper)}")
    return _InBox(tuple(low.tolist()), tuple(high.tolist()))


def segment(point: tuple[float, float, float], angle: float = 30.0) -> Selection:
    """Chooses the smooth region around a point of the surface: all faces reached without crossing a sharp
    edge.

    Args:
        point: A point on or near the surface, in the mesh's unit; the nearest face starts the region.
        angle: An edge is sharp where the normals of its two faces differ by more than this, in degrees.

    Returns:
        The selection.

    Raises:
        ValueError: The point is not three finite numbers or the angle is out of range.

    Example:
        >>> top = segment((0.0, 0.0, 22.0))
    """
    return _Segment(tuple(_three_numbers("point", point).tolist()), _angle(angle))


def segments(domain: MeshSDF, angle: float = 30.0) -> Int[np.ndarray, " f"]:
    """Cuts the surface along its sharp edges.

    Args:
        domain: The mesh.
        angle: An edge is sharp where the normals of its two faces differ by more than this, in degrees.

    Returns:
        The segment of each face, numbered from 0 by decreasing area.

    Raises:
        ValueError: The angle is out of range.
    """
    normals = domain.normals
    pairs = mesh_edges(domain.faces).pairs // 3
    first, second = normals[pairs[:, 0]], normals[pairs[:, 1]]
    smooth = _angles_between(first, second) <= _angle(angle)
    graph = coo_array(
        (np.ones(smooth.sum(), bool), tuple(pairs[smooth].T)), shape=(len(normals), len(normals))
    )
    count, label = connected_components(graph, directed=False)
    by_area = np.argsort(-np.bincount(label, domain.areas, minlength=count), kind="stable")
    rank = np.empty(count, np.int64)
    rank[by_area] = np.arange(count)
    return rank[label]


def _angles_between(a: Float[np.ndarray, "n 3"], b: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
    """Angles between unit vectors, in degrees; accurate at 0 and 180, unlike the arccosine."""
    half = np.arctan2(np.linalg.norm(a - b, axis=1), np.linalg.norm(a + b, axis=1))
    return np.degrees(2 * half)


def _angle(angle: float) -> float:
    if not 0 <= angle <= 180:
        raise ValueError(f"angle must lie between 0 and 180 degrees, received {angle}")
    return float(angle)


def _three_numbers(name: str, values: tuple[float, ...], finite: bool = True) -> Float[np.ndarray, "3"]:
    vector = np.asarray(values, np.float64)
    if vector.shape != (3,) or np.isnan(vector).any() or (finite and np.isinf(vector).any()):
        raise ValueError(f"{name} must be three {'finite ' * finite}numbers, received {values!r}")
    return vector


@dataclass(frozen=True)
class _Facing(Selection):
    direction: tuple[float, ...]
    angle: float

    def _angles(self, domain: MeshSDF) -> Float[np.ndarray, " f"]:
        normals = domain.normals
        return _angles_between(normals, np.broadcast_to(np.array(self.direction), normals.shape))

    def mask(self, domain: MeshSDF) -> Bool[np.ndarray, " f"]:
        return self._angles(domain) <= self.angle

    def advice(self, domain: MeshSDF) -> str:
        return (
            f"The nearest normal is {self._angles(domain).min():.1f}° away: turn `direction` or raise `angle`"
        )


@dataclass(frozen=True)
class _InBox(Selection):
    lower: tuple[float, ...]
    upper: tuple[float, ...]

    def _inside(self, points: Float[np.ndarray, "*n 3"], domain: MeshSDF) -> Bool[np.ndarray, "*n"]:
        low, high = domain.bounds
        slack = _BOX_SLACK * float(np.linalg.norm(high - low))
        above = np.all(points >= np.array(self.lower) - slack, axis=-1)
        return above & np.all(points <= np.array(self.upper) + slack, axis=-1)

    def mask(self, domain: MeshSDF) -> Bool[np.ndarray, " f"]:
        return np.all(self._inside(domain.vertices[domain.faces], domain), axis=1)

    def advice(self, domain: MeshSDF) -> str:
        corners = domain.vertices[domain.faces]
        reaching = int(np.any(self._inside(corners, domain), axis=1).sum())
        low, high = (", ".join(f"{x:.6g}" for x in side) for side in domain.bounds)
        part = f"the part reaches from ({low}) to ({high}) {domain.unit}"
        if reaching:
            return f"All three corners must be inside and {reaching} faces stick out: enlarge the box; {part}"
        return f"Move or enlarge the box: {part}"


@dataclass(frozen=True)
class _Segment(Selection):
    point: tuple[float, ...]
    angle: float

    def mask(self, domain: MeshSDF) -> Bool[np.ndarray, " f"]:
        with jax.enable_x64(True):
            start = int(domain.closest(jnp.asarray(self.point, jnp.float64)).face)
        label = segments(domain, self.angle)
        return label == label[start]

    def advice(self, domain: MeshSDF) -> str:
        return "Check the point"  # a segment holds at least the face it starts from


@dataclass(frozen=True)
class _Both(Selection):
    first: Selection
    second: Selection

    def mask(self, domain: MeshSDF) -> Bool[np.ndarray, " f"]:
        return self.first.mask(domain) & self.second.mask(domain)

    def advice(self, domain: MeshSDF) -> str:
        for part in (self.first, self.second):
            if not part.mask(domain).any():
                return part.advice(domain)
        first, second = (int(part.mask(domain).sum()) for part in (self.first, self.second))
        return f"Its parts select {first} and {second} faces but have none in common: widen one of them"


@dataclass(frozen=True)
class _Either(Selection):
    first: Selection
    second: Selection

    def mask(self, domain: MeshSDF) -> Bool[np.ndarray, " f"]:
        return self.first.mask(domain) | self.second.mask(domain)

    def advice(self, domain: MeshSDF) -> str:
        return self.first.advice(domain)
