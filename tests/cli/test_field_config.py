"""Configurations of equations: what they become, and mistakes in them."""

import math

import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import pinn
from geoembed.cli._equation_config import EquationTable
from geoembed.cli._field_config import FieldConfig
from geoembed.cli._field_problem import free_pieces, make_field_problem
from geoembed.cli._make_equation import EQUATIONS
from geoembed.cli._mistakes import tagged
from geoembed.cli._read_config import read_case
from tests.cli.field_mistakes import BURGERS, FIELD_MISTAKES, HOLES


def written(folder, text):
    path = folder / "case.toml"
    path.write_text(text, encoding="utf-8")
    return path


def problem_of(folder, text):
    path = written(folder, text)
    config = read_case(path)
    assert isinstance(config, FieldConfig)
    return make_field_problem(config, path)


@pytest.mark.parametrize("case", FIELD_MISTAKES)
def test_a_mistake_is_one_message(case, tmp_path, geoembed, monkeypatch):
    monkeypatch.setattr("geoembed.cli._run.solve", None)  # not reached
    text, old, new, expected = FIELD_MISTAKES[case]
    assert text.count(old) == 1, old
    message = geoembed("solve", written(tmp_path, text.replace(old, new)), "--out", tmp_path / "out").message
    for words in expected:
        assert words in message
    assert not (tmp_path / "out" / "report.json").exists()


def test_numbers_and_formulas_reach_the_problem(tmp_path):
    problem = problem_of(tmp_path, BURGERS)
    assert problem.time == (0.0, 1.0)
    assert float(problem.equation.viscosity) == 0.1 / math.pi
    first, held = problem.conditions
    assert float(first.value(jnp.array([0.25, 0.7]))) == pytest.approx(-math.sin(math.pi / 4), rel=1e-6)
    assert (held.piece, held.value, held.hard) == ("all", 0.0, True)
    assert free_pieces(problem) == []


def test_holes_patches_and_lists_of_pieces_reach_the_problem(tmp_path):
    text = HOLES.replace('["bottom", "top"]', '["bottom", "inlet"]').replace("[-1, -1]", '["-2/2", -1]')
    problem = problem_of(tmp_path, text)
    names = [piece.name for piece in problem.in_fields.outline]
    assert names == ["left", "right", "bottom", "top", "hole 0 rim"]
    assert [c.piece for c in problem.conditions] == ["left", "right", "hole 0 rim", "bottom", "inlet"]
    (inlet,) = problem.in_fields.pieces("inlet")  # the upper half of one side
    points, _ = inlet.sample(20, np.random.default_rng(0))
    np.testing.assert_allclose(points[:, 0], -1.0)
    assert np.all(points[:, 1] > 0)
    assert float(problem.equation.source(jnp.array([0.5, 3.0]))) == 2.5
    assert problem.conditions[-1].coefficient == 2.0


def test_pieces_without_a_condition_are_named(tmp_path):
    problem = problem_of(tmp_path, HOLES.replace('["bottom", "top"]', '"bottom"'))
    assert free_pieces(problem) == ["u has no condition on top: it is free there, not insulated"]


def test_a_formula_may_contain_the_unknown(tmp_path):
    problem = problem_of(tmp_path, HOLES.replace("1 + x*y", "-sinh(u)"))
    wrong = problem.equation.residual(lambda x: x[0] ** 2 + 0.0 * x[1], jnp.array([0.5, 0.0]))
    assert float(wrong[0]) == pytest.approx(-2.0 + math.sinh(0.25), rel=1e-5)


# what [physics] says beside its kind, the dimension of the domain, and whether there is time
PHYSICS = {
    "poisson": ('source = "x"\ndiffusivity = [[2, 0], [0, 1]]\nreaction = 1', 2, False),
    "helmholtz": ('wavenumber = "2*pi"', 2, False),
    "heat": ('conductivity = "1 + 0.1*T"\ncapacity = 2', 1, True),
    "advection_diffusion": ('velocity = ["y", "-x"]\ndiffusivity = 0.1', 2, True),
    "burgers": ("viscosity = 0.1", 1, True),
    "kdv": ("", 1, True),
    "kuramoto_sivashinsky": ("", 1, True),
    "allen_cahn": ("", 2, True),
    "wave": ("speed = 2", 1, True),
    "eikonal": ("", 2, False),
    "navier_stokes": ('viscosity = 0.1\nforce = [0, "-u"]\ntransient = true', 2, True),
    "elasticity": ("young = 200\npoisson = 0.3\nforce = [0, -1]", 2, False),
}


def test_every_equation_has_a_table_and_every_table_an_equation():
    assert list(tagged(EquationTable)) == [*EQUATIONS, "own"]
    assert list(EQUATIONS) == list(PHYSICS)
    exported = {
        value for value in vars(pinn).values() if isinstance(value, type) and issubclass(value, pinn.Equation)
    }
    without = {
        pinn.Equation,
        pinn.UserEquation,
        pinn.DivergenceForm,
        pinn.Materials,
    }  # made of code or others
    assert set(EQUATIONS.values()) == exported - without


@pytest.mark.parametrize("kind", PHYSICS)
def test_every_equation_can_be_configured(kind, tmp_path):
    physics, dimension, transient = PHYSICS[kind]
    domain = 'kind = "interval"\nlower = 0\nupper = 1' if dimension == 1 else 'kind = "circle"\nradius = 1'
    fields = {"navier_stokes": ["u", "v"], "elasticity": ["ux", "uy"]}.get(kind, [None])
    text = f'[domain]\n{domain}\n[physics]\nkind = "{kind}"\n{physics}\n'
    for name in fields:
        field = f'\nfield = "{name}"' if name else ""
        text += f'[[conditions]]\nkind = "dirichlet"\npiece = "all"{field}\n'
        orders = [0, 1] if kind == "wave" else [0]
        for order in orders if transient else []:
            text += f'[[conditions]]\nkind = "initial"\norder = {order}{field}\n'
    text += "[time]\nstart = 1\nend = 2\n" if transient else ""
    problem = problem_of(tmp_path, text)
    assert isinstance(problem.equation, EQUATIONS[kind])
    assert problem.equation.transient == transient
    point = jnp.arange(1.0, 1.0 + dimension + transient) / 4
    several = len(problem.equation.fields)

    def field(x):
        value = jnp.sum(x**2)
        return value if several == 1 else jnp.stack([value * i for i in range(1, several + 1)])

    residual = problem.equation.residual(field, point)
    assert np.all(np.isfinite(residual))
