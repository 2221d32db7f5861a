"""The words of the mesh quality report."""

from typing import NamedTuple

from ._units import UNITS

_FLOAT32_SQUARES = 1e18  # squares of larger numbers come near the end of float32
_FLOAT32_SMALL = 1e-18


class Facts(NamedTuple):
    """The measures that the words are about; see `MeshQuality`."""

    faces: int
    extents: tuple[float, float, float]
    lower: tuple[float, float, float]
    watertight: bool
    inside_out: bool
    winding_consistent: bool
    open_edges: int
    holes: int
    largest_hole: int
    nonmanifold_edges: int
    degenerate_faces: int
    sliver_faces: int
    near_vertices: int
    duplicate_faces: int
    components: int
    cavities: int | None
    misoriented_components: int | None
    implausible_unit: str | None


def unit_warning(size: float, unit: str) -> str | None:
    """Why a part of that size is unusual, with its size in other units.

    Below 0.1 mm or above 100 m the unit is called implausible, below 1 mm or above 10 m unusual. Nothing in
    between can be told from the size alone: a part of 5 inches declared in mm looks like one of 5 mm.

    Args:
        size: The largest extent.
        unit: Its unit.

    Returns:
        The warning, or None.
    """
    metres = size * UNITS[unit]
    if 1e-3 <= metres <= 10:
        return None
    word = "unusual" if 1e-4 <= metres <= 100 else "implausible"
    others = [
        f"{size * UNITS[u]:.3g} m in '{u}'" for u in UNITS if u != unit and 1e-3 <= size * UNITS[u] <= 10
    ]
    instead = f"; it would be {', '.join(others)}" if others else ""
    extent = f"the largest extent, {size:.6g} {unit} = {metres:.3g} m,"
    return f"{extent} is {word} for a part: check the unit{instead}"


def counted(number: int, noun: str) -> str:
    """A number with its noun, in the plural where it belongs."""
    plural = "vertices" if noun == "vertex" else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"


def flags(q: Facts) -> tuple[str, ...]:
    """What a user should know, one sentence each."""
    closed = q.open_edges == 0
    reach = max(*(abs(x) for x in q.lower), *(abs(x + e) for x, e in zip(q.lower, q.extents, strict=True)))
    size = max(q.extents)
    found = [
        (
            not closed,
            f"not watertight: {counted(q.open_edges, 'open edge')} around {counted(q.holes, 'hole')}",
        ),
        (q.nonmanifold_edges, f"more than two faces at {counted(q.nonmanifold_edges, 'edge')}"),
        (not q.winding_consistent, "the winding of neighbouring faces disagrees"),
        (q.inside_out, "inside out: the winding is inwards and the volume negative"),
        (
            q.misoriented_components and not q.inside_out,
            f"the wrong winding in {counted(q.misoriented_components or 0, 'part')}",
        ),
        (q.cavities, f"closed cavities: {q.cavities}"),
        (q.components > 1, f"{q.components} separate parts"),
        (q.watertight and q.cavities is None, "too many parts to find out which lies in which"),
        (q.degenerate_faces, f"{counted(q.degenerate_faces, 'face')} without area"),
        (q.sliver_faces, f"{counted(q.sliver_faces, 'sliver')} (height below 1e-3 of the longest edge)"),
        (
            q.near_vertices,
            f"vertices within 1e-9 of the box diagonal of another, taken as one: {q.near_vertices}",
        ),
        (q.duplicate_faces, f"{counted(q.duplicate_faces, 'face')} with the corners of another one"),
        (min(q.extents) == 0, "flat: the mesh has no thickness"),
        (reach > _FLOAT32_SQUARES, f"coordinates up to {reach:.3g}: their squares overflow float32"),
        (size < _FLOAT32_SMALL, f"the size is {size:.3g}: its square underflows float32"),
        (reach > 1e4 * size, f"the part lies {reach / size:.3g} times its size from the origin"),
        (q.implausible_unit, q.implausible_unit),
    ]
    return tuple(text for condition, text in found if condition and text)


def actions(q: Facts) -> tuple[str, ...]:
    """What loading the mesh does about each flag, one sentence each."""
    closed = q.open_edges == 0
    found = [
        (
            not closed,
            "holes stay; distances stay exact, the sign is marked as not reliable",
        ),
        (q.nonmanifold_edges, "edges with more than two faces stay; the sign is marked as not reliable"),
        (
            not q.winding_consistent,
            "when the surface is closed, faces are flipped to agree with the majority of their part; "
            "otherwise the winding stays and the sign is marked as not reliable",
        ),
        (q.inside_out, "all faces are flipped"),
        (
            q.misoriented_components and not q.inside_out,
            "the winding of whole parts stays; correct it at the source",
        ),
        (q.cavities, "cavities stay: their inside is outside the part"),
        (q.degenerate_faces, "faces without area are dropped; neighbours are split so that no hole opens"),
        (q.sliver_faces, "slivers stay; their tables are computed in float64"),
        (q.near_vertices, "vertices that near to another are merged with it"),
        (q.duplicate_faces, "the first of equal faces stays, the others are dropped"),
        (q.implausible_unit, "the unit is used as given"),
    ]
    return tuple(text for condition, text in found if condition)


def repairs(q: Facts) -> tuple[str, ...]:
    """What `geoembed repair` can do about each flag, one sentence each, in the order in which to try it."""
    closed = q.open_edges == 0
    solid = min(q.extents) > 0
    badly_wound = not q.winding_consistent or q.inside_out or (q.misoriented_components or 0) > 0
    found = [
        (
            not closed and solid,
            "--merge TOLERANCE joins edges that should touch: try it when the part looks closed",
        ),
        (q.degenerate_faces or q.duplicate_faces, "--drop removes faces without area and repeated faces"),
        (
            badly_wound,
            "--fix-winding makes neighbours agree, and closed parts face outwards, cavities inwards",
        ),
        (
            not closed and solid,
            f"--fill-holes {q.largest_hole} fills holes of up to {q.largest_hole} edges, the largest here",
        ),
        (q.nonmanifold_edges, "none for edges of more than two faces: unite the bodies where they come from"),
    ]
    return tuple(text for condition, text in found if condition)
