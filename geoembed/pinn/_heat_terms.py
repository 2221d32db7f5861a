"""The energy of a temperature field taken apart: one matrix or load for each number that an experiment may not know.

With θ = T − reference = Σ cᵢ Bᵢ, lengths in units of the part's longest side L, and everything divided by L,

    A = k ∫ ∇Bᵢ·∇Bⱼ + Σ_convecting h L ∫ Bᵢ Bⱼ + Σ_held H k ∫ Bᵢ Bⱼ
    b = Σ_convecting h L (ambient − reference) ∫ Bᵢ + Σ_flux f L ∫ Bᵢ + Σ_held H k (T − reference) ∫ Bᵢ + q L² ∫ Bᵢ

with H = HOLD, as in `assemble`. Every coefficient is a product of known or unknown numbers, so that a change of one
of them needs no new integral.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from ..core import InputError
from ..sdf import signed_volume
from ._assemble import grid_integrals
from ._conditions import Condition, Convection, HeatFlux, Temperature
from ._held_inverse import held_features
from ._nested_features import NestedFeatures
from ._problem import Problem
from ._surface_conditions import HOLD


@dataclass(frozen=True)
class Term:
    """constant · (product of the numbers named by `factors`) · array.

    Args:
        constant: A number.
        factors: Names in `numbers_of`.
        array: A matrix or a load.
    """

    constant: float
    factors: tuple[str, ...]
    array: Any

    def coefficient(self, numbers: Mapping[str, float], slope_in: str | None = None) -> float:
        """Returns the factor before the array, or its derivative in one of the numbers."""
        others = list(self.factors)
        if slope_in is not None:
            if slope_in not in others:
                return 0.0
            others.remove(slope_in)
        return float(np.prod([self.constant, *(numbers[name] for name in others)]))


@dataclass(frozen=True)
class HeatTerms:
    """The energy of one problem on one set of features, for any values of its numbers.

    Args:
        features: The features.
        matrices: The terms of A.
        loads: The terms of b.
        held: Which features reach a held face.
    """

    features: NestedFeatures
    matrices: tuple[Term, ...]
    loads: tuple[Term, ...]
    held: Int[np.ndarray, " k"]


def numbers_of(problem: Problem) -> dict[str, float]:
    """Returns the numbers of a problem in SI units by name: "conductivity", "source", and for each patch
    "patch.h" and "patch.ambient", "patch.flux" or "patch.temperature".
    """
    _require_linear(problem)
    numbers = {"conductivity": problem.equation.conductivity, "source": problem.equation.source}
    for condition in heat_conditions(problem):
        match condition:
            case Temperature(patch=patch, value=value):
                numbers[f"{patch}.temperature"] = value
            case HeatFlux(patch=patch, value=value):
                numbers[f"{patch}.flux"] = value
            case Convection(patch=patch, h=h, ambient=ambient):
                numbers[f"{patch}.h"], numbers[f"{patch}.ambient"] = h, ambient
    return {name: float(value) for name, value in numbers.items()}


def _require_linear(problem: Problem) -> None:
    if not problem.conduction.plain:
        raise InputError(
            "equation",
            "conductivity",
            "is a matrix or a function, where its energy must be a sum of terms with one number each",
            "Use a number as conductivity",
        )
    if problem.nonlinear:
        raise InputError(
            "problem",
            "",
            "radiates, or its conductivity depends on the temperature: its energy is no sum of such terms",
            "Use Convection and a number as conductivity",
        )


def heat_conditions(problem: Problem) -> list[Condition]:
    """Returns the conditions of heat in a part: `Problem` lets no others through."""
    return [condition for condition in problem.conditions if isinstance(condition, Condition)]


def heat_terms(problem: Problem, features: NestedFeatures) -> HeatTerms:
    """Integrates each term of the energy once.

    Args:
        problem: The problem; the values of its numbers do not matter.
        features: The features of the field.

    Returns:
        The terms.

    Raises:
        InputError: The problem is not linear.
    """
    _require_linear(problem)
    size = problem.scales.metres
    stiffness, integral = _inside(problem, features)
    matrices = [Term(1.0, ("conductivity",), stiffness)]
    loads = [Term(size**2, ("source",), integral)]
    for condition in heat_conditions(problem):
        patch = condition.patch
        mass, area = _on_patch(problem, features, patch, with_mass=not isinstance(condition, HeatFlux))
        match condition:
            case Temperature():
                matrices.append(Term(HOLD, ("conductivity",), mass))
                loads.append(Term(HOLD, ("conductivity", f"{patch}.temperature"), area))
            case HeatFlux():
                loads.append(Term(size, (f"{patch}.flux",), area))
            case Convection():
                matrices.append(Term(size, (f"{patch}.h",), mass))
                loads.append(Term(size, (f"{patch}.h", f"{patch}.ambient"), area))
    return HeatTerms(features, tuple(matrices), tuple(loads), held_features(problem, features))


def weighted_sum(
    terms: Iterable[Term], numbers: Mapping[str, float], slope_in: str | None = None, empty: Any = 0.0
) -> Any:
    """Returns the sum of the terms, or its derivative in one of the numbers."""
    found = empty
    for term in terms:
        coefficient = term.coefficient(numbers, slope_in)
        if coefficient != 0.0:
            found = coefficient * term.array if found is empty else found + coefficient * term.array
    return found


def _inside(problem: Problem, features: NestedFeatures) -> tuple[sparse.csr_array, Float[np.ndarray, " d"]]:
    """∫ ∇Bᵢ·∇Bⱼ dV and ∫ Bᵢ dV, the second with the exact volume of the part (see `assemble`)."""
    nowhere = np.zeros((0, 3)), np.zeros(0)
    edge = features.spacing / problem.scales.length
    matrix = sparse.csr_array((features.count, features.count))
    integral, volume = np.zeros(features.count), 0.0
    for number, (splines, transfer) in enumerate(zip(features.grids, features.transfer, strict=True)):
        leaf = ~features.cells.refined[number]
        part = grid_integrals(splines, leaf, edge / 2**number, *nowhere)
        matrix = matrix + transfer.T @ (part.matrix @ transfer)
        integral += transfer.T @ part.integral
        volume += part.volume
    exact = signed_volume(problem.domain.vertices, problem.domain.faces)
    return sparse.csr_array(matrix), integral * (exact / volume)


def _on_patch(
    problem: Problem, features: NestedFeatures, patch: str, *, with_mass: bool
) -> tuple[sparse.csr_array, Float[np.ndarray, " d"]]:
    """∫ Bᵢ Bⱼ dS and ∫ Bᵢ dS over a patch."""
    rule = features.cells.rule
    mine = problem.resolved.mask(patch)[rule.faces]
    points, weight = rule.points[mine], rule.weights[mine] / problem.scales.length**2
    owner = features.cells.owner(points)
    mass, area = sparse.csr_array((features.count, features.count)), np.zeros(features.count)
    for number, (splines, transfer) in enumerate(zip(features.grids, features.transfer, strict=True)):
        here = np.flatnonzero(owner == number)
        at, some = splines.values(points[here]), weight[here]
        area += transfer.T @ (at.T @ some)
        if with_mass:
            mass = mass + transfer.T @ ((at.T @ (sparse.diags_array(some) @ at)) @ transfer)
    return sparse.csr_array(mass), area
