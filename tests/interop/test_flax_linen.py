"""The linen face: names, use inside larger modules, equality, the way back, wrong use."""

import copy
import inspect
import os
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import equinox as eqx
import flax
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoembed
from geoembed import check, cyclic
from geoembed.core import InputError, Property, register
from geoembed.interop import flax_linen
from tests.interop.flax_faces import equal

ROOT = Path(__file__).resolve().parent.parent.parent


@register(name="test.flax.Tower")
class Tower(eqx.Module):
    """Parameters at several depths, fixed tables of each kind, field names that linen uses itself."""

    layers: list[Any]
    param: jax.Array
    by_name: dict[str, jax.Array]
    table: np.ndarray
    order: jax.Array
    power: int = eqx.field(static=True)

    def __init__(self, seed: int = 0, width: int = 4):
        first, second = jax.random.split(jax.random.key(seed))
        self.layers = [eqx.nn.Linear(2, width, key=first), eqx.nn.Linear(width, 3, key=second)]
        self.param = jnp.asarray([1.0, 2.0, 3.0])
        self.by_name = {"scope": jnp.asarray([0.5, 0.25, 0.125])}
        self.table = np.arange(3.0)  # float64
        self.order = jnp.asarray([2, 0, 1])
        self.power = 2

    def __call__(self, x, shift=0.0):
        x = jnp.tanh(self.layers[1](jnp.tanh(self.layers[0](x)))) ** self.power
        return x[self.order] * self.param + self.by_name["scope"] + jnp.asarray(self.table, x.dtype) + shift

    def doubled(self, x):
        return 2 * self(x)


def start(seed=0):
    module = flax_linen.wrap(Tower(seed))
    return module, module.init(jax.random.key(1), jnp.ones(2))


def test_parameters_are_named_after_the_fields():
    module, variables = start()
    assert jax.tree.map(jnp.shape, variables) == {
        "params": {
            "layers": {"0": {"weight": (4, 2), "bias": (4,)}, "1": {"weight": (3, 4), "bias": (3,)}},
            "param": (3,),
            "by_name": {"scope": (3,)},
        }
    }
    tower = Tower()
    assert jnp.array_equal(variables["params"]["layers"]["1"]["weight"], tower.layers[1].weight)
    assert jnp.array_equal(module.apply(variables, jnp.ones(2)), tower(jnp.ones(2)))
    assert jnp.array_equal(module.apply(variables, jnp.ones(2), shift=1.5), tower(jnp.ones(2), 1.5))


def test_changed_parameters_change_the_value():
    module, variables = start()
    moved = jax.tree.map(lambda p: p + 0.25, variables)
    assert jnp.array_equal(
        module.apply(moved, jnp.ones(2)), flax_linen.from_linen(module, moved)(jnp.ones(2))
    )
    assert not jnp.array_equal(module.apply(moved, jnp.ones(2)), Tower()(jnp.ones(2)))


def test_without_parameters_there_are_no_variables():
    for f in (jnp.sin, lambda x: 2 * x):
        module = flax_linen.wrap(f)
        assert module.init(jax.random.key(0), jnp.ones(2)) == {}
        assert jnp.array_equal(module.apply({}, jnp.ones(2)), f(jnp.ones(2)))
        assert flax_linen.from_linen(module, {}) is f
        assert flax_linen.from_linen(module, {"params": {}}) is f


class Inline(nn.Module):
    """Twice the same encoder, once more another one."""

    @nn.compact
    def __call__(self, x):
        first = flax_linen.wrap(Tower(0), name="tower")
        return nn.Dense(1)(first(x) + first(x[::-1]) + flax_linen.wrap(Tower(1))(x))


class Declared(nn.Module):
    encoder: nn.Module

    def setup(self):
        self.own = flax_linen.wrap(Tower(1))
        self.head = nn.Dense(1)

    def __call__(self, x):
        return self.head(self.encoder(x) + self.encoder(x[::-1]) + self.own(x))


@pytest.mark.parametrize(
    ("net", "first", "second", "head"),
    [
        (Inline(), "tower", "Encoder_0", "Dense_0"),
        (Declared(flax_linen.wrap(Tower(0))), "encoder", "own", "head"),
    ],
)
def test_inside_a_larger_module(net, first, second, head):
    x = jnp.asarray([0.3, -0.7])
    variables = net.init(jax.random.key(0), x)
    params = variables["params"]
    assert params.keys() == {first, second, head}
    sum_ = Tower(0)(x) + Tower(0)(x[::-1]) + Tower(1)(x)
    expected = sum_ @ params[head]["kernel"] + params[head]["bias"]
    np.testing.assert_allclose(net.apply(variables, x), expected, rtol=1e-6)
    back = flax_linen.from_linen(flax_linen.wrap(Tower(1)), {"params": params[second]})
    assert equal(back, Tower(1))
    gradient = jax.grad(lambda v: net.apply(v, x)[0])(variables)["params"]
    by_hand = jax.grad(
        lambda p: ((eqx.tree_at(lambda t: t.param, Tower(1), p)(x)) @ params[head]["kernel"])[0]
    )
    np.testing.assert_allclose(gradient[second]["param"], by_hand(Tower(1).param), rtol=1e-5)


@pytest.mark.parametrize("transform", [nn.jit, nn.remat])
def test_lifted_transforms(transform):
    x = jnp.asarray([0.3, -0.7])
    variables = Inline().init(jax.random.key(0), x)
    np.testing.assert_allclose(
        transform(Inline)().apply(variables, x), Inline().apply(variables, x), rtol=1e-5
    )


def test_vmap_with_shared_and_with_stacked_parameters():
    module, variables = start()
    batch = jnp.linspace(-1.0, 1.0, 10).reshape(5, 2)
    expected = jax.vmap(Tower())(batch)
    np.testing.assert_allclose(jax.vmap(module.apply, (None, 0))(variables, batch), expected, rtol=1e-6)

    class Batched(nn.Module):
        axis: int | None

        @nn.compact
        def __call__(self, x):
            lift = nn.vmap(
                lambda mdl, x: mdl(x),
                variable_axes={"params": self.axis},
                split_rngs={"params": self.axis is not None},
            )
            return lift(flax_linen.wrap(Tower(), name="tower"), x)

    for axis, shape in ((None, (3,)), (0, (5, 3))):
        held = Batched(axis).init(jax.random.key(0), batch)
        assert held["params"]["tower"]["param"].shape == shape
        np.testing.assert_allclose(Batched(axis).apply(held, batch), expected, rtol=1e-6)


def test_equal_modules_share_a_compiled_program():
    traces = []

    def run(module, variables, x):
        traces.append(1)
        return module.apply(variables, x)

    compiled = jax.jit(run, static_argnums=0)
    module, variables = start()
    for other in (module, start()[0], copy.deepcopy(module), flax_linen.wrap(Tower())):
        assert other == module
        assert hash(other) == hash(module)
        compiled(other, variables, jnp.ones(2))
    assert len(traces) == 1
    table = eqx.tree_at(lambda t: t.table, Tower(), np.arange(3.0) + 1e-9)
    side = eqx.tree_at(lambda t: t.param, Tower(), np.asarray(Tower().param))
    for other in (Tower(1), table, side, jnp.sin):
        assert flax_linen.wrap(other) != module
    assert flax_linen.wrap(Tower(), axes={"param": ("x",)}) != module


def test_an_encoder_made_inside_a_trace():
    """Its arrays are traced and have no contents to compare; the module works all the same."""

    @jax.jit
    def run(seed, x):
        module = flax_linen.wrap(eqx.nn.Linear(2, 3, key=jax.random.key(seed)))
        assert module == module
        hash(module)
        return module.apply(module.init(jax.random.key(0), x), x)

    expected = eqx.nn.Linear(2, 3, key=jax.random.key(7))(jnp.ones(2))
    np.testing.assert_allclose(run(7, jnp.ones(2)), expected, rtol=1e-6)


def test_donated_variables_leave_the_encoder_alone():
    module, variables = start()
    jax.jit(lambda v: jax.tree.map(lambda p: p + 1, v), donate_argnums=0)(variables)
    assert variables["params"]["param"].is_deleted()
    again = module.init(jax.random.key(0), jnp.ones(2))
    assert jnp.array_equal(again["params"]["param"], Tower().param)


def test_other_methods_of_the_encoder():
    module, variables = start()
    x = jnp.ones(2)
    assert jnp.array_equal(module.bind(variables).current().doubled(x), Tower().doubled(x))
    got = module.apply(variables, x, method=lambda module, x: module.current().doubled(x))
    assert jnp.array_equal(got, Tower().doubled(x))


def test_named_axes_and_partition_specs():
    module = flax_linen.wrap(Tower(), axes={"layers.0.weight": ("out", None)})
    variables = module.init(jax.random.key(0), jnp.ones(2))
    specs = nn.get_partition_spec(variables)["params"]
    assert specs["layers"]["0"]["weight"] == jax.sharding.PartitionSpec("out", None)
    assert specs["param"] == jax.sharding.PartitionSpec()
    assert jnp.array_equal(module.apply(variables, jnp.ones(2)), Tower()(jnp.ones(2)))
    assert equal(flax_linen.from_linen(module, variables), Tower())


def test_tabulate_lists_the_parameters():
    module, _ = start()
    text = module.tabulate(
        jax.random.key(0), jnp.ones(2), console_kwargs={"width": 200, "color_system": None}
    )
    for expected in ("Encoder", "weight: float32[4,2]", "Total Parameters: 33"):
        assert expected in text
    assert "Tower" in repr(module)


def test_bytes_of_parameters_come_back(precision):
    """flax restores numpy arrays; they become jax arrays of their own dtype, whatever jax's mode is then."""
    module, variables = start()
    restored = flax.serialization.from_bytes(variables, flax.serialization.to_bytes(variables))
    with jax.enable_x64(False):
        back = flax_linen.from_linen(module, flax.core.freeze(restored))
    assert equal(back, Tower())
    assert back.param.dtype == precision


def test_float64_parameters_keep_their_dtype_while_x64_is_off(tmp_path):
    with jax.enable_x64(True):
        encoder = cyclic.Time2Vec(3, key=jax.random.key(0))
    module = flax_linen.wrap(encoder)
    variables = module.init(jax.random.key(0), jnp.ones(()))
    assert variables["params"]["phases"].dtype == jnp.float64
    geoembed.save(tmp_path / "encoder", flax_linen.from_linen(module, variables))
    assert equal(geoembed.load(tmp_path / "encoder"), encoder)


def test_mixed_precision_may_lower_the_dtype_in_apply():
    module, variables = start()
    half = jax.tree.map(lambda p: p.astype(jnp.float16), variables)
    with jax.numpy_dtype_promotion("standard"):
        got = module.apply(half, jnp.ones(2, jnp.float16))
    np.testing.assert_allclose(got, Tower()(jnp.ones(2)), rtol=1e-2)


# --- other modules as encoders


class Network(nn.Module):
    @nn.compact
    def __call__(self, x, train=False):
        x = nn.BatchNorm(use_running_average=not train)(nn.Dense(8)(x))
        return nn.Dense(2)(nn.Dropout(0.5, deterministic=not train)(jnp.tanh(x)))


def test_any_linen_module_becomes_an_encoder_that_check_measures():
    network, x = Network(), jnp.asarray([0.3, -0.7])
    variables = network.init(jax.random.key(0), x)
    promise = Property("smooth", constant=2)
    encoder = flax_linen.from_linen(network, variables, properties=(promise,))
    assert jnp.array_equal(encoder(x), network.apply(variables, x))
    assert encoder.properties == (promise,)
    assert jnp.array_equal(jax.jit(encoder)(x), jax.jit(lambda x: network.apply(variables, x))(x))
    card = check.card(encoder, x, key=jax.random.key(1), platforms=("cpu",))
    assert card.passed, card.to_text()
    gradient = eqx.filter_grad(lambda e: e(x).sum())(encoder)
    expected = jax.grad(lambda v: network.apply(v, x).sum())(variables)
    assert equal(gradient.variables, expected)


def test_a_transform_of_a_wrapped_encoder_is_another_module():
    stack = nn.vmap(flax_linen.Encoder, variable_axes={"params": 0}, split_rngs={"params": True})
    module = stack(flax_linen.wrap(Tower()).encoder)
    batch = jnp.ones((5, 2))
    encoder = flax_linen.from_linen(module, module.init(jax.random.key(0), batch))
    assert encoder.variables["params"]["param"].shape == (5, 3)
    np.testing.assert_allclose(encoder(batch), jax.vmap(Tower())(batch), rtol=1e-6)


# --- wrong use

TWICE = OrderedDict({1: jnp.ones(1), "1": jnp.ones(1)})  # the same name as text


def edited(path, value):
    """The variables with one entry replaced, or removed when the value is None."""
    module, variables = start()
    node = variables["params"]
    for name in path[:-1]:
        node = node[name]
    if value is None:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return module, variables


@pytest.mark.parametrize(
    ("path", "value", "where", "told"),
    [
        (
            ("layers", "0", "weight"),
            jnp.ones((3, 2)),
            "params.layers.0.weight",
            "float32[4, 2], received float32[3, 2]",
        ),
        (("param",), jnp.ones(3, jnp.bfloat16), "params.param", "Cast it with .astype('float32')"),
        (("param",), 3.0, "params.param", "received a float"),
        (("param",), None, "params.param", "missing, expected float32[3]"),
        (("layers",), jnp.ones(3), "params.layers.0.weight", "missing"),
        (("by_name", "other"), jnp.ones(3), "params.by_name.other", "the parameters are layers.0.weight"),
    ],
)
def test_the_way_back_refuses_other_parameters(path, value, where, told):
    module, variables = edited(path, value)
    with pytest.raises(InputError) as caught:
        flax_linen.from_linen(module, variables)
    assert caught.value.where == where
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "error", "told"),
    [
        (("layers", "0", "weight"), jnp.ones((3, 2)), flax.errors.ScopeParamShapeError, "weight.*/layers/0"),
        (("param",), None, flax.errors.ScopeParamNotFoundError, "param"),
        (("layers", "0"), jnp.ones(3), InputError, "layers.0"),
    ],
)
def test_apply_refuses_other_parameters(path, value, error, told):
    module, variables = edited(path, value)
    with pytest.raises(error, match=told):
        module.apply(variables, jnp.ones(2))


def untyped(f):
    """Without the checks of types that a test run adds: what a user's call meets."""
    return inspect.unwrap(f)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda: untyped(flax_linen.wrap)(3), "int: this cannot be called"),
        (lambda: flax_linen.wrap(Tower), "Tower: this is a class"),
        (lambda: flax_linen.wrap(nn.Dense(3)), "a linen module already"),
        (lambda: flax_linen.wrap(Tower(), axes={"weight": ("a",)}), "layers.0.weight"),
        (lambda: flax_linen.wrap(jnp.sin, axes={"weight": ("a",)}), "It has none"),
        (lambda: flax_linen.wrap(Tower(), axes={"param": ("a", "b")}), r"2 names for the shape \(3,\)"),
        (lambda: untyped(flax_linen.from_linen)(Tower(), {}), "no linen module"),
        (lambda: untyped(flax_linen.from_linen)(start()[0], [1]), "expected a dictionary"),
        (lambda: flax_linen.from_linen(start()[0].bind(start()[1]), {}), "bound to variables"),
        (lambda: flax_linen.from_linen(start()[0], start()[1]["params"]), "no such collection"),
        (lambda: flax_linen.from_linen(*start(), properties=(Property("smooth", constant=1),)), "its own"),
        (lambda: flax_linen.wrap(eqx.tree_at(lambda t: t.by_name, Tower(), TWICE)), "two parameters"),
    ],
)
def test_wrong_use_is_refused(wrong, told):
    with pytest.raises(InputError, match=told):
        wrong()


def test_init_needs_an_input():
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        flax_linen.wrap(Tower()).init(jax.random.key(0))


def test_interop_loads_flax_on_first_use():
    code = """
import sys, geoembed
assert {"flax_linen", "flax_nnx"} <= set(dir(geoembed.interop))
assert "flax" not in sys.modules
for name in ("flax_linen", "flax_nnx"):
    assert getattr(geoembed.interop, name) is sys.modules["geoembed.interop." + name]
assert not hasattr(geoembed.interop, "flax_haiku")
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-W", "error", "-c", code], env=environment, check=True, timeout=120)
