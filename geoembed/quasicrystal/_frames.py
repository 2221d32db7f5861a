"""The frames of the well-known quasicrystals to 120 digits: their projectors and their quadratic integers.

Floats decide almost every point of a cut. Those that come close to a boundary are decided again with these numbers, so
that no point is gained or lost by rounding.
"""

import dataclasses
import functools
from decimal import Decimal, localcontext
from typing import Any

import numpy as np

DIGITS = 120


def exactly(function: Any) -> Any:
    """A function whose decimal numbers carry 120 digits."""

    @functools.wraps(function)
    def wrapped(*args: Any, **options: Any) -> Any:
        with localcontext() as context:
            context.prec = DIGITS
            return function(*args, **options)

    return wrapped


@dataclasses.dataclass(frozen=True, eq=False)
class Frame:
    """The columns of `parallel` and `perpendicular` are the projections of the D basis vectors.

    With (a₁, b₁, …, a_d, b_d) = `integers` · n every projection is a sum over d axes of quadratic integers:
    P n = Σᵢ (aᵢ + bᵢ θ) Vᵢ and Q n = Σᵢ (aᵢ + bᵢ θ′) Wᵢ, where θ′ is the conjugate of θ.
    """

    parallel: np.ndarray  # [d, D] Decimal
    perpendicular: np.ndarray  # [m, D] Decimal
    integers: np.ndarray  # [2d, D] int
    theta: Decimal
    conjugate: Decimal


def decimals(values: Any) -> np.ndarray:
    """An array of exact decimal numbers; floats keep their binary value."""
    values = np.asarray(values)
    if values.dtype == object:
        return values
    exact = [Decimal(int(v)) if values.dtype.kind in "iu" else Decimal(float(v)) for v in values.ravel()]
    return np.array([*exact, None], dtype=object)[:-1].reshape(values.shape)


@exactly
def matches(values: np.ndarray, exact: np.ndarray) -> bool:
    """Whether floats are these numbers, up to 4 units of rounding of their largest."""
    values = np.asarray(values)
    if values.shape != exact.shape:
        return False
    largest = float(np.max(np.abs(exact)))
    return bool(
        np.all(np.abs(values.astype(float) - exact.astype(float)) <= 4 * np.finfo(values.dtype).eps * largest)
    )


@functools.cache
@exactly
def frame(name: str) -> Frame:
    """The frame of this name: fibonacci, octagonal, pentagonal, dodecagonal, icosahedral, or that of a chain.

    The chain "quadratic a b c" has tiles of the lengths θ and 1, where θ > 0 > θ′ are the roots of a θ² + b θ + c.
    """
    coefficients = quadratic_coefficients(name)
    return _MAKERS[name]() if coefficients is None else _quadratic(*coefficients)


def quadratic_name(a: int, b: int, c: int) -> str:
    """The name of the frame of a chain."""
    return f"quadratic {a} {b} {c}"


def quadratic_coefficients(name: str) -> tuple[int, int, int] | None:
    """The coefficients in the name of the frame of a chain; None for other frames."""
    kind, *numbers = name.split()
    if kind != "quadratic":
        return None
    a, b, c = map(int, numbers)
    return a, b, c


def _array(rows: list[list[Any]]) -> np.ndarray:
    return np.array([[Decimal(v) for v in row] for row in rows], dtype=object)


def _fibonacci() -> Frame:
    tau = (1 + Decimal(5).sqrt()) / 2
    integers = np.array([[0, 1], [1, 0]])  # n = (number of long tiles, number of short tiles)
    return Frame(_array([[tau, 1]]), _array([[1 - tau, 1]]), integers, tau, 1 - tau)


def _quadratic(a: int, b: int, c: int) -> Frame:
    root = Decimal(b * b - 4 * a * c).sqrt()
    theta, conjugate = (-b + root) / (2 * a), (-b - root) / (2 * a)
    integers = np.array([[0, 1], [1, 0]])  # n = (number of tiles θ, number of tiles 1)
    return Frame(_array([[theta, 1]]), _array([[conjugate, 1]]), integers, theta, conjugate)


def _octagonal() -> Frame:
    h = Decimal(2).sqrt() / 2
    parallel = _array([[1, h, 0, -h], [0, h, 1, h]])
    perpendicular = _array([[1, -h, 0, h], [0, h, -1, h]])  # turned three times as fast
    integers = np.array([[1, 0, 0, 0], [0, 1, 0, -1], [0, 0, 1, 0], [0, 1, 0, 1]])
    return Frame(parallel, perpendicular, integers, h, -h)


def _pentagonal() -> Frame:
    root = Decimal(5).sqrt()
    tau = (1 + root) / 2
    cos1, cos2 = (root - 1) / 4, -(root + 1) / 4
    sin1, sin2 = (10 + 2 * root).sqrt() / 4, (10 - 2 * root).sqrt() / 4
    parallel = _array([[1, cos1, cos2, cos2], [0, sin1, sin2, -sin2]])
    perpendicular = _array([[1, cos2, cos1, cos1], [0, sin2, -sin1, sin1]])
    # ζ² = (τ − 1) ζ − 1 and ζ³ = (1 − τ) ζ + (1 − τ)
    integers = np.array([[1, 0, -1, 1], [0, 0, 0, -1], [0, 1, -1, 1], [0, 0, 1, -1]])
    return Frame(parallel, perpendicular, integers, tau, 1 - tau)


def _dodecagonal() -> Frame:
    h, r = Decimal("0.5"), Decimal(3).sqrt() / 2
    parallel = _array([[1, r, h, 0], [0, h, r, 1]])
    perpendicular = _array([[1, -r, h, 0], [0, h, -r, 1]])  # turned five times as fast
    integers = np.array([[2, 0, 1, 0], [0, 1, 0, 0], [0, 1, 0, 2], [0, 0, 1, 0]])
    return Frame(parallel, perpendicular, integers, 2 * r, -2 * r)


def _icosahedral() -> Frame:
    tau = (1 + Decimal(5).sqrt()) / 2
    c = 1 / (2 * (tau + 2)).sqrt()

    def rows(t: Decimal, factor: Decimal) -> np.ndarray:
        axes = [[1, -1, 0, 0, t, t], [t, t, 1, -1, 0, 0], [0, 0, t, t, 1, -1]]
        return factor * _array(axes)

    integers = np.array(
        [
            [1, -1, 0, 0, 0, 0],
            [0, 0, 0, 0, 1, 1],
            [0, 0, 1, -1, 0, 0],
            [1, 1, 0, 0, 0, 0],
            [0, 0, 0, 0, 1, -1],
            [0, 0, 1, 1, 0, 0],
        ]
    )
    return Frame(rows(tau, c), rows(1 - tau, c * tau), integers, tau, 1 - tau)


_MAKERS = {
    "fibonacci": _fibonacci,
    "octagonal": _octagonal,
    "pentagonal": _pentagonal,
    "dodecagonal": _dodecagonal,
    "icosahedral": _icosahedral,
}
