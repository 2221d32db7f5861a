"""Regions, own equations, networks, training and moved patches in a configuration: what they become, and mistakes."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import InputError, pinn
from geoembed.cli._field_report import field_page
from geoembed.cli._make_training import _network, _training
from geoembed.cli._read_config import read_case
from geoembed.cli._run import run
from tests.cli.conftest import write_box
from tests.cli.region_mistakes import OWN, REGION_MISTAKES, ROD, SHAPE_MISTAKES, TRAINED, WALL
from tests.cli.test_field_config import problem_of, written


@pytest.mark.parametrize("case", REGION_MISTAKES)
def test_a_mistake_is_one_message(case, tmp_path, geoembed, monkeypatch):
    monkeypatch.setattr("geoembed.cli._run.solve", None)  # not reached
    text, old, new, expected = REGION_MISTAKES[case]
    assert text.count(old) == 1, old
    message = geoembed("solve", written(tmp_path, text.replace(old, new)), "--out", tmp_path / "out").message
    for words in expected:
        assert words in message


@pytest.mark.parametrize("case", SHAPE_MISTAKES)
def test_a_mistake_about_a_motion_is_one_message(case, tmp_path, geoembed, monkeypatch):
    monkeypatch.setattr("geoembed.cli._run.solve", None)  # not reached
    old, new, expected = SHAPE_MISTAKES[case]
    assert ROD.count(old) == 1, old
    write_box(tmp_path / "box.stl")
    message = geoembed("solve", written(tmp_path, ROD.replace(old, new)), "--quiet").message
    for words in expected:
        assert words in message


def test_regions_reach_the_problem(tmp_path):
    problem = problem_of(tmp_path, WALL)
    assert isinstance(problem.equation, pinn.Materials)
    assert problem.equation.regions.names == ("brick", "wool", "rest")
    assert [float(one.conductivity) for one in problem.equation.equations] == [0.8, 0.04, 1.5]
    left, right, contact = problem.conditions
    assert (left.value["brick"], left.value["wool"], right.value) == (20.0, 0.0, -5.0)
    assert float(left.value["rest"](jnp.array([0.25]))) == 1.25
    assert (contact.between, contact.resistance, contact.jump) == (("brick", "wool"), 0.5, 0.0)


CLOSED = """
[domain]
kind = "interval"
lower = 0.0
upper = 1.0

[physics]
kind = "poisson"
source = "pi**2*cos(pi*x)"

[[conditions]]
kind = "neumann"
piece = "all"

[[conditions]]
kind = "integral"
weight = "2*x"
value = 3.0
"""


def test_an_integral_reaches_the_problem(tmp_path):
    integral = problem_of(tmp_path, CLOSED).conditions[1]
    assert isinstance(integral, pinn.Integral)
    assert (integral.value, integral.piece, integral.moment) == (3.0, None, None)
    assert callable(integral.weight)
    assert float(integral.weight(jnp.array([0.5]))) == 1.0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('piece = "top"', ("conditions[1].piece", "no piece 'top'")),
        ("moment = 1.0", ("conditions[1].moment", "poisson has no time")),
        ('field = "v"', ("conditions[1].field", "no unknown 'v'")),
    ],
)
def test_a_mistake_in_an_integral(line, words, tmp_path, geoembed):
    message = geoembed("solve", written(tmp_path, CLOSED + line), "--out", tmp_path / "out").message
    for word in words:
        assert word in message


@pytest.fixture(scope="module")
def seen_by_solve(tmp_path_factory):
    """The options that reach `solve` from a configuration."""

    def options(text):
        seen = {}

        def remember(problem, **given):
            seen.update(given)
            raise InputError("<options>", "windows", "far enough", "Stop")

        path = written(tmp_path_factory.mktemp("seen"), text)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("geoembed.cli._run.solve", remember)
            with pytest.raises(InputError, match="far enough") as stopped:
                run(path, path.parent / "out", seed=None, resume=False, quiet=True)
        return seen, stopped.value

    return options


def test_training_and_network_reach_the_solver(seen_by_solve):
    seen, error = seen_by_solve(TRAINED)
    training, network = seen["training"], seen["network"]
    assert isinstance(training, pinn.FirstOrder)
    assert (training.optimiser, training.steps, training.windows, training.balance) == (
        "adam",
        40,
        2,
        "kernel",
    )
    assert type(network).__name__ == "PirateNet"
    assert network.alpha.shape == (1,)
    assert network.alpha.dtype == np.float64
    assert (error.file.endswith("case.toml"), error.where) == (True, "line 27: training.windows")
    seen, _ = seen_by_solve(TRAINED.replace("windows = 2", 'windows = 1\nbalance = "none"'))
    assert seen["training"].balance is None


NETWORKS = {
    '"mlp"\nwidth = 5\ndepth = 2': (2, 5),
    '"mlp"\nwidth = 5\nactivation = "swish"': (2, 5),
    '"modified_mlp"\nwidth = 5': (2, 5),
    '"pirate_net"\nwidth = 5\nscale = 0.0': (2, 5),
    '"siren"\nwidth = 5': (2, 5),
    '"separable"\nwidth = 5': (1, 5),
}


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_can_be_configured(network, tmp_path):
    start = TRAINED[: TRAINED.index("[training]")]
    training = '[training]\nkind = "least_squares"\npoints = 99\nmixed = false\n'
    text = f"{start}{training}[network]\nkind = {network}\n"
    problem, config = problem_of(tmp_path, text), read_case(tmp_path / "case.toml")
    assert _training(config.training) == pinn.Training(99, 100_000, mixed=False)
    made = eqx.filter_eval_shape(_network, config.network, problem, jax.random.key(0))
    assert NETWORKS[network] in [getattr(leaf, "shape", None) for leaf in jax.tree.leaves(made)]
    inputs = jax.ShapeDtypeStruct((2,), jnp.float32)
    assert eqx.filter_eval_shape(lambda net, x: net(x), made, inputs).shape == (1,)


def test_a_form_reaches_the_solver_and_the_solver_chooses_the_rest(seen_by_solve):
    seen, _ = seen_by_solve(OWN)
    assert seen["form"] == "weak"
    assert not {"network", "training"} & set(seen)


def at(equation, field, *point):
    with jax.enable_x64(True):
        return np.asarray(jax.jit(lambda x: equation.residual(field, x))(jnp.array(point)))


def test_an_own_residual_is_that_of_the_equation_it_writes_out(tmp_path):
    text = TRAINED.replace("u_t - 0.1*u_xx - u*(1 - u)", "u_t + u*u_x + 0.02*u_xxx - 2*u_tx*u_x")

    def field(x):
        return jnp.sin(2 * x[0]) * jnp.exp(-x[1])

    x, t = 0.3, 0.2
    u, ux, uxxx = (f * math.exp(-t) for f in (math.sin(0.6), 2 * math.cos(0.6), -8 * math.cos(0.6)))
    found = at(problem_of(tmp_path, text).equation, field, x, t)
    assert found == pytest.approx([-u + u * ux + 0.02 * uxxx + 2 * ux * ux], rel=1e-12)


def test_an_own_balance_is_a_conservation_law(tmp_path):
    equation = problem_of(tmp_path, OWN).equation
    assert isinstance(equation, pinn.DivergenceForm)

    def field(x):
        return x[0] ** 2 + x[1]

    # ∇·((1 + u²) ∇u) = (1 + u²) ∇²u + 2 u |∇u|²
    u, slope = 0.25 + 0.5, np.array([1.0, 1.0])
    expected = -10 - ((1 + u * u) * 2 + 2 * u * slope @ slope)
    assert at(equation, field, 0.5, 0.5) == pytest.approx([expected], rel=1e-12)
    point, normal = jnp.array([0.5, 0.5]), jnp.array([0.6, 0.8])
    flux, balance = jax.jit(lambda x: (equation.flux(field, x, normal), equation.balance(field, x)))(point)
    assert float(flux[0]) == pytest.approx((1 + u * u) * 1.4, rel=1e-5)
    assert float(balance[0]) == -10.0


def test_an_own_system_has_its_unknowns_in_order(tmp_path):
    lines = 'unknowns = ["u", "v"]\nresidual = ["u_x - v_y", "v_xy + u"]\nflux = [["u_x", "0"], ["v", "x"]]'
    physics = OWN[OWN.index("flux") : OWN.index("\n\n[[")]
    text = OWN.replace(physics, lines).replace('piece = "all"', 'piece = "all"\nfield = "v"')
    equation = problem_of(tmp_path, text[: text.index("[solve]")]).equation

    def field(x):
        return jnp.stack([x[0] ** 2 * x[1], x[0] * x[1] ** 2])

    assert at(equation, field, 2.0, 3.0) == pytest.approx([12 - 12, 6 + 12], rel=1e-12)
    normal = jnp.array([0.0, 1.0])
    flux = jax.jit(lambda x: equation.flux(field, x, normal))
    assert flux(jnp.array([2.0, 3.0])).tolist() == [0.0, 2.0]


def test_an_own_equation_needs_as_many_initial_values_as_it_has_rates(tmp_path):
    from geoembed.cli._make_equation import rates

    wave = TRAINED.replace("u_t - 0.1*u_xx - u*(1 - u)", "u_tt - u_xx")
    wave = wave.replace("[solve]", '[[conditions]]\nkind = "initial"\norder = 1\n\n[solve]')
    assert rates(problem_of(tmp_path, wave).equation) == {"u": 2}
    assert rates(problem_of(tmp_path, TRAINED).equation) == {"u": 1}


def test_the_page_names_regions_network_and_training(tmp_path):
    report = dict.fromkeys(("fem", "estimated_error", "held_out_residual", "training_residual"))
    report |= {"equation": "heat", "formula": "the equation: …", "status": "converged", "converged": True}
    report |= {"tolerance": 0.1, "range": {}, "seconds": 1.0, "iterations": 2, "parameters": 3, "seed": 0}
    report |= {"versions": {}, "input_sha256": {}, "conditions": [], "pieces": [], "free": []}
    config = read_case(written(tmp_path, WALL + '[network]\nkind = "siren"\n[solve]\nform = "weak"'))
    page = field_page(report | {"config": config.model_dump(mode="json")}, [])
    assert "- `wool` (interval: lower = 0.12, upper = 0.22): heat: conductivity = 0.04" in page
    assert "- `rest`: heat: conductivity = 1.5" in page
    assert "| network | siren: width = 16" in page
    assert "| form | weak |" in page
