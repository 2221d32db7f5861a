"""Training one field for a family: members are solved, then a network is fitted to them by least squares."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from ..core import MLP, InputError, register
from ..sdf import evaluate
from ..train import LevenbergMarquardt, LMState, Rows
from ._family import Family, FamilyField, combined, exponents, parameter_basis
from ._family_members import Member, member_error
from ._first_network import bent, in_double

_GENTLEST = 0.5  # slope of a first layer's unit over features of standard deviation 1
_DISTINCT = 1e-3  # condition of the polynomials at the members
_CHUNK = 10  # steps between two looks at the held-out members
_PATIENCE = 6  # so many looks without a better one end the training


@register
@dataclass(frozen=True)
class FamilyProgress:
    """One report of a running `train_family`.

    Args:
        step: Steps so far.
        error: Root of the mean squared relative error of the trained members, at their training points.
        held_out: The same of the held-out members over their volume; nan if there are none.
        seconds: Wall time since the start.
    """

    step: int
    error: float
    held_out: float
    seconds: float


@register
class FamilyResult(eqx.Module):
    """A field for a family with the evidence for it. Errors are ‖u − u*‖ / ‖u* − mean u*‖ over the volume of a member.

    Args:
        field: The field.
        status: "stalled" (the held-out members do not get better), "step limit" or "interrupted".
        errors: The error of each trained member.
        held_out_errors: The error of each held-out member. They chose the iterate but trained nothing: a fair
            estimate for other members between the trained ones. The error of the solver comes on top.
        history: One `FamilyProgress` each ten steps.
    """

    field: FamilyField
    status: str = eqx.field(static=True)
    errors: tuple[float, ...] = eqx.field(static=True)
    held_out_errors: tuple[float, ...] = eqx.field(static=True)
    history: tuple[FamilyProgress, ...] = eqx.field(static=True)


def train_family(
    family: Family,
    members: Sequence[Member],
    *,
    held_out: Sequence[Member],
    key: PRNGKeyArray,
    degree: int = 3,
    width: int = 24,
    depth: int = 2,
    steps: int = 400,
    callback: Callable[[FamilyProgress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> FamilyResult:
    """Fits one field (see `FamilyField`) to the solutions of some members.

    Levenberg–Marquardt in float64 minimises

        Σ_members mean_points (u(x; p) − u*(x))² / spread(u*)²

    so that every member counts alike, whatever its own variation. The error of the held-out members, which are not
    trained on, picks the best iterate and stops.

    Args:
        family: The family.
        members: What is trained on, see `solve_member`.
        held_out: Members of other parameters, best between those of `members`.
        key: A random key of the network.
        degree: The total degree of the polynomials in the parameters; there may not be more of them than members.
            The held-out members tell which degree is best.
        width: Units of a tanh layer.
        depth: How many layers.
        steps: The most steps.
        callback: Receives a `FamilyProgress` each ten steps.
        should_stop: Asked each ten steps; True ends the training.

    Returns:
        The field, and its error for every member.

    Raises:
        InputError: No member is held out, those to train on do not determine the polynomials, or their parameters
            are not those of the family.

    References:
        Networks as solution maps of parametrised equations: J. S. Hesthaven, S. Ubbiali, J. Comput. Phys. 363 (2018) 55
        (coefficients of a reduced basis); here the network is the field itself, over coordinates of the geometry.
    """
    _check(family, members, held_out, degree)
    with jax.enable_x64(True):
        fit = _Fit(family, members, held_out, (degree, width, depth), key)
        return fit.run(steps, callback, should_stop)


def _check(family: Family, members: Sequence[Member], held_out: Sequence[Member], degree: int) -> None:
    for member in (*members, *held_out):
        if member.parameters.shape != (len(family.lower),):
            raise InputError(
                "family",
                "members",
                f"one has the parameters {member.parameters}, the family has {len(family.lower)}",
                "Use members of this family",
            )
    terms = len(exponents(len(family.lower), degree))
    if len(members) < terms or not held_out:
        raise InputError(
            "family",
            "members",
            f"{len(members)} to train on and {len(held_out)} to hold out; degree {degree} needs {terms} and 1",
            "Solve more with solve_member, or lower the degree",
        )
    sizes = np.linalg.svd(np.stack([_basis(family, member, degree) for member in members]), compute_uv=False)
    if sizes[-1] < _DISTINCT * sizes[0]:
        raise InputError(
            "family",
            "members",
            f"their parameters do not tell the polynomials of degree {degree} apart",
            "Vary every parameter over more values, or lower the degree",
        )


def _basis(family: Family, member: Member, degree: int) -> Float[np.ndarray, " j"]:
    with jax.enable_x64(True):
        parameters = jnp.asarray(member.parameters, jnp.float64)
        return np.asarray(parameter_basis(parameters, family.lower, family.upper, degree))


class _Fit:
    """The rows of a family and what the network sees of them."""

    def __init__(
        self,
        family: Family,
        members: Sequence[Member],
        held_out: Sequence[Member],
        sizes: tuple[int, int, int],
        key: PRNGKeyArray,
    ):
        self.family, self.members, self.held_out = family, members, held_out
        self.degree, width, depth = sizes
        features = [self._features(member) for member in members]
        joined, values = np.concatenate(features), np.concatenate([member.values for member in members])
        self.centre, spread = joined.mean(axis=0), joined.std(axis=0)
        self.width = np.where(spread > 1e-12 * (1 + np.abs(self.centre)), spread, 1.0)
        self.reference, self.scale = float(values.mean()), float(values.std())
        terms = len(exponents(len(family.lower), self.degree))
        network = _first_network((joined - self.centre) / self.width, (terms, width, depth), key)
        model = _Model(network, jnp.zeros((), jnp.float64), jnp.zeros(terms - 1, jnp.float64))
        self.solver = LevenbergMarquardt([_row], model)
        self.rows = self._rows(features, members, whole=True)
        self.judge = self._rows([self._features(member) for member in held_out], held_out, whole=False)

    def _features(self, member: Member) -> Float[np.ndarray, "n f"]:
        parameters = np.asarray(member.parameters, np.float64)
        return np.asarray(evaluate(_Seen(self.family.coordinates, parameters), member.points))

    def _rows(
        self, features: Sequence[Float[np.ndarray, "_ f"]], members: Sequence[Member], *, whole: bool
    ) -> Rows:
        """The rows of some members, over all of their points or those that are even."""
        items, weights = [], []
        for seen, member in zip(features, members, strict=True):
            inside = slice(None if whole else member.even)
            values = (member.values[inside] - self.reference) / self.scale
            basis = _basis(self.family, member, self.degree)
            basis = np.broadcast_to(basis[None], (len(values), len(basis)))
            items.append(((seen[inside] - self.centre) / self.width, basis, values))
            size = self.scale / (member.spread * math.sqrt(len(members) * len(values)))
            weights.append(np.full(len(values), size))
        return Rows(jax.tree.map(lambda *parts: np.concatenate(parts), *items), np.concatenate(weights))

    def run(self, steps: int, callback: Any, should_stop: Any) -> FamilyResult:
        began, status = time.monotonic(), "step limit"
        state = best = self.solver.start()
        lowest, since, history = math.inf, 0, []
        while state.iteration < steps:
            for _ in range(min(_CHUNK, steps - state.iteration)):
                state = self.solver.step(state, [self.rows])
            error, held = self._error(state, self.rows), self._error(state, self.judge)
            history.append(FamilyProgress(state.iteration, error, held, time.monotonic() - began))
            if callback is not None:
                callback(history[-1])
            best, lowest, since = (state, held, 0) if held < lowest else (best, lowest, since + 1)
            if should_stop is not None and should_stop():
                status = "interrupted"
                break
            if since >= _PATIENCE or state.stalled >= _CHUNK:
                status = "stalled"
                break
        return self._result(best, status, history)

    def _error(self, state: LMState, batch: Rows) -> float:
        return math.sqrt(2 * self.solver.loss(jnp.asarray(state.parameters), [batch]))

    def _result(self, state: LMState, status: str, history: list[FamilyProgress]) -> FamilyResult:
        model = self.solver.model(state)
        field = FamilyField(
            network=model.network,
            level=model.level,
            gain=model.gain,
            coordinates=self.family.coordinates,
            centre=self.centre,
            width=self.width,
            reference=self.reference,
            scale=self.scale,
            lower=self.family.lower,
            upper=self.family.upper,
            degree=self.degree,
        )
        errors, held_out = (
            tuple(member_error(field, member) for member in some) for some in (self.members, self.held_out)
        )
        return FamilyResult(field, status, errors, held_out, tuple(history))


class _Seen(eqx.Module):
    """The features of one member as a function of the point; members share one compilation."""

    coordinates: Callable[[Any, Any], Any] = eqx.field(static=True)
    parameters: Float[np.ndarray, " p"]

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, " f"]:
        return self.coordinates(x, jnp.asarray(self.parameters, x.dtype))


class _Model(eqx.Module):
    """What is trained."""

    network: MLP
    level: Float[Array, ""]
    gain: Float[Array, " g"]


def _row(model: _Model, item: Any) -> Float[Array, "1"]:
    features, basis, value = item
    found = combined(basis, model.network(features), model.level, model.gain)
    return (found - value)[None]


def _first_network(features: Float[np.ndarray, "n f"], sizes: tuple[int, int, int], key: PRNGKeyArray) -> MLP:
    """Tanh layers whose first units bend at random training points, in random directions, some steep and some not."""
    layers, places, ways, lengths = jax.random.split(key, 4)
    outputs, width, depth = sizes
    network = MLP(features.shape[1], outputs, width, depth, activation="tanh", key=layers)
    centres = jnp.asarray(features)[jax.random.randint(places, (width,), 0, len(features))]
    return in_double(bent(network, centres, _GENTLEST, ways=ways, lengths=lengths))
