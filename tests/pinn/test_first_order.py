"""Training by gradients: its loss against numpy, small problems with closed forms, what a run can continue."""

import itertools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from geoembed.core import MLP, InputError, load, register, save
from geoembed.pinn import (
    Dirichlet,
    FirstOrder,
    Initial,
    Interval,
    Neumann,
    Poisson,
    Problem,
    UserEquation,
    Wave,
    derivative,
    solve,
    time_derivative,
)
from geoembed.pinn._first_order_loss import Terms, balanced, causal_weights, slice_means
from geoembed.pinn._first_order_windows import frozen, joined, window
from geoembed.pinn._rows import form_of
from tests.pinn.test_checkpoint import StopAt

KEY = jax.random.key(0)
UNIT = Interval(0.0, 1.0)


def network(inputs, outputs=1):
    return MLP(inputs, outputs, 6, 1, activation="tanh", key=jax.random.key(1))


# --- the loss


def test_causal_weights_follow_the_losses_before(precision):
    losses = np.array([0.5, 0.0, 2.0, 1.0])
    weights = jax.jit(
        jax.value_and_grad(lambda x: (lambda w: (jnp.sum(w), w))(causal_weights(x, x[0])), has_aux=True)
    )
    (_, found), slope = weights(jnp.asarray(losses, precision))
    np.testing.assert_allclose(found, np.exp(-0.5 * np.array([0.0, 0.5, 0.5, 2.5])), rtol=1e-6)
    assert not np.any(slope), "they are no part of what is minimised"


def test_slices_of_the_time_have_means_of_their_own():
    rng = np.random.default_rng(0)
    squares, share = rng.random((40, 2)), rng.uniform(0, 0.75, 40)
    share[0] = (
        1.0  # the last moment belongs to the last slice, and the third of four has no other points here
    )
    squares[0] = 7.0
    expected = [squares[np.minimum((share * 4).astype(int), 3) == i].mean(axis=0) for i in range(4)]
    with jax.enable_x64(True):
        means = jax.jit(slice_means, static_argnums=2)
        found, empty = (means(jnp.asarray(squares), jnp.asarray(at), 4) for at in (share, np.zeros(40)))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert not np.any(empty[1:])


A, B = np.random.default_rng(1).normal(size=(2, 50, 2, 3))
SIDE = np.random.default_rng(2).normal(size=(20, 3))


def test_sizes_of_gradients_of_a_linear_model():
    """r = (a₁·θ − 1, a₂·θ − 1) inside and s·θ on a side."""
    theta = np.array([0.5, -1.0, 2.0])
    terms = Terms((lambda model, a: a @ model - 1.0, lambda model, s: (s @ model)[None]), None, 2)
    with jax.enable_x64(True):
        kernel, gradient, loss = jax.jit(
            lambda theta, blocks: (
                terms.kernel_sizes(lambda x: x, theta, blocks),
                terms.gradient_sizes(lambda x: x, theta, blocks),
                terms.loss(theta, blocks, jnp.array([1.0, 10.0, 100.0]), jnp.zeros(()), None),
            )
        )(theta, [A, SIDE])
    rows = [A[:, 0], A[:, 1], SIDE]
    values = [A[:, 0] @ theta - 1, A[:, 1] @ theta - 1, SIDE @ theta]
    np.testing.assert_allclose(kernel, [np.mean(np.sum(r**2, axis=1)) for r in rows], rtol=1e-12)
    slopes = [np.linalg.norm(2 * np.mean(r * v[:, None], axis=0)) for r, v in zip(rows, values, strict=True)]
    np.testing.assert_allclose(gradient, slopes, rtol=1e-12)
    assert float(loss) == pytest.approx(sum(10**i * np.mean(v**2) for i, v in enumerate(values)))
    np.testing.assert_allclose(balanced(np.array([2.0, 4.0, 0.5])), [1.0, 0.5, 4.0])
    assert np.all(np.isfinite(balanced(np.array([2.0, 0.0, 0.0])))), "a condition that holds already"


# --- runs with an equation that compiles fast


SQUARE = UserEquation(lambda u, x: u(x) - x[0] ** 2, dimensions=(1,))
FIT = Problem(UNIT, SQUARE, [Dirichlet("right", 1.0, hard=False)])
SHORT = FirstOrder("adam", steps=50, points=64, rate=0.03, balance="gradient", report=20)


def fit(problem=FIT, **options):
    options = {"key": KEY, "tolerance": 0.0, "network": network(1), "training": SHORT} | options
    return solve(problem, **options)


@pytest.fixture(scope="module")
def parabola():
    reports = []
    return fit(callback=reports.append), reports


def equal(a, b):
    """Whether two results agree bit by bit, but for the time they took."""
    leaves = zip(jax.tree.leaves(a.field), jax.tree.leaves(b.field), strict=True)
    return (
        all(np.array_equal(x, y) for x, y in leaves)
        and (a.status, a.estimated_error, a.iterations) == (b.status, b.estimated_error, b.iterations)
        and (a.history, a.held_out_residual) == (b.history, b.held_out_residual)
    )


def test_a_run_reports_and_keeps_the_best(parabola):
    result, reports = parabola
    assert (result.status, result.iterations, result.parameters) == ("step limit", 50, 19)
    assert [report.iteration for report in reports] == [20, 40, 50]
    assert result.held_out_residual == min(report.held_out for report in reports)
    assert reports[-1].residual < 0.7 * reports[0].residual
    points = np.random.default_rng(5).random((200, 1))
    with jax.enable_x64(True):
        found = np.asarray(jax.jit(jax.vmap(result.value))(jnp.asarray(points)))
    inside = np.mean((found - points[:, 0] ** 2) ** 2)
    assert inside <= result.held_out_residual**2 * 1.2, "the rest is the condition"
    for record, report in zip(result.history, reports, strict=True):
        assert record.items() <= vars(report).items()


def test_interrupted_and_resumed_equals_uninterrupted(parabola, tmp_path):
    half = fit(checkpoint=tmp_path / "run", should_stop=StopAt(2))
    assert (half.status, half.iterations) == ("interrupted", 20)
    assert equal(fit(checkpoint=tmp_path / "run", resume=True), parabola[0])
    with pytest.raises(InputError, match="belongs to another"):
        fit(checkpoint=tmp_path / "run", resume=True, training=FirstOrder("adam", steps=50, points=64))


WRONG = [
    {"optimiser": "sgd"},
    {"optimiser": 3},
    {"optimiser": "lbfgs", "rate": 0.1},
    {"optimiser": "lbfgs", "redrawn": True},
    {"steps": 3, "windows": 4},
    {"points": 10},
    {"balance": "trace"},
    {"causal": 0.0},
    {"rate": math.nan},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_options_that_make_no_sense_are_refused(wrong):
    with pytest.raises((InputError, TypeError)):
        FirstOrder(**wrong)


@pytest.mark.parametrize("wrong", [{"causal": 1.0}, {"windows": 2}])
def test_a_steady_problem_has_no_moments(wrong):
    with pytest.raises(InputError, match="no time"):
        fit(training=FirstOrder(**wrong))


# --- windows of the time

DECAY = UserEquation(lambda u, x: time_derivative(u)(x) + u(x), dimensions=(1,), transient=True)
COSINE = Problem(UNIT, DECAY, [Initial(lambda x: jnp.cos(x[0]))], time=(0.0, 2.0))
WINDOWS = FirstOrder("adam", steps=80, points=64, rate=0.03, causal=1.0, slices=4, windows=2, report=20)


def moments(result, problem, exact, count=300):
    """‖u − u*‖/‖u*‖ over space and time."""
    points = np.random.default_rng(5).uniform((0, problem.time[0]), (1, problem.time[1]), (count, 2))
    with jax.enable_x64(True):
        found = np.asarray(jax.jit(jax.vmap(result.value))(jnp.asarray(points)))
    return np.linalg.norm(found - exact(*points.T)) / np.linalg.norm(exact(*points.T))


@pytest.mark.slow
def test_a_window_begins_where_the_one_before_ends(tmp_path):
    """With values of its own on the boundary, which change in time, and a rate."""
    sides = Dirichlet("left", Drift())
    conditions = [Initial(1.0), Initial(0.5, order=1), sides]
    whole = Problem(UNIT, Wave(1.0), conditions, time=(0.0, 2.0)).in_fields
    fields = []
    for number in range(2):
        problem = window(whole, number, 2, fields[-1] if fields else None)
        assert problem.time == (number, number + 1)
        fields.append(frozen(form_of(problem, (problem.shaping(0),), problem.coordinates)(network(2))))
    save(tmp_path / "field", joined(fields, [1.0]))
    field = load(tmp_path / "field")

    def rows(t):
        at = jnp.stack([jnp.full((), 0.3, t.dtype), t])
        return jnp.stack([field(at), time_derivative(field)(at), fields[0](at), fields[1](at)])

    with jax.enable_x64(True):
        end, begin, early, late = np.asarray(jax.jit(jax.vmap(rows))(jnp.array([1.0, 1.0 + 1e-12, 0.3, 1.7])))
    np.testing.assert_allclose(end[:2], begin[:2], atol=1e-10)
    assert (early[0], late[0]) == (early[2], late[3])
    assert abs(late[2] - late[3]) > 1e-3, "the second window is another field"
    assert field.parameters == 2 * 25


@register(name="tests.pinn.Drift")
class Drift(eqx.Module):
    """A value that changes with the time and begins as the field does."""

    def __call__(self, x):
        return 1.0 + 0.5 * x[-1] + x[-1] ** 3


@pytest.mark.slow
def test_windows_with_causal_weights():
    """u = cos x e⁻ᵗ."""
    result = solve(COSINE, key=KEY, tolerance=0.0, network=network(2), training=WINDOWS)
    assert (result.status, result.iterations, result.parameters) == ("step limit", 80, 2 * 25)
    assert [record["iteration"] for record in result.history] == [20, 40, 60, 80]
    assert moments(result, COSINE, lambda x, t: np.cos(x) * np.exp(-t)) < 0.1


@pytest.mark.slow
def test_windows_resume(tmp_path):
    options = {"key": KEY, "tolerance": 0.0, "network": network(2), "training": WINDOWS}
    whole = solve(COSINE, **options)
    half = solve(COSINE, **options, checkpoint=tmp_path / "run", should_stop=StopAt(4))
    assert (half.status, half.iterations) == ("interrupted", 60)
    assert half.estimated_error == math.inf, "nothing is known about the end"
    assert equal(solve(COSINE, **options, checkpoint=tmp_path / "run", resume=True), whole)


@pytest.mark.slow
def test_a_rate_goes_on_in_the_next_window():
    """u = cos πt sin πx."""
    conditions = [Initial(lambda x: jnp.sin(np.pi * x[0])), Initial(0.0, order=1), Dirichlet("all")]
    problem = Problem(UNIT, Wave(1.0), conditions, time=(0.0, 1.0))
    training = FirstOrder("soap", steps=600, points=128, rate=0.02, windows=2)
    result = solve(problem, key=KEY, tolerance=0.0, network=network(2), training=training)
    assert moments(result, problem, lambda x, t: np.cos(np.pi * t) * np.sin(np.pi * x)) < 0.05
    with jax.enable_x64(True):
        at = jnp.array([0.4, 0.5])
        rates = [float(time_derivative(field)(at)) for field in result.field.fields]
    assert rates[0] == pytest.approx(rates[1], abs=1e-12)


# --- optimisers

SINE = Problem(UNIT, Poisson(lambda x: np.pi**2 * jnp.sin(np.pi * x[0])), [Dirichlet("all")])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("training", "below"),
    [
        (FirstOrder("soap", steps=600, points=64, rate=0.02), 1e-3),
        (FirstOrder("lbfgs", steps=200, points=256), 1e-4),
        (FirstOrder(optax.adam(0.01), steps=600, points=64), 1e-2),
        (FirstOrder("adam", steps=600, points=64, rate=lambda step: 0.01, redrawn=False), 1e-2),
    ],
)
def test_every_optimiser_finds_a_sine(training, below):
    result = solve(SINE, key=KEY, tolerance=0.0, network=network(1), training=training)
    points = np.random.default_rng(5).random((200, 1))
    exact = np.sin(np.pi * points[:, 0])
    with jax.enable_x64(True):
        found = np.asarray(jax.jit(jax.vmap(result.value))(jnp.asarray(points)))
    assert np.linalg.norm(found - exact) / np.linalg.norm(exact) < below


@pytest.mark.slow
def test_line_searches_never_raise_the_loss_and_soft_conditions_hold():
    """u″ = u, u′ = 0 and sinh 1 at the ends: cosh."""
    conditions = [Neumann("left"), Neumann("right", math.sinh(1))]
    problem = Problem(UNIT, Poisson(reaction=1.0), conditions)
    training = FirstOrder("lbfgs", steps=200, points=256, balance=None, report=20)
    result = solve(problem, key=KEY, tolerance=0.0, network=network(1), training=training)
    residuals = [record["residual"] for record in result.history]
    assert all(after <= before for before, after in itertools.pairwise(residuals))
    assert float(result.value(jnp.array([0.0]))) == pytest.approx(1.0, abs=1e-2)


@pytest.mark.slow
def test_the_tolerance_ends_a_run_and_nothing_finite_diverges():
    result = fit(tolerance=0.1, training=FirstOrder("adam", steps=2000, points=64, rate=0.03, report=20))
    assert (result.status, result.estimated_error <= 0.1) == ("converged", True)
    broken = UserEquation(lambda u, x: jnp.log(derivative(u, 0)(x) - 1e3), dimensions=(1,))
    result = fit(Problem(UNIT, broken, []))
    assert (result.status, result.iterations) == ("diverged", 0)
    assert np.all(np.isfinite(result.value(jnp.array([0.5]))))
