"""Draw the pictures of docs/explanation/shapes.md: one of every primitive and every operator.

usage: python tools/draw_shapes.py [NAME …]      (without names: all)
"""

import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from geoembed.plot import shape_figure
from geoembed.sdf import (
    Arc,
    Box,
    BoxFrame,
    CappedCone,
    CappedTorus,
    Capsule,
    Circle,
    Cylinder,
    Ellipse,
    Ellipsoid,
    Gyroid,
    HalfSpace,
    Octahedron,
    Polygon,
    Prism,
    Pyramid,
    RegularPolygon,
    RoundedBox,
    RoundedCone,
    SchwarzD,
    SchwarzP,
    Slab,
    Sphere,
    Star,
    Torus,
)

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "images" / "shapes"
ACROSS, SMALL = 11, 80  # pictures side by side on the sheet, and their side
COLOURS = 48  # of a picture's palette

OUTLINE, HOLE = [(0, 0), (4, 0), (4, 2), (2, 2.5), (1.5, 1.2), (0, 3)], [(2.5, 0.5), (3.5, 0.5), (3.0, 1.4)]
L_SHAPE = Polygon([(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)])
STAR = Star(5, 1.0, 0.45)
ASIDE = STAR.translate((2.2, 0.0))
SQUARE, DISC = Box((1.6, 1.2)), Circle(0.6).translate((0.8, 0.4))
BLOCK, HOLE_3D = Box((2.0, 1.4, 1.0)), Cylinder(0.4, 3.0)
HOLES = Cylinder(0.15, 2.0).repeat((0.8, 1.0, 1.0), (4, 1, 1))

SHAPES = {
    "circle": Circle(1.0),
    "box-2d": Box((2.0, 1.2)),
    "rounded-box-2d": RoundedBox((2.0, 1.2), 0.3),
    "capsule-2d": Capsule((-0.8, -0.4), (0.8, 0.4), 0.3),
    "half-plane": HalfSpace((1.0, 2.0)),
    "strip": Slab((1.0, 2.0), 0.8),
    "arc": Arc(1.0, 4.0, 0.4),
    "polygon": Polygon(OUTLINE, [HOLE]),
    "ellipse": Ellipse((1.2, 0.6)),
    "regular-polygon": RegularPolygon(7, 1.0),
    "star": STAR,
    "sphere": Sphere(1.0),
    "box": Box((2.0, 1.4, 1.0)),
    "rounded-box": RoundedBox((2.0, 1.4, 1.0), 0.3),
    "box-frame": BoxFrame((2.0, 1.6, 1.2), 0.2),
    "half-space": HalfSpace((0.3, 0.2, 1.0)),
    "slab": Slab((0.3, 0.2, 1.0), 0.5),
    "ellipsoid": Ellipsoid((1.2, 0.8, 0.5)),
    "cylinder": Cylinder(0.7, 1.6),
    "capsule": Capsule((-0.6, 0.0, -0.5), (0.6, 0.0, 0.5), 0.4),
    "capped-cone": CappedCone(0.9, 0.4, 1.2),
    "rounded-cone": RoundedCone(0.7, 0.35, 0.9),
    "torus": Torus(1.0, 0.35),
    "capped-torus": CappedTorus(1.0, 0.3, 4.0),
    "prism": Prism(6, 1.0, 1.0),
    "triangular-prism": Prism(3, 1.0, 1.0).rotate(0.6, (0.0, 0.0, 1.0)),
    "octahedron": Octahedron(1.0),
    "pyramid": Pyramid(1.6, 1.2),
    "gyroid": Gyroid(0.7).shell(0.08) & Sphere(0.6),
    "schwarz-p": SchwarzP(0.6).shell(0.08) & Sphere(0.6),
    "schwarz-d": SchwarzD(0.9).shell(0.08) & Sphere(0.6),
    "union": SQUARE | DISC,
    "intersection": SQUARE & DISC,
    "difference": SQUARE - DISC,
    "symmetric-difference": SQUARE ^ DISC,
    "complement": -SQUARE,
    "smooth-union": SQUARE.smooth_union(DISC, 0.4),
    "smooth-intersection": SQUARE.smooth_intersection(DISC, 0.4),
    "smooth-difference": SQUARE.smooth_difference(DISC, 0.4),
    "offset": L_SHAPE.offset(0.3),
    "shell": L_SHAPE.shell(0.3),
    "translate": STAR | STAR.translate((2.2, 0.8)),
    "rotate-2d": ASIDE | ASIDE.rotate(1.0),
    "rotate": (BLOCK - HOLE_3D).rotate(0.6, (1.0, 0.3, 0.0)),
    "scale": ASIDE | ASIDE.scale(0.4),
    "mirror": L_SHAPE | L_SHAPE.mirror((1.0, 0.3), -0.5),
    "symmetric": L_SHAPE.rotate(0.3).symmetric((1.0, 0.0), 0.3),
    "repeat": STAR.repeat((2.2, 2.2), (3, 2)),
    "elongate": Torus(0.7, 0.25).elongate((1.2, 0.0, 0.0)),
    "twist": Box((0.8, 0.8, 2.4)).twist(0.9),
    "bend": (
        Box((3.2, 0.5, 0.8)) - Cylinder(0.2, 2.0).repeat((0.8, 1.0, 1.0), (4, 1, 1)).translate((-1.2, 0, 0))
    ).bend(1.0),
    "extrude": STAR.extrude(0.6),
    "revolve": (L_SHAPE.scale(0.5)).revolve(0.5),
    "slice": Torus(1.0, 0.35).rotate(0.9, (1.0, 0.0, 0.0)).slice(),
}


def draw(name: str) -> int:
    """Draws one picture and returns its size in bytes."""
    buffer = io.BytesIO()
    shape_figure(SHAPES[name]).savefig(buffer, format="png")
    picture = Image.open(buffer).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    path = FOLDER / f"{name}.png"
    picture.save(path, optimize=True)
    return path.stat().st_size


def write_sheet() -> None:
    """Puts all pictures on one sheet, for the README."""
    paths = [FOLDER / f"{name}.png" for name in SHAPES if name != "complement"]
    rows = -(-len(paths) // ACROSS)
    sheet = Image.new("RGB", (ACROSS * SMALL, rows * SMALL), "white")
    for number, path in enumerate(paths):
        small = Image.open(path).convert("RGB").resize((SMALL, SMALL), Image.Resampling.LANCZOS)
        sheet.paste(small, (number % ACROSS * SMALL, number // ACROSS * SMALL))
    sheet.quantize(4 * COLOURS, dither=Image.Dither.NONE).save(FOLDER.with_suffix(".png"), optimize=True)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    sizes = {name: draw(name) for name in sys.argv[1:] or SHAPES}
    write_sheet()
    print(f"{len(sizes)} pictures, {sum(sizes.values())} bytes, the largest {np.max(list(sizes.values()))}")


if __name__ == "__main__":
    main()
