"""What benchmarks/new_element.py gives to mace-torch: a potential, structures, settings."""

import json
from collections.abc import Sequence
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from new_element_arms import Arm, started
from new_element_data import CONFIG, CUTOFF, energies, labelled, tests, valid
from new_element_models import with_energies

from geoembed import save
from geoembed.atoms import Frame, MacePotential


def hand_over(folder: Path, arm: Arm, before: MacePotential, count: int, seed: int) -> None:
    """Writes what an arm starts from. Energies come without E0, which spares float32 the large numbers."""
    frames = labelled(count, seed)
    e0 = energies(frames)
    potential = started(arm, before, frames, seed)
    assert potential.energies.dtype == jnp.float32
    save(folder / "potential", with_energies(potential, {}))
    for name, part in (("train", frames), ("valid", valid()), ("test", tests("new") + tests("old"))):
        write(folder / f"{name}.npz", part, e0)
    own = {key: CONFIG["training"][key] for key in ("batch", "warm_up", "average", "clip")}
    (folder / "task.json").write_text(json.dumps({"cutoff": CUTOFF, **own, **CONFIG["loss"]}))


def write(path: Path, frames: Sequence[Frame], e0: dict[int, float]) -> None:
    """Structures, all their atoms one after the other."""
    energy = [frame.energy - sum(e0[int(z)] for z in frame.numbers) for frame in frames]
    np.savez(
        path,
        counts=np.array([len(frame.numbers) for frame in frames]),
        numbers=np.concatenate([frame.numbers for frame in frames]),
        positions=np.concatenate([frame.positions for frame in frames]),
        cells=np.stack([frame.cell for frame in frames]),
        energy=np.array(energy),
        forces=np.concatenate([frame.forces for frame in frames]),
        sets=np.array([frame.info["set"] for frame in frames]),
    )
