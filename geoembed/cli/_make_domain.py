"""From a configuration to a domain."""

from pathlib import Path
from typing import Any

import numpy as np

from ..pinn import Interval
from ..pinn._domains._outline import WHOLE, outline
from ..sdf import Box, Circle, MeshSDF, Polygon, Shape, Sphere, load_mesh
from ._domain_config import BoxShape, CircleShape, IntervalTable, MeshTable, PolygonShape, SphereShape
from ._field_config import FieldConfig
from ._lines import Place
from ._mistakes import nearest
from ._places import Places

MESHES = (".stl", ".obj", ".ply", ".off", ".glb")

Domain = Interval | Shape | MeshSDF


def make_domain(config: FieldConfig, places: Places) -> Domain:
    """Builds the domain of a configuration.

    Args:
        config: The configuration.
        places: Makes the messages.

    Raises:
        InputError: A shape is not possible, a hole is not strictly inside, or the mesh cannot be used.
    """
    domain = make_shape(config.domain, ("domain",), places)
    holes = getattr(config.domain, "holes", [])
    return _without_holes(domain, holes, places) if isinstance(domain, Shape) else domain


def mesh_file(table: MeshTable, file: Path) -> Path:
    """Returns where a mesh is: a relative path starts at the configuration file."""
    return file.parent / table.file


def make_shape(table: Any, place: Place, places: Places) -> Domain:
    """Builds a shape of a configuration, without its holes.

    Args:
        table: The table of the shape.
        place: Where it stands.
        places: Makes the messages.

    Raises:
        InputError: The outline crosses itself, or the mesh cannot be used.
    """
    match table:
        case IntervalTable():
            return Interval(table.lower, table.upper)
        case MeshTable():
            return _mesh(table, place, places)
        case BoxShape():
            lower, upper = np.array(table.lower), np.array(table.upper)
            return _moved(Box((upper - lower).tolist()), 0.5 * (lower + upper))
        case CircleShape():
            return _moved(Circle(table.radius), np.array(table.centre))
        case SphereShape():
            return _moved(Sphere(table.radius), np.array(table.centre))
        case PolygonShape():
            _check_simple(np.array(table.vertices), place, places)
            return Polygon(table.vertices)
    raise AssertionError(table)


def _moved(shape: Shape, centre: np.ndarray) -> Shape:
    """A shape about the origin, moved; left as it is where it stays, so that a box keeps its own axes."""
    return shape.translate(centre.tolist()) if np.any(centre) else shape


def _without_holes(shape: Shape, holes: list[Any], places: Places) -> Shape:
    """The shape less its holes, which must leave it a boundary with named pieces."""
    for number, table in enumerate(holes):
        place = ("domain", "holes", number)
        hole = make_shape(table, place, places)
        assert isinstance(hole, Shape)
        if hole.dimension != shape.dimension:
            reason = f"a {table.kind} has {hole.dimension} dimensions, the domain has {shape.dimension}"
            raise places.wrong((*place, "kind"), reason, "Cut out a shape of the same dimension")
        shape = shape - hole
        if outline(shape)[0].name == WHOLE:
            reason = "this hole does not lie strictly inside the domain and apart from the holes before it"
            raise places.wrong(place, reason, "Move it, make it smaller, or draw the outline as one polygon")
    return shape


def _check_simple(corners: np.ndarray, place: Place, places: Places) -> None:
    """Refuses an outline that crosses itself: it has no inside."""
    count = len(corners)
    for i in range(count):
        for j in range(i + 2, count - (i == 0)):
            ends = corners[[i, (i + 1) % count, j, (j + 1) % count]]
            if _cross(*ends):
                reason = f"edge {i} and edge {j} of the outline cross or touch each other"
                raise places.wrong(
                    (*place, "vertices"), reason, "Give the corners in order around the outline"
                )


def _cross(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> bool:
    """Whether the segments a–b and c–d have a point in common, parallel ones aside."""

    def side(p: np.ndarray, q: np.ndarray, r: np.ndarray) -> float:
        return float((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))

    first, second = side(a, b, c) * side(a, b, d), side(c, d, a) * side(c, d, b)
    return first <= 0 and second <= 0 and not (first == 0 and second == 0)


def _mesh(table: MeshTable, place: Place, places: Places) -> MeshSDF:
    path = mesh_file(table, places.file)
    try:
        missing = not path.exists()
        beside = sorted(p.name for p in path.parent.iterdir() if p.suffix.lower() in MESHES)
    except OSError:  # a name too long, a folder that is not there or may not be read
        missing, beside = True, []
    if missing:
        hint = nearest(table.file, beside) if beside else "A relative path starts at the configuration file"
        raise places.wrong((*place, "file"), f"there is no file {table.file!r}", hint)
    mesh = load_mesh(path, unit=table.unit)
    if not mesh.sign_reliable:
        hint = "Run `geoembed inspect` on the file: it lists the holes"
        raise places.wrong((*place, "file"), "the surface is not closed, so it has no inside", hint)
    return mesh
