"""Loads and supports of elastic parts, and the table that gives each face of a part its own."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from ..core import InputError, register
from ..sdf import Patches

Vector = tuple[float, float, float]


@register
@dataclass(frozen=True)
class Displacement:
    """u = value on a patch; a component that is None is free.

    Args:
        patch: The name of the patch.
        value: The displacement along x, y and z, m; (0, 0, 0) clamps the patch.

    Example:
        >>> Displacement("floor", (None, None, 0.0)).value  # a smooth floor
        (None, None, 0.0)
    """

    patch: str
    value: tuple[float | None, float | None, float | None] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        value = tuple(None if component is None else float(component) for component in self.value)
        _check(self.patch, "displacement", [0.0 if c is None else c for c in value], 3)
        if all(component is None for component in value):
            where = f"patch {self.patch!r}"
            raise InputError("conditions", where, "displacement fixes no component", "Leave it away")
        object.__setattr__(self, "value", value)


@register
@dataclass(frozen=True)
class Traction:
    """σ n = value on a patch: a force on each square metre, of constant direction.

    Args:
        patch: The name of the patch.
        value: The force along x, y and z, Pa.
    """

    patch: str
    value: Vector

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", tuple(float(component) for component in self.value))
        _check(self.patch, "traction", self.value, 3)


@register
@dataclass(frozen=True)
class Pressure:
    """σ n = −value n on a patch: a force on each square metre, against the outer normal n.

    Args:
        patch: The name of the patch.
        value: Pressure, Pa; negative where it pulls.
    """

    patch: str
    value: float

    def __post_init__(self) -> None:
        _check(self.patch, "pressure", [self.value], 1)


@register
@dataclass(frozen=True)
class ElasticFoundation:
    """σ n = −stiffness · u on a patch: springs that hold it, along each axis.

    Args:
        patch: The name of the patch.
        stiffness: Stiffness of the springs along x, y and z on each square metre, N/m³, not negative; 0 leaves the
            direction free.
    """

    patch: str
    stiffness: Vector

    def __post_init__(self) -> None:
        object.__setattr__(self, "stiffness", tuple(float(component) for component in self.stiffness))
        _check(self.patch, "stiffness", self.stiffness, 3, lowest=0.0)


Load = Displacement | Traction | Pressure | ElasticFoundation


def _check(patch: str, name: str, values: Sequence[float], count: int, lowest: float = -np.inf) -> None:
    if len(values) == count and all(np.isfinite(value) and value >= lowest for value in values):
        return
    bound = "finite" if lowest == -np.inf else f"finite and at least {lowest:g}"
    wanted = bound if count == 1 else f"made of {count} numbers, each {bound}"
    shown = values[0] if count == 1 else tuple(values)
    raise InputError("conditions", f"patch {patch!r}", f"{name} = {shown} is not {wanted}", "Give SI units")


@dataclass(frozen=True)
class FaceLoads:
    """Loads and supports of each face of a part, in SI units.

    Args:
        displacement: m; nan where the component is not held.
        stiffness: Of springs, N/m³; 0 where there are none.
        traction: Pa, pressure included; 0 where there is none.
    """

    displacement: Float[np.ndarray, "f 3"]
    stiffness: Float[np.ndarray, "f 3"]
    traction: Float[np.ndarray, "f 3"]

    @property
    def held(self) -> Bool[np.ndarray, "f 3"]:
        """Which components of a face's displacement are given."""
        return np.isfinite(self.displacement)

    @property
    def supported(self) -> Bool[np.ndarray, "f 3"]:
        """Which components something resists: they are held, or on springs."""
        return self.held | (self.stiffness > 0)


def face_loads(patches: Patches, conditions: Sequence[Load], normals: Float[np.ndarray, "f 3"]) -> FaceLoads:
    """Writes the loads of patches into one table with a row per face.

    A patch without a condition is free. A patch may carry traction, pressure and springs together, and a traction
    beside a displacement: it acts along the components that the displacement leaves free.

    Args:
        patches: The patches of the part.
        conditions: The conditions, each on one patch.
        normals: The outer unit normal of each face.

    Returns:
        The table.

    Raises:
        InputError: Conditions on one patch contradict each other.
    """
    faces = len(patches.face_patch)
    table = FaceLoads(np.full((faces, 3), np.nan), np.zeros((faces, 3)), np.zeros((faces, 3)))
    for patch in dict.fromkeys(condition.patch for condition in conditions):
        _check_together(patch, [type(c).__name__ for c in conditions if c.patch == patch])
    for condition in conditions:
        here = patches.mask(condition.patch)
        match condition:
            case Displacement(value=value):
                table.displacement[here] = [np.nan if c is None else c for c in value]
            case ElasticFoundation(stiffness=stiffness):
                table.stiffness[here] = stiffness
            case Traction(value=value):
                table.traction[here] += value
            case Pressure(value=value):
                table.traction[here] -= value * normals[here]
    table.traction[table.held] = 0.0
    return table


def _check_together(patch: str, kinds: list[str]) -> None:
    if len(set(kinds)) < len(kinds):
        raise InputError(
            "conditions",
            f"patch {patch!r}",
            f"has several conditions of one kind: {', '.join(kinds)}",
            "Keep one",
        )
    if "Displacement" in kinds and "ElasticFoundation" in kinds:
        raise InputError(
            "conditions", f"patch {patch!r}", "is held and stands on springs", "Remove one of them"
        )
