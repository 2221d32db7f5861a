"""Steady heat conduction with radiation or a conductivity k(T) by finite elements: the judge of nonlinear problems.

The unknown is the temperature itself, not Kirchhoff's integral that the solver uses. Each round linearises T⁴ of the
radiating facets (Newton) and takes k from the last round (Picard), solves the linear system as `solve_heat` does, and
ends when the temperature has settled.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from ._fem import TOLERANCE, FaceTable, FemSolution, ScaledMesh, radiation_columns, solve_linear
from ._fem_mesh import TetMesh, tet_volumes
from ._fem_solid import SolidConductivity
from ._fem_surface import face_areas
from ._radiation import STEFAN_BOLTZMANN, fourth_power

_ROUNDS = 60
# Change of the temperature in a round, over its spread, at which a solution has settled, per tolerance of the solver.
_SETTLED = 100.0
_INNER = 1e-5  # tolerance of the linear solver for the step of a round
_FINE = 4  # degree up to which volume integrals with k(T) are exact
_STEEP = 8  # the same on the surface: T⁴ of a quadratic

Conductivity = float | SolidConductivity | Callable[[Any], Any]


def is_nonlinear(conditions: FaceTable, conductivity: Conductivity) -> bool:
    """Whether a problem needs the rounds of `solve_nonlinear_heat`."""
    return callable(conductivity) or bool(np.any(radiation_columns(conditions)[0] > 0))


@dataclass(frozen=True)
class _Facets:
    """Boundary data of each facet of a mesh, SI units."""

    temperature: Float[np.ndarray, "b"]
    h: Float[np.ndarray, "b"]
    ambient: Float[np.ndarray, "b"]
    flux: Float[np.ndarray, "b"]
    emissivity: Float[np.ndarray, "b"]
    radiant: Float[np.ndarray, "b"]

    @property
    def held(self) -> np.ndarray:
        return np.isfinite(self.temperature)

    def inflow(self, temperature: np.ndarray) -> np.ndarray:
        """W/m² into the part where the facets have these temperatures, [b, points]."""
        h, ambient, flux, emissivity, radiant = (
            column[:, None] for column in (self.h, self.ambient, self.flux, self.emissivity, self.radiant)
        )
        radiated = emissivity * STEFAN_BOLTZMANN * (fourth_power(radiant) - fourth_power(temperature))
        return h * (ambient - temperature) + flux + radiated

    def transfer(self, temperature: np.ndarray) -> np.ndarray:
        """−d(inflow)/dT, W/(m² K)."""
        radiated = 4 * self.emissivity[:, None] * STEFAN_BOLTZMANN * np.abs(temperature) ** 3
        return self.h[:, None] + radiated


def solve_nonlinear_heat(
    mesh: TetMesh,
    conditions: FaceTable,
    conductivity: Conductivity,
    source: float = 0.0,
    *,
    tolerance: float = TOLERANCE,
) -> FemSolution:
    """Solves −∇·(k(T) ∇T) = q with k ∂T/∂n = h (T_ambient − T) + flux + ε σ (T_radiant⁴ − T⁴); see `solve_heat`.

    Args:
        mesh: The mesh, in metres.
        conditions: Boundary data per surface triangle, with the columns emissivity and radiant of `FaceConditions`.
        conductivity: k > 0, W/(m K): a number, a function of an array of temperatures in K or a `SolidConductivity`.
        source: q, W/m³.
        tolerance: A hundredth of the last change of the temperature in a round, over its spread.

    Returns:
        The field with the heat through every facet.

    Raises:
        ImportError: The extra `fem` is not installed.
        ValueError: Nothing fixes the temperature level.
        RuntimeError: The linear solver does not converge, or the temperature does not settle.
    """
    facets = _facets(mesh, conditions)
    scaled = ScaledMesh(mesh)
    volume = scaled.fem.Basis(scaled.inside.mesh, scaled.inside.elem, intorder=_FINE)
    surface = scaled.fem.FacetBasis(
        scaled.inside.mesh, scaled.inside.elem, facets=scaled.facets, intorder=_STEEP
    )
    value, fixed = scaled.held_values(np.where(facets.held, facets.temperature, 0.0), facets.held)
    theta = np.where(fixed, value, _first_level(mesh, facets, source))
    unit = _unit(conductivity, theta)
    per_area = scaled.length / unit
    load_inside = scaled.volume(source * scaled.length**2 / unit)
    iterations = 0
    for _ in range(_ROUNDS):
        at, transfer, inflow = _on_surface(surface, facets, theta, per_area)
        matrix = _stiffness(scaled, volume, conductivity, theta, unit)
        robin, pull = _boundary(scaled, surface, transfer, inflow + transfer * at)
        system = (matrix + robin).tocsr()
        missing = load_inside + pull - system @ theta
        step, more, residual = solve_linear(system, missing, np.zeros_like(theta), fixed, _INNER)
        theta = theta + step
        iterations += more
        change = float(np.abs(step).max())
        if change <= _SETTLED * tolerance * max(float(np.ptp(theta)), 1e-3 * float(np.abs(theta).max())):
            break
    else:
        raise RuntimeError(f"the temperature has not settled: it still changed by {change:.1e} K")
    watts = unit * scaled.length
    _, _, inflow = _on_surface(surface, facets, theta, per_area)
    entering = _boundary(scaled, surface, None, inflow)[1]
    matrix = _stiffness(scaled, volume, conductivity, theta, unit)
    reaction = np.where(fixed, matrix @ theta - entering - load_inside, 0.0) * watts
    return FemSolution(
        mesh=mesh,
        nodal=theta,
        element_dofs=scaled.inside.element_dofs,
        facet_heat=watts * (inflow * surface.dx).sum(1),
        held_heat=scaled.share_among_held_facets(reaction, facets.held),
        source_heat=watts * float(load_inside.sum()),
        iterations=iterations,
        residual=residual,
    )


def _unit(conductivity: Conductivity, theta: np.ndarray) -> float:
    if isinstance(conductivity, SolidConductivity):
        return conductivity.mean
    return float(np.mean(conductivity(theta))) if callable(conductivity) else float(conductivity)


def _facets(mesh: TetMesh, conditions: FaceTable) -> _Facets:
    columns = (conditions.temperature, conditions.h, conditions.ambient, conditions.flux)
    rows = [np.asarray(c, np.float64)[mesh.facet_face] for c in (*columns, *radiation_columns(conditions))]
    held = np.isfinite(rows[0])
    facets = _Facets(rows[0], *(np.where(held, 0.0, row) for row in rows[1:]))
    if not held.any() and not (facets.h > 0).any() and not (facets.emissivity > 0).any():
        raise ValueError(
            "nothing fixes the temperature: give one patch a temperature, convection or radiation"
        )
    return facets


def _first_level(mesh: TetMesh, facets: _Facets, source: float) -> float:
    """The mean of the held temperatures, or the uniform temperature at which as much heat leaves as enters, K."""
    if facets.held.any():
        return float(facets.temperature[facets.held].mean())
    area, volume = face_areas(mesh.points, mesh.facets), float(tet_volumes(mesh.points, mesh.tets).sum())

    def surplus(level: float) -> float:
        uniform = np.full((len(area), 1), level)
        return source * volume + float(area @ facets.inflow(uniform)[:, 0])

    high = 1.0
    while surplus(high) > 0:
        high *= 2
    if not surplus(0.0) > 0:
        return 0.0
    from scipy.optimize import brentq  # takes a second to import

    found: Any = brentq(surplus, 0.0, high)
    return float(found)


def _on_surface(surface: Any, facets: _Facets, theta: np.ndarray, per_area: float) -> tuple[np.ndarray, ...]:
    """Temperature, dimensionless transfer and inflow at the quadrature points of the facets; 0 on held ones."""
    at = np.asarray(surface.interpolate(theta))
    return at, per_area * facets.transfer(at), per_area * facets.inflow(at)


def _stiffness(scaled: ScaledMesh, volume: Any, conductivity: Conductivity, theta: np.ndarray, unit: float):
    if not callable(conductivity):
        return scaled.stiffness(conductivity)
    k = conductivity(np.asarray(volume.interpolate(theta))) / unit
    form = scaled.fem.BilinearForm(lambda u, v, w: w.k * (u.grad * v.grad).sum(0))
    return form.assemble(volume, k=k)


def _boundary(scaled: ScaledMesh, surface: Any, transfer: np.ndarray | None, load: np.ndarray) -> Any:
    vector = scaled.fem.LinearForm(lambda v, w: w.q * v).assemble(surface, q=load)
    if transfer is None:
        return None, vector
    form = scaled.fem.BilinearForm(lambda u, v, w: w.b * u * v)
    return form.assemble(surface, b=transfer), vector
