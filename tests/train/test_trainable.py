"""Rules that say what of a model is trained: what they choose, what they compute, what they refuse."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.core import MLP, InputError
from geoembed.train import Train, descend, trainable

KEY = jax.random.key(5)


def leaves(tree):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(tree)]


@pytest.fixture
def model(precision):
    """A table, matrices in lists, a stack of matrices, a bias, and what is never trained."""
    draw = np.random.default_rng(0)

    def normal(*shape):
        return jax.device_put(draw.normal(size=shape).astype(precision))

    return {
        "table": normal(5, 3),
        "layers": [{"weight": normal(6, 7), "bias": normal(7)}, {"weight": normal(7, 4), "bias": normal(4)}],
        "stack": normal(3, 2, 5),
        "fixed": np.ones(3),
        "count": jax.device_put(np.arange(3)),
    }


def moved(chosen, model):
    """Trained numbers, all changed."""
    draw = np.random.default_rng(1)
    numbers = chosen.start(model, key=KEY)
    return jax.tree.map(lambda x: x + jax.device_put(draw.normal(size=x.shape).astype(x.dtype)), numbers)


RULES = [
    Train("table", rows=(3, 1)),
    Train("layers.*.weight", rank=1, rate=0.5),
    Train("layers.-1.bias", gains=True),
    Train("stack", rank=2),
]


def test_the_table_says_what_is_trained(model):
    chosen = trainable(model, RULES)
    found = [(line.part, line.how, line.numbers, line.rate, line.rule) for line in chosen.table]
    assert found == [
        ("layers.0.weight", "rank 1", 13, 0.5, 1),
        ("layers.1.bias", "gains", 4, 1.0, 2),
        ("layers.1.weight", "rank 1", 11, 0.5, 1),
        ("stack", "rank 2", 22, 1.0, 3),
        ("table", "rows 3, 1", 6, 1.0, 0),
    ]
    assert chosen.count == 13 + 4 + 11 + 22 + 6
    assert chosen.total == 15 + 49 + 32 + 30
    assert str(chosen).splitlines()[0] == "56 of 126 numbers are trained"
    assert "stack            3 x 2 x 5  rank 2          22     1" in str(chosen)
    sizes = [sum(part.size for part in own) for own in chosen.start(model, key=KEY)]
    assert sizes == [line.numbers for line in chosen.table]


def test_it_starts_with_the_model_as_it_was(model):
    chosen = trainable(model, RULES)
    numbers = chosen.start(model, key=KEY)
    for made in (chosen(model, numbers), chosen.changes.merged(model, numbers)):
        assert leaves(made) == leaves(model)


def test_what_no_rule_names_has_the_same_bits_and_the_rest_is_the_formula(model, precision):
    chosen = trainable(model, RULES)
    numbers = moved(chosen, model)
    made = chosen.changes.merged(model, numbers)
    first, gains, last, stack, rows = numbers
    old, new = (jax.tree.map(np.asarray, tree) for tree in (model, made))
    for same in (lambda m: m["layers"][0]["bias"], lambda m: m["fixed"], lambda m: m["count"]):
        assert leaves(same(new)) == leaves(same(old))
    assert leaves(new["table"][[0, 2, 4]]) == leaves(old["table"][[0, 2, 4]])
    assert leaves(new["table"][[3, 1]]) == leaves(rows[0])
    rtol, atol = (1e-5, 1e-6) if precision == np.float32 else (1e-13, 1e-14)
    close = functools.partial(np.testing.assert_allclose, rtol=rtol, atol=atol)
    for k, (a, b) in ((0, first), (1, last)):
        change = new["layers"][k]["weight"] - old["layers"][k]["weight"]
        close(change, np.outer(a, b))
    close(new["layers"][1]["bias"], old["layers"][1]["bias"] * (1 + gains[0]))
    change = np.einsum("ikr,rj->ikj", np.reshape(stack[0], (3, 2, 2)), stack[1]) / np.sqrt(2)
    close(new["stack"] - old["stack"], change)
    assert jax.tree.map(lambda x: x.dtype, new) == jax.tree.map(lambda x: x.dtype, old)
    called = jax.jit(lambda numbers: chosen.changes(chosen.changes.without(model), numbers))(numbers)
    for one, two in zip(jax.tree.leaves(called), jax.tree.leaves(new), strict=True):
        close(one, two)


def test_a_change_as_large_as_the_array_is_the_array(model):
    (line,) = trainable(model, [Train("layers.0.weight", rank=6)]).table
    assert (line.how, line.numbers) == ("all", 42)


def test_names(model):
    def parts(*rules):
        return [line.part for line in trainable(model, rules).table]

    assert parts(Train("bias")) == ["layers.0.bias", "layers.1.bias"]
    assert parts(Train("layers.-2")) == ["layers.0.bias", "layers.0.weight"]
    assert parts(Train("0.*")) == parts(Train("layers.0")) == parts(Train("layers.0.*"))
    assert parts(Train("*", but=("layers", "table"))) == ["stack"]
    assert len(parts(Train("*"))) == 6
    assert parts(Train("*", rank=1)) == ["layers.0.weight", "layers.1.weight", "stack", "table"]
    tables = trainable(model, [Train("*", rank=1)], tables=["table"]).table
    assert [line.part for line in tables] == ["layers.0.weight", "layers.1.weight", "stack"]


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([], "there is no rule, so nothing would be trained"),
        ([Train("layer")], r"trainable\[0\]: there is no part 'layer'. It has bias, count, fixed, layers"),
        ([Train("layers.3")], "there is no part 'layers.3'"),
        ([Train("*", but="layer")], "there is no part 'layer'"),
        (
            [Train("table"), Train("bias", rank=2)],
            r"trainable\[1\]: nothing of 'bias' .*layers.0.bias is no matrix",
        ),
        ([Train("fixed")], "'fixed' has no array of real jax numbers"),
        ([Train("count")], "'count' has no array of real jax numbers"),
        ([Train("table", rows=(5,))], "table has no rows 5"),
        ([Train("table", rows=("W",))], "table has no rows W"),
        ([Train("bias", but="layers")], "nothing of 'bias' can be trained: `but` takes all of it out"),
        ([Train(("table", "bias"), rank=1)], "nothing of 'bias'"),
        ([Train("layers"), Train("weight")], r"the rules 0 and 1 are both about layers.0.weight"),
        ([Train("stack", gains=True)], "stack stays for a reason"),
    ],
)
def test_rules_that_cannot_be_applied(rules, words, model):
    with pytest.raises(InputError, match=words):
        trainable(model, rules, still={"stack": "stack stays for a reason"})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"parts": ()}, "names no part"),
        ({"parts": "a", "rate": 0.0}, "the rate 0.0 is not positive"),
        ({"parts": "a", "rate": float("nan")}, "the rate nan is not positive"),
        ({"parts": "a", "rank": 0}, "the rank 0 is below 1"),
        ({"parts": "a", "rows": ()}, "empty list of rows"),
        ({"parts": "a", "rank": 2, "gains": True}, "more than one of rows, rank and gains"),
    ],
)
def test_rules_that_make_no_sense(options, words):
    with pytest.raises(InputError, match=words):
        Train(**options)


def test_low_rank_needs_a_key(model):
    with pytest.raises(ValueError, match="give key="):
        trainable(model, RULES).start(model)


def fitted(network, points, key):
    return jnp.mean((jax.vmap(network)(points)[:, 0] - points[:, 0] * points[:, 1]) ** 2)


def test_a_network_is_trained_in_parts():
    """Two layers learn; the others stay, and what comes back is a plain network."""
    network = MLP(2, 1, 6, 2, key=jax.random.key(0))
    points = jax.device_put(np.random.default_rng(2).uniform(-1, 1, (16, 2)).astype(np.float32))
    rules = [Train("weights.1", rank=1, rate=0.5), Train(("weights.-1", "biases.-1"))]
    options = {"rate": 0.02, "key": KEY, "chunk": 20}
    found = descend(fitted, network, points, steps=120, trainable=rules, **options)
    assert found.history[-1].loss < 0.5 * found.history[0].loss
    made = found.model
    assert isinstance(made, MLP)
    assert leaves((made.weights[0], made.biases[:2])) == leaves((network.weights[0], network.biases[:2]))
    change = np.asarray(made.weights[1] - network.weights[1])
    assert np.linalg.matrix_rank(change, tol=1e-5) == 1
    assert leaves(made.weights[2]) != leaves(network.weights[2])


def test_the_first_steps_of_adam_are_the_rates():
    """Whatever the gradient: sign and rate."""
    model = {"a": jnp.ones(2), "b": jnp.ones(3), "c": jnp.ones(1)}

    def loss(model, data, key):
        return jnp.sum(model["a"] ** 2) + jnp.sum(model["b"] ** 2) + jnp.sum(model["c"] ** 2)

    rules = [Train("a", rate=0.25), Train("b", rate=2.0)]
    found = descend(loss, model, None, steps=1, rate=0.001, key=KEY, trainable=rules).model
    size = 0.5 * 0.001 * (1 + np.cos(np.pi * 0.45 / 0.95))
    np.testing.assert_allclose(found["a"], 1 - 0.25 * size, rtol=1e-6)
    np.testing.assert_allclose(found["b"], 1 - 2.0 * size, rtol=1e-6)
    assert float(found["c"][0]) == 1.0
