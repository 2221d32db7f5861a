"""The runs of a sorted axis that faces of a window leave, for all choices of entries of the other axes."""

import dataclasses
import functools

import numpy as np

_FLAT = 1e-9  # the slope of a face that counts as parallel to the last axis


@dataclasses.dataclass(frozen=True)
class Faces:
    """Half-spaces forms · q ≤ offsets, where q are the conjugates of all axes."""

    forms: np.ndarray  # [faces, m]
    offsets: np.ndarray  # [faces]
    exact: bool  # whether what is close to a face is decided again

    def depth(self, q: np.ndarray) -> np.ndarray:
        """How far points [n, m] are from the nearest face."""
        return (self.offsets - q @ self.forms.T).min(1)


def runs_of(
    faces: Faces, terms: list[np.ndarray], values: np.ndarray
) -> tuple[tuple[np.ndarray, ...], np.ndarray, np.ndarray, np.ndarray]:
    """The columns of one group that have points: entries of each axis but the last, first entry, number, doubtful ones.

    Args:
        faces: Of the window.
        terms: For each axis but the last the conjugates of the group.
        values: Those of the last axis, in order.
    """
    slack = 1e-9 * (1.0 + np.abs(values).max(initial=0.0)) if faces.exact else 0.0
    low, high, beside = _interval(faces, terms, slack)
    first = np.searchsorted(values, low.ravel(), "left")
    counts = np.searchsorted(values, high.ravel(), "right") - first
    counts[beside.ravel() < 0] = 0
    some = np.flatnonzero(counts > 0)
    grid = np.unravel_index(some, low.shape) if terms else ()
    first, counts = first[some], counts[some]
    # a point at the end of a run may be within the slack of a face; how far the slack reaches depends on the slope
    slopes = np.abs(faces.forms[:, -1])
    reach = 2.0 * slack / slopes[slopes >= _FLAT].min(initial=np.inf)
    bottom, top = values[first], values[first + counts - 1]
    near = np.flatnonzero(
        (bottom - low.ravel()[some] < reach)
        | (high.ravel()[some] - top < reach)
        | (beside.ravel()[some] < 2.0 * slack)
    )
    ends = [
        np.stack([*(term[axis[near]] for term, axis in zip(terms, grid, strict=True)), end[near]], axis=1)
        for end in (bottom, top)
    ]
    doubtful = near[np.minimum(*(faces.depth(end) for end in ends)) < slack]
    return grid, first, counts, doubtful


def _interval(
    faces: Faces, terms: list[np.ndarray], slack: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Between which conjugates of the last axis all faces, moved out by the slack, leave each choice of the others.

    Third how far the choice is from the faces that are parallel to the last axis. The choices are a grid, and each
    face is a sum over its axes.
    """
    shape = tuple(len(term) for term in terms)
    low, high, beside = np.full(shape, -np.inf), np.full(shape, np.inf), np.full(shape, np.inf)
    for (*form, slope), offset in zip(faces.forms, faces.offsets + slack, strict=True):
        scale = 1.0 if abs(slope) < _FLAT else 1.0 / slope
        along = [-factor * scale * term for factor, term in zip(form, terms, strict=True)]
        rest = functools.reduce(np.add.outer, along, np.array(offset * scale))
        if abs(slope) < _FLAT:
            np.minimum(beside, rest, out=beside)
        elif slope > 0:
            np.minimum(high, rest, out=high)
        else:
            np.maximum(low, rest, out=low)
    return low, high, beside
