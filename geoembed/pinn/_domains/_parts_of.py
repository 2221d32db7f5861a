"""The parts of an outline by name, found from what a shape was made of."""

import math
from itertools import count
from typing import Any

import numpy as np

from ... import sdf
from ...sdf._shapes._edges import cross
from ._domain import Source
from ._interval import Interval
from ._parts import Edge, End, Face, Motion, Part, Round

Parts = dict[str, Part]

_SIDES = (("left", "right"), ("bottom", "top"), ("back", "front"))  # along x, y and z
_TOUCH = 1e-9  # nearer than this, in parts of the size, counts as touching


def parts_of(domain: Source) -> Parts | None:
    """Returns the parts of the outline by name, or None when they are not known."""
    match domain:
        case Interval():
            return {"left": End(float(domain.lower), -1.0), "right": End(float(domain.upper), 1.0)}
        case sdf.Box():
            return _box(0.5 * _numbers(domain.size))
        case sdf.Circle() | sdf.Sphere():
            name = "rim" if domain.dimension == 2 else "surface"
            return {name: Round(np.zeros(domain.dimension), float(_numbers(domain.radius)))}
        case sdf.Polygon():
            return _polygon(_numbers(domain.vertices), [_numbers(hole) for hole in domain.holes])
        case sdf.RegularPolygon():
            return _polygon(_ring(domain.sides, [domain.radius]), [])
        case sdf.Star():
            return _polygon(_ring(2 * domain.points, [domain.outer, domain.inner]), [])
        case sdf.Translate() | sdf.Rotate() | sdf.Scale() | sdf.Mirror():
            return _moved(domain)
        case sdf.Difference():
            return _difference(domain)
        case _:
            return None


def _numbers(value: Any) -> np.ndarray:
    return np.asarray(value, np.float64)


def _box(half: np.ndarray) -> Parts:
    if len(half) == 2:
        a, b = half
        corners = np.array([[-a, -b], [a, -b], [a, b], [-a, b]])
        edges = [Edge(corners[i], corners[(i + 1) % 4]) for i in range(4)]
        return dict(zip(("left", "right", "bottom", "top"), (edges[i] for i in (3, 1, 0, 2)), strict=True))
    parts: Parts = {}
    for axis, names in enumerate(_SIDES):
        first, second = (2 * half[i] * np.eye(3)[i] for i in range(3) if i != axis)
        for name, sign in zip(names, (-1.0, 1.0), strict=True):
            outward = sign * np.eye(3)[axis]
            corner = np.where(np.arange(3) == axis, sign * half, -half)
            parts[name] = Face(corner, first, second, outward)
    return parts


def _ring(number: int, radii: list[Any]) -> np.ndarray:
    """Corners at equal angles, alternately at these radii."""
    turn = 2 * math.pi * np.arange(number) / number
    reach = np.array([float(_numbers(radii[i % len(radii)])) for i in range(number)])
    return reach[:, None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)


def _polygon(outer: np.ndarray, holes: list[np.ndarray]) -> Parts:
    parts: Parts = {}
    for loop, prefix, hole in [(outer, "", False), *((h, f"hole {k} ", True) for k, h in enumerate(holes))]:
        fixed = loop - loop[:1]
        left = float(np.sum(cross(fixed, np.roll(fixed, -1, axis=0)))) > 0
        for i, (a, b) in enumerate(zip(loop, np.roll(loop, -1, axis=0), strict=True)):
            parts[f"{prefix}edge {i}"] = Edge(a, b) if left != hole else Edge(b, a)
    return parts


def _moved(domain: Any) -> Parts | None:
    parts = parts_of(domain.shape)
    if parts is None:
        return None
    motion = _motion(domain)
    return {name: part.moved(motion) for name, part in parts.items() if not isinstance(part, End)}


def _motion(domain: Any) -> Motion:
    dimension = domain.dimension
    same, still = np.eye(dimension), np.zeros(dimension)
    if isinstance(domain, sdf.Translate):
        return Motion(same, _numbers(domain.shift))
    if isinstance(domain, sdf.Scale):
        return Motion(same, still, float(_numbers(domain.factor)))
    if isinstance(domain, sdf.Mirror):
        normal = _numbers(domain.normal)
        normal = normal / np.linalg.norm(normal)
        return Motion(same - 2 * np.outer(normal, normal), 2 * float(_numbers(domain.height)) * normal)
    angle = float(_numbers(domain.angle))
    c, s = math.cos(angle), math.sin(angle)
    if dimension == 2:
        return Motion(np.array([[c, -s], [s, c]]), still)
    axis = _numbers(domain.axis) / np.linalg.norm(_numbers(domain.axis))
    return Motion(c * same + s * np.cross(axis, same).T + (1 - c) * np.outer(axis, axis), still)


def _difference(domain: sdf.Difference) -> Parts | None:
    parts = parts_of(domain.a)
    holes = [(hole, parts_of(hole)) for hole in _members(domain.b)]
    if parts is None:
        return None
    taken = dict(parts)
    base: sdf.Shape = domain.a
    for hole, found in holes:
        if found is None or not (_clear(base, found, -1.0) and _clear(hole, taken, 1.0)):
            return None
        names = (f"hole {k} " for k in count())
        prefix = next(name for name in names if not any(old.startswith(name) for old in taken))
        taken |= {prefix + name: part.flipped() for name, part in found.items() if not isinstance(part, End)}
        base = base - hole
    return taken


def _members(shape: sdf.Shape) -> list[sdf.Shape]:
    """The members of a union, also of a nested or moved one."""
    if isinstance(shape, sdf.Union):
        return [*_members(shape.a), *_members(shape.b)]
    return [shape]


def _clear(shape: sdf.Shape, parts: Parts, side: float) -> bool:
    """Whether all marks of the parts lie strictly on one side of a shape: inside for −1."""
    marks = np.concatenate([part.marks() for part in parts.values() if not isinstance(part, End)])
    size = float(np.max(np.abs(marks)))
    return bool(np.all(side * sdf.evaluate(shape, marks) > _TOUCH * size))
