"""Certificates for equations in plain domains: finite elements where there are some, else what evidence there is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Literal

import numpy as np

from ..sdf import evaluate
from ._certificate import AGREEMENT_SHARE, Judged, Status, verdict
from ._fem_field import FieldReference, field_reference, places, relative
from ._fem_field_form import NoReference
from ._problem import Problem
from ._result import Result

BAR = 1e-3


@dataclass(frozen=True)
class FieldCertificate(Judged):
    """How far a field is from an independent finite-element solution; without one, what is known about it.

    Attributes:
        status: "certified", "failed" or "uncertified", as in `Certificate`.
        text: The verdict in one sentence.
        method: "finite elements", or "estimate" where these cannot judge the problem.
        relative_error: ‖u − u_fem‖ / ‖u_fem‖ over points drawn evenly over the domain and the time.
        max_error: Largest difference over the points.
        fem_agreement: The relative error between the two finite-element solutions.
        bar: The largest relative error that passes.
        points: Number of points compared.
        dofs: Unknowns on the coarser and the finer mesh.
        steps: Time steps on both; 0 in a steady problem.
        seconds: Wall time of the judge.
        seed: Seed of the points.
        estimated_error: The solver's own estimate of the relative error.
        held_out_residual: Root of the mean squared residual at points that were not trained on.
        seeds_spread: Largest relative distance of the results of other seeds; None without any.
        versions: Versions of the packages the judge is made of.
    """

    status: Status
    text: str
    method: Literal["finite elements", "estimate"]
    relative_error: float | None
    max_error: float | None
    fem_agreement: float | None
    bar: float
    points: int
    dofs: tuple[int, int]
    steps: tuple[int, int]
    seconds: float
    seed: int
    estimated_error: float | None = None
    held_out_residual: float | None = None
    seeds_spread: float | None = None
    versions: dict[str, str] | None = None


def judge_field(
    reference: FieldReference, predict: Callable[[np.ndarray], Any], *, bar: float = BAR
) -> FieldCertificate:
    """Compare a field with a finite-element reference that is at hand.

    Args:
        reference: What `field_reference` returned.
        predict: Values, shape [n], at points, shape [n, d], the time last.
        bar: Largest relative error that passes; the two meshes must agree to a quarter of it.

    Returns:
        The verdict with its figures.

    Raises:
        ValueError: `predict` returns a wrong shape.
    """
    answer = np.asarray(predict(reference.points), np.float64)
    error = reference.error(lambda _: answer)
    status, text = verdict(error, reference.agreement, len(answer), bar)
    return FieldCertificate(
        status=status,
        text=text,
        method="finite elements",
        relative_error=error,
        max_error=float(np.abs(answer - reference.values).max()),
        fem_agreement=reference.agreement,
        bar=bar,
        points=len(answer),
        dofs=reference.dofs,
        steps=reference.steps,
        seconds=reference.seconds,
        seed=reference.seed,
        versions={name: version(name) for name in ("scikit-fem", "numpy", "scipy")},
    )


def certify_field(
    problem: Problem, result: Result, *, bar: float = BAR, seed: int = 0, others: Sequence[Result] = ()
) -> FieldCertificate:
    """Judge the solution of an equation in an interval or a plane domain; see `certify`."""
    known: dict[str, Any] = {
        "estimated_error": result.estimated_error,
        "held_out_residual": result.held_out_residual,
        "seeds_spread": _spread(problem, result, others, seed),
    }
    try:
        reference = field_reference(problem, seed=seed, agreement=AGREEMENT_SHARE * bar)
    except NoReference as reason:
        return FieldCertificate(
            status="uncertified",
            text=f"{reason}; {_evidence(**known)}",
            method="estimate",
            relative_error=None,
            max_error=None,
            fem_agreement=None,
            bar=bar,
            points=0,
            dofs=(0, 0),
            steps=(0, 0),
            seconds=0.0,
            seed=seed,
            **known,
        )
    found = judge_field(reference, lambda points: evaluate(result.value, points), bar=bar)
    return FieldCertificate(**{**vars(found), **known})


def _spread(problem: Problem, result: Result, others: Sequence[Result], seed: int) -> float | None:
    """The largest relative distance between results of different seeds."""
    if not others:
        return None
    points = places(problem.in_fields, np.random.default_rng(seed))
    first = evaluate(result.value, points).ravel()
    return max(relative(evaluate(other.value, points).ravel(), first) for other in others)


def _evidence(estimated_error: float, held_out_residual: float | None, seeds_spread: float | None) -> str:
    """What is known without a judge, in words."""
    said = [f"the solver estimates an error of {estimated_error:.1e}"]
    if held_out_residual is not None:
        said.append(f"the residual at held-out points is {held_out_residual:.1e}")
    if seeds_spread is not None:
        said.append(f"seeds differ by {seeds_spread:.1e}")
    return ", ".join(said)
