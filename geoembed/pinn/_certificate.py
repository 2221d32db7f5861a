"""Certificates: an answer to a heat problem judged by finite elements that share nothing with it.

The judge takes the same surface, conditions and constants, meshes the inside with tetrahedra twice, solves
by quadratic finite elements, and compares at points drawn uniformly over the volume. It never sees how the
answer was made: `predict` is a function from points to temperatures.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

from ._fem import FaceTable
from ._fem_mesh import MeshDeviation, fem_package
from ._fem_nonlinear import Conductivity
from ._fem_reference import FemReference, PatchHeat, centred_error, fem_reference

Status = Literal["certified", "failed", "uncertified"]

# The two finite-element solutions must agree to this share of the bar.
AGREEMENT_SHARE = 0.25
_LEAST_POINTS = 10_000


@dataclass(frozen=True)
class Judged:
    """What all certificates can do."""

    status: Status

    @property
    def certified(self) -> bool:
        """Whether the answer passed."""
        return self.status == "certified"

    def as_dict(self) -> dict[str, Any]:
        """Return dicts, lists, strings and numbers for JSON; None stands for a number that is not finite."""
        return plain(asdict(self))


@dataclass(frozen=True)
class Certificate(Judged):
    """How far an answer is from an independent finite-element solution.

    Attributes:
        status: "certified": the error is within the bar. "failed": it is not. "uncertified": the judge itself
            is not good enough to say, for its two meshes disagree by more than a quarter of the bar.
        text: The verdict in one sentence.
        relative_error: ‖T − T_fem‖ / ‖T_fem − mean(T_fem)‖; a constant field scores 1 at best.
        max_error: Largest difference over the points, K.
        fem_agreement: The same measure between the two finite-element solutions.
        bar: The largest relative error that passes.
        points: Number of points compared.
        deviation: How far the finer mesh is from the surface, lengths in m.
        heat: Heat through each patch in the finite-element solution.
        source_heat: Heat released inside, W.
        energy_balance: |Σ Q| / Σ Q⁺ of the finite-element solution.
        dofs: Degrees of freedom on the coarser and the finer mesh.
        tets: Tetrahedra of the coarser and the finer mesh.
        seconds: Wall time of the judge.
        seed: Seed of the points.
        versions: Versions of the packages the judge is made of.
    """

    status: Status
    text: str
    relative_error: float
    max_error: float
    fem_agreement: float
    bar: float
    points: int
    deviation: MeshDeviation
    heat: tuple[PatchHeat, ...]
    source_heat: float
    energy_balance: float
    dofs: tuple[int, int]
    tets: tuple[int, int]
    seconds: float
    seed: int
    versions: dict[str, str]


def certify_heat(
    vertices_m: Float[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
    conditions: FaceTable,
    conductivity: Conductivity,
    source: float,
    predict: Callable[[np.ndarray], Any],
    *,
    bar: float = 2e-2,
    seed: int,
    face_patch: Int[np.ndarray, "f"] | None = None,
    names: Sequence[str] = (),
) -> Certificate:
    """Judge an answer to −∇·(k∇T) = q by finite elements.

    Args:
        vertices_m: Corners of the closed surface, m.
        faces: Its triangles, counter-clockwise from outside.
        conditions: Boundary data, one row per triangle, SI units.
        conductivity: k, W/(m K): a number, a function of an array of temperatures in K, or a `SolidConductivity`.
        source: q, W/m³.
        predict: Temperatures in K, shape [n], at points in m, shape [n, 3].
        bar: Largest relative error that passes.
        seed: Seed of the comparison points.
        face_patch: Patch number of each triangle, for the heat per patch; by default triangles with equal
            conditions form a patch.
        names: Name of each patch; needed with `face_patch`.

    Returns:
        The verdict with its figures.

    Raises:
        ImportError: The extra `fem` is not installed.
        ValueError: The surface is not closed, nothing fixes the temperature level, or `predict` returns a
            wrong shape.
    """
    reference = fem_reference(
        vertices_m, faces, conditions, conductivity, source, seed=seed, face_patch=face_patch, names=names
    )
    return judge(reference, predict, bar=bar, seed=seed)


def judge(
    reference: FemReference, predict: Callable[[np.ndarray], Any], *, bar: float = 2e-2, seed: int = 0
) -> Certificate:
    """Compare an answer with a finite-element reference that is at hand; see `certify_heat`.

    Args:
        reference: What `fem_reference` returned.
        predict: Temperatures in K, shape [n], at points in m, shape [n, 3].
        bar: Largest relative error that passes.
        seed: The seed the reference's points were drawn with; it is only written down.

    Returns:
        The verdict with its figures.

    Raises:
        ValueError: `predict` returns a wrong shape.
    """
    answer = np.asarray(predict(reference.points), np.float64)
    if answer.shape != reference.temperature.shape:
        raise ValueError(
            f"predict must return shape {reference.temperature.shape} for points of shape"
            f" {reference.points.shape}, got {answer.shape}"
        )
    error = centred_error(answer, reference.temperature)
    status, text = verdict(error, reference.agreement, len(answer), bar)
    solutions = (reference.coarse, reference.fine)
    return Certificate(
        status=status,
        text=text,
        relative_error=error,
        max_error=float(np.abs(answer - reference.temperature).max()),
        fem_agreement=reference.agreement,
        bar=bar,
        points=len(answer),
        deviation=reference.deviation,
        heat=reference.heat,
        source_heat=reference.fine.source_heat,
        energy_balance=reference.energy_balance,
        dofs=(solutions[0].dofs, solutions[1].dofs),
        tets=(len(solutions[0].mesh.tets), len(solutions[1].mesh.tets)),
        seconds=reference.seconds,
        seed=seed,
        versions=fem_versions(),
    )


def verdict(error: float, agreement: float, points: int, bar: float) -> tuple[Status, str]:
    """Apply the rule: the judge must be good to a quarter of the bar before the error counts."""
    if not points >= _LEAST_POINTS:
        return (
            "uncertified",
            f"only {points} points lie inside both meshes and the part; {_LEAST_POINTS} are needed",
        )
    if not agreement <= AGREEMENT_SHARE * bar:
        return "uncertified", (
            f"the two finite-element meshes differ by {agreement:.1e}, more than a quarter of the bar"
            f" {bar:g}; the difference from the finer one is {error:.1e}"
        )
    if not error <= bar:
        return "failed", f"relative error {error:.1e} against finite elements, above the bar {bar:g}"
    return "certified", (
        f"relative error {error:.1e} against finite elements (bar {bar:g};"
        f" their two meshes agree to {agreement:.1e})"
    )


def require_fem() -> None:
    """Raise ImportError, saying how to install it, when the extra `fem` is missing."""
    for module in ("skfem", "pyamg", "pytetwild"):
        fem_package(module)


def fem_versions() -> dict[str, str]:
    """Return the versions of the packages that make up the judge."""
    from importlib.metadata import version

    require_fem()
    return {name: version(name) for name in ("scikit-fem", "pyamg", "pytetwild", "numpy", "scipy")}


def plain(value: Any) -> Any:
    """Turn nested dicts, tuples and floats into what strict JSON can hold."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
