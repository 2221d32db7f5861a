"""The same products of features by other couplings."""

import itertools

import numpy as np

from ..core import InputError


def rebased(weights: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Weights [elements, couplings, channels] that make the same products with other couplings.

    Args:
        weights: Those of `ours`.
        ours: Couplings, shape (2l+1, D, …, D, K).
        theirs: Other couplings of the same degree and number of factors.

    Returns:
        The weights of `theirs`; the smallest ones, where the couplings are not independent.

    Raises:
        InputError: The other couplings do not span these.
    """
    signs = signs_between(ours, theirs)
    if signs is not None:
        return weights * signs[:, None].astype(weights.dtype)
    left, right = _even(theirs), _even(ours)
    change = np.linalg.pinv(left, rcond=1e-9) @ right
    if np.abs(left @ change - right).max(initial=0) > 1e-5 * np.abs(right).max(initial=1e-30):
        hint = "Its conventions differ from e3nn's; please report the version of mace-torch"
        raise InputError("the MACE model", "couplings", "they do not span the same products", hint)
    return np.einsum("lk,zkc->zlc", change, weights.astype(np.float64)).astype(weights.dtype)


def signs_between(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray | None:
    """1 or −1 for each coupling, if both differ in nothing else, up to rounding in single precision; else None."""
    if ours.shape != theirs.shape:
        return None
    columns = ours.shape[-1]
    signs = np.where(np.sum((ours * theirs).reshape(-1, columns), axis=0) < 0, -1.0, 1.0)
    return signs if np.allclose(ours * signs, theirs, rtol=0, atol=1e-6) else None


def _even(coupling: np.ndarray) -> np.ndarray:
    """Couplings as columns, the same for every order of the factors."""
    table, factors = coupling.astype(np.float64), coupling.ndim - 2
    orders = list(itertools.permutations(range(1, 1 + factors)))
    total = sum(np.transpose(table, (0, *order, factors + 1)) for order in orders)
    return (np.asarray(total) / len(orders)).reshape(-1, table.shape[-1])
