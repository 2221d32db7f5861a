"""A potential beside labelled structures."""

from pathlib import Path
from typing import Any

from ..atoms import LabelKeys, evaluate
from ..core import InputError
from ..plot import parity_figure
from ._atoms_data import read_potential, read_structures
from ._atoms_report import finite
from ._report import sha256, versions, write_report
from ._run import make_folder


def run_evaluation(
    model: Path, data: Path, out: Path | None, *, keys: tuple[str, str, str], group: str, batch: int
) -> dict[str, Any]:
    """Compares a potential with labelled structures.

    Args:
        model: The folder of the potential.
        data: The file of the structures.
        out: Where report.json and parity.png go; None writes nothing.
        keys: Under which names the file has energy, forces and stress.
        group: The value of the comment line that says to which group a structure belongs.
        batch: Structures in a batch.

    Returns:
        The report.

    Raises:
        InputError: The potential or the structures cannot be used.
    """
    potential = read_potential(model)
    try:
        labels = LabelKeys(*keys)
    except ValueError as error:
        raise InputError(data, "--energy-key", str(error), "Give three different names") from None
    frames = read_structures(data, potential, labels)
    if out is not None:
        make_folder(out)
    found = evaluate(potential, frames, batch=batch, group=group)
    report = {
        "model": str(model),
        "data": str(data),
        "structures": len(frames),
        "atoms": sum(len(frame.numbers) for frame in frames),
        "errors": finite(found.to_dict()),
        "input_sha256": {"data": sha256(data), "model": sha256(model / "manifest.json")},
        "versions": versions(),
    }
    if out is not None:
        write_report(out / "report.json", report)
        parity_figure(found, title=f"{model.name} and {data.name}").savefig(out / "parity.png")
    return report
