"""Three kinds of parts with random proportions, all with the longest side 1 and the origin in the middle."""

from dataclasses import dataclass
from functools import reduce
from math import pi
from operator import or_

import numpy as np

from geoembed.sdf import Box, Cylinder, Shape


@dataclass(frozen=True)
class Part:
    """A part.

    Args:
        kind: Which of the three.
        parameters: Lengths in parts of the longest side, and counts.
        shape: Its signed distance.
    """

    kind: str
    parameters: dict[str, float]
    shape: Shape


def centred(kind: str, parameters: dict[str, float], shape: Shape, extent: tuple) -> Part:
    """The part moved and scaled so that the box from 0 to `extent` fits the common box."""
    longest = max(extent)
    placed = shape.translate([-0.5 * side for side in extent]).scale(1 / longest)
    scaled = {name: value if name == "fins" else value / longest for name, value in parameters.items()}
    return Part(kind, scaled, placed)


def block(low: tuple, high: tuple) -> Shape:
    """A box between two corners."""
    size = [b - a for a, b in zip(low, high, strict=True)]
    return Box(size).translate([0.5 * (a + b) for a, b in zip(low, high, strict=True)])


def heat_sink(random: np.random.Generator) -> Part:
    """A base plate with three to six fins."""
    fins = int(random.integers(3, 7))
    depth, base = random.uniform(0.5, 1.0), random.uniform(0.08, 0.2)
    height, thickness = random.uniform(0.25, 0.6), random.uniform(0.35, 0.6) / fins
    starts = np.linspace(0.0, 1.0 - thickness, fins)
    walls = [block((x, 0.0, 0.0), (x + thickness, depth, base + height)) for x in starts.tolist()]
    shape = reduce(or_, [block((0.0, 0.0, 0.0), (1.0, depth, base)), *walls])
    named = {"depth": depth, "base": base, "height": height, "thickness": thickness, "fins": fins}
    return centred("heat sink", named, shape, (1.0, depth, base + height))


def bracket(random: np.random.Generator) -> Part:
    """Two legs at a right angle, each with a hole."""
    foot, wall = random.uniform(0.5, 1.0), random.uniform(0.5, 1.0)
    width, thickness = random.uniform(0.3, 0.8), random.uniform(0.1, 0.2)
    radius = random.uniform(0.2, 0.35) * min(width, foot - thickness, wall - thickness)
    legs = block((0.0, 0.0, 0.0), (foot, width, thickness)) | block((0.0, 0.0, 0.0), (thickness, width, wall))
    drill = Cylinder(radius, 3 * thickness)
    below = drill.translate([0.5 * (foot + thickness), 0.5 * width, 0.5 * thickness])
    beside = drill.rotate(pi / 2, (0.0, 1.0, 0.0))
    beside = beside.translate([0.5 * thickness, 0.5 * width, 0.5 * (wall + thickness)])
    named = {"foot": foot, "wall": wall, "width": width, "thickness": thickness, "radius": radius}
    return centred("bracket", named, legs - below - beside, (foot, width, wall))


def plate(random: np.random.Generator) -> Part:
    """A plate with a hole in the middle and one in each corner."""
    width, thickness = random.uniform(0.45, 1.0), random.uniform(0.1, 0.25)
    centre, corner = random.uniform(0.15, 0.3) * width, random.uniform(0.04, 0.07)
    inset = random.uniform(1.6, 2.2) * corner
    shape = block((0.0, 0.0, 0.0), (1.0, width, thickness))
    middles = [(0.5, 0.5 * width, centre)]
    middles += [(x, y, corner) for x in (inset, 1.0 - inset) for y in (inset, width - inset)]
    for x, y, radius in middles:
        shape = shape - Cylinder(radius, 3 * thickness).translate([x, y, 0.5 * thickness])
    named = {"width": width, "thickness": thickness, "centre": centre, "corner": corner, "inset": inset}
    return centred("plate", named, shape, (1.0, width, thickness))


KINDS = {"heat sink": heat_sink, "bracket": bracket, "plate": plate}


def make_parts(kinds: list[str], train: int, held_out: int, seed: int) -> tuple[list[Part], list[Part]]:
    """Parts for training and others, kind after kind."""
    random = np.random.default_rng(seed)
    made = {kind: [KINDS[kind](random) for _ in range(train + held_out)] for kind in kinds}
    return (
        [part for kind in kinds for part in made[kind][:train]],
        [part for kind in kinds for part in made[kind][train:]],
    )
