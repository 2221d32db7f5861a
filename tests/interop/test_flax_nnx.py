"""The nnx face: names, state, transforms, the way back, wrong use."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from geoembed import check
from geoembed.core import InputError, Property
from geoembed.interop import flax_nnx
from tests.interop.flax_faces import equal
from tests.interop.test_flax_linen import Tower, untyped

X = jnp.asarray([0.3, -0.7])


def test_parameters_are_named_after_the_fields():
    module, tower = flax_nnx.wrap(Tower()), Tower()
    assert jax.tree.map(jnp.shape, nnx.to_pure_dict(nnx.state(module, nnx.Param))) == {
        "layers": {"0": {"weight": (4, 2), "bias": (4,)}, "1": {"weight": (3, 4), "bias": (3,)}},
        "param": (3,),
        "by_name": {"scope": (3,)},
    }
    assert jnp.array_equal(module.layers[1].weight.get_value(), tower.layers[1].weight)
    assert jnp.array_equal(module(X), tower(X))
    assert jnp.array_equal(module(X, shift=1.5), tower(X, 1.5))


def test_split_merge_update_and_gradient():
    module = flax_nnx.wrap(Tower())
    graphdef, state = nnx.split(module)
    moved = jax.tree.map(lambda p: p + 0.25, state)
    by_merge = nnx.merge(graphdef, moved)(X)
    nnx.update(module, moved)
    changed = eqx.tree_at(
        lambda t: jax.tree.leaves((t.layers, t.param, t.by_name)), Tower(), replace_fn=lambda p: p + 0.25
    )
    assert jnp.array_equal(module(X), by_merge)
    assert jnp.array_equal(module(X), changed(X))
    assert equal(flax_nnx.from_nnx(module), changed)
    gradient = nnx.grad(lambda m: m(X).sum())(module)
    expected = jax.grad(lambda p: eqx.tree_at(lambda t: t.param, changed, p)(X).sum())(changed.param)
    assert jnp.array_equal(gradient.param.get_value(), expected)


def test_equal_modules_share_a_compiled_program():
    """Parameters are arguments here: also modules that start from other numbers are equal programs."""
    traces = []

    @nnx.jit
    def run(module, x):
        traces.append(1)
        return module(x)

    for seed in (0, 0, 1):
        np.testing.assert_allclose(run(flax_nnx.wrap(Tower(seed)), X), Tower(seed)(X), rtol=1e-5)
    assert len(traces) == 1
    other = eqx.tree_at(lambda t: t.table, Tower(), np.arange(3.0) + 1)
    np.testing.assert_allclose(run(flax_nnx.wrap(other), X), other(X), rtol=1e-5)
    assert len(traces) == 2


def test_a_stack_of_encoders():
    make = nnx.vmap(lambda seed: flax_nnx.wrap(eqx.nn.Linear(2, 3, key=jax.random.key(seed))))
    stack = make(jnp.arange(5))
    assert stack.weight.shape == (5, 3, 2)
    got = nnx.vmap(lambda module, x: module(x), in_axes=(0, None))(stack, X)
    expected = jnp.stack([eqx.nn.Linear(2, 3, key=jax.random.key(seed))(X) for seed in range(5)])
    np.testing.assert_allclose(got, expected, rtol=1e-6)
    with pytest.raises(InputError, match=r"weight.*\(5, 3, 2\), expected \(3, 2\)"):
        stack(X)
    with pytest.raises(InputError, match=r"module.weight: expected float32\[3, 2\]"):
        flax_nnx.from_nnx(stack)


def test_inside_a_larger_module():
    class Net(nnx.Module):
        def __init__(self, rngs):
            self.tower = flax_nnx.wrap(Tower())
            self.head = nnx.Linear(3, 1, rngs=rngs)

        def __call__(self, x):
            return self.head(self.tower(x) + flax_nnx.from_nnx(self.tower).doubled(x))

    net = Net(nnx.Rngs(0))
    expected = (3 * Tower()(X)) @ net.head.kernel.get_value() + net.head.bias.get_value()
    np.testing.assert_allclose(nnx.jit(lambda net, x: net(x))(net, X), expected, rtol=1e-6)
    gradient = nnx.grad(lambda net: net(X).sum())(net)
    assert float(jnp.abs(gradient.tower.layers["0"].weight.get_value()).max()) > 0


def test_without_parameters_the_function_comes_back():
    module = flax_nnx.wrap(jnp.sin)
    assert jnp.array_equal(module(X), jnp.sin(X))
    assert flax_nnx.from_nnx(module) is jnp.sin
    assert not jax.tree.leaves(nnx.state(module))


def test_donated_parameters_leave_the_encoder_alone():
    tower = Tower()
    module = flax_nnx.wrap(tower)
    values = nnx.to_pure_dict(nnx.state(module))
    jax.jit(lambda v: jax.tree.map(lambda p: p + 1, v), donate_argnums=0)(values)
    assert values["param"].is_deleted()
    assert not tower.param.is_deleted()


def test_text_and_display(capsys):
    module = flax_nnx.wrap(Tower())
    assert "weight=Param" in repr(module)
    assert "Total Parameters: 33" in nnx.tabulate(module, X, console_kwargs={"color_system": None})
    nnx.display(module)
    assert "Encoder" in capsys.readouterr().out
    assert jnp.array_equal(module(X), Tower()(X))


# --- other modules as encoders


class Network(nnx.Module):
    def __init__(self, rngs):
        self.first = nnx.Linear(2, 8, rngs=rngs)
        self.norm = nnx.BatchNorm(8, rngs=rngs)
        self.drop = nnx.Dropout(0.5, rngs=rngs)
        self.last = nnx.Linear(8, 2, rngs=rngs)

    def __call__(self, x):
        return self.last(self.drop(jnp.tanh(self.norm(self.first(x)))))


def test_any_nnx_module_becomes_an_encoder_that_check_measures():
    network = Network(nnx.Rngs(0))
    network.eval()
    promise = Property("smooth", constant=2)
    encoder = flax_nnx.from_nnx(network, properties=(promise,))
    expected = network(X)
    assert jnp.array_equal(encoder(X), expected)
    assert encoder.properties == (promise,)
    # in float64 too, it is measured of the linen face
    card = check.card(encoder, X, key=jax.random.key(1), dtypes=("float32",), platforms=("cpu",))
    assert card.passed, card.to_text()
    network.first.bias.set_value(network.first.bias.get_value() + 1)
    assert jnp.array_equal(encoder(X), expected)  # a copy: the module goes on by itself
    np.testing.assert_allclose(jax.jit(encoder)(X), expected, rtol=1e-6)


def test_what_a_call_changes_is_dropped():
    encoder = flax_nnx.from_nnx(Network(nnx.Rngs(0)))  # training mode: statistics and random numbers move on
    batch = jnp.linspace(-1.0, 1.0, 8).reshape(4, 2)
    before = jax.tree.map(jnp.copy, encoder.state["norm"])
    assert jnp.array_equal(encoder(batch), encoder(batch))
    assert equal(encoder.state["norm"], before)


# --- wrong use


def broken(change):
    module = flax_nnx.wrap(Tower())
    change(module)
    return module


def set_shape(module):
    module.layers[0].weight = nnx.Param(jnp.ones((3, 2)))


def set_dtype(module):
    module.param = nnx.Param(jnp.ones(3, jnp.bfloat16))


def add(module):
    module.extra = nnx.Param(jnp.ones(3))


def remove(module):
    del module.param


@pytest.mark.parametrize(
    ("change", "where", "told"),
    [
        (set_shape, "module.layers.0.weight", "expected float32[4, 2], received float32[3, 2]"),
        (set_dtype, "module.param", "expected float32[3], received bfloat16[3]"),
        (add, "module.extra", "no such parameter"),
        (remove, "module.param", "missing, expected float32[3]"),
    ],
)
def test_the_way_back_refuses_other_parameters(change, where, told):
    with pytest.raises(InputError) as caught:
        flax_nnx.from_nnx(broken(change))
    assert caught.value.where == where
    assert told in str(caught.value)


def test_a_call_refuses_another_shape():
    with pytest.raises(InputError, match=r"layers.0.weight: the shape is \(3, 2\), expected \(4, 2\)"):
        broken(set_shape)(X)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda: untyped(flax_nnx.wrap)(3), "int: this cannot be called"),
        (lambda: flax_nnx.wrap(Tower), "Tower: this is a class"),
        (lambda: flax_nnx.wrap(nnx.Linear(1, 1, rngs=nnx.Rngs(0))), "an nnx module already"),
        (lambda: untyped(flax_nnx.from_nnx)(Tower()), "no nnx module"),
        (lambda: flax_nnx.from_nnx(nnx.Dict()), "cannot be called"),
        (
            lambda: flax_nnx.from_nnx(flax_nnx.wrap(Tower()), properties=(Property("smooth", constant=1),)),
            "its own",
        ),
    ],
)
def test_wrong_use_is_refused(wrong, told):
    with pytest.raises(InputError, match=told):
        wrong()
