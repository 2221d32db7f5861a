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
# # Teach a potential another element
#
# A potential that knows five metals learns gold: first from nothing but the properties of the elements, then from
# sixteen structures. Each time we ask two questions. How good is it for gold? And what has it forgotten? At the end
# it says how sure it is, and which structures should be labelled next.
#
# The labels come from ASE's effective medium theory, in place of the quantum chemistry that one would use, and all is
# very small. The numbers below are those of this one case with one seed. They show how to look, not what to expect.

# %%
import ase
import jax
import matplotlib.pyplot as plt
import numpy as np
from ase.calculators.emt import EMT

from geoembed import atoms
from geoembed.plot import element_map_figure
from geoembed.train import Train

# Here compiling takes longer than running. Leave this line out for larger models.
jax.config.update("jax_disable_most_optimizations", True)

# %% [markdown]
# ## Structures
#
# Octahedra of six atoms with random metals at the corners, stretched or pressed, each atom moved at random. Those of
# the *old* domain have no gold; those of the *new* one have one to four atoms of it. All have six atoms with five
# neighbours each, so that all share their compiled programs.

# %%
draw = np.random.default_rng(0)
metals = ["Ni", "Cu", "Pd", "Ag", "Pt"]
bond = {"Ni": 2.49, "Cu": 2.55, "Pd": 2.75, "Ag": 2.89, "Pt": 2.77, "Au": 2.88}  # in crystals, Å
corners = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]]) / 2**0.5


def labelled(structure):
    """A structure of ASE with energy and forces, as geoembed takes it."""
    structure.calc = EMT()
    return atoms.Frame(
        structure.numbers.astype(np.int64),
        structure.positions,
        None,
        structure.pbc,
        energy=structure.get_potential_energy(),
        forces=structure.get_forces(),
    )


def octahedron(symbols, strain, rattle):
    """Its edges are the mean bond of its metals, times the strain."""
    edge = strain * np.mean([bond[symbol] for symbol in symbols])
    return labelled(ase.Atoms(symbols, edge * corners + draw.normal(0, rattle, (6, 3))))


def alloy(gold):
    """An octahedron with so many atoms of gold."""
    symbols = draw.permutation([*["Au"] * gold, *draw.choice(metals, 6 - gold)])
    return octahedron(symbols, draw.uniform(0.92, 1.12), 0.1)


old_train, old_valid, old_test = ([alloy(0) for _ in range(count)] for count in (80, 16, 32))
new_train, new_valid, new_test, pool = (
    [alloy(k % 4 + 1) for k in range(count)] for count in (16, 16, 32, 64)
)
alone = [labelled(ase.Atoms(symbol)) for symbol in metals]
gold_alone = labelled(ase.Atoms("Au")).energy
print(f"an atom of gold alone: {gold_alone:.2f} eV")

# %% [markdown]
# ## A potential of five metals
#
# Each element is a vector of eight numbers here (`elements="physical"`): at the start, elements that are alike have
# vectors that are alike. The table keeps one row free. The five isolated atoms say what E0 is.

# %%
cutoff = 5.5
found = atoms.statistics([*old_train, *alone], cutoff)
untrained = atoms.untrained_mace(
    found,
    key=jax.random.key(0),
    cutoff=cutoff,
    channels=8,
    max_ell=1,
    hidden_ell=0,
    correlation=2,
    layers=1,
    elements="physical",
    element_size=8,
    free_elements=1,
)
even = (atoms.Stage(energy=100.0, forces=100.0),)  # eV/atom count as much as eV/Å
settings = atoms.Training(epochs=50, batch=8, rate=0.03, average=0.95, validate=5, stages=even)
potential = atoms.fit(untrained, old_train, old_valid, key=jax.random.key(1), settings=settings).potential


def errors(potential, frames):
    """Root mean square errors: energies in meV/atom, forces in meV/Å."""
    found = atoms.evaluate(potential, frames, batch=8).errors
    return 1e3 * found.energy.rmse, 1e3 * found.forces.rmse


print("without gold: energy {:.0f} meV/atom, forces {:.0f} meV/Å".format(*errors(potential, old_test)))
size = {
    name: 1e3 * np.std([f.forces for f in frames]) for name, frames in (("old", old_test), ("new", new_test))
}
print(f"the forces themselves: {size['old']:.0f} meV/Å without gold, {size['new']:.0f} meV/Å with it")

# %% [markdown]
# ## Gold without any data
#
# All that is needed is a vector and E0. `like` copies the vector of another metal. `"properties"` mixes the known
# vectors as the period, the valence electrons, the radii and the electronegativity suggest;
# `element_mixture` says how.

# %%
print({symbol: round(part, 2) for symbol, part in atoms.element_mixture(potential, "Au").items()})
table = atoms.ElementEmbedding.physical([*found.numbers.tolist(), 79], 8)
print("nearest by properties:", [symbol for symbol, _ in atoms.nearest_elements(table)["Au"]])

# %%
starts = {f"copy of {symbol}": {"like": symbol} for symbol in metals}
starts |= {"properties": {"vector": "properties"}, "random": {"key": jax.random.key(3)}}
zero = {name: atoms.add_element(potential, "Au", e0=gold_alone, **source) for name, source in starts.items()}
print(f"{'with gold':14}   energy   forces")
for name, one in zero.items():
    print("{:14} {:8.0f} {:8.0f}".format(name, *errors(one, new_test)))
assert errors(zero["properties"], old_test) == errors(potential, old_test)  # nothing old has changed

# %% [markdown]
# ## Gold from sixteen structures
#
# `finetune` adds the element, fits its E0, and trains what rules say. Rules are the general way: whatever none of
# them names keeps its bits. Here the vector of gold trains, and of all other matrices a change of rank 2. The same is
# the recipe `"rows+low_rank"`; `"rows"` is the first rule alone.

# %%
rules = [Train("elements", rows="Au"), Train("*", but="elements", rank=2)]
print(atoms.trainable(zero["properties"], rules))

# %% [markdown]
# Three runs from the same start: the vector only; with low rank; and the same with *replay*, where 32 structures of
# the old domain are learned again. `old=` are structures without gold on which forgetting is measured.

# %%
shared = {
    "key": jax.random.key(2),
    "new": [atoms.NewElement("Au", vector="properties")],
    "test": new_test,
    "old": old_test,
}
replay = atoms.Replay(old_train, share=2.0)
runs = {}
for name, recipe, rate, again in (
    ("row", {"recipe": "rows"}, 0.02, None),
    ("row, low rank", {"recipe": None, "rules": rules}, 0.005, None),
    ("the same, replay", {"recipe": None, "rules": rules}, 0.005, replay),
):
    settings = atoms.Training(epochs=40, batch=8, rate=rate, average=0.9, validate=4, stages=even)
    runs[name] = atoms.finetune(
        potential, new_train, new_valid, **recipe, **shared, replay=again, settings=settings
    )

# %% [markdown]
# Errors (meV/atom and meV/Å) on test structures with gold and without. Forgetting is the larger relative growth of
# the two errors without gold.

# %%
print(f"{'':18} numbers |  with gold: energy, forces | without: energy, forces | forgetting")


def line(name, count, new, old, forgetting):
    print(
        f"{name:18} {count:7} | {new[0]:18.0f} {new[1]:7.0f} | {old[0]:15.0f} {old[1]:7.0f} | {forgetting:8.0%}"
    )


def of(evaluation):
    return 1e3 * evaluation.errors.energy.rmse, 1e3 * evaluation.errors.forces.rmse


before = errors(potential, old_test)
for name in ("copy of Pt", "properties"):
    line(name, 0, errors(zero[name], new_test), before, 0)
for name, run in runs.items():
    line(name, run.start.trained.count, of(run.new.after), of(run.old.after), run.old.forgetting)
assert runs["row"].old.forgetting == 0
assert runs["the same, replay"].old.forgetting < runs["row, low rank"].old.forgetting

# %% [markdown]
# In this case:
#
# - Without data, the mixture of the properties is better than a copy of platinum, which the properties say is
#   nearest. A copy of palladium is better than both, but without labels nobody knows this. Energies are far off,
#   though E0 is that of the atom alone. The three runs fit E0 to their structures instead.
# - Eight numbers do most of the work, and forget nothing: predictions without gold are the same bits.
# - Low rank gains little: forces with gold are a little better, energies are worse. And it forgets much: energies
#   without gold are several times as wrong as before.
# - With replay it is the best of the three for gold, if not by much, and forgets little. So replay decides what is
#   forgotten, here as elsewhere (see `experiments/finetune`).
#
# Now something that none of them has seen: six atoms of gold, pressed and stretched. Each curve is counted from its own
# minimum.

# %%
strains = np.linspace(0.86, 1.02, 16)
pure = [octahedron(["Au"] * 6, strain, 0.0) for strain in strains]
curves = {"labels": np.array([one.energy for one in pure]) / 6}
for name, one in (
    ("copy of Pt", zero["copy of Pt"]),
    ("properties", zero["properties"]),
    ("row", runs["row"].potential),
    ("row, low rank, replay", runs["the same, replay"].potential),
):
    curves[name] = atoms.evaluate(one, pure, batch=8).energy[:, 1]
figure, axis = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
for (name, curve), style in zip(curves.items(), ("ko", "C7:", "C0--", "C1-", "C2-"), strict=True):
    axis.plot(strains * bond["Au"], 1e3 * (curve - curve.min()), style, label=name, markersize=4)
axis.set(xlabel="length of an edge, Å", ylabel="energy, meV/atom", title="Six atoms of gold", ylim=(-20, 450))
axis.legend(fontsize=8)
plt.show()

# %% [markdown]
# The properties find the length of the edges but are too stiff when it is stretched. The copy of platinum is too short
# and too stiff. The trained ones follow the labels best, with edges a little too long; low rank and replay are no
# better than the row alone here.

# %% [markdown]
# ## How sure is it?
#
# `posterior` puts a Gaussian over a few numbers of a trained potential, from the structures that it was trained on.
# Which numbers? First the vector and E0 of gold, then these and the last layer, in which everything else may be wrong
# too. Such deviations come out too small. `calibration` measures by how much, on the structures that judged the
# training, `scaled` mends it, and the test structures say whether that worked.

# %%
for over in ("Au", ["Au", "last layer"]):
    sure = atoms.posterior(runs["row"].potential, new_train, over=over, batch=8)
    factor = atoms.calibration(sure, new_valid, batch=8)
    sure = sure.scaled(energy=factor.energy.standardised, forces=factor.forces.standardised)
    checked = atoms.calibration(sure, new_test, batch=8).forces
    print(
        f"{over}: too small by a factor of {factor.forces.standardised:.0f}; after scaling, errors are "
        f"{checked.standardised:.2f} deviations, {checked.within:.0%} within one, rank correlation {checked.rank:.2f}"
    )

# %% [markdown]
# The vector alone cannot answer for errors that are not its own: the factor is huge and does not carry over. With the
# last layer it is smaller, and about right on the test structures as a mean square. Yet more than 68 % are within one
# deviation: a few errors are far larger than the others. And the order of the components is only roughly that of their
# errors.
#
# `select` takes from a pool, whose labels it does not look at, the structures to be labelled next.

# %%
chosen = atoms.select(sure, pool, 5, labelled=new_train, batch=8)
label, said = atoms.evaluate(runs["row"].potential, pool, batch=8).forces.T
off = np.sqrt(np.mean((said - label).reshape(len(pool), -1) ** 2, axis=1))
print("                deviation  true error, meV/Å")
for place in chosen.indices:
    name = "".join(pool[place].symbols)
    print(f"{name:15} {1e3 * chosen.deviation[place]:9.0f} {1e3 * off[place]:11.0f}")
print(f"{'mean of pool':15} {1e3 * chosen.deviation.mean():9.0f} {1e3 * off.mean():11.0f}")

# %% [markdown]
# Most of the five are off by much more than the mean of the pool. So here the choice finds structures for which the
# potential is bad. Whether learning from these pays is another question, for which see `docs/how-to/uncertainty.md`.

# %% [markdown]
# ## The map of the elements
#
# `element_weights` are all numbers that the potential computes from an element. On the left their first two principal
# components. On the right a test: the correlation of distances in these weights with distances of the properties,
# beside the correlations when the elements are exchanged. It is large here, and proves little: the vectors began as
# properties, and there are six metals only. For vectors that began at random, or tables of a MACE, it would say what
# was learned.

# %%
learned = atoms.element_weights(runs["the same, replay"].potential)
print({symbol: near[0][0] for symbol, near in atoms.nearest_elements(learned).items()})
element_map_figure(
    learned, key=jax.random.key(0), title="Six metals by the weights that the potential makes of them"
)

# %% [markdown]
# ## From a table of weights to vectors
#
# A converted model of mace-torch has no such vectors but a table of weights with a row for each element. `compress`
# makes short vectors of any potential's tables. With as many numbers as there are elements nothing is lost;
# `spectrum` says how much each number holds.

# %%
small, report = atoms.compress(runs["the same, replay"].potential, 4, free_elements=1, frames=old_test)
print("spectrum:", np.round(report.spectrum, 2))
for rank in range(1, report.full + 1):
    print(f"rank {rank}: tables off by {np.sqrt(np.sum(report.spectrum[rank:] ** 2)):.1%}")
print(f"{report.parameters[0]} numbers of elements before, {report.parameters[1]} now")
print(f"rank {report.rank} changes forces by {1e3 * report.forces:.0f} meV/Å")
