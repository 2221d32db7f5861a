"""The two parts of the experiment: as signed distances, as surfaces, as problems. Lengths in mm."""

import itertools
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.spatial import Delaunay

from geoembed.pinn import Convection, HeatFlux, Problem, SteadyHeat
from geoembed.sdf import Box, Cylinder, Shape, Translate, in_box, mesh_sdf

CONDUCTIVITY = 10.0
AIR = {"h": 25.0, "ambient": 293.0}
FAR = 1e3

# --- a plate with fins that stand on it, each with its own place, thickness and height -----------------------------
PLATE = (36.0, 24.0, 3.0)  # from x = −18, y = −12, z = 0
HEATER = ((-14.0, -5.0), (-4.0, 5.0))  # under the plate, off its middle
FLUX = 5e4  # 5 W on 100 mm²
FINS = {"place": np.array([-12.0, -4.0, 4.0, 12.0]), "thick": np.full(4, 2.0), "height": np.full(4, 12.0)}


def cuboid(low: list, high: list) -> Shape:
    """A box by two corners, which may be traced numbers."""
    a, b = jnp.stack([jnp.asarray(x, float) for x in low]), jnp.stack([jnp.asarray(x, float) for x in high])
    return Translate(Box(b - a), 0.5 * (a + b))


def sink_shape(p: Any) -> Shape:
    """The signed distance of the heat sink. The fins reach into the plate, so that their feet are no surface."""
    length, depth, base = PLATE
    shape = cuboid([-length / 2, -depth / 2, 0.0], [length / 2, depth / 2, base])
    for x, thick, height in zip(p["place"], p["thick"], p["height"], strict=True):
        shape = shape | cuboid(
            [x - thick / 2, -depth / 2, base / 2], [x + thick / 2, depth / 2, base + height]
        )
    return shape


def sink_surface(p: Any) -> tuple[np.ndarray, np.ndarray]:
    """Its surface: that of some blocks of a grid."""
    place, thick, height = (np.asarray(p[name], np.float64) for name in ("place", "thick", "height"))
    (low, left), (high, right) = HEATER
    length, depth, base = PLATE
    x = [-length / 2, length / 2, low, high, *(place - thick / 2), *(place + thick / 2)]
    planes = [
        np.unique(np.round(a, 9))
        for a in (x, [-depth / 2, left, right, depth / 2], [0, base, *(base + height)])
    ]
    middle = [0.5 * (a[1:] + a[:-1]) for a in planes]
    solid = np.zeros([len(a) for a in middle], bool)
    for i, _, k in itertools.product(*(range(len(a)) for a in middle)):
        in_fin = (np.abs(middle[0][i] - place) < thick / 2) & (middle[2][k] < base + height)
        solid[i, :, k] = middle[2][k] < base or in_fin.any()
    return blocks(planes, solid)


def blocks(planes: list[np.ndarray], solid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and faces of the union of blocks of a rectilinear grid."""
    padded, quads, unit = np.pad(solid, 1), [], np.eye(3, dtype=int)
    for place in np.argwhere(solid):
        for axis, side in itertools.product(range(3), range(2)):
            if not padded[tuple(place + 1 + (2 * side - 1) * unit[axis])]:
                start, one, other = place + side * unit[axis], unit[axis - 2], unit[axis - 1]
                quad = [start, start + one, start + one + other, start + other]
                quads.append(quad if side else quad[::-1])
    nodes, which = np.unique(np.array(quads).reshape(-1, 3), axis=0, return_inverse=True)
    vertices = np.stack([planes[axis][nodes[:, axis]] for axis in range(3)], axis=1)
    return vertices, which.reshape(-1, 4)[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)


def sink_problem(p: Any) -> Problem:
    """5 W into the heater, air everywhere else."""
    (low, left), (high, right) = HEATER
    thin = 1e-3
    heater = in_box((low - thin, left - thin, -thin), (high + thin, right + thin, thin))
    return Problem(
        mesh_sdf(*sink_surface(p), unit="mm"),
        SteadyHeat(CONDUCTIVITY),
        [HeatFlux("heater", FLUX), Convection("rest", **AIR)],
        {"heater": heater},
    )


# --- a block with a channel through it: its radius and its place ----------------------------------------------------
BLOCK = (40.0, 20.0, 6.0)  # from x = 0, y = 0, z = 0; the channel runs along z
SIDES = 64
CHANNEL = {"centre": np.array([22.0, 9.0]), "radius": np.array(3.0)}
BLOCK_FLUX = 2e4  # through the end x = 0


def block_shape(p: Any) -> Shape:
    """The signed distance of the block with its channel."""
    x, y = p["centre"]
    channel = Translate(Cylinder(p["radius"], 4 * BLOCK[2]), jnp.stack([x, y, jnp.zeros_like(x)]))
    return cuboid([0.0, 0.0, 0.0], list(BLOCK)) - channel


def block_surface(p: Any) -> tuple[np.ndarray, np.ndarray]:
    """Its surface: a triangulated plane region, twice, and walls between. The channel has 64 flat sides."""
    turn = 2 * np.pi * np.arange(SIDES) / SIDES
    centre, radius = np.asarray(p["centre"], np.float64), float(p["radius"])
    rim = centre + radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    outer = np.array([[0, 0], [BLOCK[0], 0], [BLOCK[0], BLOCK[1]], [0, BLOCK[1]]])
    flat = np.concatenate([outer, rim])
    found = Delaunay(flat).simplices
    found = found[~np.all(found >= 4, axis=1)]  # three points of the rim: in the channel
    corner = flat[found]
    sign = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    found[sign < 0] = found[sign < 0][:, ::-1]
    n = len(flat)
    vertices = np.concatenate([np.c_[flat, np.zeros(n)], np.c_[flat, np.full(n, BLOCK[2])]])
    walls = [(i, (i + 1) % 4) for i in range(4)] + [(4 + (i + 1) % SIDES, 4 + i) for i in range(SIDES)]
    sides = [face for a, b in walls for face in ([a, b, b + n], [a, b + n, a + n])]
    return vertices, np.concatenate([found[:, ::-1], found + n, np.array(sides)])


def block_problem(p: Any) -> Problem:
    """Heat enters at x = 0 and leaves into the channel."""
    thin, (x, y), r = 1e-3, np.asarray(p["centre"], np.float64), float(p["radius"]) + 1e-3
    end = in_box((-thin, -FAR, -FAR), (thin, FAR, FAR))
    wall = in_box((x - r, y - r, -thin), (x + r, y + r, BLOCK[2] + thin))
    return Problem(
        mesh_sdf(*block_surface(p), unit="mm"),
        SteadyHeat(CONDUCTIVITY),
        [HeatFlux("end", BLOCK_FLUX), Convection("channel", 2000.0, 293.0)],
        {"end": end, "channel": wall},
    )
