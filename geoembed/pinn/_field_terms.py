"""Where an unknown field enters the energy: in the cells, or at the points of a patch.

A field v is a number for each piece e of its region (a cell, a quadrature point of the surface). The energy has the
matrix Σ vₑ Mₑ or the load Σ vₑ lₑ, and with A λ = (the features at a sensor) the temperature T there changes by

    ∂T/∂vₑ = λᵀ lₑ − λᵀ Mₑ c

(the adjoint). Units are those of `heat_terms`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import sparse

from ..sdf import signed_volume
from ._assemble import CellQuadrature, CellTable
from ._heat_terms import HeatTerms
from ._nested_features import NestedFeatures
from ._problem import Problem

Numbers = Mapping[str, float]
Coefficients = Float[np.ndarray, " d"]


def _others(
    terms: HeatTerms, numbers: Numbers, name: str, features: NestedFeatures
) -> tuple[Any, Coefficients]:
    """Matrix and load of all that the field does not change. Where a face is held, k is that of the first guess."""
    matrix = sparse.csr_array((features.count, features.count))
    load = np.zeros(features.count)
    for number, term in enumerate(terms.matrices):
        if not (name in term.factors and (name != "conductivity" or number == 0)):
            matrix = matrix + term.coefficient(numbers) * term.array
    for term in terms.loads:
        if name == "conductivity" or name not in term.factors:
            load = load + term.coefficient(numbers) * term.array
    return matrix, load


class CellField:
    """Conductivity or source in each cell.

    Args:
        problem: The problem.
        features: The features of the temperature.
        name: "conductivity" or "source".
    """

    def __init__(self, problem: Problem, features: NestedFeatures, name: str):
        self.features, self.name = features, name
        self._blocks, volume = [], 0.0
        edge = features.spacing / problem.scales.length
        for number, splines in enumerate(features.grids):
            rows = np.flatnonzero(~features.cells.refined[number])
            local, inside, filled = CellQuadrature(splines.cells, edge / 2**number)(rows)
            self._blocks.append((splines.cell_features[rows], local, inside))
            volume += filled * splines.cells.spacing**3
        exact = signed_volume(problem.domain.vertices, problem.domain.faces)
        self._released = problem.scales.metres**2 * exact / volume

    @property
    def places(self) -> Float[np.ndarray, "e 3"]:
        """The centres of the cells, in the part's unit."""
        centres = []
        for number, splines in enumerate(self.features.grids):
            cells = splines.cells
            index = cells.index[~self.features.cells.refined[number]]
            centres.append(cells.origin + cells.spacing * (index + 0.5))
        return np.concatenate(centres)

    def system(
        self, terms: HeatTerms, numbers: Numbers, values: Float[np.ndarray, " e"]
    ) -> tuple[Any, Coefficients]:
        """Returns matrix and load of the energy."""
        matrix, load = _others(terms, numbers, self.name, self.features)
        for values_here, splines, transfer, (own, local, inside) in self._by_grid(values):
            if self.name == "conductivity":
                table = CellTable(own, splines.count)
                table.add(local * values_here[:, None, None], 0)
                matrix = matrix + transfer.T @ (table.matrix() @ transfer)
            else:
                weighted = (inside * values_here[:, None]).ravel()
                load = load + self._released * (
                    transfer.T @ np.bincount(own.ravel(), weighted, minlength=splines.count)
                )
        return matrix, load

    def change(
        self, state: Coefficients, adjoints: Float[np.ndarray, "d n"], numbers: Numbers
    ) -> Float[np.ndarray, "n e"]:
        """Returns how each sensor's temperature changes with each piece, from the adjoints of the sensors."""
        found = []
        for _, _, transfer, (own, local, inside) in self._by_grid(np.zeros(len(self.places))):
            seen = (transfer @ adjoints)[own]  # cells, splines, sensors
            if self.name == "conductivity":
                pull = -np.einsum("eab,eb->ea", local, (transfer @ state)[own])
            else:
                pull = self._released * inside
            found.append(np.einsum("eas,ea->se", seen, pull))
        return np.concatenate(found, axis=1)

    def _by_grid(self, values: Float[np.ndarray, " e"]) -> list[tuple]:
        ends = np.cumsum([len(block[0]) for block in self._blocks])[:-1]
        features = self.features
        parts = np.split(values, ends)
        return list(zip(parts, features.grids, features.transfer, self._blocks, strict=True))


class PatchField:
    """Heat transfer coefficient or flux at each quadrature point of a patch.

    Args:
        problem: The problem.
        features: The features of the temperature.
        name: "PATCH.h" or "PATCH.flux".
    """

    def __init__(self, problem: Problem, features: NestedFeatures, name: str):
        self.features, self.name = features, name
        self.patch, _, self.kind = name.rpartition(".")
        rule = features.cells.rule
        mine = problem.resolved.mask(self.patch)[rule.faces]
        self._points = rule.points[mine]
        self._weights = rule.weights[mine] / problem.scales.length**2 * problem.scales.metres
        self._at = features.values(self._points)

    @property
    def places(self) -> Float[np.ndarray, "e 3"]:
        """The points, in the part's unit."""
        return self._points

    def system(
        self, terms: HeatTerms, numbers: Numbers, values: Float[np.ndarray, " e"]
    ) -> tuple[Any, Coefficients]:
        """Returns matrix and load of the energy."""
        matrix, load = _others(terms, numbers, self.name, self.features)
        weighted = self._weights * values
        if self.kind == "flux":
            return matrix, load + self._at.T @ weighted
        contact = self._at.T @ (sparse.diags_array(weighted) @ self._at)
        return matrix + contact, load + self._at.T @ (weighted * numbers[f"{self.patch}.ambient"])

    def change(
        self, state: Coefficients, adjoints: Float[np.ndarray, "d n"], numbers: Numbers
    ) -> Float[np.ndarray, "n e"]:
        """Returns how each sensor's temperature changes with each piece, from the adjoints of the sensors."""
        seen = np.asarray(self._at @ adjoints).T * self._weights[None]
        if self.kind == "flux":
            return seen
        drop = numbers[f"{self.patch}.ambient"] - np.asarray(self._at @ state)
        return seen * drop[None]


FieldTerm = CellField | PatchField
