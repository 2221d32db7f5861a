"""A family of shapes: one network, and a vector for each shape."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ...core import MLP, FourierFeatures, HashGrid, Siren, register
from ...train import descend
from ._fit_report import FitReport
from ._losses import Terms, distance_loss
from ._neural import NeuralSDF
from ._training_points import Pool, Triple, as_pool, checked_cloud, pool_of_shape

CODE_TERMS = Terms(normal=0.0, eikonal=0.0)
_OFFSET = 0.03  # of the points beside a cloud, in the coordinates of the network


@dataclass(frozen=True, eq=False)
class Embedding:
    """A shape as a point of a family's code space.

    Args:
        code: The vector.
        sdf: The shape that it stands for.
        loss: The mean |f − d| over all data, in the unit of length.
        status: "done" or "diverged".
    """

    code: Float[Array, " size"]
    sdf: NeuralSDF
    loss: float
    status: str


@register
class ShapeFamily(eqx.Module):
    """A network that turns a vector, the code, into a signed distance: an auto-decoder. Make one with `fit_family`.

    f(x; z) = s N(u, e(u) ; z M): the code z shifts the arguments of every hidden layer by a linear map M. There is
    no encoder: a shape's code is what minimises the loss of its distances, for the shapes of training together with
    the network (`codes`), for a new one with the network held fixed (`embed`, `embed_points`). Whatever gives
    distances or points at places of its choosing can be embedded, half a point cloud too.

    Approximate; nothing guarantees that codes between two shapes decode to a sensible part.

    Args:
        network: N.
        encoding: e, or None.
        modulation: M.
        codes: One row for each shape of training, in their order.
        centre: Of the box that all shapes lie in.
        half: Half the sides of the box.
        prior: Weight of the mean of z², in the loss.
        report: How the family was fitted and how well.

    References:
        J. J. Park et al., DeepSDF, CVPR 2019, eqs. 9 and 10.
    """

    network: MLP | Siren
    encoding: FourierFeatures | HashGrid | None
    modulation: Float[Array, "size depth width"]
    codes: Float[Array, "n size"]
    centre: Triple = eqx.field(static=True)
    half: Triple = eqx.field(static=True)
    prior: float = eqx.field(static=True)
    report: FitReport = eqx.field(static=True)

    def decode(self, code: Float[Array, " size"]) -> NeuralSDF:
        """Returns the shape of a code; differentiable in it.

        Args:
            code: As long as a row of `codes`.

        Raises:
            ValueError: It is not.
        """
        code = jnp.asarray(code)
        if code.shape != self.codes.shape[1:]:
            raise ValueError(f"a code has the shape {self.codes.shape[1:]}, received {code.shape}")
        modulation = self.modulation.astype(code.dtype)
        shifts = (code @ modulation.reshape(len(code), -1)).reshape(modulation.shape[1:])
        return NeuralSDF(self.network, self.encoding, shifts, self.centre, self.half, self.report)

    def embed(
        self,
        shape: Callable[[Array], Array],
        *,
        key: PRNGKeyArray,
        points: int = 2**13,
        steps: int = 200,
        batch: int = 512,
        rate: float = 0.03,
    ) -> Embedding:
        """Finds the code of a shape by minimising the mean |f − d| over points as in training.

        The descent starts at the code of the shape of training, or the mean code, that fits best.

        Args:
            shape: Its signed distance, a function of one point.
            key: Random key of the points and the batches.
            points: Places at which `shape` is evaluated.
            steps: Steps of Adam.
            batch: Points in a step.
            rate: The largest learning rate.

        Returns:
            The code with what it decodes to.
        """
        pool_key, run_key = jax.random.split(key)
        pool = pool_of_shape(shape, self.centre, self.half, points, pool_key)
        return _search(self, pool, steps, batch, rate, run_key)

    def embed_points(
        self,
        points: Float[np.ndarray, "n 3"],
        normals: Float[np.ndarray, "n 3"],
        *,
        key: PRNGKeyArray,
        steps: int = 200,
        batch: int = 512,
        rate: float = 0.03,
    ) -> Embedding:
        """Finds the code of a shape of which only points on the surface are known, perhaps on one side only.

        f = 0 at the points and ±3 % of half the box's longest side at as far to either side along the normals.

        Args:
            points: Points on the surface.
            normals: The outward normal of each; of any length but zero.
            key: Random key of the batches.
            steps: As for `embed`.
            batch: As for `embed`.
            rate: As for `embed`.

        Returns:
            The code with what it decodes to.

        Raises:
            InputError: A number is not finite, or a normal is zero.
        """
        points, normals = checked_cloud(points, normals)
        offsets = _OFFSET * max(self.half) * np.array([0.0, 1.0, -1.0])
        beside = (points[None] + offsets[:, None, None] * normals[None]).reshape(-1, 3)
        values = np.repeat(offsets, len(points))
        pool = as_pool(beside, values, np.tile(normals, (3, 1)), self.centre, self.half)
        return _search(self, pool, steps, batch, rate, key)


def _search(
    family: ShapeFamily, pool: Pool, steps: int, batch: int, rate: float, key: PRNGKeyArray
) -> Embedding:
    mean = jnp.mean(family.codes, axis=0, keepdims=True)
    candidates = jnp.concatenate([mean, family.codes])
    some = np.linspace(0, len(pool.points) - 1, min(len(pool.points), 512)).astype(np.int32)
    few = pool._replace(points=pool.points[some], values=pool.values[some])
    start = candidates[int(jnp.argmin(_misfits(family, candidates, few)))]
    found = descend(
        _code_loss,
        start,
        (family, pool, batch),
        steps=steps,
        rate=rate,
        key=key,
        chunk=steps,
    )
    code = found.model
    loss = float(max(family.half) * _misfits(family, code[None], pool)[0])
    return Embedding(code, family.decode(code), loss, found.status)


def _code_loss(code: Array, data: tuple[ShapeFamily, Pool, int], key: PRNGKeyArray) -> Array:
    family, pool, batch = data
    loss = distance_loss(family.decode(code).unit, pool, CODE_TERMS, batch, key)
    return loss + family.prior * jnp.mean(code**2)


@eqx.filter_jit
def _misfits(family: ShapeFamily, codes: Array, pool: Pool) -> Array:
    def one(code: Array) -> Any:
        values = jax.vmap(family.decode(code).unit)(pool.points)
        return jnp.mean(jnp.abs(values - pool.values))

    return jax.lax.map(one, codes)
