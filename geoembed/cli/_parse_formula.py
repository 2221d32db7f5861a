"""What a formula in a configuration means. Nothing of Python is run: a tree of known operations is built.

A text of limited length is parsed, never evaluated. Each node of the tree must be of a kind that this file lists, each
name a coordinate, an unknown, a constant or a function that it lists; there are no attributes, subscripts, texts,
lambdas, comprehensions or assignments.
"""

import ast
import difflib
import math
import operator as op
import warnings
from collections.abc import Callable
from functools import lru_cache, reduce
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erf

from ..core import sqrt

LONGEST = 1000  # characters of a formula
_DEEPEST = 100  # operations inside each other

Values = dict[str, Any]
Run = Callable[[Values], Any]

CONSTANTS = {"pi": math.pi, "e": math.e}
# of how many arguments, for numbers that are known already, for arrays
FUNCTIONS: dict[str, tuple[int, Callable[..., Any], Callable[..., Any]]] = {
    "sin": (1, np.sin, jnp.sin),
    "cos": (1, np.cos, jnp.cos),
    "tan": (1, np.tan, jnp.tan),
    "asin": (1, np.arcsin, jnp.arcsin),
    "acos": (1, np.arccos, jnp.arccos),
    "atan": (1, np.arctan, jnp.arctan),
    "atan2": (2, np.arctan2, jnp.arctan2),
    "sinh": (1, np.sinh, jnp.sinh),
    "cosh": (1, np.cosh, jnp.cosh),
    "tanh": (1, np.tanh, jnp.tanh),
    "exp": (1, np.exp, jnp.exp),
    "log": (1, np.log, jnp.log),
    "sqrt": (1, np.sqrt, sqrt),
    "abs": (1, np.abs, jnp.abs),
    "sign": (1, np.sign, jnp.sign),
    "erf": (1, math.erf, erf),
    "min": (2, np.minimum, jnp.minimum),
    "max": (2, np.maximum, jnp.maximum),
}
_OPERATIONS = {ast.Add: op.add, ast.Sub: op.sub, ast.Mult: op.mul, ast.Div: op.truediv}
_COMPARISONS = {ast.Lt: op.lt, ast.LtE: op.le, ast.Gt: op.gt, ast.GtE: op.ge}
_ALLOWED = "numbers, names, functions and + - * / ** ( )"
_TOO_DEEP = "too many operations inside each other"
_ASCII = {"\u2212": "-", "π": "pi", "²": "**2", "³": "**3"}


class FormulaError(ValueError):
    """A formula that cannot be used.

    Args:
        column: Where in it, from 1.
        reason: What is wrong there.
        hint: What is allowed.
    """

    def __init__(self, column: int, reason: str, hint: str):
        self.column, self.reason, self.hint = column, reason, hint
        super().__init__(f"column {column}: {reason}. {hint}.")


class Parsed(NamedTuple):
    """A part of a formula.

    Args:
        run: Its value for given values of the names.
        truth: Whether it is true or false instead of a number.
        names: The coordinates and unknowns in it.
        constant: Its value if it is a number written out, else None.
    """

    run: Run
    truth: bool
    names: frozenset[str]
    constant: float | None = None


@lru_cache(maxsize=1000)
def parse(text: str, names: tuple[str, ...]) -> Parsed:
    """Returns what a formula means.

    Args:
        text: The formula.
        names: The coordinates and unknowns that may occur in it.

    Raises:
        FormulaError: It is too long, no formula, or has a name or an operation that is not allowed.
    """
    if len(text) > LONGEST:
        raise FormulaError(LONGEST, f"it has {len(text)} characters", f"{LONGEST} are the most")
    for column, character in enumerate(text, start=1):
        if not character.isascii() or not (character.isprintable() or character.isspace()):
            reason = f"the character {character!r} is not allowed"
            write = _ASCII.get(character, "plain letters, digits and signs")
            raise FormulaError(column, reason, f"Write {write}")
    plain = "".join(" " if character.isspace() else character for character in text)
    lead = len(plain) - len(plain.lstrip())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what will be refused below
            tree = ast.parse(plain.strip(), mode="eval")
    except SyntaxError as error:
        column = lead + max(1, min(error.offset or 1, len(plain.strip()) + 1))
        raise FormulaError(column, "this is no formula", f"Write {_ALLOWED}") from None
    except (ValueError, RecursionError, MemoryError):
        raise FormulaError(1, "this is no formula", f"Write {_ALLOWED}") from None
    try:
        return _Reader(names, lead).read(tree.body, 0)
    except RecursionError:
        raise FormulaError(1, _TOO_DEEP, f"{_DEEPEST} are the most") from None


class _Reader:
    """Turns a tree into operations."""

    def __init__(self, names: tuple[str, ...], lead: int):
        self.names, self.lead = names, lead

    def read(self, node: ast.expr, depth: int) -> Parsed:
        """Returns what a node means; what needs no coordinate is a number from here on."""
        if depth > _DEEPEST:
            raise self._wrong(node, _TOO_DEEP, f"{_DEEPEST} are the most")
        part = self._part(node, depth)
        if part.names or part.truth or part.constant is not None:
            return part
        try:
            with np.errstate(all="ignore"):
                value = float(part.run({}))
        except (ArithmeticError, TypeError, ValueError):  # also a complex number
            value = math.nan
        if not math.isfinite(value):
            raise self._wrong(node, "this has no finite value", "Correct the numbers in it")
        return Parsed(lambda _: value, False, frozenset(), value)

    def _wrong(self, node: ast.AST, reason: str, hint: str) -> FormulaError:
        return FormulaError(self.lead + getattr(node, "col_offset", 0) + 1, reason, hint)

    def _part(self, node: ast.expr, depth: int) -> Parsed:
        match node:
            case ast.Constant():
                return self._constant(node)
            case ast.Name():
                return self._name(node)
            case ast.UnaryOp():
                return self._unary(node, depth)
            case ast.BinOp():
                return self._binary(node, depth)
            case ast.Call():
                return self._call(node, depth)
            case ast.Compare():
                return self._compare(node, depth)
            case ast.BoolOp():
                return self._both(node, depth)
            case ast.IfExp():
                raise self._wrong(node, "if … else is not allowed", "Write where(condition, number, number)")
        kind = type(node).__name__.lower()
        raise self._wrong(node, f"{kind} is not allowed", f"Write {_ALLOWED}")

    def _constant(self, node: ast.Constant) -> Parsed:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise self._wrong(node, f"{node.value!r} is no number", f"Write {_ALLOWED}")
        try:
            value = float(node.value)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise self._wrong(node, "this number is too large", "Numbers up to 1e308 are allowed")
        return Parsed(lambda _: value, False, frozenset(), value)

    def _number(self, node: ast.expr, depth: int) -> Parsed:
        part = self.read(node, depth + 1)
        if part.truth:
            raise self._wrong(node, "this is true or false, a number is needed", "Use where(condition, 1, 0)")
        return part

    def _truth(self, node: ast.expr, depth: int) -> Parsed:
        part = self.read(node, depth + 1)
        if not part.truth:
            raise self._wrong(node, "this is a number, a condition is needed", "Compare: x > 0.5")
        return part

    def _name(self, node: ast.Name) -> Parsed:
        name = node.id
        if name in self.names:
            return Parsed(lambda values: values[name], False, frozenset([name]))
        if name in CONSTANTS:
            value = CONSTANTS[name]
            return Parsed(lambda _: value, False, frozenset(), value)
        if name in FUNCTIONS or name == "where":
            raise self._wrong(node, f"the function {name} has no argument", f"Write {name}(…)")
        raise self._wrong(
            node, f"there is no {name!r} here", _known(name, [*self.names, *CONSTANTS], FUNCTIONS)
        )

    def _unary(self, node: ast.UnaryOp, depth: int) -> Parsed:
        if isinstance(node.op, ast.Not):
            inner = self._truth(node.operand, depth)
            return Parsed(
                lambda values: _space(inner.names).logical_not(inner.run(values)), True, inner.names
            )
        if not isinstance(node.op, ast.USub | ast.UAdd):
            raise self._wrong(node, "~ is not allowed", f"Write {_ALLOWED}")
        sign = -1.0 if isinstance(node.op, ast.USub) else 1.0
        inner = self._number(node.operand, depth)
        return Parsed(lambda values: sign * inner.run(values), False, inner.names)

    def _binary(self, node: ast.BinOp, depth: int) -> Parsed:
        operation = _OPERATIONS.get(type(node.op))
        if operation is None and not isinstance(node.op, ast.Pow):
            hint = "A power is **: x**2" if isinstance(node.op, ast.BitXor) else f"Write {_ALLOWED}"
            raise self._wrong(node.right, "the operation before this is not allowed", hint)
        a, b = self._number(node.left, depth), self._number(node.right, depth)
        names = a.names | b.names
        if operation is None:
            return Parsed(_power(a, b), False, names)
        return Parsed(lambda values: operation(a.run(values), b.run(values)), False, names)

    def _call(self, node: ast.Call, depth: int) -> Parsed:
        if not isinstance(node.func, ast.Name):
            raise self._wrong(node, "this is no function", f"Functions: {', '.join([*FUNCTIONS, 'where'])}")
        name = node.func.id
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            raise self._wrong(node, f"{name} takes plain arguments", "Write them one after the other")
        if name == "where":
            return self._where(node, depth)
        if name not in FUNCTIONS:
            raise self._wrong(node, f"there is no function {name!r}", _known(name, [*FUNCTIONS, "where"], {}))
        count, of_numbers, function = FUNCTIONS[name]
        if len(node.args) != count:
            what = f"{count} arguments" if count > 1 else "one argument"
            raise self._wrong(node, f"{name} takes {what}, received {len(node.args)}", "Correct the call")
        parts = [self._number(argument, depth) for argument in node.args]
        names = _names(parts)
        known = function if names else of_numbers
        return Parsed(lambda values: known(*(part.run(values) for part in parts)), False, names)

    def _where(self, node: ast.Call, depth: int) -> Parsed:
        if len(node.args) != 3:
            raise self._wrong(node, "where takes a condition and two numbers", "Write where(x > 0, 1, 2)")
        condition = self._truth(node.args[0], depth)
        a, b = (self._number(argument, depth) for argument in node.args[1:])
        names = condition.names | a.names | b.names
        where = _space(names).where
        return Parsed(lambda values: where(condition.run(values), a.run(values), b.run(values)), False, names)

    def _compare(self, node: ast.Compare, depth: int) -> Parsed:
        kinds = [_COMPARISONS.get(type(operation)) for operation in node.ops]
        if None in kinds:
            raise self._wrong(node, "this comparison is not allowed", "Write <, <=, > or >=")
        parts = [self._number(side, depth) for side in (node.left, *node.comparators)]
        names = _names(parts)

        def run(values: Values) -> Any:
            sides = [part.run(values) for part in parts]
            held = [kind(a, b) for kind, a, b in zip(kinds, sides, sides[1:], strict=False) if kind]
            return reduce(_space(names).logical_and, held)

        return Parsed(run, True, names)

    def _both(self, node: ast.BoolOp, depth: int) -> Parsed:
        parts = [self._truth(value, depth) for value in node.values]
        names = _names(parts)
        join = _space(names).logical_and if isinstance(node.op, ast.And) else _space(names).logical_or
        return Parsed(lambda values: reduce(join, [part.run(values) for part in parts]), True, names)


def _names(parts: list[Parsed]) -> frozenset[str]:
    return frozenset().union(*(part.names for part in parts))


def _space(names: frozenset[str]) -> Any:
    """jax for what has coordinates in it, numpy for the rest, which has a value at once."""
    return jnp if names else np


def _power(a: Parsed, b: Parsed) -> Run:
    """aᵇ; a whole number as the exponent is kept as one, so that negative bases have values and derivatives."""
    if b.constant is not None and b.constant == round(b.constant) and abs(b.constant) <= 100:
        whole = int(b.constant)
        return lambda values: a.run(values) ** whole

    if a.names or b.names:
        return lambda values: jnp.power(a.run(values), b.run(values))
    return lambda values: a.run(values) ** b.run(values)


def _known(name: str, names: list[str], functions: dict[str, Any]) -> str:
    close = difflib.get_close_matches(name, [*names, *functions], n=1, cutoff=0.6)
    listed = f"Known here: {', '.join(names)}" + (", and functions such as sin(…)" if functions else "")
    return f"Did you mean {close[0]!r}? {listed}" if close else listed
