"""Fitting a network to a shape or to points with normals."""

import dataclasses
from collections.abc import Callable
from typing import Any, Literal

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ...core import MLP, FourierFeatures, HashGrid, Siren
from ...train import Descent, DescentProgress, descend
from .._bounds import bounds_of
from ._fit_report import NO_REPORT, fit_report
from ._losses import Terms, distance_loss
from ._neural import NeuralSDF, box_around
from ._training_points import NEAR, Pool, Triple, as_pool, checked_cloud, pool_of_shape

Kind = Literal["siren", "fourier", "hash"]
Model = tuple[MLP | Siren, FourierFeatures | HashGrid | None]
Progress = Callable[[DescentProgress], None] | None

_HELD_OUT = 4096  # points of the report
_CLOUD = Terms(value=10.0, normal=0.3, eikonal=0.1, empty=0.5)


def network_of(kind: Kind, *, key: PRNGKeyArray) -> Model:
    """The network and the encoding that stand behind a name; small enough for a CPU.

    "siren": four hidden layers of 64 sines with ω = 15. "fourier": 64 Fourier features of scale 2 before three
    hidden layers of 96 swish units. "hash": a hash grid of 10 levels from 4 to 96 cells with 2¹⁴ rows of two
    features before two hidden layers of 48 swish units.

    Raises:
        ValueError: There is no such kind.
    """
    first, second = jax.random.split(key)
    if kind == "siren":
        return Siren(3, 1, 64, 4, first=15.0, frequency=15.0, key=first), None
    if kind == "fourier":
        return MLP(3 + 128, 1, 96, 3, key=first), FourierFeatures(3, 64, scale=2.0, key=second)
    if kind == "hash":
        grid = HashGrid(3, levels=10, features=2, coarsest=4, finest=96, rows=2**14, key=second)
        return MLP(3 + 20, 1, 48, 2, key=first), grid
    raise ValueError(f"unknown network {kind!r}: use 'siren', 'fourier' or 'hash', or give a network")


def fit(
    shape: Callable[[Array], Array],
    *,
    network: Kind | Model = "hash",
    steps: int = 2000,
    batch: int = 4096,
    points: int = 2**17,
    rate: float | None = None,
    terms: Terms = Terms(),  # noqa: B008 (frozen)
    bounds: Any = None,
    margin: float = 0.1,
    key: PRNGKeyArray,
    callback: Progress = None,
    should_stop: Callable[[], bool] | None = None,
) -> NeuralSDF:
    """Fits a network to a signed distance: of a mesh, a shape, or any function of one point.

    The distance and its gradient are computed once at `points` places, with density ∝ 1/(1 + |d|/ε), ε being 1 % of
    the box's longest side. The network then learns value and gradient on random batches of them, with an eikonal
    term at free points. Computes in the caller's default precision.

    Args:
        shape: The signed distance, with its gradient by automatic differentiation.
        network: A name (see `network_of`), or a network with an encoding or None. The network takes the three
            coordinates followed by the features of the encoding.
        steps: Steps of the optimiser (Adam, the rate falling along a cosine).
        batch: Points in a step.
        points: Places at which `shape` is evaluated.
        rate: The largest learning rate; None: 1e-3 for a Siren, else 5e-3.
        terms: The weights of the loss.
        bounds: Lower and upper corner of a box around the shape; None for `shape.bounds`.
        margin: By which the box is grown on every side, in parts of its longest side.
        key: Random key of the points, of the first weights and of the batches.
        callback: Receives a `geoembed.train.DescentProgress` every 100 steps.
        should_stop: Asked every 100 steps; True ends the fit with status "interrupted".

    Returns:
        The field; `report` has its error at other points.

    Raises:
        ValueError: No bounds, an unknown network, or a count below 1.
        InputError: `shape` is not finite at some point.
    """
    centre, half = box_around(bounds_of(shape, bounds, "the shape"), margin)
    pool_key, check_key, net_key, run_key = jax.random.split(key, 4)
    pool = pool_of_shape(shape, centre, half, points, pool_key)
    start = _start(network, centre, half, net_key)
    options = {"steps": steps, "rate": rate or _rate(start), "key": run_key}
    found = descend(
        _step_loss, start, (pool, terms, batch), callback=callback, should_stop=should_stop, **options
    )
    held_out = pool_of_shape(shape, centre, half, _HELD_OUT, check_key)
    return _reported(found, held_out, NEAR)


def fit_points(
    points: Float[np.ndarray, "n 3"],
    normals: Float[np.ndarray, "n 3"],
    *,
    network: Kind | Model = "siren",
    steps: int = 2000,
    batch: int = 2048,
    rate: float | None = None,
    terms: Terms = _CLOUD,
    margin: float = 0.1,
    key: PRNGKeyArray,
    callback: Progress = None,
    should_stop: Callable[[], bool] | None = None,
) -> NeuralSDF:
    """Fits a network to points on a surface with their outward normals.

    f = 0 and ∇f = n at the points, |∇f| = 1 elsewhere and no second surface where there are no points. What the
    points leave open, such as holes in the cloud, the network closes in its own way.

    Args:
        points: Points on the surface.
        normals: The outward normal of each; of any length but zero.
        network: As for `fit`.
        steps: Steps of the optimiser.
        batch: Points in a step.
        rate: As for `fit`.
        terms: The weights of the loss.
        margin: By which the box around the points is grown, in parts of its longest side.
        key: Random key of the first weights and of the batches.
        callback: As for `fit`.
        should_stop: As for `fit`.

    Returns:
        The field; `report.value` is |f| at the points.

    Raises:
        InputError: A number is not finite, or a normal is zero.
        ValueError: The points do not span a box, or a count is below 1.
    """
    points, normals = checked_cloud(points, normals)
    centre, half = box_around((points.min(axis=0), points.max(axis=0)), margin)
    pool = as_pool(points, np.zeros(len(points)), normals, centre, half)
    net_key, run_key = jax.random.split(key)
    start = _start(network, centre, half, net_key)
    options = {"steps": steps, "rate": rate or _rate(start), "key": run_key}
    found = descend(
        _step_loss, start, (pool, terms, batch), callback=callback, should_stop=should_stop, **options
    )
    return _reported(found, pool, NEAR)


def _step_loss(field: NeuralSDF, data: tuple[Pool, Terms, int], key: PRNGKeyArray) -> Array:
    pool, terms, batch = data
    return distance_loss(field.unit, pool, terms, batch, key)


def _start(network: Kind | Model, centre: Triple, half: Triple, key: PRNGKeyArray) -> NeuralSDF:
    inner, encoding = network_of(network, key=key) if isinstance(network, str) else network
    return NeuralSDF(inner, encoding, None, centre, half, NO_REPORT)


def _rate(field: NeuralSDF) -> float:
    return 1e-3 if isinstance(field.network, Siren) else 5e-3


@eqx.filter_jit
def _values_and_slopes(field: NeuralSDF, points: Array) -> tuple[Array, Array]:
    return jax.vmap(jax.value_and_grad(field.unit))(points)


def _reported(found: Descent, pool: Pool, band: float) -> NeuralSDF:
    """The field with its errors near the surface, at the points of a pool."""
    field: NeuralSDF = found.model
    scale = max(field.half)
    values, slopes = (np.asarray(part) for part in _values_and_slopes(field, pool.points))
    near = np.abs(np.asarray(pool.values)) <= band
    errors = scale * (values - np.asarray(pool.values))[near]
    report = fit_report(found, band * scale, errors, slopes[near], (field.network, field.encoding))
    return dataclasses.replace(field, report=report)
