"""One way to a certificate for every problem."""

from collections.abc import Sequence

import numpy as np

from ..core import InputError
from ..sdf import evaluate, value_and_gradient
from ._certificate import Certificate, certify_heat
from ._elastic_reference import ElasticCertificate, elastic_reference, judge_elastic
from ._equations._equation import Equation
from ._fem_nonlinear import Conductivity
from ._fem_solid import SolidConductivity
from ._field_certificate import BAR, FieldCertificate, certify_field
from ._problem import Problem
from ._result import Result

_HEAT_BAR, _ELASTIC_BAR = 2e-2, 1e-2


def judged_conductivity(problem: Problem) -> Conductivity:
    """Returns the conductivity of a part as the judge takes it."""
    conduction, metres = problem.conduction, problem.domain.metres_per_unit
    if conduction.plain:
        return problem.equation.conductivity
    return SolidConductivity(lambda points: conduction.at(points / metres), conduction.mean)


def certify(
    problem: Problem,
    result: Result,
    *,
    bar: float | None = None,
    seed: int = 0,
    others: Sequence[Result] = (),
) -> Certificate | ElasticCertificate | FieldCertificate:
    """Judges a result by finite elements that share nothing with the solver.

    Two meshes must agree to a quarter of the bar; then the error against the finer one decides between "certified" and
    "failed". Otherwise, and where there are no finite elements for the problem, the result is "uncertified" and the
    text says why.

    | problem | finite elements | error | bar |
    |---|---|---|---|
    | heat in a part | degree 2, tetrahedra | ‖T − T_fem‖ / ‖T_fem − mean‖ | 2e-2 |
    | elastic part | degree 2, tetrahedra | ‖u − u_fem‖ / ‖u_fem‖ | 1e-2 |
    | second order, one unknown, in a line or plane | degree 4 or 2 | ‖u − u_fem‖ / ‖u_fem‖ | 1e-3 |
    | any other | none: estimate, held-out residual, spread of seeds | — | — |

    The equations of the third row are those of `field_reference`, steady or not.

    Args:
        problem: The problem.
        result: Its solution.
        bar: The largest error that passes; by default that of the table.
        seed: Seed of the points of comparison.
        others: Results of the same problem with other seeds. Their spread is reported, for equations.

    Returns:
        The verdict with its figures: `status`, `text`, `certified`, `as_dict()`.

    Raises:
        ImportError: The extra `fem` is not installed.
        InputError: The problem is heat in a part in time.
        ValueError: The mesher finds no inside of a part.
    """
    if isinstance(problem.equation, Equation):
        return certify_field(problem, result, bar=BAR if bar is None else bar, seed=seed, others=others)
    if problem.transient:
        reason = "is heat in time: there are no finite elements for it here"
        raise InputError("certify", "TransientHeat", reason, "Judge it by its estimate and its heat balance")
    metres = problem.domain.metres_per_unit
    if problem.elastic:

        def displacement(points: np.ndarray) -> np.ndarray:
            return evaluate(result.value, points / metres)

        reference = elastic_reference(problem, seed=seed)
        return judge_elastic(reference, displacement, bar=_ELASTIC_BAR if bar is None else bar, seed=seed)

    def temperature(points: np.ndarray) -> np.ndarray:
        return value_and_gradient(result.field, points / metres)[0]

    return certify_heat(
        problem.domain.vertices * metres,
        problem.domain.faces,
        problem.face_conditions,
        judged_conductivity(problem),
        problem.equation.source,
        temperature,
        bar=_HEAT_BAR if bar is None else bar,
        seed=seed,
        face_patch=problem.resolved.face_patch,
        names=problem.resolved.names,
    )
