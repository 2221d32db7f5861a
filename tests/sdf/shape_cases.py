"""Every primitive, every operator and some trees, with an independent description of each.

A case's `member` is written from the definition of the solid and shares no code with the library.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from geoembed import sdf
from tests.sdf.members import (
    Member,
    ball,
    bent,
    blended,
    block,
    both,
    cone,
    either,
    ellipsoid,
    elongated,
    extruded,
    frame,
    grown_l,
    gyroid_wall,
    half_spaces,
    hull_of_balls,
    mirrored,
    moved,
    near_arc,
    near_segment,
    ngon,
    one_of,
    pyramid,
    repeated,
    revolved,
    rho,
    rotated,
    rounded_block,
    star_corners,
    turned,
    twisted,
    upright,
    waves,
    winding,
    without,
)


@dataclasses.dataclass(frozen=True)
class Case:
    """One shape.

    Args:
        name: A name.
        make: Builds it.
        member: Whether points [..., d] are inside, in numpy.
        feared: Points where values or gradients might not be finite: centre, edges, axes, surface.
        slow: Measured with --slow only, because another case stands for its kind.
    """

    name: str
    make: Callable[[], sdf.Shape]
    member: Member
    feared: tuple = ()
    slow: bool = False

    def __repr__(self) -> str:
        return self.name


_HOLED = ([(0, 0), (4, 0), (4, 2), (2, 2.5), (1.5, 1.2), (0, 3)], [(2.5, 0.5), (3.5, 0.5), (3.0, 1.4)])
_STAR = star_corners(5, 1.0, 0.45)
_DRILLED = sdf.Box((2.0, 1.4, 1.0)) - sdf.Cylinder(0.4, 3.0)
_drilled = without(block(2.0, 1.4, 1.0), lambda p: rho(p) < 0.4)
_L_SHAPE = [(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)]

PLANE = [
    Case("circle", lambda: sdf.Circle(0.8), ball(0.8, 0, 0), ((0, 0), (0.8, 0))),
    Case(
        "box 2D", lambda: sdf.Box((2.0, 1.2)), block(2.0, 1.2), ((0, 0), (1, 0.6), (1, 0), (0.4, 0), (2, 0.6))
    ),
    Case(
        "rounded box 2D",
        lambda: sdf.RoundedBox((2.0, 1.2), 0.3),
        rounded_block((2.0, 1.2), 0.3),
        ((0.7, 0.3), (1, 0)),
    ),
    Case(
        "capsule 2D",
        lambda: sdf.Capsule((-0.5, -0.3), (0.7, 0.4), 0.25),
        near_segment((-0.5, -0.3), (0.7, 0.4), 0.25),
        ((-0.5, -0.3), (0.7, 0.4), (0.1, 0.05)),
    ),
    Case(
        "half plane", lambda: sdf.HalfSpace((1.0, 2.0), 0.3), half_spaces([[1, 2]], [0.3 * 5**0.5]), ((0, 0),)
    ),
    Case(
        "strip",
        lambda: sdf.Slab((1.0, -1.0), 0.6, 0.2),
        lambda p: np.abs((p[..., 0] - p[..., 1]) / 2**0.5 - 0.2) < 0.3,
        ((0.2 / 2**0.5, -0.2 / 2**0.5),),
    ),
    Case(
        "arc",
        lambda: sdf.Arc(1.0, 4.0, 0.4),
        near_arc(1.0, 4.0, 0.2),
        ((0, 0), (1, 0), (np.cos(2.0), np.sin(2.0)), (-1, 0)),
    ),
    Case(
        "full arc",
        lambda: sdf.Arc(1.0, 2 * np.pi, 0.4),
        lambda p: np.abs(rho(p) - 1) < 0.2,
        ((0, 0), (-1, 0)),
    ),
    Case(
        "polygon",
        lambda: sdf.Polygon(_HOLED[0], [_HOLED[1]]),
        winding(*_HOLED),
        ((0, 0), (1.5, 1.2), (2, 0), (3, 0.5), (3.5, 0.5), (3, 2.25)),
    ),
    Case(
        "clockwise polygon",
        lambda: sdf.Polygon(_HOLED[0][::-1], [_HOLED[1][::-1]]),
        winding(*_HOLED),
        ((4, 2),),
    ),
    Case(
        "ellipse",
        lambda: sdf.Ellipse((1.2, 0.5)),
        ellipsoid(1.2, 0.5),
        ((0, 0), (1.2, 0), (0, 0.5), (0.6, 0), (0.991666, 0)),
    ),
    Case("triangle", lambda: sdf.RegularPolygon(3, 1.0), ngon(3, 1.0), ((0, 0), (1, 0), (-0.5, 0), (2, 0))),
    Case("heptagon", lambda: sdf.RegularPolygon(7, 0.9), ngon(7, 0.9), ((0, 0), (0.9, 0), (-0.5, 0), (2, 0))),
    Case(
        "star",
        lambda: sdf.Star(5, 1.0, 0.45),
        winding(_STAR),
        ((0, 0), (1, 0), (-0.45, 0), tuple(_STAR[1]), (2, 0)),
    ),
]

SPACE = [
    Case("sphere", lambda: sdf.Sphere(0.8), ball(0.8, 0, 0, 0), ((0, 0, 0), (0.8, 0, 0))),
    Case(
        "box",
        lambda: sdf.Box((2.0, 1.2, 0.8)),
        block(2.0, 1.2, 0.8),
        ((0, 0, 0), (1, 0.6, 0.4), (1, 0, 0), (1, 0.6, 0), (2, 0.6, 0.4)),
    ),
    Case(
        "rounded box",
        lambda: sdf.RoundedBox((2.0, 1.2, 0.8), 0.3),
        rounded_block((2.0, 1.2, 0.8), 0.3),
        ((0.7, 0.3, 0.1), (1, 0, 0)),
    ),
    Case(
        "box frame",
        lambda: sdf.BoxFrame((2.0, 1.6, 1.2), 0.25),
        frame((2.0, 1.6, 1.2), 0.25),
        (
            (0, 0, 0),
            (1, 0.8, 0.6),
            (0.75, 0.55, 0.35),
            (0.75, 0.55, 0),
            (0.75, 0.7, 0),
            (1, 0.8, 0),
            (0.9, 0.7, 0.5),
        ),
    ),
    Case(
        "half space",
        lambda: sdf.HalfSpace((1.0, 2.0, -2.0), -0.2),
        half_spaces([[1, 2, -2]], [-0.6]),
        ((0, 0, 0),),
    ),
    Case(
        "slab",
        lambda: sdf.Slab((0.0, 0.0, 1.0), 0.6),
        lambda p: np.abs(p[..., 2]) < 0.3,
        ((0, 0, 0), (1, 1, 0.3)),
    ),
    Case(
        "ellipsoid",
        lambda: sdf.Ellipsoid((1.0, 0.7, 0.3)),
        ellipsoid(1.0, 0.7, 0.3),
        ((0, 0, 0), (1, 0, 0), (0, 0, 0.3), (0.5, 0.2, 0), (0, 0.4, 0.1)),
    ),
    Case(
        "disc", lambda: sdf.Ellipsoid((0.9, 0.9, 0.2)), ellipsoid(0.9, 0.9, 0.2), ((0, 0, 0), (0.3, 0.3, 0))
    ),
    Case("cigar", lambda: sdf.Ellipsoid((1.1, 0.3, 0.3)), ellipsoid(1.1, 0.3, 0.3), ((0, 0, 0), (0.5, 0, 0))),
    Case(
        "cylinder",
        lambda: sdf.Cylinder(0.6, 1.5),
        upright(0.6, 1.5),
        ((0, 0, 0), (0, 0, 0.75), (0.6, 0, 0.75), (0, 0, 2)),
    ),
    Case(
        "capped cone",
        lambda: sdf.CappedCone(0.8, 0.3, 1.2),
        cone(0.8, 0.3, 1.2),
        ((0, 0, 0), (0, 0, 0.6), (0.3, 0, 0.6), (0.8, 0, -0.6), (0, 0, 2), (0.55, 0, 0)),
    ),
    Case(
        "cone",
        lambda: sdf.CappedCone(0.0, 0.7, 1.0),
        cone(0.0, 0.7, 1.0),
        ((0, 0, -0.5), (0, 0, 0), (0, 0, -1), (0, 0, 0.5)),
    ),
    Case(
        "rounded cone",
        lambda: sdf.RoundedCone(0.6, 0.3, 0.9),
        hull_of_balls(0.6, 0.3, 0.9),
        ((0, 0, -0.45), (0, 0, 0.45), (0, 0, 0), (0, 0, 2)),
    ),
    Case(
        "capsule",
        lambda: sdf.Capsule((-0.5, 0.1, -0.3), (0.6, 0.2, 0.4), 0.3),
        near_segment((-0.5, 0.1, -0.3), (0.6, 0.2, 0.4), 0.3),
        ((-0.5, 0.1, -0.3), (0.6, 0.2, 0.4)),
    ),
    Case(
        "torus",
        lambda: sdf.Torus(0.8, 0.3),
        near_arc(0.8, 2 * np.pi, 0.3),
        ((0, 0, 0), (0.8, 0, 0), (0, 0, 0.5), (1.1, 0, 0)),
    ),
    Case(
        "capped torus",
        lambda: sdf.CappedTorus(0.8, 0.2, 2.5),
        near_arc(0.8, 2.5, 0.2),
        ((0, 0, 0), (0.8, 0, 0), (0, 0, 0.5), (0.8 * np.cos(1.25), 0.8 * np.sin(1.25), 0), (-1, 0, 0)),
    ),
    Case(
        "triangular prism",
        lambda: sdf.Prism(3, 0.9, 0.8),
        extruded(ngon(3, 0.9), 0.8),
        ((0, 0, 0), (0.9, 0, 0.4), (0, 0, 0.4)),
    ),
    Case(
        "hexagonal prism",
        lambda: sdf.Prism(6, 0.8, 1.2),
        extruded(ngon(6, 0.8), 1.2),
        ((0, 0, 0), (0.8, 0, 0.6), (0, 0, 0.6)),
    ),
    Case(
        "octahedron",
        lambda: sdf.Octahedron(1.0),
        lambda p: np.abs(p).sum(-1) < 1,
        ((0, 0, 0), (1, 0, 0), (0.5, 0.5, 0), (2, 0, 0), (1, 1, 0), (0.2, 0.3, 0.5)),
    ),
    Case(
        "pyramid",
        lambda: sdf.Pyramid(1.6, 1.2),
        pyramid(1.6, 1.2),
        (
            (0, 0, 0),
            (0, 0, 0.6),
            (0.8, 0.8, -0.6),
            (0, 0, -0.6),
            (0, 0, 2),
            (0.4, 0.4, 0),
            (0.4, 0, 0),
            (1, 1, -0.6),
        ),
    ),
    Case("gyroid", lambda: sdf.Gyroid(1.7, 0.1), waves("gyroid", 1.7, 0.1), ((0, 0, 0),)),
    Case("Schwarz P", lambda: sdf.SchwarzP(1.5, -0.2), waves("p", 1.5, -0.2), ((0, 0, 0),)),
    Case("Schwarz D", lambda: sdf.SchwarzD(2.0), waves("d", 2.0, 0.0), ((0, 0, 0),)),
]

_A, _B = (lambda: sdf.Box((1.6, 1.0, 0.9))), (lambda: sdf.Sphere(0.6).translate((0.5, 0.3, 0.2)))
_a, _b = block(1.6, 1.0, 0.9), ball(0.6, 0.5, 0.3, 0.2)
_C, _c = (lambda: sdf.Arc(0.5, np.pi, 0.3)), near_arc(0.5, np.pi, 0.15)

OPERATORS = [
    Case("union", lambda: _A() | _B(), either(_a, _b), ((0, 0, 0), (0.8, 0.5, 0.45), (0.5, 0.3, 0.2))),
    Case("intersection", lambda: _A() & _B(), both(_a, _b), ((0.5, 0.3, 0.2),)),
    Case("difference", lambda: _A() - _B(), without(_a, _b), ((0.5, 0.3, 0.2), (0, 0, 0))),
    Case("symmetric difference", lambda: _A() ^ _B(), one_of(_a, _b), ((0.5, 0.3, 0.2), (0, 0, 0))),
    Case("complement", lambda: -_A(), lambda p: ~_a(p), ((0, 0, 0), (0.8, 0.5, 0.45))),
    Case(
        "grown",
        lambda: sdf.Polygon(_L_SHAPE).offset(0.3),
        lambda p: grown_l(p, 0.3),
        ((1, 1), (0, 0), (1.2, 1.2)),
    ),
    Case("shrunk", lambda: _A().offset(-0.2), block(1.2, 0.6, 0.5), ((0, 0, 0), (0.6, 0.3, 0.25))),
    Case(
        "shell", lambda: sdf.Circle(0.8).shell(0.3), lambda p: np.abs(rho(p) - 0.8) < 0.15, ((0, 0), (0.8, 0))
    ),
    Case(
        "shell of a box",
        lambda: sdf.Box((1.6, 1.0)).shell(0.2),
        without(rounded_block((1.8, 1.2), 0.1), block(1.4, 0.8)),
        ((0, 0), (0.8, 0.5), (0.7, 0.4)),
    ),
    Case("translate", lambda: _A().translate((0.3, -0.2, 0.5)), moved(_a, (0.3, -0.2, 0.5))),
    Case(
        "scale",
        lambda: sdf.Torus(0.4, 0.15).scale(2.0),
        near_arc(0.8, 2 * np.pi, 0.3),
        ((0, 0, 0), (0.8, 0, 0)),
    ),
    Case("rotate 2D", lambda: sdf.Star(5, 1.0, 0.45).rotate(0.4), turned(winding(_STAR), 0.4), ((0, 0),)),
    Case(
        "rotate", lambda: _A().rotate(0.7, (1.0, 2.0, -1.0)), rotated(_a, 0.7, (1.0, 2.0, -1.0)), ((0, 0, 0),)
    ),
    Case("mirror", lambda: _C().mirror((1.0, 2.0), 0.4), mirrored(_c, (1.0, 2.0), 0.4), ((0, 0),)),
    Case(
        "symmetric",
        lambda: _C().symmetric((1.0, -0.3), 0.1),
        either(_c, mirrored(_c, (1.0, -0.3), 0.1)),
        ((0.1, 0),),
    ),
    Case(
        "row",
        lambda: _C().repeat((1.2, 1.0), (3, 1)),
        repeated(_c, (1.2, 1.0), (3, 1)),
        ((0.6, 0), (0, 0), (9, 0)),
    ),
    Case(
        "lattice",
        lambda: sdf.RegularPolygon(3, 0.5).translate((0.2, 0.1)).repeat((1.1, 1.0)),
        repeated(moved(ngon(3, 0.5), (0.2, 0.1)), (1.1, 1.0), (None, None)),
        ((0.75, 0.1), (0.2, 0.1)),
    ),
    Case(
        "elongate",
        lambda: sdf.Star(5, 1.0, 0.45).elongate((0.8, 0.3)),
        elongated(winding(_STAR), (0.8, 0.3)),
        ((0, 0), (0.4, 0.15)),
    ),
    Case(
        "twist",
        lambda: sdf.Box((0.8, 0.6, 1.6)).twist(0.9),
        twisted(block(0.8, 0.6, 1.6), 0.9),
        ((0, 0, 0), (0.5, 0, 0)),
    ),
    Case(
        "bend",
        lambda: sdf.Box((3.0, 0.6, 0.7)).bend(0.9),
        bent(block(3.0, 0.6, 0.7), 0.9),
        ((0, 0.9, 0), (0, 0.9, 0.35), (0, 0, 0), (0, 2, 0)),
    ),
    Case(
        "bend 2D",
        lambda: sdf.Box((4.0, 0.6)).bend(0.9),
        bent(block(4.0, 0.6), 0.9),
        ((0, 0.9), (0, 0), (0, 2)),
        slow=True,
    ),
    Case("extrude", lambda: _C().extrude(0.8), extruded(_c, 0.8), ((0, 0, 0.4), (0.5, 0, 0.4), (0.5, 0, 0))),
    Case("revolve", lambda: _C().revolve(0.4), revolved(_c, 0.4), ((0, 0, 0), (0, 0, 1), (0.9, 0, 0))),
    Case("revolve at the axis", lambda: _C().revolve(0.15), revolved(_c, 0.15), ((0, 0, 0), (0, 0, 0.5))),
    Case("revolve across the axis", lambda: _C().revolve(-0.2), revolved(_c, -0.2), ((0, 0, 0), (0, 0, 1))),
    Case(
        "slice",
        lambda: sdf.Torus(0.8, 0.3).slice(0.1, 0),
        lambda p: near_arc(0.8, 2 * np.pi, 0.3)(
            np.stack([np.full(p.shape[:-1], 0.1), p[..., 0], p[..., 1]], -1)
        ),
        ((0, 0), (0.8, 0)),
    ),
    Case(
        "smooth union",
        lambda: sdf.Circle(0.6).smooth_union(sdf.Circle(0.5).translate((0.9, 0.2)), 0.4),
        blended((0.6, 0, 0), (0.5, 0.9, 0.2), 0.4, "union"),
        ((0, 0), (0.9, 0.2), (0.45, 0.1)),
    ),
    Case(
        "smooth intersection",
        lambda: sdf.Circle(0.8).smooth_intersection(sdf.Circle(0.8).translate((0.7, 0.2)), 0.3),
        blended((0.8, 0, 0), (0.8, 0.7, 0.2), 0.3, "intersection"),
        ((0, 0), (0.7, 0.2), (0.35, 0.1)),
    ),
    Case(
        "smooth difference",
        lambda: sdf.Circle(0.8).smooth_difference(sdf.Circle(0.5).translate((0.7, 0.2)), 0.3),
        blended((0.8, 0, 0), (0.5, 0.7, 0.2), 0.3, "difference"),
        ((0, 0), (0.7, 0.2)),
    ),
    Case("sharp smooth union", lambda: _A().smooth_union(_B(), 0.0), either(_a, _b), ((0.5, 0.3, 0.2),)),
    Case(
        "row of drilled blocks",
        lambda: _DRILLED.repeat((2.5, 1.0, 1.0), (3, 1, 1)),
        repeated(_drilled, (2.5, 1.0, 1.0), (3, 1, 1)),
        ((0, 0, 0), (1.25, 0, 0)),
        slow=True,
    ),
    Case(
        "twisted slab",
        lambda: sdf.Slab((1.0, 0.0, 0.0), 0.6).twist(0.8),
        twisted(lambda p: np.abs(p[..., 0]) < 0.3, 0.8),
        ((0, 0, 0),),
    ),
    Case("drilled block", lambda: _DRILLED, _drilled, ((0, 0, 0), (0.4, 0, 0.5), (1, 0.7, 0.5))),
    Case("twisted drilled block", lambda: _DRILLED.twist(-0.6), twisted(_drilled, -0.6), ((0, 0, 0),), True),
    Case(
        "bent drilled block", lambda: _DRILLED.bend(1.2), bent(_drilled, 1.2), ((0, 1.2, 0), (0, 0, 0)), True
    ),
    Case(
        "plates and holes",
        lambda: sdf.Box((3.0, 1.0)) - sdf.Circle(0.3).repeat((1.0, 1.0), (3, 1)).translate((-1.0, 0.0)),
        without(block(3.0, 1.0), moved(repeated(ball(0.3, 0, 0), (1.0, 1.0), (3, 1)), (-1.0, 0.0))),
        ((0, 0), (0.3, 0)),
        slow=True,
    ),
    Case(
        "gyroid ball",
        lambda: sdf.Sphere(0.9) & sdf.Gyroid(1.0).shell(0.1),
        lambda p: ball(0.9, 0, 0, 0)(p) & gyroid_wall(p),
        ((0, 0, 0),),
        slow=True,
    ),
]


CASES = [*PLANE, *SPACE, *OPERATORS]
