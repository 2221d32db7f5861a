"""Broken encoders, one fault each, with a healthy twin: what the checks must catch, and what they must let pass."""

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from geoembed import check, core
from geoembed.check import Check
from geoembed.core import Property

KEY = jax.random.key(0)


class Made(eqx.Module):
    """A function with promises."""

    f: Callable[..., Any] = eqx.field(static=True)
    properties: tuple[Property, ...] = eqx.field(static=True, default=())

    def __call__(self, *args):
        return self.f(*args)


class Weighted(eqx.Module):
    """w · x, with a label."""

    weight: jax.Array
    label: Any = eqx.field(static=True, default="")

    def __call__(self, x):
        return self.weight * x


@dataclasses.dataclass(frozen=True)
class Planted:
    """One fault.

    Args:
        fault: It, in a few words.
        check: The check that catches it.
        broken: The encoder that has it.
        healthy: The same encoder without it.
        items: Items for both.
        rows: The rows of the card that must fail, without those of the declared properties.
        promise: What both encoders declare.
        arguments: What the check takes between the encoder and the items.
    """

    fault: str
    check: str
    broken: Callable[[], Any]
    healthy: Callable[[], Any]
    items: Any
    rows: tuple[str, ...] = ()
    promise: Property | None = None
    arguments: tuple[Any, ...] = ()
    options: dict[str, Any] = dataclasses.field(default_factory=dict)

    def encoder(self, which: str) -> Any:
        """The "broken" or the "healthy" one, with the promise."""
        made = getattr(self, which)()
        return made if self.promise is None else Made(made, (self.promise,))

    def measure(self, which: str) -> Check:
        """The check of one of the two."""
        function = getattr(check, self.check)
        options = dict(self.options)
        if "key" in inspect.signature(function).parameters:
            options["key"] = KEY
        return function(self.encoder(which), *self.arguments, self.items, **options)


def declared(
    fault: str, kind: Any, group: Any, broken: Any, healthy: Any, items: Any, representation: Any = None
) -> Planted:
    """A broken promise about a group: it fails its own row and no other."""
    promise = Property(kind, group, representation, tol_f32=2e-5, tol_f64=1e-11)
    options = {"representation": representation} if kind == "equivariant" else {}
    return Planted(fault, kind, lambda: broken, lambda: healthy, items, (), promise, (group,), options)


def bounded(fault: str, kind: Any, constant: Any, broken: Any, healthy: Any, items: Any) -> Planted:
    """A broken promise about slopes: it fails its own row and no other."""
    arguments = () if constant is None else (constant,)
    promise = Property(kind, constant=constant)
    return Planted(fault, kind, lambda: broken, lambda: healthy, items, (), promise, arguments)


def owed(fault: str, name: str, broken: Any, healthy: Any, items: Any, rows: tuple[str, ...]) -> Planted:
    """A duty of every encoder that is not done."""
    return Planted(fault, name, lambda: broken, lambda: healthy, items, rows)


# --- the functions


def distances(x):
    return core.norm(x[:, None] - x[None, :])


def volume(x):
    return jnp.linalg.det(x[1:4] - x[0][None])


def torque(x):
    return jnp.sum(jnp.cross(x, jnp.roll(x, 1, axis=0)), axis=0)


def force(x):
    return jnp.sum(x * core.norm(x)[:, None], axis=0)


def ball(x):
    return core.norm(x) - 1


def jumping(x):
    return jnp.where(x[0] > 0.05, 1.0, 0.0) + 0.0 * x[0]


@jax.custom_jvp
def slightly_wrong(x):
    return jnp.sin(x)


@slightly_wrong.defjvp
def _(primals, tangents):
    return jnp.sin(primals[0]), 1.0001 * jnp.cos(primals[0]) * tangents[0]


def one_blocked(x):
    return jnp.stack([1e6 * jnp.sum(x), x[0] * jax.lax.stop_gradient(x[1])])


def branching(x):
    return x if x[0] > 0 else -x


def treacherous(x):
    return x * (1.001 if isinstance(x, jax.core.Tracer) else 1.0)


@jax.custom_batching.custom_vmap
def _mixed(x):
    return jnp.sum(x)


@_mixed.def_vmap
def _(size, batched, x):
    return jnp.cumsum(jnp.sum(x, axis=-1)), True


@jax.custom_jvp
def mixing(x):
    return _mixed(x)


@mixing.defjvp
def _(primals, tangents):
    return mixing(primals[0]), jnp.sum(tangents[0])


def compiled_anew(x):
    return jax.jit(lambda y: jnp.sin(y))(x)


def widened(x):
    return np.float64(0.1) * x


def narrowed(x):
    return jnp.sin(x.astype(jnp.float32)).astype(x.dtype)


def called_back(x):
    return jax.pure_callback(np.sin, x, x, vmap_method="sequential")


def counting(x):
    return jax.lax.while_loop(lambda c: jnp.sum(c) < 9, lambda c: c + 1, x)


class Identity:
    """Compares by identity, as a class without __eq__ does."""


# --- the items, all in general position


def _cloud(seed: int, *shape: int) -> jax.Array:
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


CLOUD = _cloud(0, 5, 3)
POINTS = list(_cloud(1, 8, 3))
WITH_ZERO = [*POINTS[:3], jnp.zeros(3, jnp.float32)]
PHASES = list(_cloud(2, 8, 2))
AT_ZERO = [jnp.zeros(2, jnp.float32)]
POSITIVE = [jnp.abs(point) + 0.1 for point in POINTS]

ALL = (
    "jit matches eager",
    "vmap matches loop",
    "finite values and gradients",
    "gradient matches differences",
    "dtype kept",
    "traced once",
    "lowers for tpu",
)
TURN = 2 * np.pi

PLANTED = [
    # symmetries
    declared("a weak field along one axis", "invariant", "SO(3)",
             lambda x: jnp.sum(x**2) + 1e-3 * x[0, 2], lambda x: jnp.sum(x**2), CLOUD),
    declared("the sign of a mirror image", "invariant", "O(3)", volume, lambda x: volume(x) ** 2, CLOUD),
    declared("a place that depends on the origin", "invariant", "E(3)", core.norm, distances, CLOUD),
    declared("a movement along with the items", "invariant", "SE(3)", torque, volume, CLOUD),
    declared("an axis that is 0.1 % longer", "equivariant", "SO(3)",
             lambda x: force(x) * jnp.asarray([1, 1, 1.001], x.dtype), force, CLOUD, check.vector),
    declared("an axial vector given out as a polar one", "equivariant", "O(3)",
             torque, force, CLOUD, check.vector),
    declared("rows that are treated differently", "equivariant", "permutations",
             lambda x: x * jnp.arange(1, 6, dtype=x.dtype)[:, None],
             lambda x: x - jnp.mean(x, axis=0)[None], CLOUD),
    declared("ends of a ring that do not meet", "equivariant", "cyclic shifts",
             lambda x: jnp.concatenate([x[1:], x[-1:]]) - x, lambda x: jnp.roll(x, -1, axis=0) - x, CLOUD),
    declared("a wave that is 1 % too long for its lattice", "equivariant", check.lattice(1.0),
             lambda x: x + jnp.sin(TURN * x / 1.01), lambda x: x + jnp.sin(TURN * x), PHASES),
    declared("left taken for right", "sensitive", "mirrors", distances, volume, CLOUD),
    declared("order that is lost in a sum", "sensitive", "permutations", lambda x: jnp.sum(x, axis=0),
             lambda x: jnp.arange(1, 6, dtype=x.dtype) @ x, CLOUD),
    declared("6.28 for 2π", "periodic", check.lattice(1.0),
             lambda x: jnp.sin(6.28 * x), lambda x: jnp.sin(TURN * x), PHASES),
    declared("half the period", "periodic", check.lattice(1.0),
             lambda x: jnp.sin(TURN / 2 * x), lambda x: jnp.sin(TURN * x), PHASES),
    declared("one coordinate without its period", "periodic", check.lattice((1.0, 1.0)),
             lambda x: jnp.sin(TURN * x[0]) + x[1], lambda x: jnp.sin(TURN * x[0]) + jnp.cos(TURN * x[1]), PHASES),
    # slopes
    bounded("slopes 1 % too steep", "lipschitz", 1.0, lambda x: 1.01 * ball(x), ball, POINTS),
    bounded("a jump that no derivative sees", "lipschitz", 1.0,
            jumping, lambda x: jnp.clip(x[0], 0, 1), [jnp.asarray([0.04, 0.1], jnp.float32)]),
    bounded("a level set that is no distance", "eikonal", None, lambda x: jnp.sum(x**2) - 1, ball, POINTS),
    bounded("a third derivative that jumps", "smooth", 3,
            lambda x: x**2 * jnp.abs(x), lambda x: x**2 * x, AT_ZERO),
    # derivatives
    owed("a hand-written derivative 0.01 % wrong", "gradient_matches", slightly_wrong, jnp.sin, POINTS,
         ("gradient matches differences",)),
    owed("a small output cut off from one input", "gradient_matches", one_blocked,
         lambda x: jnp.stack([1e6 * jnp.sum(x), x[0] * x[1]]), POINTS, ("gradient matches differences",)),
    owed("nan in the gradient at zero", "finite_at", lambda x: jnp.sqrt(jnp.sum(x**2)), core.norm, WITH_ZERO,
         ("finite values and gradients", "gradient matches differences")),
    owed("nan in the value at zero", "finite_at", lambda x: jnp.sin(np.pi * x) / (np.pi * x), core.sinc, WITH_ZERO,
         ALL[:4]),
    # programs
    owed("compiled otherwise than eager", "jit_matches_eager", treacherous, lambda x: 1.001 * x, POINTS, ALL[:1]),
    owed("a Python branch on a value", "jit_matches_eager", branching, lambda x: jnp.where(x[0] > 0, x, -x), POSITIVE,
         ALL),
    owed("a batching rule that mixes the items", "vmap_matches_loop", mixing, jnp.sum, POINTS, (ALL[1], ALL[3])),
    Planted("a static field that compares by identity", "one_trace",
            lambda: Weighted(jnp.ones(3), Identity()), lambda: Weighted(jnp.ones(3), "a name"), POINTS, ALL[5:6]),
    Planted("a weakly typed parameter", "one_trace",
            lambda: Weighted(jnp.asarray(2.0)), lambda: Weighted(jnp.asarray(2.0, jnp.float32)), POINTS, ALL[5:6]),
    owed("a jit that is made anew in every call", "one_trace", compiled_anew, jax.jit(jnp.sin), POINTS, ALL[5:6]),
    owed("a float64 constant", "dtype_kept", widened, lambda x: 0.1 * x, POINTS, ALL[4:5]),
    owed("an output of fixed dtype", "dtype_kept", lambda x: (2 * x).astype(jnp.float32), lambda x: 2 * x, POINTS,
         ALL[3:5]),
    owed("digits lost on the way", "dtype_kept", narrowed, jnp.sin, POINTS, ALL[3:5]),
    owed("a call back to the host", "exports", called_back, jnp.sin, POINTS, (*ALL[2:4], ALL[6])),
    owed("a loop without reverse mode", "exports", counting,
         lambda x: jax.lax.fori_loop(0, 3, lambda i, c: c + 1, x), POSITIVE, (*ALL[2:4], ALL[6])),
    owed("an operation that no accelerator has", "exports", lambda x: jnp.sum(jnp.abs(jnp.linalg.eigvals(x[:3]))),
         lambda x: jnp.sum(jnp.linalg.svd(x[:3], compute_uv=False)), CLOUD, ALL[6:]),
]  # fmt: skip
