"""Boundary conditions of heat conduction, and the table that gives each face of a part its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from ..core import InputError, register
from ..sdf import Patches
from ._radiation import STEFAN_BOLTZMANN, Radiation, fourth_power

Value = float | Callable[[float], Any]


@register
@dataclass(frozen=True)
class Temperature:
    """T = value on a patch (Dirichlet).

    Args:
        patch: The name of the patch.
        value: Temperature, K; in `TransientHeat` also a function of the time in s.
    """

    patch: str
    value: Value

    def __post_init__(self) -> None:
        _check(self.patch, "temperature", self.value, lowest=0.0)


@register
@dataclass(frozen=True)
class HeatFlux:
    """k ∂T/∂n = value on a patch (Neumann): a prescribed heat flux into the part.

    Args:
        patch: The name of the patch.
        value: Heat flux into the part, W/m²; negative where heat leaves; in `TransientHeat` also a function of the
            time in s.
    """

    patch: str
    value: Value

    def __post_init__(self) -> None:
        _check(self.patch, "flux", self.value)


@register
@dataclass(frozen=True)
class Convection:
    """−k ∂T/∂n = h (T − ambient) on a patch (Robin).

    Args:
        patch: The name of the patch.
        h: Heat transfer coefficient, W/(m² K), not negative.
        ambient: Temperature of the surroundings, K; in `TransientHeat` also a function of the time in s.
    """

    patch: str
    h: float
    ambient: Value

    def __post_init__(self) -> None:
        _check(self.patch, "h", self.h, lowest=0.0)
        _check(self.patch, "ambient", self.ambient, lowest=0.0)


def value_at(value: Value, time: float) -> float:
    """Returns a number, or what a function of the time returns, as a float."""
    return float(np.asarray(value(time))) if callable(value) else float(value)


def at_time(condition: "Condition", time: float) -> "Condition":
    """Returns a condition with what its functions of the time return at a time in s.

    Raises:
        InputError: That is not finite, or below 0 K.
    """
    name = "ambient" if isinstance(condition, Convection) else "value"
    value = getattr(condition, name, None)
    if not callable(value):
        return condition
    try:
        return replace(condition, **{name: value_at(value, time)})
    except InputError as error:
        raise InputError(error.file, error.where, f"{error.reason} at {time:g} s", error.hint) from error


def in_time(condition: "Condition") -> bool:
    """Whether a condition has a function."""
    return callable(getattr(condition, "ambient", None)) or callable(getattr(condition, "value", None))


Condition = Temperature | HeatFlux | Convection | Radiation


def _check(patch: str, name: str, value: Value, lowest: float = -np.inf) -> None:
    if callable(value):  # `Problem` looks at it, once the time is known
        return
    if not np.isfinite(value) or value < lowest:
        bound = "finite" if lowest == -np.inf else f"finite and at least {lowest:g}"
        raise InputError(
            "conditions", f"patch {patch!r}", f"{name} = {value} is not {bound}", "Give SI units (K, W, m)"
        )


@dataclass(frozen=True)
class FaceConditions:
    """The condition on each face of a part, in SI units.

    Args:
        temperature: K; nan where the face is not held at a temperature.
        h: W/(m² K); 0 where there is no convection.
        ambient: K; 0 where there is no convection.
        flux: W/m² into the part; 0 where none is prescribed.
        emissivity: 0 where nothing radiates; None: nowhere.
        radiant: Temperature of what the face radiates to, K; 0 where nothing radiates.
    """

    temperature: Float[np.ndarray, " f"]
    h: Float[np.ndarray, " f"]
    ambient: Float[np.ndarray, " f"]
    flux: Float[np.ndarray, " f"]
    emissivity: Float[np.ndarray, " f"] | None = None
    radiant: Float[np.ndarray, " f"] | None = None

    def __post_init__(self) -> None:
        for name in ("emissivity", "radiant"):
            if getattr(self, name) is None:
                object.__setattr__(self, name, np.zeros(len(self.h)))

    @property
    def held(self) -> Bool[np.ndarray, " f"]:
        """Whether the face is held at a temperature."""
        return np.isfinite(self.temperature)

    @property
    def radiates(self) -> Bool[np.ndarray, " f"]:
        """Whether the face radiates."""
        return np.asarray(self.emissivity) > 0

    @property
    def levels(self) -> Float[np.ndarray, " n"]:
        """The given temperatures, K."""
        radiant = np.asarray(self.radiant)[self.radiates]
        return np.concatenate([self.temperature[self.held], self.ambient[self.h > 0], radiant])

    @property
    def tied(self) -> Bool[np.ndarray, " f"]:
        """Whether a condition of the face fixes the level of the temperature."""
        return self.held | (self.h > 0) | self.radiates

    @property
    def transfer(self) -> Float[np.ndarray, " f"]:
        """How strongly the face is tied to its surroundings, W/(m² K): h and what radiates at the highest level."""
        if not self.radiates.any():
            return self.h
        hottest = float(self.levels.max())
        return self.h + 4 * STEFAN_BOLTZMANN * hottest**3 * np.asarray(self.emissivity)

    def inflow(
        self, faces: Int[np.ndarray, " n"], temperature: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """Returns the heat that enters at points on these faces with these temperatures in K, W/m².

        It is flux + h (ambient − T) + ε σ (radiant⁴ − T⁴); on a held face it means nothing.
        """
        entering = self.flux[faces] + self.h[faces] * (self.ambient[faces] - temperature)
        if not self.radiates.any():
            return entering
        emissivity, radiant = np.asarray(self.emissivity)[faces], np.asarray(self.radiant)[faces]
        return entering + emissivity * STEFAN_BOLTZMANN * (fourth_power(radiant) - fourth_power(temperature))


def face_conditions(
    patches: Patches, conditions: Sequence[Condition], *, steady: bool = True
) -> FaceConditions:
    """Writes the conditions of patches into one table with a row per face.

    A patch without a condition is insulated. A patch may carry a flux, convection and radiation together, but
    nothing beside a temperature, and no kind twice.

    Args:
        patches: The patches of the part.
        conditions: The conditions, each on one patch.
        steady: Whether one of them must fix the level of the temperature.

    Returns:
        The table.

    Raises:
        InputError: Conditions on one patch contradict each other, or the problem has no unique solution (no
            temperature is held and nothing convects or radiates).
    """
    faces = len(patches.face_patch)
    table = FaceConditions(np.full(faces, np.nan), *np.zeros((5, faces)))
    for patch in dict.fromkeys(condition.patch for condition in conditions):
        _check_together(patch, [c for c in conditions if c.patch == patch])
    for condition in conditions:
        here = patches.mask(condition.patch)
        match condition:
            case Temperature(value=value):
                table.temperature[here] = value
            case HeatFlux(value=value):
                table.flux[here] = value
            case Convection(h=h, ambient=ambient):
                table.h[here], table.ambient[here] = h, ambient
            case Radiation():
                _radiating(table, here, condition)
    if steady and not table.tied.any():
        raise InputError(
            "conditions",
            "",
            "no patch fixes the level of the temperature, so the solution is not unique",
            "Hold a patch at a temperature or let one convect or radiate",
        )
    return table


def _radiating(table: FaceConditions, here: np.ndarray, condition: Radiation) -> None:
    if callable(condition.ambient):
        raise InputError(
            "conditions",
            f"patch {condition.patch!r}",
            "ambient is a function",
            "In a part the surroundings have one temperature: give a number",
        )
    np.asarray(table.emissivity)[here] = condition.emissivity
    np.asarray(table.radiant)[here] = condition.ambient


def _check_together(patch: str, conditions: list[Condition]) -> None:
    kinds = [type(condition).__name__ for condition in conditions]
    where = f"patch {patch!r}"
    if len(set(kinds)) < len(kinds):
        raise InputError(
            "conditions", where, f"has several conditions of one kind: {', '.join(kinds)}", "Keep one"
        )
    if "Temperature" in kinds and len(kinds) > 1:
        raise InputError(
            "conditions",
            where,
            "is held at a temperature and carries another condition",
            "Remove one of them",
        )
