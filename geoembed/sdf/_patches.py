"""Named boundary patches: every face of the mesh belongs to exactly one."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float, Int

from ..core import InputError
from ._meshes._mesh import MeshSDF
from ._selections import Selection

REST = "rest"
"""The name of the patch of all faces that no other patch took."""


@dataclass(frozen=True, eq=False)
class Patches:
    """Which patch each face belongs to.

    Args:
        names: The names in the order given, then "rest".
        face_patch: For each face the index of its patch in `names`.
        areas: The area of each patch, in the mesh's unit squared. That of "rest" is 0 when nothing is left.
        unit: The mesh's unit of length.
        source: Where the patches were defined, for messages.
    """

    names: tuple[str, ...]
    face_patch: Int[np.ndarray, " f"]
    areas: tuple[float, ...]
    unit: str
    source: str = "patches"

    def index(self, name: str, *, where: str = "") -> int:
        """Returns the index of a patch.

        Args:
            name: Its name.
            where: The place that uses the name, for the message.

        Raises:
            InputError: No patch has this name, or it is "rest" and every face belongs to another patch.
        """
        if name not in self.names:
            close = difflib.get_close_matches(name, self.names, n=1)
            guess = f"Did you mean {close[0]!r}? The" if close else "The"
            hint = f"{guess} patches are {', '.join(map(repr, self.names))}"
            raise InputError(self.source, where, f"there is no patch named {name!r}", hint)
        number = self.names.index(name)
        if name == REST and not np.any(self.face_patch == number):
            hint = "Remove what refers to 'rest', or make another patch smaller"
            raise InputError(self.source, where, "'rest' is empty: other patches take every face", hint)
        return number

    def mask(self, name: str) -> Bool[np.ndarray, " f"]:
        """Returns which faces belong to a patch; raises InputError as `index` does."""
        return self.face_patch == self.index(name)

    def area(self, name: str) -> float:
        """Returns the area of a patch in the mesh's unit squared; raises InputError as `index` does."""
        return self.areas[self.index(name)]


def resolve_patches(domain: MeshSDF, patches: Mapping[str, Selection], *, source: str = "patches") -> Patches:
    """Gives every face of a mesh to one of the named patches, or to "rest".

    Args:
        domain: The mesh.
        patches: A selection for each name.
        source: The file in which the patches are defined, for messages.

    Returns:
        The patches.

    Raises:
        InputError: A patch is named "rest", selects no face, or shares faces with another.

    Example:
        >>> from geoembed.sdf import facing, mesh_sdf
        >>> corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)
        >>> part = mesh_sdf(corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]), unit="mm")
        >>> patches = resolve_patches(part, {"base": facing((0, 0, -1))})
        >>> patches.names, round(patches.area("base"), 12)
        (('base', 'rest'), 0.5)
    """
    if REST in patches:
        hint = "Choose another name; 'rest' is what no other patch took"
        raise InputError(source, _where(REST), "the name 'rest' is reserved", hint)
    areas = domain.areas
    masks = {name: selection.mask(domain) for name, selection in patches.items()}
    for name, mask in masks.items():
        if not mask.any():
            raise InputError(
                source, _where(name), f"patch {name!r} selects no face", patches[name].advice(domain)
            )
    for first, second in combinations(masks, 2):
        _refuse_overlap(source, first, second, masks[first] & masks[second], areas, domain.unit)
    face_patch = np.full(len(areas), len(masks), np.int32)
    for number, mask in enumerate(masks.values()):
        face_patch[mask] = number
    sums = np.bincount(face_patch, areas, minlength=len(masks) + 1)
    return Patches((*masks, REST), face_patch, tuple(sums.tolist()), domain.unit, source)


def _where(name: str) -> str:
    return f"[patches.{name}]"


def _refuse_overlap(
    source: str,
    first: str,
    second: str,
    shared: Bool[np.ndarray, " f"],
    areas: Float[np.ndarray, " f"],
    unit: str,
) -> None:
    if not shared.any():
        return
    reason = (
        f"patches {first!r} and {second!r} share {int(shared.sum())} faces, an area of "
        f"{float(areas[shared].sum()):.6g} {unit}²"
    )
    hint = "Narrow one of them, for instance with a smaller `angle` or together with `in_box`"
    raise InputError(source, _where(second), reason, hint)
