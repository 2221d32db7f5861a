"""All ways to couple up to four copies of one feature vector to one degree, as matrices over its products."""

import functools
import itertools
import math

import numpy as np
from jaxtyping import Float64

from ._coupling import clebsch_gordan

MAX_CORRELATION = 4
Places = dict[tuple[int, ...], int]


@functools.cache
def coupled(max_ell: int, degree: int, order: int, independent: bool) -> Float64[np.ndarray, "m ..."]:
    """The tensors U[m, i₁ … i_order, path] with which Σ U x_i₁ ⋯ x_i_order turns as `degree`, of parity (−1)^degree.

    x has the components of the degrees 0 to `max_ell`, each of parity (−1)ˡ. A path couples them from left to
    right through every intermediate degree and parity.

    Args:
        max_ell: The largest degree in x.
        degree: Of the result.
        order: How many copies of x, at least 1.
        independent: Whether the tensors are made symmetric in the copies and orthogonal, which leaves as many as
            there are different functions. Otherwise paths that differ by the order of the factors are all kept.

    Returns:
        The tensors; their squares add up to 2·degree + 1 each.

    References:
        Batatia et al., NeurIPS 2022 (MACE), eq. 10 and 11.
    """
    if order > 3 and independent:
        ways = _orthogonal(_ascending(max_ell, degree, order))
    else:
        found = _ways(max_ell, order, degree)
        ways = [table for ell, parity, table in found if (ell, parity) == (degree, degree % 2)]
        ways = _orthogonal(ways) if independent else ways
    size = (max_ell + 1) ** 2
    return np.stack(ways, axis=-1) if ways else np.zeros((2 * degree + 1, *[size] * order, 0))


def _orthogonal(ways: list[np.ndarray]) -> list[np.ndarray]:
    """Gram and Schmidt's method, twice, on the symmetric parts of the tensors."""
    kept: list[np.ndarray] = []
    for way in ways:
        orders = list(itertools.permutations(range(1, way.ndim)))
        even = sum(np.transpose(way, (0, *order)) for order in orders) / len(orders)
        rest = np.asarray(even)
        for other in [*kept, *kept]:
            rest = rest - other * (np.vdot(other, rest) / len(way))
        if np.linalg.norm(rest) > 1e-6 * math.sqrt(len(way)):
            kept.append(rest * (math.sqrt(len(way)) / np.linalg.norm(rest)))
    return kept


def _ascending(max_ell: int, degree: int, order: int) -> list[np.ndarray]:
    """The ways whose factors come by ascending degree: their symmetric parts span those of all ways, which are many.

    Another order of the factors changes nothing in the symmetric part, and for one order the ways through all
    intermediate degrees are a basis of the couplings.
    """
    size, found = (max_ell + 1) ** 2, []
    for ells in itertools.combinations_with_replacement(range(max_ell + 1), order):
        if sum(ells) % 2 != degree % 2:
            continue
        ways = [(ells[0], np.eye(size)[ells[0] ** 2 : (ells[0] + 1) ** 2])]
        for k, right in enumerate(ells[1:], start=2):
            reach = sum(ells[k:])
            ways = [
                (ell, _coupled_once(table, left, right, ell, size))
                for left, table in ways
                for ell in range(abs(left - right), left + right + 1)
                if (ell == degree if k == order else abs(ell - degree) <= reach)
            ]
        found += [table for _, table in ways]
    return found


def _coupled_once(table: np.ndarray, left: int, right: int, ell: int, size: int) -> np.ndarray:
    """Another factor, of degree `right`, coupled to a tensor of degree `left`."""
    couple = math.sqrt(2 * ell + 1) * clebsch_gordan(ell, left, right)
    grown = np.zeros((2 * ell + 1, *[size] * (table.ndim)))
    grown[..., right**2 : (right + 1) ** 2] = np.einsum("l...,klr->k...r", table, couple)
    return grown


@functools.cache
def _ways(max_ell: int, order: int, degree: int | None = None) -> list[tuple[int, int, np.ndarray]]:
    """Degree, parity (0 even, 1 odd) and tensor of every way, by degree, odd before even, else as they arise.

    With `degree` only those of this degree.
    """
    size = (max_ell + 1) ** 2
    if order == 1:
        blocks = np.split(np.eye(size), [(ell + 1) ** 2 for ell in range(max_ell)])
        return [(ell, ell % 2, block) for ell, block in enumerate(blocks)]
    found = []
    for left, parity, table in _ways(max_ell, order - 1):
        for right in range(max_ell + 1):
            for ell in range(abs(left - right), left + right + 1):
                if degree in (None, ell):
                    found.append((ell, (parity + right) % 2, _coupled_once(table, left, right, ell, size)))
    return sorted(found, key=lambda way: (way[0], -way[1]))


def parts(max_ell: int) -> tuple[list[int], list[int]]:
    """The components of even degree, and those of odd degree."""
    degrees = [ell for ell in range(max_ell + 1) for _ in range(2 * ell + 1)]
    return [i for i, e in enumerate(degrees) if e % 2 == 0], [i for i, e in enumerate(degrees) if e % 2]


@functools.cache
def product_matrices(
    max_ell: int, degree: int, correlation: int, independent: bool
) -> tuple[Float64[np.ndarray, "paths m factors features"], ...]:
    """The tensors of `coupled` for the orders 1 to `correlation`, as matrices from features to factors.

    A product of degree and parity even contains a component of even degree, one that is odd a component of odd
    degree, because parities multiply. So the result is a sum over few *factors*, each times a linear function of
    *features*; every monomial stands at one place only:

    - factors: the even components and 1 (even degree), the odd components (odd degree);
    - features: xᵢxⱼ with i ≤ j of equal parity (pairs of even ones first), the even components, 1.

    With four copies the factors are, besides, products of two of equal parity (even degree) or of an even and an odd
    component (odd degree), as `factor_pairs` lists them.

    Args:
        max_ell: The largest degree in x.
        degree: Of the result.
        correlation: The largest order, 1 to 4.
        independent: As for `coupled`.

    Returns:
        One matrix for each order.

    Raises:
        ValueError: The correlation is not 1, 2, 3 or 4.
    """
    if not 1 <= correlation <= MAX_CORRELATION:
        raise ValueError(f"correlation must be 1 to {MAX_CORRELATION}, received {correlation}")
    even, odd = parts(max_ell)
    pairs = _equal_pairs(even, odd)
    features: Places = {names: k for k, names in enumerate([*pairs, *((i,) for i in even), ()])}
    factors: Places = {names: k for k, names in enumerate([(i,) for i in (odd if degree % 2 else even)])}
    if degree % 2 == 0:
        factors[()] = len(factors)
    if correlation > 3:
        factors |= {names: k for k, names in enumerate(factor_pairs(max_ell, degree), start=len(factors))}
    matrices = []
    for order in range(1, correlation + 1):
        tensor = coupled(max_ell, degree, order, independent)
        matrix = np.zeros((tensor.shape[-1], 2 * degree + 1, len(factors), len(features)))
        for index in np.argwhere(np.abs(tensor).max(axis=(0, -1), initial=0.0) > 1e-12):
            factor, feature = _place(tuple(sorted(index.tolist())), factors, features)
            matrix[:, :, factors[factor], features[feature]] += tensor[(slice(None), *index)].T
        matrix.flags.writeable = False
        matrices.append(matrix)
    return tuple(matrices)


def factor_pairs(max_ell: int, degree: int) -> list[tuple[int, int]]:
    """The products of two components that are factors where four copies are multiplied."""
    even, odd = parts(max_ell)
    if degree % 2 == 0:
        return _equal_pairs(even, odd)
    return [(min(i, j), max(i, j)) for i in even for j in odd]


def _equal_pairs(even: list[int], odd: list[int]) -> list[tuple[int, int]]:
    return [(s[a], s[b]) for s in (even, odd) for a in range(len(s)) for b in range(a, len(s))]


def _place(
    monomial: tuple[int, ...], factors: Places, features: Places
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The first way to write a monomial as factor times feature, with the smallest factor that there is."""
    for size in (1, 0, 2):
        for chosen in itertools.combinations(range(len(monomial)), size):
            factor = tuple(monomial[k] for k in chosen)
            rest = tuple(m for k, m in enumerate(monomial) if k not in chosen)
            if factor in factors and rest in features:
                return factor, rest
    raise AssertionError(f"no way to write the product of the components {monomial}")
