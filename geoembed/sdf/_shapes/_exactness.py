"""How far a signed distance can be trusted, on each side of the surface, and how operators pass that on.

The surface is where f = 0. On a side of it f is

- exact:    |f(x)| is the distance from x to the surface;
- bound:    |f(x)| ≤ L · distance: a step of |f|/L never crosses the surface;
- implicit: only the sign and the surface are right.

L is the Lipschitz constant of f over all space; it is infinite for an implicit f.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from ...core import Property

Side = Literal["exact", "bound", "implicit"]
_SIDES = get_args(Side)  # from the strongest to the weakest


@dataclass(frozen=True)
class Exactness:
    """What a shape promises about its values.

    Args:
        inside: "exact", "bound" or "implicit", where f < 0.
        outside: The same, where f > 0.
        lipschitz: L, so that |f(x) − f(y)| ≤ L |x − y| for all x and y; infinite for an implicit f.

    Example:
        >>> import geoembed.sdf as sdf
        >>> (sdf.Sphere(1.0) | sdf.Box((1.0, 1.0, 1.0))).exactness
        Exactness(inside='bound', outside='exact', lipschitz=1.0)
    """

    inside: Side
    outside: Side
    lipschitz: float = 1.0


EXACT = Exactness("exact", "exact")
BOUND = Exactness("bound", "bound")
IMPLICIT = Exactness("implicit", "implicit", math.inf)


@dataclass(frozen=True)
class Rule:
    """How an operator passes exactness on: each side of the result is the weakest word in its list.

    Args:
        inside: Sides of the operands ("a.inside", "b.outside") and at most one word.
        outside: The same for the outside.
        because: Why.
    """

    inside: tuple[str, ...]
    outside: tuple[str, ...]
    because: str


_A, _B, _EVERY = ("a.inside", "a.outside"), ("b.inside", "b.outside"), ("a.inside", "a.outside")

RULES: dict[str, Rule] = {
    "complement": Rule(
        ("a.outside",), ("a.inside",), "Minus f has the same surface; the sides change places."
    ),
    "union": Rule(
        ("bound", "a.inside", "b.inside"),
        ("a.outside", "b.outside"),
        "Outside, the nearest point of a union is that of the nearer part. Inside a part, the way out may lead "
        "through the other one, so the part's own surface is too near.",
    ),
    "intersection": Rule(
        ("a.inside", "b.inside"),
        ("bound", "a.outside", "b.outside"),
        "The complement of a union of complements. Outside, the nearest point of one part need not lie in the other.",
    ),
    "difference": Rule(
        ("a.inside", "b.outside"),
        ("bound", "a.outside", "b.inside"),
        "It is a & -b: the rule above with b turned over.",
    ),
    "symmetric difference": Rule(
        (*_A, *_B),
        (*_A, *_B),
        "Its surface is both surfaces together, and |f| is the smaller of |a| and |b|.",
    ),
    "smooth": Rule(
        ("bound", *_A, *_B),
        ("bound", *_A, *_B),
        "The gradient is a weighted mean of both gradients, so its length is at most L; the surface is where the "
        "blend is zero.",
    ),
    "grow": Rule(
        ("bound", *_A),
        ("a.outside",),
        "Outside, every nearest path ends d earlier. Inside, the new surface fills grooves of the old one.",
    ),
    "shrink": Rule(("a.inside",), ("bound", *_A), "Growing the complement."),
    "offset": Rule(
        ("bound", *_A), ("bound", *_A), "The sign of the distance is not known: the weaker of both rules."
    ),
    "shell": Rule(
        ("bound", *_A),
        _A,
        "The wall is |f| < t/2. Beyond it on both sides of the old surface every nearest path ends t/2 earlier; within "
        "it the wall fills corners.",
    ),
    "isometry": Rule(("a.inside",), ("a.outside",), "Rotation, translation and reflection keep distances."),
    "scale": Rule(("a.inside",), ("a.outside",), "All lengths grow by s, and so does s · f(x/s)."),
    "symmetric": Rule(("bound", "a.inside"), ("a.outside",), "The union of a shape and its mirror image."),
    "repeat": Rule(
        ("a.inside",),
        ("a.outside",),
        "A union of disjoint copies; those in the two nearest cells along each axis contain the nearest point.",
    ),
    "repeat of a bound": Rule(
        ("a.inside",),
        ("implicit",),
        "Which copies are looked at changes from cell to cell, and where their values are only bounds f jumps there. "
        "Repeat the parts first, then combine.",
    ),
    "elongate": Rule(
        ("bound", *_A),
        ("bound", *_A),
        "The map to the original never increases a distance, but may shorten it.",
    ),
    "warp": Rule(
        ("bound", *_A),
        ("bound", *_A),
        "Twist or bend: divided by the largest stretch of the map, which the box bounds.",
    ),
    "warp of an unbounded shape": Rule(
        ("implicit",), ("implicit",), "The stretch of the map grows without limit away from the axis."
    ),
    "extrude": Rule(
        ("a.inside",),
        ("a.outside",),
        "Inside, the nearest of wall and end; outside, both gaps are legs of a right-angled triangle.",
    ),
    "revolve": Rule(
        ("a.inside",),
        ("a.outside",),
        "In the half plane through the axis nothing changes when the profile keeps off the axis.",
    ),
    "revolve at the axis": Rule(
        ("bound", "a.inside"),
        ("a.outside",),
        "The profile touches the axis, which is no surface of the solid.",
    ),
    "revolve across the axis": Rule(
        ("bound", *_A),
        ("bound", *_A),
        "The part of the profile beyond the axis is cut off, but still counts in the profile's distance.",
    ),
    "slice": Rule(
        ("bound", *_A),
        ("bound", *_A),
        "The nearest point in space need not lie in the plane: the way within it is longer.",
    ),
}


def derived(rule: str, a: Exactness, b: Exactness = EXACT) -> Exactness:
    """Returns the exactness of an operator's result.

    Args:
        rule: A key of `RULES`.
        a: The exactness of the operand, or of the first one.
        b: The exactness of the second operand.
    """
    sides: dict[str, str] = {
        "a.inside": a.inside,
        "a.outside": a.outside,
        "b.inside": b.inside,
        "b.outside": b.outside,
    }

    def weakest(names: tuple[str, ...]) -> Side:
        return max((sides.get(name, name) for name in names), key=_SIDES.index)  # pyright: ignore[reportReturnType]

    inside, outside = weakest(RULES[rule].inside), weakest(RULES[rule].outside)
    if "implicit" in (inside, outside):
        return Exactness(inside, outside, math.inf)
    return Exactness(inside, outside, max(1.0, a.lipschitz, b.lipschitz))


def promises(exactness: Exactness, tol_f32: float = 1e-5, tol_f64: float = 1e-12) -> tuple[Property, ...]:
    """Returns what `geoembed.check` can measure: unit gradient where exact, the Lipschitz constant where finite."""
    found = []
    where = [side for side in ("inside", "outside") if getattr(exactness, side) == "exact"]
    if where:
        domain = f"{' and '.join(where)}, off the medial axis"
        found.append(Property("eikonal", tol_f32=tol_f32, tol_f64=tol_f64, domain=domain))
    if math.isfinite(exactness.lipschitz):
        kind = "exact" if len(where) == 2 else "bound"
        constant = exactness.lipschitz
        found.append(
            Property("lipschitz", exactness=kind, constant=constant, tol_f32=tol_f32, tol_f64=tol_f64)
        )
    return tuple(found)


def rules_table() -> str:
    """Returns `RULES` as a table in Markdown, for the page on exactness."""
    lines = ["| rule | inside: the weakest of | outside: the weakest of | because |", "|---|---|---|---|"]
    for name, rule in RULES.items():
        cells = (", ".join(f"`{word}`" for word in words) for words in (rule.inside, rule.outside))
        because = rule.because.replace("|", r"\|")
        lines.append(f"| {name} | {' | '.join(cells)} | {because} |")
    return "\n".join(lines)
