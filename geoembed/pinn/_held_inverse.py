"""An approximate inverse for the conjugate gradients where stiff contacts hold faces."""

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse
from scipy.sparse import linalg

from ._edges import held_faces
from ._nested_features import NestedFeatures
from ._problem import Problem

_REGULAR = 1e-7  # is added to the diagonal of the block that is factorised, whose diagonal is 1


def held_features(problem: Problem, features: NestedFeatures) -> Int[np.ndarray, " k"]:
    """Returns which features reach a face that is held, or as good as held."""
    rule = features.cells.rule
    reached = features.values(rule.points[held_faces(problem)[rule.faces]]).sum(axis=0)
    return np.flatnonzero(np.asarray(reached).ravel() > 0)


class HeldInverse:
    """An approximate inverse: that of the block of some coefficients, and of the diagonal elsewhere.

    A stiff contact ties the features that reach a held face together; the diagonal alone would not see that, and the
    steps of conjugate gradients would grow with the square root of the stiffness. The block
    is scaled by its diagonal, where features that hardly reach the part have entries of 1e-18, and factorised without
    pivoting off the diagonal: else rounding takes its inverse its symmetry. Features may depend on each other, so that
    the block is singular: a small multiple of the unit matrix is added to it.

    Args:
        matrix: A, symmetric positive semi-definite.
        held: The coefficients of the block; there may be none.
    """

    def __init__(self, matrix: sparse.csr_array, held: Int[np.ndarray, " k"]):
        self.held = held
        diagonal = matrix.diagonal()
        self.inverse_diagonal = 1 / np.where(diagonal > 0, diagonal, 1.0)
        self.scale = np.sqrt(self.inverse_diagonal[held])
        if not len(held):
            return
        across = sparse.diags_array(self.scale)
        scaled = across @ matrix[held][:, held] @ across
        block = sparse.csc_array(scaled + _REGULAR * sparse.eye_array(len(held)))
        self.factor = linalg.splu(
            block, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
        )

    def __call__(self, residual: Float[np.ndarray, " d"]) -> Float[np.ndarray, " d"]:
        found = self.inverse_diagonal * residual
        if len(self.held):
            found[self.held] = self.scale * self.factor.solve(self.scale * residual[self.held])
        return found
