"""Converted MACE models from their folders."""

from pathlib import Path

from ..core import InputError, load
from ._heads import HeadsPotential
from ._mace import MacePotential


def load_mace(path: str | Path, head: str | None = None) -> MacePotential:
    """Loads a potential that `geoembed convert` or `geoembed.save` wrote; unpickles nothing, needs no torch.

    For all heads of a model at once, to train them together, use `geoembed.load`.

    Args:
        path: The folder.
        head: Which head, where the model has several.

    Returns:
        The potential, in its own precision; it computes in that of the batch.

    Raises:
        ArtefactError: The folder is missing or damaged.
        InputError: It holds something else, or does not have this head, or has several and none is named.

    Example:
        >>> load_mace("nowhere")
        Traceback (most recent call last):
        ...
        geoembed.core._errors.ArtefactError: ...nowhere: there is no such folder. Check the path.
    """
    potential = load(path)
    if isinstance(potential, HeadsPotential):
        if head is None:
            hint = f"Give head= one of {', '.join(potential.names)}"
            raise InputError(path, "head", "the model has several heads", hint)
        return potential.select(head)
    if not isinstance(potential, MacePotential):
        reason = f"it holds a {type(potential).__name__}, not a MACE potential"
        raise InputError(path, "", reason, "Give the folder of a trained or converted potential")
    if head is not None:
        raise InputError(path, "head", "the model has one head only", "Leave head out")
    return potential
