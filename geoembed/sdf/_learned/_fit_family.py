"""Training a family of shapes."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from ...core import Siren
from ...train import Descent, descend
from .._bounds import bounds_of
from ._family import ShapeFamily
from ._fit import Model, Progress
from ._fit_report import NO_REPORT, fit_report
from ._losses import Terms, distance_loss
from ._neural import box_around
from ._training_points import NEAR, Pool, Triple, pool_of_shape

_HELD_OUT = 128  # points of each shape for the report
_CODE_SIZE = 0.1  # standard deviation of the numbers of a code at the start


def fit_family(
    shapes: Sequence[Callable[[Array], Array]],
    *,
    size: int = 32,
    network: Model | None = None,
    steps: int = 2500,
    shapes_per_step: int = 16,
    batch: int = 256,
    points: int = 2**14,
    rate: float = 2e-3,
    terms: Terms = Terms(normal=0.01, eikonal=0.0),  # noqa: B008 (frozen)
    prior: float = 1e-3,
    bounds: Any = None,
    margin: float = 0.1,
    key: PRNGKeyArray,
    callback: Progress = None,
    should_stop: Callable[[], bool] | None = None,
) -> ShapeFamily:
    """Fits one network and a code for each shape, together.

    Bring the shapes to one position and size first: the codes should not spend themselves on that.

    Args:
        shapes: Signed distances, each a function of one point.
        size: Numbers in a code.
        network: A network with an encoding or None, as for `fit`; None: four hidden layers of 128 sines with
            ω = 10 and no encoding.
        steps: Steps of Adam.
        shapes_per_step: Shapes in a step, drawn at random.
        batch: Points of each of them.
        points: Places at which each shape is evaluated, once.
        rate: The largest learning rate.
        terms: The weights of the loss.
        prior: Weight of the mean of z² in it: larger draws the codes together.
        bounds: Corners of a box around all shapes; None for that around all `bounds`.
        margin: By which the box is grown on every side, in parts of its longest side.
        key: Random key of points, first weights, codes and batches.
        callback: Receives a `geoembed.train.DescentProgress` every 100 steps.
        should_stop: Asked every 100 steps; True ends with status "interrupted".

    Returns:
        The family; `report` has its error at other points of the same shapes.

    Raises:
        ValueError: No shapes or no bounds, or a count below 1.

    Example:
        >>> import jax
        >>> from geoembed import core, sdf
        >>> key = jax.random.key(0)
        >>> options = {"network": (core.Siren(3, 1, 8, 1, key=key), None), "batch": 32, "points": 256}
        >>> balls = [sdf.Sphere(r) for r in (0.6, 0.8, 1.0)]
        >>> family = sdf.fit_family(balls, size=2, steps=5, key=key, **options)
        >>> family.codes.shape, family.decode(family.codes.mean(axis=0)).report.status
        ((3, 2), 'done')
    """
    if not shapes or size < 1:
        raise ValueError(f"a family needs shapes and codes, received {len(shapes)} shapes and size {size}")
    centre, half = box_around(_box_of_all(shapes) if bounds is None else bounds, margin)
    pool_key, model_key, run_key = jax.random.split(key, 3)
    train, held_out = _pools(shapes, centre, half, points, pool_key)
    start = _start(network, (len(shapes), size), (centre, half), prior, model_key)
    found = descend(
        _family_loss,
        start,
        (train, terms, batch, min(shapes_per_step, len(shapes))),
        steps=steps,
        rate=rate,
        key=run_key,
        callback=callback,
        should_stop=should_stop,
    )
    return _reported(found, held_out)


def _box_of_all(shapes: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    corners = [bounds_of(shape, None, "the shape") for shape in shapes]
    return np.min([low for low, _ in corners], axis=0), np.max([high for _, high in corners], axis=0)


def _pools(
    shapes: Sequence[Any], centre: Triple, half: Triple, points: int, key: PRNGKeyArray
) -> tuple[Pool, Pool]:
    """Points of all shapes for training, and others for the report."""
    keys = jax.random.split(key, len(shapes))
    both = [
        pool_of_shape(shape, centre, half, points + _HELD_OUT, k)
        for shape, k in zip(shapes, keys, strict=True)
    ]

    def part(some: slice) -> Pool:
        columns = [jnp.stack([getattr(pool, name)[some] for pool in both]) for name in Pool._fields[:3]]
        return Pool(columns[0], columns[1], columns[2], both[0].wall)

    return part(slice(points)), part(slice(points, None))  # a pool is in random order


def _start(
    network: Model | None,
    counts: tuple[int, int],
    box: tuple[Triple, Triple],
    prior: float,
    key: PRNGKeyArray,
) -> ShapeFamily:
    net_key, code_key, map_key = jax.random.split(key, 3)
    if network is None:
        network = Siren(3, 1, 128, 4, first=10.0, frequency=10.0, key=net_key), None
    inner, encoding = network
    depth, width = len(inner.biases) - 1, len(inner.biases[0])
    modulation = jax.random.normal(map_key, (counts[1], depth, width)) * counts[1] ** -0.5
    codes = _CODE_SIZE * jax.random.normal(code_key, counts)
    return ShapeFamily(inner, encoding, modulation, codes, *box, float(prior), NO_REPORT)


def _family_loss(family: ShapeFamily, data: tuple[Pool, Terms, int, int], key: PRNGKeyArray) -> Array:
    pools, terms, batch, count = data
    pick, inner = jax.random.split(key)
    rows = jax.random.permutation(pick, len(pools.points))[:count]

    def one(row: Array, step_key: PRNGKeyArray) -> Array:
        pool = Pool(pools.points[row], pools.values[row], pools.normals[row], pools.wall)
        return distance_loss(family.decode(family.codes[row]).unit, pool, terms, batch, step_key)

    losses = jax.vmap(one)(rows, jax.random.split(inner, count))
    return jnp.mean(losses) + family.prior * jnp.mean(family.codes[rows] ** 2)


@eqx.filter_jit
def _values_and_slopes(family: ShapeFamily, points: Array) -> tuple[Array, Array]:
    def one(item: tuple[Array, Array]) -> tuple[Array, Array]:
        return jax.vmap(jax.value_and_grad(family.decode(item[0]).unit))(item[1])

    return jax.lax.map(one, (family.codes, points))


def _reported(found: Descent, held_out: Pool) -> ShapeFamily:
    family: ShapeFamily = found.model
    values, slopes = (np.asarray(part) for part in _values_and_slopes(family, held_out.points))
    near = np.abs(np.asarray(held_out.values)) <= NEAR
    scale, trained = max(family.half), (family.network, family.encoding, family.modulation, family.codes)
    errors = scale * (values - np.asarray(held_out.values))[near]
    report = fit_report(found, NEAR * scale, errors, slopes[near], trained)
    return dataclasses.replace(family, report=report)
