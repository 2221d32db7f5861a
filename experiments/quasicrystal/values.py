"""Exact values, elastic constants, approximants: what the library finds beside closed forms and measurements."""

import itertools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.spatial import KDTree

from geoembed import InputError
from geoembed import quasicrystal as qc
from geoembed.interop.ase import approximant_to_atoms, space_group

TAU = (1 + math.sqrt(5)) / 2
SILVER = 1 + math.sqrt(2)


def exact() -> list[dict[str, Any]]:
    """Quantities with closed forms: (name, expected, found)."""
    ico, plane, star = qc.icosahedral(), qc.ammann_beenker(), qc.penrose()
    thick = (TAU + 1) / (TAU * math.sin(math.radians(72)) + math.sin(math.radians(36)))
    edge = float(np.linalg.norm(ico.lattice.parallel[:, 0]))
    h = jnp.array([[2, 1, 1, -1, 1, 1], [1, 1, 1, 0, 1, 0], [1, 1, 1, -1, 1, 1], [1, 1, 0, 0, 0, 0]])
    intensities = np.abs(np.asarray(qc.structure_factor(ico, h))) ** 2
    rows = [
        ("Fibonacci, density of short = 1", TAU / math.sqrt(5), float(qc.fibonacci().density())),
        ("Ammann-Beenker, density of edge = 1", SILVER / 2, float(plane.density())),
        ("Penrose, density of edge = 1", thick, float(star.density())),
        (
            "icosahedral, density · edge³ = τ sin 72°",
            TAU * math.sin(math.radians(72)),
            float(ico.density()) * edge**3,
        ),
        ("icosahedral, |F|² of 18/29", 0.794142, float(intensities[0])),
        ("icosahedral, |F|² of 8/12", 0.134874, float(intensities[1])),
        ("icosahedral, |F|² of 12/16", 0.009319, float(intensities[2])),
        ("icosahedral, |F|² of 4/4", 0.000800, float(intensities[3])),
        ("Ammann-Beenker, mean coordination of 10⁵ vertices", 4.0, _coordination(plane)),
    ]
    return [{"name": n, "expected": e, "found": f, "error": abs(f - e)} for n, e, f in rows]


def _coordination(model: qc.Model) -> float:
    """Neighbours an edge away, of vertices more than an edge inside the box."""
    half = 145.0
    points = np.asarray(qc.cut(model, box=half).points)
    tree = KDTree(points)
    inner = points[np.abs(points).max(axis=1) < half - 1.01]
    ring = tree.query_ball_point(inner, 1 + 1e-6, return_length=True)
    closer = tree.query_ball_point(inner, 1 - 1e-6, return_length=True)
    return float((ring - closer).mean())


def invariants() -> list[dict[str, Any]]:
    """Numbers of phonon, phason and coupling constants of every class."""
    ico = qc.icosahedral().lattice
    cases = {"icosahedral": qc.lattice_point_group(np.asarray(ico.parallel), np.asarray(ico.perpendicular))}
    for name, fold, power in (
        ("pentagonal", 5, 2),
        ("octagonal", 8, 3),
        ("decagonal", 10, 3),
        ("dodecagonal", 12, 5),
    ):
        for mirror in (False, True):
            label = f"{name} {fold}" + (("m" if fold == 5 else "mm") if mirror else "")
            cases[label] = qc.point_group(*_axial(fold, power, mirror))
    published = {
        "icosahedral": (2, 2, 1), "pentagonal 5": (5, 5, 6), "pentagonal 5m": (5, 4, 3), "octagonal 8": (5, 5, 2),
        "octagonal 8mm": (5, 4, 1), "decagonal 10": (5, 3, 2), "decagonal 10mm": (5, 3, 1),
        "dodecagonal 12": (5, 5, 0), "dodecagonal 12mm": (5, 4, 0),
    }  # fmt: skip
    return [
        {
            "class": name,
            "order": len(group.parallel),
            "counts": tuple(qc.count_invariants(group)),
            "published": published[name],
        }
        for name, group in cases.items()
    ]


def _axial(fold: int, power: int, mirror: bool) -> tuple[np.ndarray, np.ndarray]:
    """A turn by 1/fold about z, by power/fold in perpendicular space, and a mirror."""

    def turn(angle: float) -> np.ndarray:
        return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])

    about = np.eye(3)
    about[:2, :2] = turn(2 * np.pi / fold)
    parallel, perp = [about], [turn(2 * np.pi * power / fold)]
    if mirror:
        parallel.append(np.diag([1.0, -1, 1]))
        perp.append(np.diag([1.0, -1]))
    return np.stack(parallel), np.stack(perp)


def approximants(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Cells, counts, distances and space groups of cubic approximants, beside measured lattice constants."""
    lattice = qc.icosahedral().lattice
    parallel, perp = np.asarray(lattice.parallel), np.asarray(lattice.perpendicular)
    edge = float(np.linalg.norm(parallel[:, 0]))
    rows = []
    for p, q in config["ratios"]:
        periods = qc.icosahedral_periods(p, q)
        plain = qc.approximant(parallel, perp, periods)
        cell = float(plain.cell[0, 0]) / edge
        name, closed = f"{p}/{q}", 2 * (q + p * TAU) / math.sqrt(TAU + 2)
        measured = config["measured"].get(name)
        row = {
            "ratio": name,
            "cell in edges": cell,
            "error of the cell": abs(cell - closed),
            "vertices": len(plain.positions),
            "smallest distance in edges": qc.minimum_distance(plain.cell, plain.positions) / edge,
            "space group, generic shift": _group(plain, config["symbol"]),
            "measured cell / Å": measured,
            "edge from it / Å": None if measured is None else measured / cell,
        }
        rows.append(row | _symmetric(parallel, perp, periods, config["symbol"]))
    return rows


def _symmetric(parallel: np.ndarray, perp: np.ndarray, periods: np.ndarray, symbol: str) -> dict[str, Any]:
    """With the shift of highest symmetry; without the sites on the rim where every such shift has some."""
    try:
        (shift, order), smaller = qc.symmetric_shift(parallel, perp, periods), 1.0
    except InputError:
        (shift, order), smaller = qc.symmetric_shift(parallel, perp, periods, open_window=True), 1 + 1e-6
    strained = perp + qc.approximant(parallel, perp, periods).phason_strain @ parallel
    best = qc.approximant(
        parallel,
        perp,
        periods,
        shift=shift,
        window=lambda points: qc.in_shadow(strained, points * smaller),
        window_radius=qc.shadow_radius(strained),
    )
    return {
        "space group, symmetric shift": _group(best, symbol),
        "point group of the shift": order,
        "vertices then": len(best.positions),
        "rim left out": smaller > 1,
    }


def _group(found: qc.Approximant, symbol: str) -> str:
    group = space_group(approximant_to_atoms(found, symbol, scale=5.0))
    return f"{group.symbol} ({group.number}), {group.orbits} orbits"


def dislocations(config: dict[str, Any]) -> dict[str, Any]:
    """How many sites differ between two cuts of the displacement, for multiples of a lattice vector."""
    found = {}
    for name, make in (("icosahedral", qc.icosahedral), ("ammann_beenker", qc.ammann_beenker)):
        table = config[name]
        for multiple in config["cuts"]["multiples"]:
            sets = [dislocated(make(), table, multiple, b).points for b in config["cuts"]["branches"]]
            far = [KDTree(a).query(b)[0] > 1e-7 for a, b in itertools.permutations(sets)]
            found[f"{name} · {multiple:.3g}"] = {
                "sites": len(sets[0]),
                "differ": int(sum(x.sum() for x in far)),
            }
    return found


def dislocated(model: qc.Model, table: dict[str, Any], multiple: float, branch: float) -> qc.DefectCut:
    """Sites around b θ/2π of a multiple of a lattice vector; the cut is at an angle in degrees."""
    parallel, perp = np.asarray(model.lattice.parallel), np.asarray(model.lattice.perpendicular)
    vector = multiple * np.array(table["burgers"])
    burgers = jnp.asarray(np.concatenate([parallel @ vector, perp @ vector]))
    line = jnp.asarray(table["line"], float) if "line" in table else None
    return qc.dislocated_cut(
        parallel,
        perp,
        qc.winding(burgers, line),
        lambda points: qc.in_shadow(perp, points),
        radius=table["radius"],
        window_radius=qc.shadow_radius(perp),
        core=table["core"],
        shift=np.asarray(model.shift),
        branch=math.radians(branch),
    )


def measure(config: dict[str, Any]) -> dict[str, Any]:
    """Everything, in float64."""
    with jax.enable_x64(True):
        return {
            "exact": exact(),
            "invariants": invariants(),
            "approximants": approximants(config["approximants"]),
            "dislocations": dislocations(config["dislocations"]),
        }
