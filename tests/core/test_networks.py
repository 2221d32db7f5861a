"""Networks and encodings against numpy, their starts against the papers, their derivatives against differences."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.core import MLP, FourierFeatures, HashGrid, Siren

KEY = jax.random.key(4)
ACTIVATIONS = {
    "swish": lambda z: z / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "softplus": lambda z: np.logaddexp(100 * z, 0) / 100,
}


def in_numpy(network, x, activate, first=1.0, others=1.0, shifts=None):
    """The layers one after the other, in float64."""
    weights = [np.asarray(w, float) for w in network.weights]
    biases = [np.asarray(b, float) for b in network.biases]
    for i, (weight, bias) in enumerate(zip(weights[:-1], biases[:-1], strict=True)):
        z = (first if i == 0 else others) * (x @ weight + bias)
        x = activate(z if shifts is None else z + shifts[i])
    return x @ weights[-1] + biases[-1]


def derivatives(f, x, step=1e-4):
    """Gradient and Hessian of a function of numpy by central differences."""
    unit = step * np.eye(len(x))
    gradient = np.array([(f(x + e) - f(x - e)) / (2 * step) for e in unit])
    hessian = np.array(
        [
            [(f(x + a + b) - f(x + a - b) - f(x - a + b) + f(x - a - b)) / (4 * step**2) for a in unit]
            for b in unit
        ]
    )
    return gradient, hessian


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_mlp_against_numpy(activation, precision):
    network = MLP(3, 2, 16, 3, activation=activation, key=KEY)
    x, shifts = np.array([0.3, -0.7, 0.2]), 0.1 * np.arange(48.0).reshape(3, 16) - 2
    tolerance = 1e-5 if precision == np.float32 else 1e-13
    found = jax.jit(network)(jnp.asarray(x, precision), jnp.asarray(shifts, precision))
    expected = in_numpy(network, x, ACTIVATIONS[activation], shifts=shifts)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
    assert found.dtype == precision


def test_siren_and_its_first_two_derivatives_against_numpy(precision):
    network = Siren(3, 1, 16, 2, first=8.0, frequency=5.0, key=KEY)
    x = np.array([0.3, -0.7, 0.2])
    reference = lambda p: in_numpy(network, p, np.sin, 8.0, 5.0)[0]  # noqa: E731
    gradient, hessian = derivatives(reference, x)
    tolerance = 1e-5 if precision == np.float32 else 1e-12
    f, point = lambda p: network(p)[0], jnp.asarray(x, precision)
    value, slope, bend = jax.jit(lambda p: (f(p), jax.grad(f)(p), jax.hessian(f)(p)))(point)
    np.testing.assert_allclose(value, reference(x), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(slope, gradient, rtol=2e-5, atol=2e-5)
    np.testing.assert_allclose(bend, hessian, rtol=2e-4, atol=2e-4)


def test_siren_starts_as_the_paper_says():
    """Weights within their bounds; the arguments of hidden sines have variance 1 in every layer (theorem 1.8)."""
    network = Siren(3, 1, 256, 6, key=KEY)
    bounds = [1 / 3, *[np.sqrt(6 / 256) / 30] * 6]
    for weight, bound in zip(network.weights, bounds, strict=True):
        assert 0.97 * bound < np.abs(weight).max() <= bound
        assert abs(np.std(weight) * np.sqrt(3) / bound - 1) < 0.06
    x = np.random.default_rng(0).uniform(-1, 1, (500, 3))
    for i, (weight, bias) in enumerate(zip(network.weights[:-1], network.biases[:-1], strict=True)):
        z = 30 * (x @ np.asarray(weight, float) + np.asarray(bias, float))
        if i > 0:
            without_bias = 30 * x @ np.asarray(weight, float)
            assert 0.85 < without_bias.std() < 1.15
        x = np.sin(z)
        assert abs(x.var() - 0.5) < 0.05


def test_mlp_keeps_the_size_of_its_signal():
    network = MLP(16, 1, 256, 5, key=KEY)
    assert abs(np.std(network.weights[1]) * np.sqrt(256 / 2) - 1) < 0.02
    assert abs(np.std(network.weights[-1]) * np.sqrt(256) - 1) < 0.2
    assert not np.any(network.biases[0])


def test_fourier_features_estimate_their_kernel(precision):
    features = FourierFeatures(3, 4096, scale=1.5, key=KEY)
    points = np.random.default_rng(0).uniform(0, 1, (6, 3)) * 0.3
    codes = np.asarray(jax.jit(jax.vmap(features))(jnp.asarray(points, precision)), float)
    squares = np.sum((points[:, None] - points[None]) ** 2, axis=2)
    expected = np.exp(-2 * np.pi**2 * 1.5**2 * squares)
    assert np.abs(codes @ codes.T / 4096 - expected).max() < 4 / np.sqrt(4096)
    angles = 2 * np.pi * points @ features.matrix.T
    tolerance = 1e-5 if precision == np.float32 else 1e-12
    np.testing.assert_allclose(codes, np.hstack([np.cos(angles), np.sin(angles)]), atol=tolerance)


SHARES = {
    "linear": lambda t: t,
    "cubic": lambda t: 3 * t**2 - 2 * t**3,
    "quintic": lambda t: 6 * t**5 - 15 * t**4 + 10 * t**3,
}


def hash_grid_in_numpy(grid, x):
    """The paper's equations with Python's own integers."""
    table, found = np.asarray(grid.table, float), []
    rows = table.shape[1]
    for level, cells in enumerate(grid.resolutions):
        corner = [min(int(np.floor(c * cells)), cells - 1) for c in x]
        share = [SHARES[grid.blend](c * cells - k) for c, k in zip(x, corner, strict=True)]
        total = np.zeros(table.shape[2])
        for offset in itertools.product((0, 1), repeat=len(x)):
            vertex = [k + o for k, o in zip(corner, offset, strict=True)]
            if (cells + 1) ** len(x) <= rows:
                row = sum(v * (cells + 1) ** i for i, v in enumerate(vertex))
            else:
                row = 0
                for v, prime in zip(vertex, (1, 2654435761, 805459861), strict=False):
                    row ^= (v * prime) % 2**32
                row %= rows
            weight = np.prod([s if o else 1 - s for s, o in zip(share, offset, strict=True)])
            total += weight * table[level, row]
        found.append(total)
    return np.concatenate(found)


@pytest.mark.parametrize("blend", SHARES)
@pytest.mark.parametrize("dimension", [2, 3])
def test_hash_grid_against_numpy(dimension, blend):
    """The last levels are hashed, and one has more vertices than 32 bits can count."""
    options = {"levels": 5, "features": 3, "coarsest": 3, "finest": 3000, "rows": 2**9, "blend": blend}
    points = np.vstack(
        [np.random.default_rng(1).random((20, dimension)), np.eye(dimension), np.ones((1, dimension))]
    )
    with jax.enable_x64(True):
        grid = HashGrid(dimension, key=KEY, **options)
        found = np.asarray(jax.jit(jax.vmap(grid))(jnp.asarray(points)))
    assert grid.resolutions == tuple(int(3 * 1000 ** (i / 4) + 1e-9) for i in range(5))
    expected = [hash_grid_in_numpy(grid, point) for point in points]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
    assert np.abs(expected).max() > 5e-5


@pytest.mark.parametrize(("blend", "order"), [("linear", 0), ("cubic", 1), ("quintic", 2)])
def test_where_the_derivatives_of_a_hash_grid_end(blend, order):
    """Across the face between two cells the next derivative jumps, those below do not."""
    with jax.enable_x64(True):
        grid = HashGrid(2, levels=1, features=1, coarsest=4, finest=4, rows=2**6, blend=blend, key=KEY)
        along = [lambda t: grid(jnp.stack([t, jnp.asarray(0.37)]))[0]]
        for _ in range(3):
            along.append(jax.grad(along[-1]))
        sides = jax.jit(jax.vmap(lambda t: jnp.stack([f(t) for f in along])))(
            jnp.array([0.5 - 1e-9, 0.5 + 1e-9])
        )
        jumps = np.abs(np.diff(sides, axis=0))[0]
    size = [1e-4 * 4**k for k in range(4)]
    assert all(jump < 1e-5 * s for jump, s in zip(jumps[: order + 1], size, strict=False))
    assert jumps[order + 1] > 0.05 * size[order + 1]


def test_hash_grid_outside_the_cube_is_the_nearest_point_of_it():
    grid = HashGrid(3, levels=2, finest=8, rows=2**8, key=KEY)
    outside, nearest = jax.jit(jax.vmap(grid))(jnp.array([[1.7, 0.3, -2.0], [1.0, 0.3, 0.0]]))
    np.testing.assert_array_equal(outside, nearest)


REFUSED = [
    (lambda: MLP(3, 1, 0, 2, key=KEY), "width"),
    (lambda: MLP(3, 1, 4, 2, activation="step", key=KEY), "activation"),
    (lambda: Siren(3, 1, 4, 2, first=0.0, key=KEY), "first"),
    (lambda: Siren(3, 1, 4, 2, key=KEY)(jnp.zeros(2)), "one vector"),
    (lambda: Siren(3, 1, 4, 2, key=KEY)(jnp.zeros(3, jnp.int32)), "[Ff]loat"),
    (lambda: FourierFeatures(3, 4, scale=-1.0, key=KEY), "scale"),
    (lambda: HashGrid(4, key=KEY), "dimensions"),
    (lambda: HashGrid(3, rows=1000, key=KEY), "power of two"),
    (lambda: HashGrid(3, blend="septic", key=KEY), "blend"),
]


@pytest.mark.parametrize(("make", "words"), REFUSED)
def test_refusals(make, words):
    with pytest.raises(Exception, match=words):
        make()
