"""Heat flows of temperature fields that are known exactly, right ones and wrong ones; no solver runs here."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.pinn import Convection, HeatFlux, Problem, SplineField, SteadyHeat, Temperature
from geoembed.pinn._heat import energy_balance, heat_flows, layer_weight
from geoembed.pinn._heldout import hold_out
from geoembed.sdf import value_and_gradient
from tests.pinn.parts import ENDS, box

LENGTH, WIDTH, K = 0.1, 0.03, 2.0
SLOPE = 100.0 * 50.0 / (K + 50.0 * LENGTH)  # held at 400 K, h = 50 W/(m² K) to 300 K
WATTS = K * SLOPE * WIDTH**2
SLAB = box((LENGTH, WIDTH, WIDTH))


def axial(slope, level, curvature=0.0, *, unit=1.0):
    """T = level + slope x + curvature x²/2 for x in m, as a field on cells of 0.01 m.

    The coefficient of a quadratic B-spline at its middle m is f(m) − f″/8 · spacing² for a quadratic f.
    """
    shape = (12, 6, 6)
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(-1, 3)
    wide = np.array(shape) + 2
    local = np.stack(np.meshgrid(*[np.arange(3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    position = index[:, None] + local[None]
    number = (position[..., 0] * wide[1] + position[..., 1]) * wide[2] + position[..., 2]
    middle = 0.01 * (np.arange(wide[0]) - 0.5) - 0.01
    values = slope * middle + curvature * (middle**2 / 2 - 0.01**2 / 8)
    return SplineField(
        coefficients=np.repeat(values, wide[1] * wide[2]),
        cell_features=number.astype(np.int32),
        keys=np.arange(len(index), dtype=np.int32),
        origin=np.full(3, -0.01) / unit,
        shape=shape,
        spacing=0.01 / unit,
        reference=level,
        scale=1.0,
    )


def flows(conditions, field, equation=None, part=SLAB):
    problem = Problem(part, equation or SteadyHeat(K), conditions, ENDS)
    return heat_flows(problem, field, hold_out(problem, 16_384, key=jax.random.key(0)))


ROBIN = [Temperature("left", 400.0), Convection("right", 50.0, 300.0)]


def test_the_field_of_these_tests_is_the_parabola():
    field = axial(-300.0, 400.0, 5000.0)
    x = np.array([0.0, 0.0123, 0.05, 0.1])
    with jax.enable_x64(True):
        got = [float(field(jnp.array([value, 0.01, 0.02]))) for value in x]
    np.testing.assert_allclose(got, 400 - 300 * x + 2500 * x**2, rtol=1e-12)


def test_outside_the_field_goes_on_for_one_cell():
    field, step = axial(-300.0, 400.0, 5000.0), 0.01
    x = np.array(
        [[-1.5 * step, step, step], [0.11 + 0.9 * step, 0, 0], [0.03, -1.9 * step, 0.05 + 0.9 * step]]
    )
    got, slope = value_and_gradient(field, x)
    np.testing.assert_allclose(got, 400 - 300 * x[:, 0] + 2500 * x[:, 0] ** 2, rtol=1e-12)
    np.testing.assert_allclose(slope[:, 0], -300 + 5000 * x[:, 0], rtol=1e-9)
    away, _ = value_and_gradient(field, np.array([[-3.1 * step, step, step], [0.03, 0.03, 0.09]]))
    assert np.isnan(away).all()


def test_the_weight_of_a_patch_has_the_right_gradient():
    """Also where another held patch comes near; 1 on the patch, 0 on the other and far away."""
    problem = Problem(SLAB, SteadyHeat(K), [Temperature("left", 400.0), Temperature("rest", 300.0)], ENDS)
    left, others = SLAB.normals[:, 0] < -0.9, np.abs(SLAB.normals[:, 0]) < 0.9
    x = np.random.default_rng(0).uniform(0.05, 0.95, (300, 3)) * np.array([[0.012, WIDTH, WIDTH]])
    step = 1e-8
    _, slope = layer_weight(problem, left, others, x)
    for axis in range(3):
        shift = step * np.eye(3)[None, axis]
        up, down = (
            layer_weight(problem, left, others, x + shift)[0],
            layer_weight(problem, left, others, x - shift)[0],
        )
        errors = np.abs(slope[:, axis] - (up - down) / (2 * step))
        assert np.mean(errors > 1e-3) < 0.02  # but for those on a kink
    on_left, on_side = np.array([[0.0, 0.01, 0.02]]), np.array([[0.004, 0.0, 0.02]])
    np.testing.assert_allclose(layer_weight(problem, left, others, on_left)[0], 1.0)
    np.testing.assert_allclose(layer_weight(problem, left, others, on_side)[0], 0.0, atol=1e-12)
    assert layer_weight(problem, left, others, np.array([[0.05, 0.01, 0.02]]))[0] == 0


def test_the_right_field_balances():
    heat = flows(ROBIN, axial(-SLOPE, 400.0))
    np.testing.assert_allclose(heat["left"], WATTS, rtol=5e-3)
    np.testing.assert_allclose(heat["right"], -WATTS, rtol=2e-3)
    assert heat["rest"] == 0.0
    assert energy_balance(heat) < 5e-3


@pytest.mark.parametrize(
    ("slope", "level"),
    [(-SLOPE, 390.0), (-1.2 * SLOPE, 400.0), (0.0, 400.0), (SLOPE, 400.0)],
    ids=["too cold", "too steep", "constant", "wrong sign"],
)
def test_a_wrong_field_does_not_balance(slope, level):
    assert energy_balance(flows(ROBIN, axial(slope, level))) > 0.1


def test_a_wrong_field_between_two_near_faces_does_not_balance():
    """Held above and below, 3 mm apart, much nearer than a tenth of the length: T must be linear in between."""
    plate = box((0.003, 0.1, 0.1))
    levels = [Temperature("left", 400.0), Temperature("right", 400.0 - 3.0)]
    problem = Problem(plate, SteadyHeat(K), levels, ENDS)
    points = hold_out(problem, 16_384, key=jax.random.key(0))
    right = heat_flows(problem, _wide(axial(-1000.0, 400.0)), points)
    np.testing.assert_allclose([right["left"], right["right"]], [20.0, -20.0], rtol=1e-2)
    assert energy_balance(right) < 1e-2
    assert energy_balance(heat_flows(problem, _wide(axial(-700.0, 400.0, -2e5)), points)) > 0.1


def _wide(field):
    """The same function of x over ten times the width."""
    shape = (12, 60, 60)
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(-1, 3)
    rows = field.coefficients.reshape(14, 8, 8)[:, 0, 0]
    local = np.stack(np.meshgrid(*[np.arange(3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    return SplineField(
        coefficients=rows,
        cell_features=(index[:, :1] + local[None, :, 0]).astype(np.int32),
        keys=np.arange(len(index), dtype=np.int32),
        origin=field.origin,
        shape=shape,
        spacing=field.spacing,
        reference=field.reference,
        scale=field.scale,
    )


def test_two_held_ends_and_a_source():
    q = 4e4
    field = axial(100.0 / LENGTH + q * LENGTH / (2 * K), 300.0, -q / K)
    heat = flows([Temperature("left", 300.0), Temperature("right", 400.0)], field, SteadyHeat(K, q))
    released, conducted = q * LENGTH * WIDTH**2, K * 100.0 / LENGTH * WIDTH**2
    np.testing.assert_allclose(heat["source"], released, rtol=1e-6)
    np.testing.assert_allclose(heat["left"], -released / 2 - conducted, rtol=1e-2)
    np.testing.assert_allclose(heat["right"], -released / 2 + conducted, atol=2e-2 * released)
    assert energy_balance(heat) < 1e-2


def test_a_missing_source_shows():
    q = 4e4
    field = axial(100.0 / LENGTH, 300.0)  # solves the problem without a source
    heat = flows([Temperature("left", 300.0), Temperature("right", 400.0)], field, SteadyHeat(K, q))
    assert energy_balance(heat) > 0.1


def test_a_flux_is_what_is_prescribed():
    heat = flows([Temperature("left", 300.0), HeatFlux("right", 1000.0)], axial(1000.0 / K, 300.0))
    np.testing.assert_allclose(heat["right"], 1000.0 * WIDTH**2, rtol=2e-3)
    np.testing.assert_allclose(heat["left"], -1000.0 * WIDTH**2, rtol=5e-3)


@pytest.mark.parametrize("biot", [1e3, 1e8])
def test_strong_convection_is_measured_by_what_is_conducted(biot):
    """T − ambient is a thousandth of the span and less: h times its error would drown the heat."""
    slope = -100.0 / LENGTH
    conditions = [Temperature("left", 400.0), Convection("right", biot * K / LENGTH, 300.0)]
    heat = flows(
        conditions, axial(slope, 400.0 + 0.2)
    )  # 0.2 K off: with Bi = 1e3 the heat would be twice as large
    np.testing.assert_allclose(heat["right"], K * slope * WIDTH**2, rtol=5e-3)
    assert energy_balance(heat) < 5e-3


def test_the_unit_of_the_part_does_not_matter():
    part = box((LENGTH * 1e3, WIDTH * 1e3, WIDTH * 1e3), unit="mm")
    heat, metres = (
        flows(ROBIN, axial(-SLOPE, 400.0, unit=1e-3), part=part),
        flows(ROBIN, axial(-SLOPE, 400.0)),
    )
    for name in ("left", "right"):
        np.testing.assert_allclose(heat[name], metres[name], rtol=1e-6)


@pytest.mark.parametrize(
    ("heat", "expected"),
    [
        ({"a": 2.0, "b": -2.0}, 0.0),
        ({"a": 2.0, "b": -1.0}, 0.5),
        ({"a": 1.0, "b": 1.0, "c": -4.0}, 1.0),
        ({"a": 0.0, "b": 0.0}, 0.0),
        ({}, 0.0),
        ({"a": 0.0, "b": -1.0}, float("inf")),
    ],
)
def test_the_balance_is_a_share_of_what_enters(heat, expected):
    assert energy_balance(heat) == expected
