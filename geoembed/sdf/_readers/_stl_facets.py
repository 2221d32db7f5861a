"""What binary and ASCII STL files have in common: facets with three own corners and a stored normal."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from ._rawmesh import Parsed


def parsed_facets(corners: Float[np.ndarray, "f 3 3"], place: Callable[[int], str]) -> Parsed:
    """Facets as `Parsed`, every facet with its own three vertices."""
    number = len(corners)
    return Parsed(
        corners.reshape(-1, 3),
        np.arange(3 * number),
        np.full(number, 3, np.int64),
        place,
        lambda vertex: place(vertex // 3),
        shared=False,
    )


def against_order(
    normals: Float[np.ndarray, "f 3"], corners: Float[np.ndarray, "f 3 3"], notes: list[str]
) -> None:
    """Note how many stored normals point to the other side than the order of the corners says."""
    against = 0
    for start in range(0, len(corners), 100_000):
        with np.errstate(all="ignore"):  # huge and non-finite values are judged elsewhere
            part = corners[start : start + 100_000].astype(np.float64)
            given = normals[start : start + 100_000].astype(np.float64)
            part = part - part[:, :1]
            part = part / np.abs(part).max(axis=(1, 2), keepdims=True)
            own = np.cross(part[:, 1], part[:, 2])
            length = np.linalg.norm(own, axis=1) * np.linalg.norm(given, axis=1)
            against += int(np.sum(np.einsum("fi,fi->f", own, given) < -0.5 * length))
    if against:
        notes.append(f"{against} stored normals point against the order of the corners; the order counts")
