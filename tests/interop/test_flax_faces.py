"""Every public encoder as a flax module: values, gradients, training, sharding."""

import os
import subprocess
import sys
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from flax.training.train_state import TrainState

from geoembed import cyclic
from geoembed.interop import flax_linen, flax_nnx
from tests.encoder_row import Encoder
from tests.interop.flax_faces import ROWS, is_parameter, measure
from tests.test_conformance import call, in_dtype

ROOT = Path(__file__).resolve().parent.parent.parent

# In float64 without --slow: HashGrid stands for parameters, MeshSDF for tables.
DOUBLE = ("core.HashGrid", "sdf.MeshSDF")


def run(dtype: str, row: Encoder):
    """For a boundary whose card is slow stands Transfinite, which is made of boundaries."""
    slow = row.slow_card or (dtype == "float64" and row.name not in DOUBLE)
    return pytest.param(dtype, row, id=f"{dtype}-{row.name}", marks=[pytest.mark.slow] if slow else [])


in_float32 = [run("float32", row) for row in ROWS]
in_both = [*in_float32, *[run("float64", row) for row in ROWS]]


@pytest.mark.parametrize(("precision", "row"), in_both, indirect=["precision"])
def test_values_gradients_names_and_artefact(row, precision, tmp_path):
    figures = measure(row, precision, tmp_path)
    assert figures.linen_value == figures.linen_gradient == 0.0
    assert figures.nnx_value == figures.nnx_gradient == 0.0
    assert figures.artefact


@pytest.mark.parametrize(("precision", "row"), in_float32, indirect=["precision"])
def test_batched(row, precision):
    encoder, items = row.make(), in_dtype(row.examples()[:4], jnp.float32)
    linen, module = flax_linen.wrap(encoder), flax_nnx.wrap(encoder)
    first = items[0] if isinstance(items[0], tuple) else items[:1]
    variables = jax.jit(linen.init)(jax.random.key(0), *first)

    def apply(variables, item):
        return call(lambda *args: linen.apply(variables, *args), item)

    expected, batch = stacked([call(encoder, item) for item in items]), stacked(items)
    by_linen = jax.jit(jax.vmap(apply, (None, 0)))(variables, batch)
    by_nnx = nnx.jit(nnx.vmap(call, in_axes=(None, 0)))(module, batch)
    for got in (by_linen, by_nnx):
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5), got, expected)


def stacked(trees):
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


# --- training


def wave(x):
    return 0.3 + jnp.sin(2 * np.pi * x) - 0.5 * jnp.cos(4 * np.pi * x)


LEARNERS = {
    "PeriodicLayer": lambda: cyclic.PeriodicLayer((1.0,), 6, key=jax.random.key(3), harmonics=2),
    "Time2Vec": lambda: cyclic.Time2Vec(6, key=jax.random.key(4)),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_training_gives_the_same_numbers_in_three_frameworks(name, precision):
    encoder, optimiser = LEARNERS[name](), optax.adam(0.03)
    x = jnp.linspace(0.0, 1.0, 16, dtype=precision)
    inputs = x[:, None] if name == "PeriodicLayer" else x

    def loss_of(f):
        return jnp.mean((jnp.sum(jax.vmap(f)(inputs), axis=1) - wave(x)) ** 2)

    frameworks = (train_equinox, train_linen, train_nnx)
    with jax.numpy_dtype_promotion("standard"):  # optax multiplies floats by its integer count of steps
        losses = [train(encoder, optimiser, loss_of) for train in frameworks]
    (expected, trained), *others = losses
    assert expected[-1] < 0.5 * expected[0]
    tolerance = 1e-6 if precision == np.float32 else 1e-12
    for got, encoder_back in others:
        np.testing.assert_allclose(got, expected, rtol=tolerance)
        assert jax.tree.structure(encoder_back) == jax.tree.structure(encoder)
        for a, b in zip(jax.tree.leaves(encoder_back), jax.tree.leaves(trained), strict=True):
            np.testing.assert_allclose(a, b, rtol=100 * tolerance, atol=100 * tolerance)


def train_equinox(encoder, optimiser, loss_of):
    params, rest = eqx.partition(encoder, is_parameter)
    state, losses = optimiser.init(params), []

    @jax.jit
    def step(params, state):
        loss, gradient = jax.value_and_grad(lambda p: loss_of(eqx.combine(p, rest)))(params)
        updates, state = optimiser.update(gradient, state)
        return optax.apply_updates(params, updates), state, loss

    for _ in range(20):
        params, state, loss = step(params, state)
        losses.append(float(loss))
    return losses, eqx.combine(params, rest)


def train_linen(encoder, optimiser, loss_of):
    module, losses = flax_linen.wrap(encoder), []
    variables = module.init(jax.random.key(0), *first_input(loss_of))
    state = TrainState.create(apply_fn=module.apply, params=variables["params"], tx=optimiser)

    @jax.jit
    def step(state):
        loss, gradient = jax.value_and_grad(
            lambda params: loss_of(lambda x: state.apply_fn({"params": params}, x))
        )(state.params)
        return state.apply_gradients(grads=gradient), loss

    for _ in range(20):
        state, loss = step(state)
        losses.append(float(loss))
    return losses, flax_linen.from_linen(module, {"params": state.params})


def train_nnx(encoder, optimiser, loss_of):
    module, losses = flax_nnx.wrap(encoder), []
    state = nnx.Optimizer(module, optimiser, wrt=nnx.Param)

    @nnx.jit
    def step(module, state):
        loss, gradient = nnx.value_and_grad(loss_of)(module)
        state.update(module, gradient)
        return loss

    for _ in range(20):
        losses.append(float(step(module, state)))
    return losses, flax_nnx.from_nnx(module)


def first_input(loss_of):
    """What the loss calls its function with, for `init`."""
    seen = []
    jax.eval_shape(lambda: loss_of(lambda x: (seen.append(x), jnp.zeros(1, x.dtype))[1]))
    return [jnp.zeros(seen[0].shape, seen[0].dtype)]


# --- sharding

TWO_DEVICES = """
import jax, jax.numpy as jnp, numpy as np
from flax import linen as nn, nnx
from jax.sharding import NamedSharding, PartitionSpec as P
from geoembed import cyclic
from geoembed.interop import flax_linen, flax_nnx

assert jax.device_count() == 2
mesh = jax.make_mesh((2,), ("two",), axis_types=(jax.sharding.AxisType.Auto,))
split, whole = NamedSharding(mesh, P("two")), NamedSharding(mesh, P())
encoder = cyclic.PeriodicLayer((1.0, None), 4, key=jax.random.key(0))
batch = jax.random.normal(jax.random.key(1), (8, 2))
expected = jax.vmap(encoder)(batch)
by_hand = jax.grad(lambda e: jnp.mean(jax.vmap(e)(batch) ** 2))(encoder)


def same(got, reference):
    np.testing.assert_allclose(got, reference, rtol=2e-6, atol=2e-6)


module = flax_linen.wrap(encoder, axes={"weight": ("two", None)})
boxed = module.init(jax.random.key(2), batch[0])
placed = jax.device_put(batch, split)
assert not placed.sharding.is_fully_replicated
specs = nn.get_partition_spec(boxed)
shardings = jax.tree.map(lambda spec: NamedSharding(mesh, spec), specs, is_leaf=lambda s: isinstance(s, P))
variables = jax.device_put(nn.unbox(boxed), shardings)
assert not variables["params"]["weight"].sharding.is_fully_replicated
assert variables["params"]["phases"].sharding.is_fully_replicated
run = jax.jit(jax.vmap(module.apply, (None, 0)), out_shardings=split)
values = run(variables, placed)
assert values.sharding.is_equivalent_to(split, values.ndim)
same(values, expected)
gradient = jax.jit(jax.grad(lambda v: jnp.mean(run(v, placed) ** 2)))(variables)
same(gradient["params"]["weight"], by_hand.weight)
same(gradient["params"]["phases"], by_hand.phases)

face = flax_nnx.wrap(encoder)
nnx.update(face, jax.device_put(nnx.state(face), whole))
values = nnx.jit(nnx.vmap(lambda m, x: m(x), in_axes=(None, 0)))(face, placed)
assert values.sharding.is_equivalent_to(split, values.ndim)
same(values, expected)
"""


@pytest.mark.slow
def test_two_devices_give_the_numbers_of_one():
    """Batch split over two devices, parameters on both or split themselves."""
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=2"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags}
    command = [sys.executable, "-W", "error", "-c", TWO_DEVICES]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr


# --- the comparison itself must be able to fail


def test_a_wrong_face_is_seen(monkeypatch, tmp_path):
    """Phases that are off by 1e-3 in linen, and a dropped parameter in nnx."""
    row = Encoder("Time2Vec", LEARNERS["Time2Vec"], lambda: [np.array(0.3)], list)
    linen, nnx_ = flax_linen.wrap, flax_nnx.wrap

    def off(encoder):
        return linen(eqx.tree_at(lambda e: e.phases, encoder, encoder.phases + 1e-3))

    def dropped(encoder):
        return nnx_(eqx.tree_at(lambda e: e.phases, encoder, np.asarray(encoder.phases)))

    monkeypatch.setattr(flax_linen, "wrap", off)
    monkeypatch.setattr(flax_nnx, "wrap", dropped)
    figures = measure(row, np.float32, tmp_path)
    assert figures.parameters == {"frequencies": (6,), "phases": (6,)}
    assert 1e-4 < figures.linen_value < 1e-2
    assert figures.linen_gradient > 1e-4
    assert figures.nnx_value == 0.0
    assert figures.nnx_gradient == np.inf
    assert not figures.artefact
