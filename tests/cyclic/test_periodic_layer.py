"""Networks behind a PeriodicLayer are periodic with their derivatives, to rounding."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.cyclic import PeriodicLayer

LAYER, NETWORK = jax.random.split(jax.random.key(3))
ORDERS = range(4)


class Network(eqx.Module):
    """A smooth network behind a periodic layer."""

    layer: PeriodicLayer
    rest: eqx.nn.MLP

    def __call__(self, x):
        return self.rest(self.layer(x))


def network(*periods, harmonics=1):
    layer = PeriodicLayer(periods, 16, key=LAYER, harmonics=harmonics)
    return Network(layer, eqx.nn.MLP(16, "scalar", 16, 2, jnp.tanh, key=NETWORK))


def derivatives(f):
    """The compiled partial derivatives of orders 0 to 3 at many points."""
    functions = [f]
    for _ in ORDERS[1:]:
        functions.append(jax.jacfwd(functions[-1]))
    compiled = jax.jit(jax.vmap(lambda x: [g(x) for g in functions]))
    return lambda points: [np.asarray(part) for part in compiled(jnp.asarray(points))]


def deviations(here, there):
    """The largest change of a derivative, relative to the largest derivative of that order."""
    return [np.abs(b - a).max() / np.abs(a).max() for a, b in zip(here, there, strict=True)]


def reference(layer, x):
    """The equations with jnp.cos, in radians."""
    units = []
    rows = iter(zip(layer.amplitudes, layer.phases, strict=True))
    lines = iter(layer.slopes)
    cyclic = [i for i, period in enumerate(layer.periods) if period]
    others = [i for i, period in enumerate(layer.periods) if not period]
    for shift, i in zip(layer.shifts, cyclic + others, strict=True):
        if layer.periods[i]:
            amplitude, phase = next(rows)
            k = jnp.arange(1.0, amplitude.shape[1] + 1)
            angle = 2 * jnp.pi * (k * x[i] / layer.periods[i] + phase)
            units.append(jnp.tanh(jnp.sum(amplitude * jnp.cos(angle), axis=1) + shift))
        else:
            units.append(jnp.tanh(next(lines) * x[i] + shift))
    return layer.weight @ jnp.concatenate(units) + layer.bias


def test_it_computes_its_equations():
    """With all derivatives, for two periods and a coordinate without, and three harmonics."""
    with jax.enable_x64(True), jax.numpy_rank_promotion("allow"):
        layer = PeriodicLayer((2.7, None, 1.3), 5, key=LAYER, harmonics=3)
        layer = eqx.tree_at(lambda lay: lay.bias, layer, jnp.arange(5.0))
        points = jax.random.uniform(NETWORK, (10, 3), minval=-3, maxval=3)
        got, exact = (derivatives(f)(points) for f in (layer, lambda x: reference(layer, x)))
    for order in ORDERS:
        assert got[order].shape == (10, 5, *(3,) * order)
        np.testing.assert_allclose(got[order], exact[order], atol=1e-13 * np.abs(exact[order]).max())


def test_periodic_bit_for_bit_where_x_has_few_digits(precision):
    """x, the period and x + p are multiples of 1/64: nothing is rounded before the layer, and nothing differs."""
    all_orders = derivatives(network(2.0, harmonics=2))
    points = np.arange(-64, 64, dtype=precision)[:, None] / 64
    here = all_orders(points)
    assert here[3].dtype == precision
    for periods in (1, -2, 5):
        assert deviations(here, all_orders(points + 2 * periods)) == [0, 0, 0, 0]


@pytest.mark.parametrize("period", [2.7, pytest.param(np.pi, marks=pytest.mark.slow)])
def test_periodic_for_any_period(period):
    """The points are chosen so that x + p is exact: what remains is the rounding of x / p."""
    coarse = np.random.default_rng(0).integers(-(2**49), 2**49, (300, 1)) * 2.0**-50  # multiples of ulp(p)
    points = coarse[(period + coarse[:, 0] >= 2) & (period + coarse[:, 0] < 4)]
    assert len(points) > 100
    assert np.array_equal((points + period) - period, points)
    with jax.enable_x64(True):
        all_orders = derivatives(network(period))
        assert max(deviations(all_orders(points), all_orders(points + period))) < 1e-13


@pytest.mark.slow
def test_periodic_over_many_periods():
    """With the rounding of x + p: half a unit in the last place of numbers below 32, times the slope."""
    points = np.random.default_rng(0).uniform(-2.7, 2.7, (100, 1))
    with jax.enable_x64(True):
        all_orders = derivatives(network(2.7, harmonics=2))
        here = all_orders(points)
        for periods in (1, -3, 10):
            assert max(deviations(here, all_orders(points + periods * 2.7))) < 1e-12


def test_mixed_derivatives_in_two_dimensions():
    points = np.random.default_rng(0).uniform(-2, 2, (50, 2))
    with jax.enable_x64(True):
        all_orders = derivatives(network(2.7, 1.3))
        here = all_orders(points)
        for shift in ([2.7, 0.0], [0.0, -1.3], [5.4, 3.9]):
            assert max(deviations(here, all_orders(points + np.array([shift])))) < 1e-12


def test_a_coordinate_without_period():
    """Periodic along the first coordinate, and not along the second."""
    points = np.random.default_rng(0).uniform(-2, 2, (50, 2))
    with jax.enable_x64(True):
        all_orders = derivatives(network(2.7, None))
        here, along, across = (
            all_orders(points + np.array([s])) for s in ([0.0, 0.0], [2.7, 0.0], [0.0, 2.7])
        )
    assert max(deviations(here, along)) < 1e-12
    assert min(deviations(here, across)) > 1e-2


def test_a_network_of_x_is_not_periodic():
    """So the tests above can fail."""
    points = np.random.default_rng(0).uniform(-2.7, 2.7, (100, 1))
    with jax.enable_x64(True):
        all_orders = derivatives(eqx.nn.MLP(1, "scalar", 16, 2, jnp.tanh, key=NETWORK))
        assert min(deviations(all_orders(points), all_orders(points + 2.7))) > 1e-2


def test_all_of_it_is_trained(precision):
    layer = PeriodicLayer((2.7, None), 4, key=LAYER, harmonics=2)
    x = jnp.asarray([0.4, 0.3], precision)
    slopes = jax.jit(jax.grad(lambda lay: jnp.sum(jnp.sin(lay(x)))))(layer)
    assert len(jax.tree.leaves(slopes)) == 6
    assert all(np.all(np.isfinite(leaf)) and np.all(leaf != 0) for leaf in jax.tree.leaves(slopes))


def test_outputs_start_with_order_one():
    layer = PeriodicLayer((2.7, None), 64, key=LAYER, harmonics=4)
    out = jax.jit(jax.vmap(layer))(jax.random.normal(NETWORK, (500, 2)))
    assert 0.3 < np.std(out) < 1.5


@pytest.mark.parametrize(
    ("periods", "arguments", "message"),
    [
        ((), {}, "at least one period"),
        ((None, None), {}, "at least one period"),
        (2.7, {}, "at least one period"),
        ((2.7, -1.0), {}, "finite period above 0"),
        ((2.7, "x"), {}, "finite period above 0"),
        ((2.7,), {"harmonics": 0}, "harmonics of at least 1"),
        ((2.7,), {"width": 0}, "width of at least 1"),
    ],
)
def test_arguments_out_of_range_are_refused(periods, arguments, message):
    with pytest.raises(ValueError, match=message):
        PeriodicLayer(periods, **{"width": 4, "key": LAYER} | arguments)
