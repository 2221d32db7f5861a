"""The encoders of `geoembed.sdf` in the table of tests/test_conformance.py."""

import functools
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import numpy as np

from geoembed import core, sdf
from tests.encoder_row import KEY, Encoder
from tests.sdf.shape_cases import CASES


def box() -> sdf.MeshSDF:
    """A box 2 × 3 × 4 mm, closed, outward, twelve faces."""
    corners = np.array([[x, y, z] for x in (0.0, 2.0) for y in (0.0, 3.0) for z in (0.0, 4.0)])
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = np.array([face for a, b, c, d in quads for face in ((a, b, c), (a, c, d))])
    return sdf.mesh_sdf(corners, faces, unit="mm")


def moved_box() -> sdf.MovedMesh:
    """The same box, half as large again."""
    return box().with_vertices(1.5 * box().vertices)


def moved_examples() -> list[np.ndarray]:
    return [1.5 * point for point in box_examples()]


def moved_feared() -> list[np.ndarray]:
    return [1.5 * point for point in box_feared()]


def box_examples() -> list[np.ndarray]:
    points = np.random.default_rng(0).uniform(-1.5, 5.5, size=(40, 3))
    q = np.sort(np.abs(points - [1, 1.5, 2]) - [1, 1.5, 2], axis=1)
    inside = q[:, 2] < 0
    off_axis = ~inside | (q[:, 2] - q[:, 1] > 0.05)  # two faces equally near: the medial axis
    off_surface = np.abs(q).min(axis=1) > 0.02
    return list(points[off_axis & off_surface])


def box_feared() -> list[np.ndarray]:
    corner, edge, face, centre, far = [0, 0, 0], [2, 3, 1], [0, 1, 1], [1, 1.5, 2], [1e3, -1e3, 1e3]
    return [np.array(point, float) for point in (corner, edge, face, centre, far)]


@functools.cache
def baked_box() -> sdf.BakedSDF:
    """The box in splines: fine cells near its surface, coarse ones elsewhere."""
    return sdf.bake(box(), spacing=0.06, band=0.05, key=KEY)


def baked_examples() -> list[np.ndarray]:
    """Points near a face and away from its edges, where the eikonal property is declared."""
    rng = np.random.default_rng(0)
    size = np.array([2.0, 3.0, 4.0])
    points = rng.uniform(0.4, size - 0.4, size=(40, 3))
    rows, axis = np.arange(40), rng.integers(0, 3, 40)
    points[rows, axis] = size[axis] * rng.integers(0, 2, 40) + rng.uniform(-0.05, 0.05, 40)
    return list(points)


def baked_feared() -> list[np.ndarray]:
    """The box as for the mesh, and corners of a cell, of a brick and of the baked box."""
    grid = baked_box().field.grid
    lower, upper = np.array(grid.lower), np.array(grid.upper)
    corners = [lower, upper, lower + 13 * grid.spacing, lower + 5 * grid.step(grid.finest), upper + 1e-9]
    return box_feared() + corners


def fit_ball(**options: Any) -> sdf.NeuralSDF:
    """The unit ball in a small network of sines, in float32 whatever the mode."""
    network = core.Siren(3, 1, 16, 2, first=4.0, frequency=4.0, key=KEY), None
    with jax.enable_x64(False):
        return sdf.fit(
            sdf.Sphere(1.0), network=network, batch=256, points=4096, rate=1e-2, key=KEY, **options
        )


@functools.cache
def neural_ball() -> sdf.NeuralSDF:
    """The unit ball, learned well: in float32, whichever test asks for it first."""
    with jax.enable_x64(False):
        return fit_ball(steps=600)


def neural_examples() -> list[np.ndarray]:
    """Points near the surface, where the eikonal property is declared."""
    random = np.random.default_rng(0)
    ways = random.standard_normal((24, 3))
    return list(ways / np.linalg.norm(ways, axis=1, keepdims=True) * random.uniform(0.98, 1.02, (24, 1)))


def neural_feared() -> list[np.ndarray]:
    """The centre, a corner, a side and the outside of the box, the surface."""
    low, high = neural_ball().bounds
    return [np.zeros(3), low, np.array([high[0], 0, 0]), np.array([9.0, 0, 0]), np.array([0, 0, 1.0])]


def network_row(name: str, make: Callable[[], Any], feared: tuple, slow: bool) -> Encoder:
    """A network or an encoding of `geoembed.core`, of three numbers."""

    def examples() -> list[np.ndarray]:
        return list(np.random.default_rng(0).uniform(0.0, 1.0, (24, 3)))

    return Encoder(f"core.{name}", make, examples, lambda: [np.array(p, float) for p in feared], slow=slow)


def moved_pirate() -> core.PirateNet:
    """One whose blocks take part: every α away from its start at 0."""
    network = core.PirateNet(3, 2, 8, 2, scale=0.5, key=KEY)
    return eqx.tree_at(lambda network: network.alpha, network, network.alpha + 0.6)


# MLP, Siren and FourierFeatures: `sdf.NeuralSDF` and tests/core/test_networks.py stand for them; for the next three
# tests/core/test_networks_physics.py does.
NETWORKS = [
    ("MLP", lambda: core.MLP(3, 2, 8, 2, key=KEY), ((0, 0, 0), (9, -9, 9)), True),
    ("Siren", lambda: core.Siren(3, 2, 8, 2, key=KEY), ((0, 0, 0), (9, -9, 9)), True),
    (
        "FourierFeatures",
        lambda: core.FourierFeatures(3, 4, scale=1.0, key=KEY),
        ((0, 0, 0), (9, -9, 9)),
        True,
    ),
    ("ModifiedMLP", lambda: core.ModifiedMLP(3, 2, 8, 2, key=KEY), ((0, 0, 0), (9, -9, 9)), True),
    ("PirateNet", moved_pirate, ((0, 0, 0), (9, -9, 9)), True),
    ("Separable", lambda: core.Separable(3, 2, 8, 2, 4, key=KEY), ((0, 0, 0), (9, -9, 9)), True),
    (
        "HashGrid",
        lambda: core.HashGrid(3, levels=3, coarsest=2, finest=8, rows=2**7, blend="quintic", key=KEY),
        ((0, 0, 0), (0.5, 0.5, 0.5), (1, 1, 1), (-3, 0.2, 5)),
        False,
    ),
]

# Class in `geoembed.sdf` and the case in tests/sdf/shape_cases.py that stands for it.
SHAPES = {
    "Arc": "arc",
    "Bend": "bend",
    "Box": "box",
    "BoxFrame": "box frame",
    "CappedCone": "capped cone",
    "CappedTorus": "capped torus",
    "Capsule": "capsule",
    "Circle": "circle",
    "Complement": "complement",
    "Cylinder": "cylinder",
    "Difference": "drilled block",
    "Ellipse": "ellipse",
    "Ellipsoid": "ellipsoid",
    "Elongate": "elongate",
    "Extrude": "extrude",
    "Gyroid": "gyroid",
    "HalfSpace": "half space",
    "Intersection": "intersection",
    "Mirror": "mirror",
    "Octahedron": "octahedron",
    "Offset": "grown",
    "Polygon": "polygon",
    "Prism": "hexagonal prism",
    "Pyramid": "pyramid",
    "RegularPolygon": "heptagon",
    "Repeat": "lattice",
    "Revolve": "revolve",
    "Rotate": "rotate",
    "RoundedBox": "rounded box",
    "RoundedCone": "rounded cone",
    "Scale": "scale",
    "SchwarzD": "Schwarz D",
    "SchwarzP": "Schwarz P",
    "Shell": "shell of a box",
    "Slab": "slab",
    "Slice": "slice",
    "SmoothDifference": "smooth difference",
    "SmoothIntersection": "smooth intersection",
    "SmoothUnion": "smooth union",
    "Sphere": "sphere",
    "Star": "star",
    "Symmetric": "symmetric",
    "SymmetricDifference": "symmetric difference",
    "Torus": "torus",
    "Translate": "translate",
    "Twist": "twist",
    "Union": "union",
}
# One of each kind: closed form, iteration, search, tree, copies, warp. tests/sdf/test_shapes.py measures all.
QUICK_SHAPES = ("Box", "Ellipsoid", "Polygon", "Difference", "Repeat", "Twist")

# Cards that take long: tests/sdf/test_shapes.py, test_boundary.py and test_boundary_mesh.py stand for them.
SLOW_CARDS = ("Ellipsoid", "Polygon", "Repeat", "Twist", "PolylineBoundary", "MeshBoundary")


def shape_row(name: str) -> Encoder:
    case = next(case for case in CASES if case.name == SHAPES[name])

    def examples() -> list[np.ndarray]:
        return [np.asarray(item, float) for item in case.make().examples(24, key=KEY)]

    def feared() -> list[np.ndarray]:
        return [np.array(point, float) for point in case.feared or examples()[:1]]

    slow, slow_card = name not in QUICK_SHAPES, name in SLOW_CARDS
    return Encoder(f"sdf.{name}", case.make, examples, feared, slow=slow, slow_card=slow_card)


def base_of_box() -> sdf.MeshBoundary:
    return sdf.boundary_function(box(), sdf.resolve_patches(box(), {"base": sdf.facing((0, 0, -1))}), "base")


def wall(number: int) -> sdf.LineBoundary:
    """One of two walls that meet at (1, 0)."""
    corners = ((0.0, 0.0), (1.0, 0.0), (1.0, 2.0))
    return sdf.LineBoundary(corners[number], corners[number + 1])


# Name, how it is made, points to be feared (ends, joins, the boundary itself, in line with it), whether slow.
BOUNDARIES = [
    ("LineBoundary", lambda: wall(0), ((0, 0), (1, 0), (0.5, 0), (2, 0)), True),
    ("ArcBoundary", lambda: sdf.ArcBoundary((0.0, 0.0), 1.0, 0.0, 2.0), ((1, 0), (0, 0), (0, 1), (0, -1)), True),
    ("RoundBoundary", lambda: sdf.RoundBoundary((0.0, 0.0, 0.0), 1.0), ((0, 0, 0), (1, 0, 0)), True),
    ("WedgeBoundary", lambda: sdf.WedgeBoundary((0.0, 0.0), (1.0, 0.0), 4.7, 1.0), ((0, 0), (1, 0), (-1, 0)), True),
    ("JoinedBoundary", lambda: sdf.JoinedBoundary([wall(0), wall(1)]), ((0, 0), (1, 0), (0.5, 0), (2, 0)), True),
    ("PolylineBoundary", lambda: sdf.PolylineBoundary([(0, 0), (1, 0), (0, 1)], True), ((0, 0), (0.5, 0)), False),
    ("MeshBoundary", base_of_box, ((0, 0, 0), (2, 1, 0), (1, 1.5, 0), (0.7, 1, 0), (3, 1, 0)), False),
    ("Transfinite", lambda: sdf.Transfinite([wall(0), wall(1)], [1.0, 3.0]), ((0, 0), (1, 0), (0.5, 0)), False),
]  # fmt: skip


def boundary_row(name: str, make: Callable[[], Any], feared: tuple, slow: bool) -> Encoder:
    def examples() -> list[np.ndarray]:
        return [np.asarray(item, float) for item in make().examples(16, key=KEY)]

    afraid = lambda: [np.array(p, float) for p in feared]  # noqa: E731
    return Encoder(f"sdf.{name}", make, examples, afraid, slow=slow, slow_card=name in SLOW_CARDS)


ROWS = [
    *map(shape_row, SHAPES),
    *[boundary_row(*row) for row in BOUNDARIES],
    Encoder("sdf.MeshSDF", box, box_examples, box_feared),
    Encoder("sdf.MovedMesh", moved_box, moved_examples, moved_feared, slow=True),
    Encoder("sdf.BakedSDF", baked_box, baked_examples, baked_feared),
    Encoder("sdf.NeuralSDF", neural_ball, neural_examples, neural_feared),
    *[network_row(*row) for row in NETWORKS],
]
