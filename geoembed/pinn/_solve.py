"""Solving a problem."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from ..core import InputError, is_parameter
from ._equations._equation import Equation
from ._first_network import first_network
from ._problem import Problem
from ._result import Result
from ._solve_field import FieldRun
from ._solve_part import solve_part
from ._training import Training


def solve(
    problem: Problem,
    *,
    key: PRNGKeyArray,
    tolerance: float | None = None,
    cells: int = 200_000,
    first_cells: int = 5_000,
    network: Any = None,
    training: Training | None = None,
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

    **Any other equation.** A network whose form makes the hard conditions exact (`NetworkField`) minimises the squared
    residual of the equation by Levenberg–Marquardt in float64. Points are added where the residual is large. The
    residual at points that are never trained on picks the best field and stops the run.

    Every decision depends on numbers that the seed fixes, never on the clock; the time limit only stops.

    Args:
        problem: The problem.
        key: A random key.
        tolerance: Stop when the estimated error (`Result.estimated_error`) is below this; by default 5e-3 for heat
            in a part and 1e-4 for other equations.
        cells: Heat in a part: the most cells the part may occupy. 200 000 need about 3 GB.
        first_cells: Heat in a part: the cells of the first grid.
        network: Other equations: a function of a vector of features that returns a vector with one number for each
            unknown, for instance one of `geoembed.core`; by default tanh layers. Its parameters are trained in float64.
        training: Other equations: how many points and steps.
        time_limit: Stop after this many seconds and return the best field so far.
        callback: Receives a `Progress` (heat in a part) or `FieldProgress` every few steps.
        should_stop: Asked between steps; True saves a checkpoint and returns with status "interrupted".
        checkpoint: A folder for the state, written every minute and on interruption.
        resume: Continue from `checkpoint` if it is there. The result equals that of an uninterrupted run bit by bit.

    Returns:
        The best field with its evidence. Check `status`.

    Raises:
        InputError: An option makes no sense, or the checkpoint belongs to another problem.
        ArtefactError: The checkpoint is damaged.

    References:
        The energy (Ritz) form with network features: W. E, B. Yu, Commun. Math. Stat. 6 (2018) 1 (deep Ritz);
        linear output layers solved exactly: J. Chen et al., J. Mach. Learn. 1 (2022) 268 (random feature method).
        Points where the residual is large: C. Wu et al., Comput. Methods Appl. Mech. Eng. 403 (2023) 115671.
        Exact conditions: N. Sukumar, A. Srivastava, Comput. Methods Appl. Mech. Eng. 389 (2022) 114333.
    """
    if resume and checkpoint is None:
        raise InputError(
            "<options>", "resume", "there is no checkpoint to resume from", "Name its folder: checkpoint="
        )
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
    options = (training or Training(), 1e-4 if tolerance is None else tolerance)
    with jax.enable_x64(True):
        draw, start = jax.random.split(key)
        if network is None:
            network = first_network(problem.in_fields, key=start)
        network = jax.tree.map(_in_double, network)
        run = FieldRun(
            problem.in_fields, network, *options, time_limit, callback, should_stop, checkpoint, draw
        )
        if resume:
            run.resume()
        return run.run()


def _in_double(leaf: Any) -> Any:
    return leaf.astype(jnp.float64) if is_parameter(leaf) else leaf
