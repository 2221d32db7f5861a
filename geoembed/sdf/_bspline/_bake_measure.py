"""Measuring a baked field at random points that the bake did not use."""

from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Bool, Float

from ...core import InputError
from .._many import in_chunks
from ._bake_report import ErrorFigures, ZoneErrors, figures
from ._brick_field import BrickField
from ._brick_tree import BrickGrid
from ._chunks import CHUNK, Derivatives, Exact

POINTS = 16_384  # of each zone: its 99th percentile rests on 164 of them
SMOOTH_POINTS = 4_096  # of each zone that are looked at for kinks, each with 14 neighbours
_CANDIDATES = 2**24, 2**26  # how many are tried before giving up on a first point, and on the last one
_FEW = 1_024  # points looked at for kinks at once, when only some are wanted
_NEWTON = 4
_REACH = 3.0  # cells
_JUMP = 1e-3  # of the gradient that counts as a kink
_BEND = 1e-2  # of the second derivatives, times the spacing, that counts as a jump of theirs


class HeldOut(NamedTuple):
    """Points for the measurement, with the exact values there.

    Args:
        near: Uniform in |d| ≤ band.
        near_value: The exact values there.
        box: Uniform in the box.
        volume: Of |d| ≤ band, estimated, in the unit of length cubed.
    """

    near: Float[np.ndarray, "n 3"]
    near_value: Float[np.ndarray, " n"]
    box: Float[np.ndarray, "m 3"]
    volume: float


def held_out(exact: Exact, coarse: BrickField, band: float, rng: np.random.Generator) -> HeldOut:
    """Draws the points; a coarse bake says where evaluating the function is worth it.

    Args:
        exact: The function.
        coarse: A bake of it on the base grid.
        band: Half the width of the zone near the surface.
        rng: The source of the points.

    Raises:
        InputError: The zone near the surface does not meet the box.
    """
    margin = band + coarse.grid.spacing
    near, value, tried = [np.zeros((0, 3))], [np.zeros(0)], 0
    while sum(map(len, near)) < POINTS and tried < _CANDIDATES[1]:
        if tried >= _CANDIDATES[0] and not any(map(len, near)):
            reason = f"no point of the box was found within {band:g} of the surface"
            hint = "Give bounds= that hold the surface, or a larger band="
            raise InputError("<bake>", "bounds", reason, hint)
        candidates = uniform(coarse.grid, 8 * CHUNK, rng)
        tried += len(candidates)
        candidates = candidates[np.abs(field_values(coarse, candidates)[0]) <= margin]
        distance = exact.values(candidates, "measuring", coarse.grid.spacing)
        near.append(candidates[np.abs(distance) <= band])
        value.append(distance[np.abs(distance) <= band])
    found = sum(map(len, near))
    extent = np.array(coarse.grid.upper) - np.array(coarse.grid.lower)
    volume = found / tried * float(np.prod(extent))
    box = uniform(coarse.grid, POINTS, rng)
    return HeldOut(np.concatenate(near)[:POINTS], np.concatenate(value)[:POINTS], box, volume)


def uniform(grid: BrickGrid, count: int, rng: np.random.Generator) -> Float[np.ndarray, "n 3"]:
    """Draws points uniformly from the box."""
    lower, upper = np.array(grid.lower), np.array(grid.upper)
    return lower + (upper - lower) * rng.random((count, 3))


def zone_errors(
    exact: Exact, field: BrickField, points: Float[np.ndarray, "n 3"]
) -> tuple[ZoneErrors, ZoneErrors | None]:
    """Measures the errors at the points of a zone, and at those of them that are away from kinks."""
    finest = field.grid.step(field.grid.finest)
    there = exact.derivatives(points, "measuring", finest)
    found = field_derivatives(field, points)
    smooth = _away_from_kinks(exact, field, points[:SMOOTH_POINTS], there)
    chosen = np.flatnonzero(smooth)
    everywhere = _errors(found, there, points, np.arange(len(points)))
    return everywhere, _errors(found, there, points, chosen) if len(chosen) else None


def smooth_points(
    field: BrickField, band: float, count: int, rng: np.random.Generator
) -> Float[np.ndarray, "n 3"]:
    """Draws points of the zone near the surface that are away from kinks, as the field itself knows them.

    Args:
        field: The field.
        band: Half the width of the zone.
        count: How many points.
        rng: The source of the points.

    Raises:
        ValueError: There are none, or nearly none.
    """
    itself, found, tried = Exact(field), [np.zeros((0, 3))], 0
    while sum(map(len, found)) < count:
        if tried >= _CANDIDATES[0]:
            raise ValueError(
                f"no {count} points were found within {band:g} of the surface and away from kinks"
            )
        points = uniform(field.grid, 8 * CHUNK, rng)
        tried += len(points)
        points = points[np.abs(field_values(field, points)[0]) <= band][:_FEW]
        if len(points):
            found.append(points[_away_from_kinks(itself, field, points, itself.derivatives(points))])
    return np.concatenate(found)[:count]


def surface_shift(exact: Exact, field: BrickField, near: Float[np.ndarray, "n 3"]) -> ErrorFigures | None:
    """Measures, to first order, how far the zero set of a field lies from that of the function.

    Args:
        exact: The function.
        field: The field.
        near: Points near the surface; Newton's method takes them there.
    """
    points, finest = near[:SMOOTH_POINTS], field.grid.step(field.grid.finest)
    for _ in range(_NEWTON):
        value, gradient, _ = exact.derivatives(points, "measuring", finest)
        slope = np.maximum(np.sum(gradient**2, axis=1), 1e-30)
        points = points - (value / slope)[:, None] * gradient
    left = exact.values(points, "measuring", finest)
    points = points[np.abs(left) <= 1e-9 * np.linalg.norm(np.subtract(field.grid.upper, field.grid.lower))]
    points = points[np.all((points >= field.grid.lower) & (points <= field.grid.upper), axis=1)]
    if not len(points):
        return None
    value, gradient, _ = field_derivatives(field, points)
    with np.errstate(divide="ignore", invalid="ignore"):
        return figures(np.abs(value) / np.linalg.norm(gradient, axis=1), points)


def _errors(
    found: tuple[np.ndarray, ...], there: Derivatives, points: np.ndarray, rows: np.ndarray
) -> ZoneErrors:
    value, gradient, laplacian = (part[rows] for part in found)
    points = points[rows]
    return ZoneErrors(
        len(rows),
        figures(np.abs(value - there.value[rows]), points),
        figures(np.linalg.norm(gradient - there.gradient[rows], axis=1), points),
        figures(np.abs(laplacian - there.laplacian[rows]), points),
    )


def _away_from_kinks(
    exact: Exact, field: BrickField, points: Float[np.ndarray, "n 3"], there: Derivatives
) -> Bool[np.ndarray, " n"]:
    """Which points see no kink in the cube of ±3 cells around them.

    A plane that cuts the cube and misses its centre has a corner on its far side.
    """
    _, spacing = field_values(field, points)
    corners = np.stack(np.meshgrid(*[[-1.0, 1.0]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    finest = field.grid.step(field.grid.finest)
    gradient, hessian = there.gradient[: len(points)], there.hessian[: len(points)]
    smooth = np.ones(len(points), bool)
    for way in np.concatenate([corners, np.eye(3), -np.eye(3)]):
        step = _REACH * spacing[:, None] * way[None]
        middle = exact.derivatives(points + 0.5 * step, "measuring", finest)
        end = exact.derivatives(points + step, "measuring", finest)
        mean = (hessian + 4 * middle.hessian + end.hessian) / 6  # Simpson's rule
        jump = np.linalg.norm(end.gradient - gradient - np.einsum("nij,nj->ni", mean, step), axis=1)
        bend = spacing * np.linalg.norm(end.hessian - 2 * middle.hessian + hessian, axis=(1, 2))
        with np.errstate(invalid="ignore"):
            smooth &= (jump <= _JUMP) & (bend <= _BEND)
    return smooth


def field_values(
    field: BrickField, points: Float[np.ndarray, "n 3"]
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Returns the values of a baked field at many points, in float64, and the local spacing."""
    return in_chunks(partial(_values, field), points, CHUNK)  # one shape: every new field is compiled


def field_derivatives(field: BrickField, points: Float[np.ndarray, "n 3"]) -> tuple[np.ndarray, ...]:
    """Returns values, gradients and Laplacians of a baked field at many points, in float64."""
    return in_chunks(partial(_jets, field), points, CHUNK)


@eqx.filter_jit
def _values(field: BrickField, points: jax.Array) -> tuple:
    return jax.vmap(lambda x: (field(x), field.spacing(x)))(points)


@eqx.filter_jit
def _jets(field: BrickField, points: jax.Array) -> tuple:
    return tuple(jax.vmap(field.jet)(points))
