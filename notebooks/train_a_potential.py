# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Train an interatomic potential
#
# A potential says what energy a set of atoms has; its gradient is the forces. This notebook trains a small MACE on
# clusters of copper and gold, looks at what it has learned, and relaxes a cluster with it. The labels come from ASE's
# effective medium theory, which is fast and smooth, in place of the quantum chemistry that one would use.

# %%
import ase
import ase.io
import equinox as eqx
import jax
import matplotlib.pyplot as plt
import numpy as np
from ase.calculators.emt import EMT
from ase.optimize import BFGS

from geoembed.atoms import Training, evaluate, fit, pack, read_extxyz, split, statistics, untrained_mace
from geoembed.interop.ase import Calculator
from geoembed.plot import learning_figure, parity_figure

# %% [markdown]
# ## Structures with labels
#
# Seven atoms near the corners of a pentagonal bipyramid, a third of them gold, each moved at random. They are written
# as extended XYZ, the form in which labelled structures usually come, and read back: `read_extxyz` refuses what is
# ambiguous or damaged. Atoms are neighbours up to a cutoff of 4.5 Å.

# %%
draw = np.random.default_rng(0)
angle = 2 * np.pi * np.arange(5) / 5
ring = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1) * 2.25
corners = np.concatenate([ring, [[0, 0, 1.35], [0, 0, -1.35]]])


def cluster(rattle):
    """One cluster with energy and forces."""
    symbols = draw.choice(["Cu", "Cu", "Au"], 7)
    atoms = ase.Atoms(symbols, corners * draw.uniform(0.95, 1.15) + draw.normal(0, rattle, (7, 3)))
    atoms.calc = EMT()
    atoms.get_forces()
    return atoms


ase.io.write("clusters.xyz", [cluster(0.15) for _ in range(120)], format="extxyz")
frames = read_extxyz("clusters.xyz")
train, valid, test = split(frames, (80, 20, 20), seed=0)
found = statistics(train, 4.5)
print(
    {int(z): round(float(e), 3) for z, e in zip(found.numbers, found.e0, strict=True)}, "eV for an atom alone"
)
print(f"{found.neighbours:.1f} neighbours of an atom, forces of {found.force_scale:.2f} eV/Å")

# %% [markdown]
# ## Training
#
# `untrained_mace` starts from these statistics. The rate falls whenever five validations in a row have brought nothing
# (`schedule="plateau"`). What is kept is the moving average of the parameters with the lowest validation loss.
# In one-hot potentials like this one the element vectors, the energies of the atoms alone, scale and shift stay as they
# are, as in MACE; `trainable=` says otherwise.

# %%
shape = {"channels": 8, "max_ell": 1, "hidden_ell": 0, "correlation": 2, "layers": 1}
potential = untrained_mace(found, key=jax.random.key(0), cutoff=4.5, **shape)
settings = Training(epochs=60, batch=8, rate=0.02, schedule="plateau", plateau_patience=5, average=0.95)
result = fit(potential, train, valid, key=jax.random.key(1), settings=settings)
print(f"{result.status} after {result.steps} steps, best at epoch {result.best_epoch}")
learning_figure(result.history, best=result.best_epoch)

# %% [markdown]
# ## How good is it?
#
# On the structures that it never saw:

# %%
judged = evaluate(result.potential, test)
print(
    f"energy {1e3 * judged.errors.energy.mae:.1f} meV/atom, forces {1e3 * judged.errors.forces.mae:.0f} meV/Å"
)
print({name: f"{1e3 * one.mae:.0f} meV/Å" for name, one in judged.by_element.items()})
assert judged.errors.forces.mae < 0.15 * found.force_scale
parity_figure(judged, title="Clusters that were not trained on")

# %% [markdown]
# ## What it has learned: descriptors
#
# The scalar features behind the last layer describe an atom in its neighbourhood, and do not change when the cluster
# is moved or turned. The picture shows their first two principal components. The first
# tells the elements apart, the second the neighbourhoods: most atoms at the two tips lie lower than those of the ring.

# %%
batch = pack(test, result.potential.cutoff, kinds=found.numbers.tolist())
encoded = eqx.filter_jit(lambda encoder: encoder(batch))(result.potential.encoder)
features = np.asarray(encoded[-1][:, 0], np.float64)
centred = features - features.mean(axis=0)
places = centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T
gold, tip = np.asarray(batch.numbers) == 79, np.tile(np.arange(7) >= 5, len(test))
figure, axis = plt.subplots(figsize=(6, 4.2), layout="constrained")
for chosen, colour, marker, label in (
    (~gold & ~tip, "#c8641b", "o", "Cu, ring"),
    (~gold & tip, "#c8641b", "^", "Cu, tip"),
    (gold & ~tip, "#3b4cc0", "o", "Au, ring"),
    (gold & tip, "#3b4cc0", "^", "Au, tip"),
):
    axis.scatter(*places[chosen].T, c=colour, marker=marker, s=24, label=label, alpha=0.8)
axis.set(
    xlabel="first principal component", ylabel="second", title="Descriptors of atoms in the test clusters"
)
axis.legend(fontsize=8)
figure

# %% [markdown]
# ## Relaxation with ASE
#
# `Calculator` makes an ASE calculator of any potential. A distorted cluster relaxes to nearly the shape to which the
# theory that made the labels relaxes it.

# %%
start = ase.Atoms("AuCu6", corners * 1.08 + draw.normal(0, 0.1, (7, 3)))
relaxed = {}
for name, calculator in (("trained", Calculator(result.potential)), ("labels", EMT())):
    atoms = start.copy()
    atoms.calc = calculator
    BFGS(atoms, logfile=None).run(fmax=0.02, steps=200)
    relaxed[name] = atoms
upper = np.triu_indices(7, 1)
ours, theirs = (relaxed[name].get_all_distances()[upper] for name in ("trained", "labels"))
apart = np.abs(ours - theirs)
print(f"distances differ by {apart.mean():.3f} Å on average, by {apart.max():.3f} Å at most")
energies = [relaxed[name].get_potential_energy() for name in ("trained", "labels")]
print(f"energies: {energies[0]:.3f} eV and {energies[1]:.3f} eV")
assert apart.mean() < 0.05
