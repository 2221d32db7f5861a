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
# # From the Fibonacci chain to a dislocation in six dimensions
#
# A quasicrystal has sharp diffraction spots and no period. It looks like a contradiction for as long as one looks at
# physical space alone. In more dimensions it is an ordinary lattice, of which we see a slice; what looks strange below
# (forbidden symmetries, defects that rearrange atoms) is simple above.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from scipy.spatial import KDTree

from geoembed import plot
from geoembed import quasicrystal as qc

jax.config.update("jax_enable_x64", True)
tau = (1 + 5**0.5) / 2
# %matplotlib inline

# %% [markdown]
# ## One dimension: a strip of a lattice in the plane
#
# Take the points of a lattice in the plane that lie in a strip, and project them on the line. The strip's slope is
# irrational, so the tiles never repeat; there are only two of them, and τ times as many long ones as short ones.

# %%
chain = qc.fibonacci()
cut = qc.cut(chain, box=16.0)
plot.chain_figure(chain, cut)

# %%
x = np.sort(np.asarray(qc.cut(chain, box=5000.0).points[:, 0]))
long = np.diff(x) > 1.3
print(f"{len(long)} tiles, {long.sum() / (~long).sum():.5f} long ones for a short one, τ = {tau:.5f}")
assert abs(long.sum() / (~long).sum() - tau) < 1e-3
word = "".join("L" if is_long else "S" for is_long in long[:40])
print(word)
assert "SS" not in word
assert "LLL" not in word

# %% [markdown]
# Its diffraction pattern is known exactly: the Fourier transform of the strip's cross-section, an interval, at the
# perpendicular part of each reciprocal lattice vector. A sum over the points only comes close to it.

# %%
spots = qc.bragg(chain, q_max=16.0, q_perp_max=12.0, least=1e-3)
direct = jax.jit(qc.direct_sum)(jnp.asarray(x)[:, None], spots.q)
print(f"{len(spots)} spots; largest difference from the sum: {np.abs(direct - spots.factors).max():.1e}")
assert np.abs(direct - spots.factors).max() < 2e-3
q = np.linspace(0.0, 16.0, 2000)
window = np.abs(x) < 60.0
finite = np.abs(np.exp(1j * q[:, None] * x[window]).mean(axis=1)) ** 2
figure, axes = plt.subplots(figsize=(9, 2.6), layout="constrained")
axes.plot(q, finite, color="0.6", linewidth=0.8, label=f"{window.sum()} points")
shown = np.asarray(spots.q)[:, 0] >= 0
axes.vlines(
    np.asarray(spots.q)[shown, 0], 0, np.asarray(spots.intensities)[shown], color="#c2571a", label="exact"
)
axes.set(xlabel="Q", ylabel="|F|²", xlim=(0, 16), ylim=(0, 1.02))
axes.legend(frameon=False)
plt.show()

# %% [markdown]
# ## Two dimensions: eightfold
#
# No lattice in the plane is eightfold; ℤ⁴ is. The vertices of the Ammann–Beenker tiling are its points over an octagon.
# How many neighbours a vertex has can be read off from where it lies in that octagon.

# %%
tiling = qc.ammann_beenker()
cut = qc.cut(tiling, box=12.0)
plot.tiling_figure(cut, edge=1.0, title="Ammann-Beenker, by number of neighbours")

# %% [markdown]
# The point group is found from the lattice: whole-number matrices that turn or mirror both spaces. A turn by 45° here
# turns perpendicular space by 135°.

# %%
octagonal = qc.lattice_point_group(
    np.asarray(tiling.lattice.parallel), np.asarray(tiling.lattice.perpendicular)
)
angles = [np.degrees(np.arctan2(part[:, 1, 0], part[:, 0, 0])) for part in octagonal]
turn = np.flatnonzero((np.abs(angles[0] - 45) < 1e-6) & (np.linalg.det(octagonal.parallel) > 0))[0]
print(
    f"{len(octagonal.parallel)} elements; a turn by {angles[0][turn]:.0f}° goes with one by {angles[1][turn]:.0f}°"
)
assert len(octagonal.parallel) == 16

# %%
spots = qc.bragg(tiling, q_max=16.0, q_perp_max=9.0, least=1e-4)
plot.diffraction_figure(spots, least=1e-4, title="Ammann-Beenker: diffraction")

# %% [markdown]
# ## Three dimensions: icosahedral, from six
#
# Six axes through the vertices of an icosahedron are the projections of the basis of ℤ⁶. The window is a
# triacontahedron, the tiles are two rhombohedra. Along a fivefold axis:

# %%
ico = qc.icosahedral()
cut = qc.cut(ico, radius=5.0)
P, Q = (np.asarray(part) for part in ico.lattice.projections())


def normal_plane(axis):
    """Two unit vectors normal to an axis and to each other."""
    first = np.cross([1.0, 0.0, 0.0], axis)
    second = np.cross(axis, first)
    return np.stack([first / np.linalg.norm(first), second / np.linalg.norm(second)])


view, perp_view = normal_plane(P[:, 0]), normal_plane(Q[:, 0])
print(
    f"{len(cut)} vertices, density {len(cut) / (4 / 3 * np.pi * 125):.3f}, in the limit {ico.density():.6f}"
)
plot.sites_figure(cut, view=view, perp_view=perp_view, title="Icosahedral, along a 5-fold axis")

# %% [markdown]
# Every spot of the diffraction pattern comes from the closed form of the triacontahedron's transform.

# %%
spots = qc.bragg(ico, q_max=33.0, q_perp_max=8.0, least=1e-4)
axes_of = np.concatenate([view, np.cross(*view)[None]])
turned = qc.Bragg(spots.indices, spots.q @ axes_of.T, spots.q_perp, spots.factors)
plot.diffraction_figure(turned, title="Icosahedral: diffraction along a 5-fold axis")

# %% [markdown]
# It can be differentiated. A phason strain χ, which tilts the slice, moves the spots by −χᵀQ⊥: those with a large
# perpendicular component most, which is how it is recognised in an experiment. And a larger window weakens a reflection
# whose Q⊥ is not 0.

# %%
h = jnp.array([2, 1, 1, -1, 1, 1])


def place(strain):
    """Q∥ of the reflection under a phason strain."""
    lattice = qc.Lattice(ico.lattice.parallel, ico.lattice.perpendicular, phason_strain=strain)
    return qc.wave_vectors(qc.Model(lattice, ico.surfaces), h)[0]


def intensity(size):
    """|F|² for a triacontahedron that is `size` times as large."""
    window = qc.Zonotope(size * ico.surfaces[0].window.generators)
    return jnp.abs(qc.structure_factor(qc.Model(ico.lattice, [qc.Surface(window)]), h)) ** 2


slope = jax.jit(jax.jacfwd(place))(jnp.zeros((3, 3)))
q_perp = np.asarray(qc.wave_vectors(ico, h)[1])
assert np.abs(slope + np.einsum("ij,m->jmi", np.eye(3), q_perp)).max() < 1e-12
value, change = jax.jit(jax.value_and_grad(intensity))(1.0)
print(
    f"|F|² of {h.tolist()} is {value:.6f}; with a window larger by a percent it changes by {change / 100:.5f}"
)
assert abs(value - 0.794142) < 1e-6
assert change < 0

# %% [markdown]
# ## Almost periodic: approximants
#
# A phason strain tilts the slice. With the right one it meets lattice points again and again, and a crystal with the
# local order of the quasicrystal comes out. The cubic cells of Sc-Mg-Zn, 13.863 Å (1/1) and 22.412 Å (2/1), belong to
# one edge of the tiles. Where the slice is, the phason shift, decides about the symmetry. The most is that of Pa-3 for
# 2/1 and 3/2; the symmetric slices of 1/1 put sites on the rim of the window, and without these it is Im-3.

# %%
for p, q, measured in ((1, 1, 13.863), (2, 1, 22.412), (3, 2, None)):
    periods = qc.icosahedral_periods(p, q)
    _, order = qc.symmetric_shift(P, Q, periods, open_window=p == 1)
    found = qc.approximant(P, Q, periods)
    edges = found.cell[0, 0] * 2**0.5
    says = "" if measured is None else f"; {measured} Å are edges of {measured / edges:.3f} Å"
    print(f"{p}/{q}: {len(found.positions)} vertices in a cube of {edges:.4f} edges{says}")
    print(f"     with the best shift its point group has {order} elements")

# %% [markdown]
# ## Elasticity: five constants
#
# Besides the strain, the gradient of the phason displacement costs energy. Averaging over the group tells how many
# constants there are: two for phonons, two for phasons, one that couples them.

# %%
group = qc.lattice_point_group(P, Q)
invariants = qc.elastic_invariants(group)
print(len(group.parallel), "elements:", qc.count_invariants(group))
one = np.eye(3)
shear = np.einsum("ik,jl->ijkl", one, one) + np.einsum("il,jk->ijkl", one, one)
phonon, k1 = np.zeros((2, 6, 3, 6, 3))
phonon[:3, :, :3] = np.einsum("ij,kl->ijkl", one, one) + shear  # λ = μ = 1
k1[3:, :, 3:] = np.einsum("ik,jl->ijkl", one, one)  # ½ K1 |∇w|²
values, vectors = np.linalg.eigh(invariants.phason.tensors[1][3:, :, 3:].reshape(9, 9))
four = vectors[:, :4] if np.ptp(values[:4]) < 1e-9 and values[4] - values[3] > 1e-9 else vectors[:, 5:]
k2 = np.zeros_like(k1)  # 5/3 for four of the nine phason gradients, −4/3 for the other five
k2[3:, :, 3:] = 3 * (four @ four.T).reshape(3, 3, 3, 3) - 4 / 3 * k1[3:, :, 3:]
k3 = invariants.coupling.tensors[0] / np.linalg.norm(
    np.asarray(qc.strain_form(jnp.asarray(invariants.coupling.tensors[0])))[:6, 6:], ord=2
)
low, high = qc.stability_limits(jnp.asarray(phonon + k1), jnp.asarray(k2))
print(f"stable for {low:.4f} < K2/K1 < {high:.4f}")
assert abs(low + 3 / 5) < 1e-12
assert abs(high - 3 / 4) < 1e-12

# %% [markdown]
# The picture says for which K1 and K2 there is any stable quasicrystal, and how strong the coupling may be. i-ScZn,
# with K2/K1 = −0.53, is close to the edge.

# %%
first = np.linspace(1e-3, 2.0, 41)
ratio = np.linspace(low + 1e-9, high - 1e-9, 61)
grid = np.stack([np.broadcast_to(first, (61, 41)), ratio[:, None] * first])  # K1 and K2 in the wedge


@jax.jit
@jax.vmap
def largest(a, b):
    return qc.stability_limits(
        jnp.asarray(phonon) + a * jnp.asarray(k1) + b * jnp.asarray(k2), jnp.asarray(k3)
    )[1]


allowed = np.asarray(largest(*(jnp.asarray(g.ravel()) for g in grid))).reshape(61, 41)
figure, axes = plt.subplots(figsize=(5.6, 4.4), layout="constrained")
drawn = axes.contourf(*grid, allowed, levels=np.arange(0, 3.1, 0.25), cmap="YlGnBu")
axes.plot([0, 2], [0, -1.2], [0, 2], [0, 1.5], color="#a3241b")
axes.plot([0, 2], [0, -1.06], "--", color="#222222", label="i-ScZn")
axes.set(xlabel="K1 / μ", ylabel="K2 / μ", xlim=(0, 2), ylim=(-1.4, 1.7))
axes.legend(frameon=False)
figure.colorbar(drawn, label="largest |K3| / μ")
plt.show()

# %% [markdown]
# ## A dislocation
#
# In a crystal a Burgers vector is a lattice vector; here it is one of ℤ⁴ or ℤ⁶, with a part in each space. On the way
# around the line the lattice is displaced by all of it. Sites move by the physical part, and the window from which they
# are taken travels by the perpendicular part: tiles flip. In the plane it can be seen:

# %%
burgers = np.array([0, 1, 0, 1])
A, B = (np.asarray(part) for part in tiling.lattice.projections())


def around(multiple, branch, radius):
    """Sites of the tiling around a multiple of the Burgers vector; the displacement is cut at an angle."""
    field = qc.winding(jnp.asarray(multiple * np.concatenate([A @ burgers, B @ burgers])))
    return qc.dislocated_cut(
        A, B, field, lambda q: qc.in_shadow(B, q), radius=radius, core=1.0, branch=branch,
        window_radius=qc.shadow_radius(B), shift=np.asarray(tiling.shift),
    )  # fmt: skip


sites = around(1.0, -np.pi, 10.0)
plot.dislocation_figure(sites, B, burgers, edge=1.0)

# %% [markdown]
# Where is the cut on which the displacement jumps? Nowhere: the structure is the same for every cut, if the Burgers
# vector is one of the lattice. With half of it there is a fault.


# %%
def differ(multiple):
    first, second = (around(multiple, branch, 8.0).points for branch in (-np.pi, 0.7))
    return sum(int((KDTree(a).query(b)[0] > 1e-7).sum()) for a, b in ((first, second), (second, first)))


print(f"sites that differ between two cuts: {differ(1.0)} with b, {differ(0.5)} with b/2")
assert differ(1.0) == 0
assert differ(0.5) > 0

# %% [markdown]
# In six dimensions, with the elastic field of all five constants. Phonons and phasons are coupled: the displacement has
# six components, and none of them is zero. The energy comes with a gradient in the elastic constants.

# %%
vector = np.array([1, -1, 0, 0, 0, 0])
b = jnp.asarray(np.concatenate([P @ vector, Q @ vector]))
line = jnp.array([0.0, 0.0, 1.0])


@jax.jit
def energy(constants):
    stiffness = jnp.asarray(phonon) + sum(
        c * jnp.asarray(k) for c, k in zip(constants, (k1, k2, k3), strict=True)
    )
    return qc.straight_dislocation(stiffness, b, line, samples=64).energy_factor()


constants = jnp.array([0.3, -0.05, 0.1])
print("b in physical space", np.round(b[:3], 4), "and in perpendicular space", np.round(b[3:], 4))
print(
    f"energy per ln(R/r): {energy(constants):.5f} μ a²; in K1, K2, K3 it grows by",
    jax.grad(energy)(constants).round(4),
)
h = 1e-5
slope = (energy(constants + jnp.array([0, 0, h])) - energy(constants - jnp.array([0, 0, h]))) / (2 * h)
assert abs(jax.grad(energy)(constants)[2] - slope) < 1e-7

# %%
stiffness = jnp.asarray(phonon + 0.3 * k1 - 0.05 * k2 + 0.1 * k3)
field = jax.jit(qc.straight_dislocation)(stiffness, b, line)
sites = qc.dislocated_cut(
    P, Q, field, lambda q: qc.in_shadow(Q, q), radius=4.5, core=0.6, branch=-np.pi,
    window_radius=qc.shadow_radius(Q), shift=np.asarray(ico.shift),
)  # fmt: skip
print(len(sites.points), "vertices around the line")
plot.dislocation_figure(
    sites, Q, vector, edge=0.5**0.5, title="An icosahedral quasicrystal along a dislocation line"
)

# %% [markdown]
# From the command line: `geoembed quasicrystal cut | diffract | approximant | dislocation`, which write extended XYZ,
# CIF, ParaView files, tables and these pictures.
