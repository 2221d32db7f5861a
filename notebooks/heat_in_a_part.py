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
# # Heat in a part, from STL to temperature
#
# A part comes as a surface mesh. This notebook reads it, says what is held at a temperature and what is
# cooled, solves steady heat conduction inside it, and then asks the three questions that every answer must
# face: how large is its error, where does the heat go, and what can be done with the field that a table of
# numbers cannot.
#
# It takes about a minute on two cores. Everything here is also behind one command, `geoembed demo`.

# %%
from importlib import resources

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import geoembed
from geoembed.pinn import Convection, Problem, SteadyHeat, Temperature, solve
from geoembed.plot import convergence_figure, temperature_figure
from geoembed.sdf import facing, load_mesh, resolve_patches, sample_surface, value_and_gradient

data = resources.files("geoembed.pinn") / "data"

# %% [markdown]
# ## The part
#
# The bundled part is a plate of 40 mm × 40 mm with nine fins. An STL file holds bare numbers: the unit has
# to be given. `load_mesh` reads the file strictly, mends what can be mended and reports what it did.

# %%
with resources.as_file(data / "heat_sink.stl") as path:
    part = load_mesh(path, unit="mm")

quality = part.quality
print(f"{quality.faces} faces, {quality.extents} {part.unit}, volume {quality.volume:.0f} {part.unit}³")
print("watertight:", quality.watertight, "· flags:", quality.flags, "· mended:", part.notes)

# %% [markdown]
# `part` is a function: the signed distance of one point to the surface, negative inside. It works under
# `jit`, `vmap` and `grad`; the gradient is the direction away from the nearest point of the surface. The
# solver needs nothing else about the shape.

# %%
inside, outside = jnp.array([0.0, 0.0, 1.0]), jnp.array([0.0, 0.0, -5.0])
print("distance 1 mm above the base:", part(inside), " 5 mm below it:", part(outside))
print("gradient below the base:", jax.grad(part)(outside))

# %% [markdown]
# ## Patches
#
# Conditions belong to patches of the surface. The base is what faces down; `rest` is what no patch takes.
# `facing` chooses by direction, `in_box` by place, `segment` takes the smooth region around a point. The
# areas are a good check: the base of a 40 mm × 40 mm plate (with its rounded corners) must have about 1600
# mm².

# %%
patches = {"base": facing((0, 0, -1))}
resolved = resolve_patches(part, patches)
print({name: f"{resolved.area(name):.0f} mm²" for name in resolved.names})

corners = part.vertices[part.faces]
sample = sample_surface(part, 16_384, key=jax.random.key(0))
seen = sample.normals @ np.array([0.4, -0.7, -0.6]) > 0  # what faces the eye
colours = np.where(resolved.face_patch[sample.faces[seen]] == resolved.index("base"), "tab:red", "steelblue")
figure, axes = plt.subplots(figsize=(6, 4.5), subplot_kw={"projection": "3d", "proj_type": "ortho"})
axes.scatter(*sample.points[seen].T, c=colours, s=2, depthshade=False)
axes.set(xlabel="x / mm", ylabel="y / mm", zlabel="z / mm", title="seen from below: base (red) and rest")
axes.set_box_aspect(np.ptp(part.vertices, axis=0))
axes.view_init(-37, -60)
plt.show()

# %% [markdown]
# ## The problem
#
# Inside, $-\nabla\cdot(k\,\nabla T) = 0$. The base is held at 350 K; everything else gives heat to air of
# 293 K, $-k\,\partial T/\partial n = h\,(T - 293\,\mathrm{K})$ with $h = 25$ W/(m² K). Coordinates are in
# the part's unit, everything else is in SI units. $k = 10$ W/(m K) makes the fins interesting: with a
# metal's 200 the part would be almost isothermal, with a plastic's 0.5 the fins would be cold almost from
# their roots.

# %%
problem = Problem(
    domain=part,
    equation=SteadyHeat(conductivity=10.0),
    conditions=[Temperature("base", 350.0), Convection("rest", h=25.0, ambient=293.0)],
    patches=patches,
)

# %% [markdown]
# ## The solution
#
# The temperature of a steady part minimises an energy,
#
# $$J(T) = \int \tfrac{k}{2}\,|\nabla T|^2\,\mathrm dV
# + \int_{\text{rest}} \tfrac{h}{2}\,(T - 293\,\mathrm K)^2\,\mathrm dS ,$$
#
# with the base held. `solve` minimises it over a network with one layer of localised spline features and a
# linear output layer, on a ladder of ever finer grids. The energy is quadratic in the output layer, so each
# grid is a linear least-squares problem. The default goes up to 200 000 cells; 45 000 are enough here for
# three grids and a first look. The key decides where the grids lie and which points are held out.

# %%
result = solve(problem, key=jax.random.key(0), cells=45_000)
print(f"{result.status}: {result.parameters} parameters, {result.iterations} steps, {result.seconds:.0f} s")
print(f"estimated error {result.estimated_error:.1%}, heat balance {result.energy_balance:.2%}")

# %% [markdown]
# "cell limit" is an honest status: the tolerance (0.5 %) was not reached with the cells that were allowed.
# The estimate compares the last two grids. Below, the energy falls on each grid; the energy at held-out points,
# which the training never sees, falls with it. If it rose while the training energy fell, the grid would
# fit its quadrature and not the physics.

# %%
convergence_figure(result)

# %%
temperature_figure(problem, result)

# %% [markdown]
# ## The error
#
# An estimate is not a proof. The package ships temperatures from finite elements, computed on two
# tetrahedral meshes that share nothing with this solver. The error is measured relative to how much the
# temperature varies, so that a constant would score 1.

# %%
with resources.as_file(data / "heat_sink_reference.npz") as path, np.load(path) as reference:
    points_mm, expected = 1e3 * reference["points"].astype(float), reference["temperature"].astype(float)

found, gradient = value_and_gradient(result.value, points_mm)
error = np.linalg.norm(found - expected) / np.linalg.norm(expected - expected.mean())
print(f"error {error:.2%} of the spread; largest difference {np.abs(found - expected).max():.2f} K")
assert error < 3e-2

# %% [markdown]
# Where is it wrong? The differences peak at the roots of the fins, sharp re-entrant edges where the gradient
# of the solution is infinite. The cells there are divided, once or twice, and still hold most of the error; what
# lies beyond a root inherits it. The finer grid of the default reduces both.

# %%
figure, panels = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
panels[0].hist(found - expected, bins=80)
panels[0].set(xlabel="T - T_fem / K", ylabel="points", yscale="log")
shown = panels[1].scatter(points_mm[:, 2], np.abs(found - expected), c=expected, s=3, cmap="inferno")
panels[1].set(xlabel="z / mm (the fins begin where the differences peak)", ylabel="|T - T_fem| / K")
figure.colorbar(shown, label="T / K")
plt.show()

# %% [markdown]
# ## Where the heat goes
#
# Heat enters through the base and leaves everywhere else. `result.heat` gives the flow through each patch.
# The two are measured in different ways (the base by an integral over a layer above it, the rest by its
# surface temperature), so that they cancel only if the field obeys the equation.

# %%
for name, watts in result.heat:
    print(f"{name:>5}: {watts:+.3f} W")

# %% [markdown]
# Which height gives off how much? `h (T - 293 K)` over the surface, layer by layer, from points that are
# spread evenly over it. The longest bar holds the top of the plate between the fins.

# %%
cooled = np.flatnonzero(resolved.face_patch == resolved.index("rest"))
sample = sample_surface(part, 8192, key=jax.random.key(1), faces=cooled)
on_surface, _ = value_and_gradient(result.value, sample.points)
watts = 25.0 * (on_surface - 293.0) * sample.weights * 1e-6
heights = np.linspace(0, part.bounds[1][2], 12)
per_height, _ = np.histogram(sample.points[:, 2], bins=heights, weights=watts)
figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
axes.barh(heights[:-1], per_height, height=np.diff(heights), align="edge", edgecolor="white")
axes.set(xlabel="heat given off / W", ylabel="z / mm", title=f"{watts.sum():.2f} W in all")
plt.show()

# %% [markdown]
# ## The field is a function
#
# `result.value` maps one point to one temperature and can be differentiated. The heat flux density is
# $-k\,\nabla T$; the gradient is per millimetre here, hence the factor 1000.


# %%
def heat_flux(x_mm):
    """W/m² at one point."""
    return -10.0 * jax.grad(result.value)(x_mm) * 1e3


in_plate = jnp.array([0.0, 0.0, 1.0])
print("temperature", result.value(in_plate), "K, heat flux", heat_flux(in_plate), "W/m²")

# %% [markdown]
# With `vmap` it gives the flux on a whole plane: heat streams up the fins and leaves through their sides.
# The arrows have equal length; the colour is the magnitude. The signed distance says which points lie
# inside.

# %%
lower, upper = part.bounds
x, z = np.meshgrid(np.linspace(lower[0], upper[0], 161), np.linspace(lower[2], upper[2], 89))
plane = jnp.asarray(np.stack([x, np.full_like(x, 0.3), z], axis=-1).reshape(-1, 3))
flux = np.asarray(jax.jit(jax.vmap(heat_flux))(plane)).reshape(*x.shape, 3)
depth = np.asarray(jax.jit(jax.vmap(part))(plane)).reshape(x.shape)
strength = np.where(depth < 0, np.linalg.norm(flux, axis=-1), np.nan)

figure, axes = plt.subplots(figsize=(10, 5.2), layout="constrained")
most = np.nanquantile(strength, 0.99)
shown = axes.pcolormesh(x, z, strength, cmap="viridis", shading="gouraud", vmax=most)
axes.contour(x, z, depth, levels=[0.0], colors="k", linewidths=0.8)
arrows = (depth < -0.2) & (np.indices(x.shape).sum(0) % 4 == 0)
direction = flux[arrows] / np.linalg.norm(flux[arrows], axis=-1, keepdims=True)
axes.quiver(x[arrows], z[arrows], direction[:, 0], direction[:, 2], color="white", scale=60, width=0.0015)
figure.colorbar(shown, label="heat flux / (W/m²)")
axes.set(xlabel="x / mm", ylabel="z / mm", aspect="equal", title="y = 0.3 mm")
plt.show()

# %% [markdown]
# ## Keep it
#
# `geoembed.save` writes a folder that `geoembed.load` reads back bit by bit, with a checksum of every file;
# `geoembed.interop.write_vtu` writes a file for ParaView.

# %%
geoembed.save("solution", result)
again = geoembed.load("solution")
assert np.array_equal(np.asarray(again.field.coefficients), np.asarray(result.field.coefficients))
