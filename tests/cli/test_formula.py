"""Formulas: their values, what they refuse, and that nothing of Python runs."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import geoembed
from geoembed.cli import Formula, Formulas
from geoembed.cli._formula import Where
from geoembed.cli._parse_formula import FUNCTIONS, LONGEST, FormulaError

NAMES = ("x", "y", "t")
X, Y, T = 0.3, -1.7, 2.5

VALUES = {
    "-sin(pi*x)": -math.sin(math.pi * X),
    "-x**2": -(X**2),
    "2**-x**2": 2 ** -(X**2),
    "y**3 - y**-2": Y**3 - Y**-2,
    "x + y*t/2": X + Y * T / 2,
    "(x + y)*t": (X + Y) * T,
    "1e-3*x": 1e-3 * X,
    "exp(-100*(x - 0.5)**2)": math.exp(-100 * (X - 0.5) ** 2),
    "where(x < 0.5 and not y > 0, 1, t)": 1.0,
    "where(0 < y < 1 or t <= 2, 1, t)": T,
    "atan2(y, x)": math.atan2(Y, X),
    "min(x, y) + max(x, 0)": Y + X,
    "erf(x) + abs(y) + sign(y)": math.erf(X) - Y - 1,
    "log(t)/e": math.log(T) / math.e,
    " x\n + y ": X + Y,
    "sqrt(2)*x": math.sqrt(2) * X,
}


@pytest.mark.parametrize("text", VALUES)
def test_values(text):
    formula = Formula(text, NAMES)
    point = np.array([X, Y, T])
    assert formula.at(point[None])[0] == pytest.approx(VALUES[text], rel=1e-13)
    assert float(formula(jnp.asarray(point, jnp.float32))) == pytest.approx(VALUES[text], rel=1e-5)


def test_dtype_jit_and_gradient(precision):
    formula = Formula("where(x > 0, sqrt(x), 2)*y**2 + 1", NAMES)
    point = jnp.array([0.0, Y, T], precision)
    assert jax.jit(formula)(point).dtype == precision
    gradient = jax.grad(formula)(point)
    np.testing.assert_allclose(gradient, [0.0, 4 * Y, 0.0], rtol=1e-6)  # finite at the kink of the root


def test_every_function_agrees_with_its_constant_fold():
    for name, (count, _, _) in FUNCTIONS.items():
        arguments = ", ".join(["0.3", "0.7"][:count])
        folded = Formula(f"{name}({arguments})", NAMES).constant
        at = Formula(f"{name}({', '.join(['x', 'y'][:count])})", NAMES).at(np.array([[0.3, 0.7, 0.0]]))[0]
        assert folded == pytest.approx(at, rel=1e-12)


def test_constants_and_unknowns():
    assert Formula("0.01/pi", ()).constant == 0.01 / math.pi
    assert Formula("x*0", NAMES).constant is None
    several = Formula("u*v + x", ("x",), ("u", "v"))
    assert several.sees_field
    assert float(several(jnp.array([1.0]), jnp.array([2.0, 3.0]))) == 7.0
    assert float(Formula("u**2", ("x",), ("u",))(jnp.array([1.0]), jnp.array(3.0))) == 9.0
    both = Formulas((Formula("x", NAMES), Formula("1", NAMES)))
    assert both(jnp.array([X, Y, T])).tolist() == pytest.approx([X, 1.0])


def test_a_condition_chooses_points():
    points = np.array([[0.0, 1.0], [0.5, -1.0], [1.0, 1.0]])
    assert Where("x <= 0.5 and y > 0", ("x", "y"))(points).tolist() == [True, False, False]
    assert Where("1 < 2", ("x",))(points).tolist() == [True] * 3


def test_a_formula_is_saved_and_loaded(tmp_path):
    geoembed.save(tmp_path / "f", Formulas((Formula("x*t", NAMES), Formula("pi", NAMES))))
    back = geoembed.load(tmp_path / "f")
    assert back(jnp.array([2.0, 0.0, 3.0])).tolist() == pytest.approx([6.0, math.pi])


# what is refused: the column, and a word of the message
REFUSED = {
    "": (1, "no formula"),
    "x +": (None, "no formula"),
    "sin(x": (4, "no formula"),
    "x = 1": (3, "no formula"),
    "  x + w": (7, "'w'"),
    "sine(x)": (1, "Did you mean 'sin'"),
    "sin": (1, "sin(…)"),
    "sin(x, y)": (1, "one argument"),
    "min(x)": (1, "2 arguments"),
    "sin(*x)": (1, "plain arguments"),
    "sin(a=x)": (1, "plain arguments"),
    "x^2": (3, "x**2"),
    "x // 2": (6, "not allowed"),
    "x % 2": (5, "not allowed"),
    "x @ y": (5, "not allowed"),
    "~x": (1, "not allowed"),
    "x\u22121": (2, "Write -"),
    "2π": (2, "Write pi"),
    "x == 1": (1, "<="),
    "x if y > 0 else t": (1, "where(condition"),
    "x < 1": (1, "true or false"),
    "where(x, 1, 2)": (7, "a condition is needed"),
    "where(x > 0, 1)": (1, "where(x > 0, 1, 2)"),
    "1 + (x < 1)": (6, "where(condition"),
    "1/0": (1, "no finite value"),
    "x + sqrt(-1)": (5, "no finite value"),
    "x*exp(1000)": (3, "no finite value"),
    "x*(-1)**0.5": (3, "no finite value"),
    "9**9**9**9": (4, "no finite value"),
    "1e999": (1, "too large"),
    "9" * 999: (1, "too large"),
    "True": (1, "no number"),
    "1j*x": (1, "no number"),
    "'x'": (1, "no number"),
    "None": (1, "no number"),
    "...": (1, "no number"),
    "x.real": (1, "attribute"),
    "x[0]": (1, "subscript"),
    "[x]": (1, "list"),
    "{x}": (1, "set"),
    "x, y": (1, "tuple"),
    "f'{x}'": (1, "joinedstr"),
    "(x := 1)": (2, "namedexpr"),
    "lambda: x": (1, "lambda"),
    "[x for x in y]": (1, "listcomp"),
    "await x": (1, "not allowed"),
    "__import__('os')": (1, "no function"),
    "__import__('os').system('true')": (1, "no function"),
    "().__class__.__bases__[0].__subclasses__()": (1, "no function"),
    "eval('1')": (1, "no function"),
    "x.__class__.__init__.__globals__": (1, "attribute"),
    "(lambda f: f(f))(lambda f: f(f))": (1, "no function"),
    "x#": (None, ""),
    "x\0": (2, "not allowed"),
    "(" * 400 + "x" + ")" * 400: (None, "no formula"),
    "-" * 900 + "x": (None, ""),
    "sin(" * 150 + "x" + ")" * 150: (None, "inside each other"),
    "x" * (LONGEST + 1): (None, "1000"),
    "+".join(["x"] * 200): (None, "inside each other"),
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:20])
def test_what_is_refused(text):
    column, words = REFUSED[text]
    if text == "x#":  # a comment is no part of a formula
        assert Formula(text, NAMES).at(np.ones((1, 3))).tolist() == [1.0]
        return
    with pytest.raises(FormulaError) as refused:
        Formula(text, NAMES)
    assert words in str(refused.value)
    assert column is None or refused.value.column == column


@given(st.text(alphabet="xyt0123456789.e+-*/() ,<>=sincowhearnd[]_'\"\\\n\t:", max_size=60))
def test_any_text_is_a_formula_or_a_formula_error(text):
    try:
        found = Formula(text, NAMES)
    except FormulaError as error:
        column = error.column
    else:
        column, values = 1, found.at(np.ones((2, 3)))
        assert values.shape == (2,)
    assert 1 <= column <= len(text) + 1
