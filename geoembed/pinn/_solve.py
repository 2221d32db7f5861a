"""Solving a problem."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import jax
from jaxtyping import PRNGKeyArray

from ..core import InputError
from ._equations._equation import Equation
from ._field_problem import FieldProblem
from ._first_network import first_network, in_double
from ._first_order import FirstOrderRun
from ._first_order_options import FirstOrder
from ._problem import Problem
from ._result import Result
from ._solve_field import FieldRun
from ._solve_part import solve_part
from ._solve_splines import SplineRun
from ._solve_transient import solve_transient
from ._training import Training


def solve(
    problem: Problem,
    *,
    key: PRNGKeyArray,
    tolerance: float | None = None,
    cells: int | None = None,
    first_cells: int = 5_000,
    network: Any = None,
    training: Training | FirstOrder | None = None,
    form: Literal["strong", "weak"] = "strong",
    time_limit: float = float("inf"),
    callback: Callable[[Any], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
) -> Result:
    """Solves a problem.

    **Heat in a part.** A network with one layer of localised spline features (`SplineField`) minimises the energy of
    the temperature. The energy is quadratic in the output layer, so training is a linear least-squares problem,
    solved by conjugate gradients in float64. The quadrature comes from the part's signed distance. Grids are refined
    until the change between two of them says that the error is below `tolerance`.

    **An elastic part.** The same for the elastic energy of the displacement, with three numbers for each feature; cells
    of twice, four times … the size precondition the conjugate gradients.

    **Heat in a part in time.** The same features in space (mass matrix beside the stiffness matrix); in time a stiffly
    accurate diagonally implicit Runge–Kutta method of order 4 with steps chosen from its estimate of the error, at most
    0.02 `tolerance` a step. `result.value(x, t)` is a cubic in time between the steps, `result.field.at(t)` the
    temperature at one time.

    **Any other equation.** A network whose form makes the hard conditions exact (`NetworkField`) minimises the squared
    residual of the equation in float64. The residual at points that are never trained on picks the best field.

    - With one or two coordinates, time included, and in boxes with three, the network is one layer of products of
      splines (`TensorSpline`). Gauss–Newton steps solve its band matrix directly, and intervals are halved where the
      splines are too coarse. A transient problem is first solved window after window.
    - Otherwise, and where `network` or `training` is given, Levenberg–Marquardt and quasi-Newton steps train all
      layers. Points are added where the residual is large.
    - With `training=FirstOrder(…)` Adam, SOAP or L-BFGS train them.

    With `form="weak"` an equation that says what the divergence of its flux is (`DivergenceForm`) is tested with
    functions v and integrated by parts, ∫ (F·∇v + s v) = ∮ F·n v, so that no derivative of a coefficient is needed: for
    coefficients that are rough or jump. Splines are tested with their own features (Petrov–Galerkin), layers with
    polynomials in small boxes. A piece without a condition then has no flux in splines.

    Every decision depends on numbers that the seed fixes, never on the clock; the time limit only stops.

    Args:
        problem: The problem.
        key: A random key.
        tolerance: Stop when the estimated error (`Result.estimated_error`) is below this; by default 5e-3 in a
            part (`SteadyHeat`, `TransientHeat`, `SteadyElasticity`) and 1e-4 for other equations.
        cells: The most cells of a grid of splines, by default 200 000, and 30 000 for heat in a part in time. In a
            part, 200 000 need about 3 GB for heat and more for elasticity; elsewhere the memory ends a run at about
            3 GB, often sooner.
        first_cells: In a part: the cells of the first grid.
        network: Other equations: a function of a vector of features that returns a vector with one number for each
            unknown, for instance one of `geoembed.core`; by default splines where they suit the domain, else tanh
            layers. Its parameters are trained in float64.
        training: Other equations: how many points and steps the training of a network takes; or a `FirstOrder`.
        form: Other equations: "strong" for the residual at points, "weak" for the residual tested with functions. The
            weak form of splines needs a box, or a domain whose boundary lies on lines of the grid, given values that
            are built in, and one value at the first moment if there is time.
        time_limit: Stop after this many seconds and return the best field so far.
        callback: Receives a `Progress` (in a part), `TransientProgress` (in time) or `FieldProgress` every few steps.
        should_stop: Asked between steps; True saves a checkpoint and returns with status "interrupted".
        checkpoint: A folder for the state, written every minute and on interruption.
        resume: Continue from `checkpoint` if it is there. The result equals that of an uninterrupted run bit by bit.

    Returns:
        The best field with its evidence. Check `status`.

    Raises:
        InputError: An option makes no sense, the problem has no weak form, or the checkpoint belongs to another
            problem.
        ArtefactError: The checkpoint is damaged.

    References:
        The energy (Ritz) form with network features: W. E, B. Yu, Commun. Math. Stat. 6 (2018) 1 (deep Ritz);
        linear output layers solved exactly: J. Chen et al., J. Mach. Learn. 1 (2022) 268 (random feature method).
        Points where the residual is large: C. Wu et al., Comput. Methods Appl. Mech. Eng. 403 (2023) 115671.
        Weak forms: E. Kharazmi, Z. Zhang, G. E. Karniadakis, Comput. Methods Appl. Mech. Eng. 374 (2021) 113547.
        Exact conditions: N. Sukumar, A. Srivastava, Comput. Methods Appl. Mech. Eng. 389 (2022) 114333.
    """
    if resume and checkpoint is None:
        raise InputError(
            "<options>", "resume", "there is no checkpoint to resume from", "Name its folder: checkpoint="
        )
    if form not in ("strong", "weak") or (form == "weak" and not isinstance(problem.equation, Equation)):
        reason = f"{form!r} is no form of {type(problem.equation).__name__} here"
        raise InputError("<options>", "form", reason, "Leave it away: a part is solved by its energy")
    if not isinstance(problem.equation, Equation) and problem.transient:
        return solve_transient(
            problem,
            key=key,
            tolerance=5e-3 if tolerance is None else tolerance,
            cells=30_000 if cells is None else cells,
            first_cells=first_cells,
            time_limit=time_limit,
            callback=callback,
            should_stop=should_stop,
            checkpoint=checkpoint,
            resume=resume,
        )
    cells = 200_000 if cells is None else cells
    if not isinstance(problem.equation, Equation):
        return solve_part(
            problem,
            key=key,
            tolerance=5e-3 if tolerance is None else tolerance,
            cells=cells,
            first_cells=first_cells,
            time_limit=time_limit,
            callback=callback,
            should_stop=should_stop,
            checkpoint=checkpoint,
            resume=resume,
        )
    tolerance = 1e-4 if tolerance is None else tolerance
    limits = (time_limit, callback, should_stop, checkpoint)
    with jax.enable_x64(True):
        draw, start = jax.random.split(key)
        if network is None and training is None and _suits_splines(problem.in_fields):
            run = SplineRun(problem.in_fields, tolerance, cells, *limits, draw, weak=form == "weak")
        else:
            if network is None:
                network = first_network(problem.in_fields, key=start)
            network = in_double(network)
            if isinstance(training, FirstOrder):
                if form == "weak":
                    reason = "first-order training knows the strong form only"
                    raise InputError("<options>", "form", reason, "Leave it away, or train with `Training`")
                run = FirstOrderRun(problem.in_fields, network, training, tolerance, *limits, draw)
            else:
                least_squares, weak = training or Training(), form == "weak"
                run = FieldRun(problem.in_fields, network, least_squares, tolerance, *limits, draw, weak=weak)
        if resume:
            run.resume()
        return run.run()


def _suits_splines(problem: FieldProblem) -> bool:
    """Whether products of splines can follow the domain: all in the plane, boxes in space or in the plane with time."""
    size = len(problem.coordinates.lower)
    return size <= 2 or (size == 3 and problem.is_box)
