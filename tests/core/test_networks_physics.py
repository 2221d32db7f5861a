"""Gated, residual and separable networks against numpy, their derivatives against Cauchy's integral formula.

The references take complex numbers too: f⁽ᵏ⁾(0) is, to rounding, k!/rᵏ times the mean of f(r e^iθ) e^−ikθ over
the circle.
"""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.core import InputError, ModifiedMLP, PirateNet, Separable, is_parameter

KEY = jax.random.key(7)
X = np.array([0.3, -0.7, 0.2])
ACTIVATIONS = {
    "swish": lambda z: z / (1 + np.exp(-z)),
    "tanh": np.tanh,
}


def shaken(network):
    """Every parameter away from its start: biases and α are no longer 0."""
    random = np.random.default_rng(3)

    def move(leaf):
        return leaf + jnp.asarray(0.2 * random.standard_normal(leaf.shape), leaf.dtype)

    return jax.tree.map(lambda leaf: move(leaf) if is_parameter(leaf) else leaf, network)


def in_float64(arrays):
    return [np.asarray(array, float) for array in arrays]


def modified_in_numpy(network, x):
    activate = ACTIVATIONS[network.activation]
    (wu, wv), (bu, bv) = in_float64(network.gate_weights), in_float64(network.gate_biases)
    weights, biases = in_float64(network.weights), in_float64(network.biases)
    u, v = activate(x @ wu + bu), activate(x @ wv + bv)
    h = x
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        h = activate(h @ weight + bias)
        h = h * u + (1 - h) * v
    return h @ weights[-1] + biases[-1]


def features_in_numpy(network, x):
    if network.features is None:
        weight, bias = in_float64([network.weights[0], network.biases[0]])
        return ACTIVATIONS[network.activation](x @ weight + bias)
    angles = 2 * np.pi * network.features.matrix @ x
    return np.concatenate([np.cos(angles), np.sin(angles)])


def pirate_in_numpy(network, x):
    activate = ACTIVATIONS[network.activation]
    layers = list(zip(in_float64(network.weights[:-1]), in_float64(network.biases), strict=True))
    layers = layers if network.features is not None else layers[1:]
    h = features_in_numpy(network, x)
    u, v = (activate(h @ weight + bias) for weight, bias in layers[:2])
    for i, alpha in enumerate(np.asarray(network.alpha, float)):
        (w1, b1), (w2, b2), (w3, b3) = layers[2 + 3 * i : 5 + 3 * i]
        f = activate(h @ w1 + b1)
        z = f * u + (1 - f) * v
        g = activate(z @ w2 + b2)
        z = g * u + (1 - g) * v
        h = alpha * activate(z @ w3 + b3) + (1 - alpha) * h
    return h @ np.asarray(network.weights[-1], float)


def separable_in_numpy(network, x):
    total, product = 0.0, 1.0
    for one, number in zip(network.networks, x, strict=True):
        h, activate = np.array([number]), ACTIVATIONS[one.activation]
        weights, biases = in_float64(one.weights), in_float64(one.biases)
        for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
            h = activate(h @ weight + bias)
        product = product * (h @ weights[-1] + biases[-1])
    for r in range(network.rank):
        total = total + np.split(product, network.rank)[r]
    return total


MAKERS = {
    "modified tanh": (lambda: ModifiedMLP(3, 2, 8, 2, key=KEY), modified_in_numpy),
    "modified swish": (lambda: ModifiedMLP(3, 2, 8, 1, activation="swish", key=KEY), modified_in_numpy),
    "pirate": (lambda: PirateNet(3, 2, 8, 2, key=KEY), pirate_in_numpy),
    "pirate dense": (
        lambda: PirateNet(3, 2, 7, 1, scale=None, activation="swish", key=KEY),
        pirate_in_numpy,
    ),
    "separable": (lambda: Separable(3, 2, 8, 2, 5, key=KEY), separable_in_numpy),
}
ONE_OF_EACH = ("modified tanh", "pirate", "separable")


A_SECOND = [pytest.param(name, marks=pytest.mark.slow) for name in MAKERS if name not in ONE_OF_EACH]


@pytest.mark.parametrize("name", [*ONE_OF_EACH, *A_SECOND])
def test_values_against_numpy_compiled_or_not(name, precision):
    make, reference = MAKERS[name]
    network, x = shaken(make()), jnp.asarray(X, precision)
    tolerance = 1e-5 if precision == np.float32 else 1e-13
    # the second compiles every operation by itself: in float64 only, and one of each kind
    eager = precision == np.float64 and name in ONE_OF_EACH
    for found in (way(x) for way in (jax.jit(network), network)[: 2 if eager else 1]):
        np.testing.assert_allclose(found, reference(network, X), rtol=tolerance, atol=tolerance)
        assert found.dtype == precision
        assert found.shape == (2,)


def test_they_start_in_the_default_dtype_and_keep_that_of_the_input():
    made = {name: make() for name, (make, _) in MAKERS.items()}
    for network in made.values():
        assert {leaf.dtype for leaf in jax.tree.leaves(eqx.filter(network, is_parameter))} == {
            jnp.dtype("float32")
        }
    with jax.enable_x64(True):
        x = jax.ShapeDtypeStruct(X.shape, jnp.float64)
        assert all(jax.eval_shape(network, x).dtype == np.float64 for network in made.values())


def test_numbers_of_parameters_are_those_of_the_docstrings():
    n, m, w, depth, blocks, rank = 3, 2, 8, 4, 2, 5
    plain = (n + 1) * w + (depth - 1) * (w + 1) * w + (w + 1) * m
    deep = (3 * blocks + 2) * (w + 1) * w + blocks + w * m
    expected = [
        (ModifiedMLP(n, m, w, depth, key=KEY), plain + 2 * (n + 1) * w),
        (PirateNet(n, m, w, blocks, key=KEY), deep),
        (PirateNet(n, m, w, blocks, scale=None, key=KEY), deep + (n + 1) * w),
        (
            Separable(n, m, w, depth, rank, key=KEY),
            n * (2 * w + (depth - 1) * (w + 1) * w + (w + 1) * rank * m),
        ),
    ]
    for network, count in expected:
        assert sum(leaf.size for leaf in jax.tree.leaves(eqx.filter(network, is_parameter))) == count


def test_with_equal_gates_a_hidden_layer_is_the_gate():
    """h U + (1 − h) U = U: what the hidden layers have learned does not matter."""
    network = shaken(ModifiedMLP(3, 2, 8, 3, key=KEY))
    (wu, _), (bu, _) = network.gate_weights, network.gate_biases
    network = eqx.tree_at(lambda n: (n.gate_weights, n.gate_biases), network, ((wu, wu), (bu, bu)))
    u = np.tanh(X @ np.asarray(wu) + np.asarray(bu))
    expected = u @ np.asarray(network.weights[-1]) + np.asarray(network.biases[-1])
    found = jax.jit(network)(jnp.asarray(X, jnp.float32))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("scale", [0.4, None])
def test_a_pirate_net_starts_as_a_linear_map_of_its_features(scale):
    network = PirateNet(3, 2, 8, 3, scale=scale, key=KEY)
    assert not np.any(network.alpha)
    expected = features_in_numpy(network, X) @ np.asarray(network.weights[-1])
    x = jnp.asarray(X, jnp.float32)
    np.testing.assert_allclose(jax.jit(network)(x), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(jax.jit(network.basis)(x), features_in_numpy(network, X), rtol=1e-5, atol=1e-6)
    if scale is not None:
        assert 0.5 < np.std(network.features.matrix) / scale < 1.5


def test_at_the_start_only_alpha_and_the_last_layer_move():
    network = PirateNet(3, 1, 8, 2, key=KEY)
    x = jnp.asarray(X, jnp.float32)
    slope = eqx.filter_jit(eqx.filter_grad(lambda n: n(x)[0]))(network)
    inner = [*slope.weights[:-1], *slope.biases]
    assert not any(np.any(leaf) for leaf in inner)
    assert np.all(np.abs(slope.alpha) > 1e-4)
    assert np.any(slope.weights[-1])


def test_least_squares_of_an_equation(precision):
    """u″ = −u with u(0) = 0 and u′(0) = 1 is linear in the last layer; its solution is a sine."""
    network = PirateNet(1, 1, 24, 1, scale=0.25, key=KEY)
    waves = 2 * np.pi * network.features.matrix[:, 0]
    points = np.linspace(-1, 1, 40)
    values = np.array([features_in_numpy(network, point[None]) for point in points])
    at_zero = np.concatenate([np.ones(12), np.zeros(12)])
    slope_at_zero = np.concatenate([np.zeros(12), waves])
    rows = np.vstack([values * (1 - np.tile(waves, 2) ** 2), at_zero, slope_at_zero])
    targets = np.zeros((42, 1))
    targets[-1] = 1.0
    solved = network.fitted(jnp.asarray(rows, precision), jnp.asarray(targets, precision))
    error = np.abs(values @ np.asarray(solved.weights[-1], float) - np.sin(points)[:, None]).max()
    assert error < (2e-4 if precision == np.float32 else 1e-9)
    assert solved.weights[-1].dtype == network.weights[-1].dtype
    assert solved.features.matrix is network.features.matrix


def test_least_squares_compiled_and_with_a_cutoff():
    random = np.random.default_rng(5)
    rows, targets = random.standard_normal((30, 8)), random.standard_normal((30, 2))
    rows[:, 7] = rows[:, 6] + 1e-2 * rows[:, 7]
    fit = jax.jit(lambda r, t: PIRATE.fitted(r, t, cutoff=0.05).weights[-1])
    found = fit(jnp.asarray(rows, jnp.float32), jnp.asarray(targets, jnp.float32))
    np.testing.assert_allclose(found, np.linalg.lstsq(rows, targets, rcond=0.05)[0], atol=1e-5)
    assert np.abs(found - np.linalg.lstsq(rows, targets)[0]).max() > 0.1, "the cutoff matters"


AXES = (np.linspace(-1, 1, 4), np.linspace(0, 1, 3), np.linspace(-0.5, 2, 5))


@pytest.mark.parametrize("inputs", [1, 2, 3])
def test_a_grid_equals_its_points(inputs, precision):
    network = shaken(Separable(inputs, 2, 8, 2, 5, key=KEY))
    axes = [jnp.asarray(axis, precision) for axis in AXES[:inputs]]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    expected = [separable_in_numpy(network, point) for point in points.reshape(-1, inputs).astype(float)]
    found = jax.jit(network.grid)(axes)
    tolerance = 1e-5 if precision == np.float32 else 1e-13
    assert found.shape == (*points.shape[:-1], 2)
    assert found.dtype == precision
    np.testing.assert_allclose(found.reshape(-1, 2), expected, rtol=tolerance, atol=tolerance)


def test_a_tangent_of_ones_differentiates_a_grid():
    network = shaken(Separable(3, 2, 8, 2, 5, key=KEY))
    with jax.enable_x64(True):
        axes = [jnp.asarray(axis) for axis in AXES]
        along = [jnp.zeros_like(axes[0]), jnp.ones_like(axes[1]), jnp.zeros_like(axes[2])]
        slopes = jax.jit(lambda axes: jax.jvp(network.grid, (axes,), (along,))[1])(axes)
    points = np.stack(np.meshgrid(*AXES, indexing="ij"), axis=-1).reshape(-1, 3) + 1e-30j * np.eye(3)[1]
    expected = [separable_in_numpy(network, point).imag / 1e-30 for point in points]
    np.testing.assert_allclose(slopes.reshape(-1, 2), expected, rtol=1e-12, atol=1e-12)
    assert np.abs(slopes).max() > 0.1


def test_a_separable_starts_smaller_the_higher_its_rank():
    """The variance of a sum of R products of n factors is that of one when each factor is R^(−1/2n) of its size."""
    for inputs, rank in ((2, 64), (3, 27)):
        network = Separable(inputs, 1, 256, 1, rank, key=KEY)
        for one in network.networks:
            assert abs(np.std(one.weights[-1]) * 16 * rank ** (0.5 / inputs) - 1) < 0.05


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_nested_forward_derivatives_to_order_four(name):
    make, reference = MAKERS[name]
    way, radius = np.array([0.5, 1.0, -0.7]), 0.15
    network = shaken(make())
    with jax.enable_x64(True):
        along = [lambda t: network(jnp.asarray(X) + t * jnp.asarray(way))]
        for _ in range(4):
            along.append(lambda t, f=along[-1]: jax.jvp(f, (t,), (jnp.ones_like(t),))[1])
        found = np.asarray(jax.jit(lambda t: jnp.stack([f(t) for f in along[1:]]))(jnp.zeros(())))
    circle = np.exp(2j * np.pi * np.arange(64) / 64)
    values = np.array([reference(network, X + radius * turn * way) for turn in circle])
    for order in range(1, 5):
        mean = np.mean(values * circle[:, None] ** -order, axis=0).real
        expected = math.factorial(order) / radius**order * mean
        assert np.abs(expected).max() > 0.1
        np.testing.assert_allclose(found[order - 1], expected, rtol=1e-9, atol=1e-9, err_msg=str(order))


def test_the_hash_depends_on_the_sizes_only():
    for make, _ in (MAKERS[name] for name in ONE_OF_EACH):
        network = make()
        assert hash(network) == hash(make()) == hash(shaken(network)), "a step of training keeps the cache"
        assert network.examples(2, key=KEY)[0].shape == (3,)


ROWS, TARGETS = jnp.ones((5, 8), jnp.float32), jnp.ones((5, 2), jnp.float32)
PIRATE = PirateNet(3, 2, 8, 1, key=KEY)
SEPARABLE = Separable(2, 1, 4, 1, 2, key=KEY)
REFUSED = [
    (lambda: ModifiedMLP(3, 1, 4, 0, key=KEY), "depth"),
    (lambda: ModifiedMLP(3, 1, 4, 2, activation="step", key=KEY), "activation"),
    (lambda: ModifiedMLP(3, 1, 4, 2, key=KEY)(jnp.zeros(2)), "one vector"),
    (lambda: PirateNet(3, 1, 7, 2, key=KEY), "even width"),
    (lambda: PirateNet(3, 1, 8, 2, scale=-1.0, key=KEY), "scale"),
    (lambda: PIRATE(jnp.zeros(4)), "one vector"),
    (lambda: PIRATE.fitted(ROWS[:, :7], TARGETS), "rows of shape"),
    (lambda: PIRATE.fitted(ROWS, TARGETS[:, :1]), "targets of shape"),
    (lambda: PIRATE.fitted(ROWS, TARGETS.astype(jnp.bfloat16)), "one dtype"),
    (lambda: Separable(2, 1, 4, 1, 0, key=KEY), "rank"),
    (lambda: SEPARABLE(jnp.zeros(2, jnp.int32)), "[Ff]loat"),
    (lambda: SEPARABLE.grid([jnp.zeros(3)]), "2 vectors"),
    (lambda: SEPARABLE.grid([jnp.zeros(3), jnp.zeros(3, jnp.bfloat16)]), "one dtype"),
]


@pytest.mark.parametrize(("make", "words"), REFUSED)
def test_refusals(make, words):
    with pytest.raises(Exception, match=words):
        make()


def test_a_number_that_is_not_finite_is_refused():
    with pytest.raises(InputError, match="targets"):
        PIRATE.fitted(ROWS, TARGETS.at[1, 0].set(jnp.nan))
