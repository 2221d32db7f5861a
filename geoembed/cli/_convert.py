"""`geoembed convert`: potentials from mace-torch and back."""

from pathlib import Path
from typing import Any

from ..core import InputError

TARGETS = ("geoembed", "mace-torch")


def convert_file(source: Path, out: Path, target: str, say: Any) -> dict[str, Any]:
    """Converts and returns what was converted.

    Args:
        source: A model of mace-torch, or an artefact where `target` is mace-torch.
        out: The folder or file to write.
        target: One of `TARGETS`.
        say: Called with a line for the user.

    Raises:
        InputError: It cannot be converted, or `target` is unknown.
    """
    from ..interop import mace

    if target not in TARGETS:
        raise InputError("--to", target, "there is no such target", f"Choose one of {', '.join(TARGETS)}")
    if target == "mace-torch":
        if out.exists() and source.exists() and out.resolve() == source.resolve():
            raise InputError(out, "", "the result would replace what it is made from", "Give another name")
        return mace.export(source, out)
    if source.is_dir():
        hint = "To make a model of mace-torch from it, add --to mace-torch"
        raise InputError(source, "", "it is a folder, not a model of mace-torch", hint)
    if not source.is_file():
        raise InputError(source, "", "there is no such file", "Check the path")
    say(f"{source} is unpickled, which runs any code that it holds: convert only files that you trust.")
    return mace.convert(source, out)
