"""Models of mace-torch as potentials of geoembed, and back; needs the extra `mace`.

Only `read_model` unpickles, which runs code that the file may hold: call it for files that you trust. Everything that
comes after, also `geoembed.atoms.load_mace`, needs neither torch nor mace-torch.
"""

import hashlib
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from ..atoms import SYMBOLS, HeadsPotential, MacePotential
from ..atoms._mace_describe import describe
from ..atoms._mace_description import MaceConfig, MaceDescription
from ..atoms._mace_from_description import potential_from
from ..core import InputError, load, save
from ._mace_build import build as build
from ._mace_build import imported
from ._mace_extract import extract as extract


def read_model(path: str | Path) -> Any:
    """Unpickles a model that mace-torch has saved. This can run any code that the file holds.

    Args:
        path: The file, usually NAME.model.

    Returns:
        The `torch.nn.Module`, on the CPU.

    Raises:
        InputError: There is no such file, it holds something else, or the extra `mace` is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(path, "", "there is no such file", "Check the path")
    torch = imported("torch")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old models warn of their versions
            model = torch.load(path, map_location="cpu", weights_only=False)
    except Exception as error:  # whatever the pickle does
        reason = f"it cannot be unpickled: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        raise InputError(
            path, "", reason, "Give a model saved by mace-torch, with the classes it needs"
        ) from error
    if not isinstance(model, torch.nn.Module) or isinstance(model, torch.jit.ScriptModule):
        hint = "Give the .model file of mace_run_train, neither a checkpoint (.pt) nor a compiled model"
        raise InputError(path, "", f"it holds a {type(model).__name__}, not a model", hint)
    return model


def from_torch(model: Any) -> MacePotential | HeadsPotential:
    """The potential that computes what a model of mace-torch computes, and that is trained like any other.

    Supported: MACE and ScaleShiftMACE with real agnostic interactions, residual or not, with a learned density or
    not; Bessel, Gaussian and Chebyshev radial functions; Agnesi and soft transforms; ZBL repulsion; several heads;
    products of up to three factors. Exact up to rounding.

    Args:
        model: The `torch.nn.Module`.

    Returns:
        The potential, in the precision of the model; a `HeadsPotential` if it has several heads.

    Raises:
        InputError: The model has a feature that is not converted; the error names its attribute.
    """
    return potential_from(extract(model))


def to_torch(potential: MacePotential | HeadsPotential) -> Any:
    """A ScaleShiftMACE of mace-torch that computes what a potential computes.

    Args:
        potential: A converted one or one made here. Element vectors become weights of each element.

    Returns:
        The `torch.nn.Module`, in the precision of the potential, on the CPU.

    Raises:
        InputError: mace-torch has no such model, or the extra `mace` is not installed.
    """
    return build(describe(potential))


def convert(path: str | Path, out: str | Path) -> dict[str, Any]:
    """Writes a model of mace-torch as an artefact that `geoembed.atoms.load_mace` reads. Unpickles, see `read_model`.

    Args:
        path: The file of mace-torch.
        out: The folder to write.

    Returns:
        What the model is: plain values.

    Raises:
        InputError: The model cannot be converted.
    """
    path = Path(path)
    description = extract(read_model(path))
    source = {"program": "mace-torch", "file": path.name, "sha256": _digest(path)}
    save(out, potential_from(description), meta={"source": source})
    return {"file": str(path), "out": str(out), **summary(description)}


def export(folder: str | Path, path: str | Path) -> dict[str, Any]:
    """Writes an artefact as a model that mace-torch and its users read.

    Args:
        folder: The artefact.
        path: The file to write.

    Returns:
        What the model is: plain values.

    Raises:
        InputError: mace-torch has no such model.
    """
    path, potential = Path(path), load(folder)
    if not isinstance(potential, MacePotential | HeadsPotential):
        reason = f"it holds a {type(potential).__name__}, not a MACE potential"
        raise InputError(folder, "", reason, "Give the folder of a trained or converted potential")
    if not path.parent.is_dir():
        raise InputError(path, "", "its folder does not exist", "Make it first")
    description = describe(potential)
    model, torch = build(description), imported("torch")
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        torch.save(model, beside)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return {"file": str(folder), "out": str(path), **summary(description)}


def summary(description: MaceDescription) -> dict[str, Any]:
    """What a description says, in plain values."""
    config, arrays = description.config, description.arrays
    first = config.layers[0]
    return {
        "elements": [SYMBOLS[z - 1] for z in config.numbers],
        "heads": list(config.heads),
        "cutoff": config.cutoff,
        "layers": len(config.layers),
        "channels": config.channels,
        "degrees": {"harmonics": config.degree, "features": first.outputs[-1]},
        "correlation": max(layer.correlation for layer in config.layers),
        "radial": config.basis
        if config.transform == "none"
        else f"{config.basis}, {config.transform} transform",
        "repulsion": config.repulsion is not None,
        "blocks": _blocks(config),
        "precision": arrays["embedding"].dtype.name,
        "parameters": int(sum(np.size(a) for name, a in arrays.items() if _is_trained(name))),
    }


def _blocks(config: MaceConfig) -> list[str]:
    return [
        ("density, " if layer.density else "") + ("residual" if layer.residual else "not residual")
        for layer in config.layers
    ]


def _is_trained(name: str) -> bool:
    return ".coupling." not in name and name.split(".")[0] in ("embedding", "layers", "readouts")


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
