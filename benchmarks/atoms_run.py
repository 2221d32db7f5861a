"""One measurement of benchmarks/atoms.py in a process of its own; prints one line of JSON.

    python atoms_run.py make FOLDER --system si64 --channels 32     a potential with random weights, and structures
    python atoms_run.py geoembed FOLDER …                           its energy, forces and training step, timed
    python atoms_run.py mace-torch FOLDER …                         the same weights in mace-torch
    python atoms_run.py parity NAME                                 a random model of mace-torch, converted

The last two need an environment with geoembed[mace]; the others do not import torch.
"""

import argparse
import json
import os
import resource
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

CUTOFF = 5.0  # Å
VARIANTS = Path(__file__).resolve().parents[1] / "tests" / "interop"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["make", "geoembed", "mace-torch", "parity"])
    parser.add_argument("place")
    parser.add_argument("--system", default="si64")
    parser.add_argument("--channels", type=int, default=32)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--no-step", action="store_true", help="energy and forces only")
    options = parser.parse_args()
    bound(options.threads)
    work = {"make": make, "geoembed": ours, "mace-torch": theirs, "parity": parity}[options.what]
    found = work(options)
    found["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(json.dumps(found))


def bound(threads: int) -> None:
    """Binds the process to as many cores: XLA and torch start as many threads as there are cores."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))


def frames_of(system: str) -> list[Any]:
    """Rattled silicon of 64 or 216 atoms, or five frames of 3BPA (GEOEMBED_DATA)."""
    import numpy as np

    from geoembed.atoms import Frame, read_extxyz

    if system == "3bpa":
        path = Path(os.environ["GEOEMBED_DATA"]) / "atoms" / "3bpa" / "train_300K.xyz.gz"
        found = read_extxyz(path)[:5]
        return [Frame(f.numbers, f.positions, None, np.zeros(3, bool)) for f in found]
    cells = round((int(system.removeprefix("si")) / 8) ** (1 / 3))
    basis = np.array([[0, 0, 0], [0, 2, 2], [2, 0, 2], [2, 2, 0]]) / 4
    basis = np.concatenate([basis, basis + 0.25])
    grid = np.stack(np.meshgrid(*[np.arange(cells)] * 3, indexing="ij"), -1).reshape(-1, 1, 3)
    places = (grid + basis).reshape(-1, 3) * 5.43
    places = places + 0.05 * np.random.default_rng(1).normal(size=places.shape)
    return [Frame(np.full(len(places), 14), places, np.eye(3) * 5.43 * cells, np.ones(3, bool))]


def make(options: argparse.Namespace) -> dict[str, Any]:
    """MACE with two layers, max_ell 3, correlation 3, features of degree 0 and 1, all weights random."""
    import jax
    import numpy as np

    from geoembed import atoms, save

    numbers = sorted({int(z) for frame in frames_of(options.system) for z in frame.numbers})
    encoder = atoms.Mace(
        atoms.ElementEmbedding.one_hot(numbers),
        cutoff=CUTOFF,
        channels=options.channels,
        hidden_ell=1,
        max_ell=3,
        correlation=3,
        couplings="all",
        key=jax.random.key(0),
    )
    potential = atoms.MacePotential(encoder, key=jax.random.key(1))
    save(options.place, potential)
    weights = [leaf for leaf in jax.tree.leaves(potential) if np.issubdtype(leaf.dtype, np.inexact)]
    return {"parameters": int(sum(leaf.size for leaf in weights))}


def ours(options: argparse.Namespace) -> dict[str, Any]:
    import equinox as eqx
    import jax
    import jax.numpy as jnp
    import numpy as np
    import optax

    from geoembed import atoms

    jax.config.update("jax_enable_x64", options.precision == "float64")
    potential = atoms.load_mace(options.place)
    potential = jax.tree.map(lambda leaf: _cast(leaf, options.precision), potential)
    frames = frames_of(options.system)
    batch = atoms.pack(frames, CUTOFF, dtype=options.precision)
    weights, rest = eqx.partition(potential, eqx.is_inexact_array)

    @jax.jit
    def energy_and_forces(weights: Any, batch: Any) -> Any:
        said = atoms.predict(eqx.combine(weights, rest), batch)
        return said.energy, said.forces

    tool = optax.amsgrad(1e-3)

    def loss(weights: Any, batch: Any) -> jax.Array:
        energy, forces = energy_and_forces(weights, batch)
        return 100 * jnp.mean(forces**2) + jnp.mean(energy**2)

    @jax.jit
    def step(weights: Any, state: Any, batch: Any) -> Any:
        changes, state = tool.update(jax.grad(loss)(weights, batch), state, weights)
        return optax.apply_updates(weights, changes), state

    state = tool.init(weights)
    found = timed("", lambda: jax.block_until_ready(energy_and_forces(weights, batch)), options.seconds)
    if not options.no_step:
        found |= timed("step_", lambda: jax.block_until_ready(step(weights, state, batch)), options.seconds)
    energy, forces = energy_and_forces(weights, batch)
    np.savez(Path(options.place).with_suffix(".ours.npz"), energy=energy, forces=forces)
    return found | {"atoms": len(batch.positions), "pairs": int(batch.neighbours.mask.sum())}


def _cast(leaf: Any, precision: str) -> Any:
    import jax
    import jax.numpy as jnp

    wanted = isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jnp.inexact)
    return leaf.astype(precision) if wanted else leaf


def theirs(options: argparse.Namespace) -> dict[str, Any]:
    warnings.simplefilter("ignore")
    import numpy as np

    from geoembed import atoms
    from geoembed.interop import mace

    torch = mace.imported("torch")
    torch.set_num_threads(options.threads)
    dtype = getattr(torch, options.precision)
    torch.set_default_dtype(dtype)
    model = mace.to_torch(atoms.load_mace(options.place)).to(dtype)
    sys.path.insert(0, str(VARIANTS))
    from mace_variants import batch_of

    batch = batch_of(model, frames_of(options.system), 0)
    tool = torch.optim.Adam(model.parameters(), lr=1e-3, amsgrad=True)

    def step() -> None:
        tool.zero_grad()
        said = model(batch, training=True, compute_force=True)
        (100 * (said["forces"] ** 2).mean() + (said["energy"] ** 2).mean()).backward()
        tool.step()

    said = model(batch, training=False, compute_force=True)
    np.savez(
        Path(options.place).with_suffix(".theirs.npz"),
        energy=said["energy"].detach().numpy(),
        forces=said["forces"].detach().numpy(),
    )
    found = timed("", lambda: model(batch, training=False, compute_force=True), options.seconds)
    return found | timed("step_", step, options.seconds)


def timed(name: str, call: Callable[[], Any], seconds: float) -> dict[str, float]:
    """The first call, which compiles, and the median of the calls after three more."""
    start = time.perf_counter()
    call()
    first = time.perf_counter() - start
    for _ in range(3):
        call()
    times, begin = [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return {f"{name}ms": round(1e3 * statistics.median(times), 2), f"{name}first_s": round(first, 2)}


def parity(options: argparse.Namespace) -> dict[str, Any]:
    """Largest differences between mace-torch and the converted model, in float64, over four small structures."""
    warnings.simplefilter("ignore")
    import equinox as eqx
    import jax
    import numpy as np

    from geoembed import atoms
    from geoembed.interop import mace

    mace.imported("torch")
    sys.path.insert(0, str(VARIANTS))
    import mace_variants as variants

    jax.config.update("jax_enable_x64", True)
    model = variants.build(**variants.VARIANTS[options.place])
    potential, head = mace.from_torch(model), len(model.heads) - 1
    potential = potential.select(model.heads[head]) if head else potential
    frames = variants.structures()
    there = variants.answers(model, frames, head)
    said = eqx.filter_jit(atoms.predict)(potential, atoms.pack(frames, potential.cutoff), stress=True)
    return {
        f"{name}_difference": float(np.abs(np.asarray(getattr(said, name)) - there[name]).max())
        for name in ("energy", "forces", "stress")
    }


if __name__ == "__main__":
    main()
