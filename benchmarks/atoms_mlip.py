"""The MACE of PyPI's mlip at the sizes of benchmarks/atoms.py; its weights are random, as no program converts them.

    python atoms_mlip.py --system si64 --channels 32 …      options of atoms_run.py; prints one line of JSON

Needs an environment with geoembed and mlip. mlip computes in float64 wherever x64 is on.
"""

import argparse
import json
import os
import resource
from typing import Any

from atoms_run import CUTOFF, bound, frames_of, timed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--system", default="si64")
    parser.add_argument("--channels", type=int, default=32)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=4.0)
    options = parser.parse_args()
    bound(options.threads)
    found = measure(options)
    found["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(json.dumps(found))


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Energy and forces, and a step of AMSGrad, of two layers with max_ell 3, correlation 3, features to degree 1."""
    import ase
    import jax
    import jax.numpy as jnp
    import numpy as np
    import optax
    from mlip.data.chemical_system import ChemicalSystem
    from mlip.data.dataset_info import DatasetInfo
    from mlip.graph import Graph
    from mlip.graph.batching_helpers import batch_graphs, pad_with_graphs
    from mlip.models import ForceField, Mace
    from mlip.models.mace.config import MaceConfig

    jax.config.update("jax_enable_x64", options.precision == "float64")
    frames = [ase.Atoms(f.numbers, f.positions, cell=f.cell, pbc=f.pbc) for f in frames_of(options.system)]
    systems = [ChemicalSystem.from_ase_atoms(frame) for frame in frames]
    graphs = [Graph.from_chemical_system(system, graph_cutoff_angstrom=CUTOFF) for system in systems]
    pairs = sum(int(np.sum(graph.n_edge)) for graph in graphs)
    size = {"n_node": sum(map(len, frames)) + 1, "n_edge": pairs + 1, "n_graph": len(frames) + 1}
    graph = pad_with_graphs(batch_graphs(graphs), **size)  # the padding that it needs

    numbers = sorted({int(z) for frame in frames for z in frame.numbers})
    config = MaceConfig(
        num_channels=options.channels,
        l_max=3,
        node_symmetry=1,
        correlation=3,
        readout_irreps=("16x0e", "0e"),
        num_rbf=8,
        residual_connection_first_layer=True,
    )
    information = DatasetInfo(
        atomic_energies_map=dict.fromkeys(numbers, 0.0),
        graph_cutoff_angstrom=CUTOFF,
        avg_num_neighbors=20.0,
    )
    model = ForceField.from_mlip_network(Mace(config, information), seed=0)

    def cast(leaf: Any) -> Any:
        inexact = np.issubdtype(np.asarray(leaf).dtype, np.inexact)
        return jnp.asarray(leaf, options.precision if inexact else None)

    graph, weights = jax.tree.map(cast, (graph, model.params))

    @jax.jit
    def energy_and_forces(weights: Any, graph: Any) -> Any:
        said = model.predictor.apply(weights, graph).to_prediction()
        return said.energy, said.forces

    tool = optax.amsgrad(1e-3)

    def loss(weights: Any, graph: Any) -> jax.Array:
        energy, forces = energy_and_forces(weights, graph)
        return 100 * jnp.mean(forces**2) + jnp.mean(energy**2)

    @jax.jit
    def step(weights: Any, state: Any, graph: Any) -> Any:
        changes, state = tool.update(jax.grad(loss)(weights, graph), state, weights)
        return optax.apply_updates(weights, changes), state

    state = tool.init(weights)
    found = timed("", lambda: jax.block_until_ready(energy_and_forces(weights, graph)), options.seconds)
    found |= timed("step_", lambda: jax.block_until_ready(step(weights, state, graph)), options.seconds)
    return found | {"pairs": pairs, "parameters": sum(leaf.size for leaf in jax.tree.leaves(weights))}


if __name__ == "__main__":
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    main()
