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
# # Where should the fins stand?
#
# A plate is heated at one end, two fins stand on it. Which way should they move to lower the peak temperature? One
# solution of the heat problem and one of its adjoint give the derivative of the peak in every parameter of the shape at
# once; the parameters reach the surface through the part's signed distance.
#
# The grid is not the finest, so that this runs in seconds. `experiments/shape_gradient` has finer ones, with finite
# elements as the judge.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from geoembed.pinn import Convection, HeatFlux, PeakTemperature, Problem, SteadyHeat, shape_gradient
from geoembed.sdf import Box, Translate, in_box, mesh_sdf

# %% [markdown]
# ## The part, twice
#
# As a **signed distance**, which JAX differentiates in the places and heights of the fins. The fins reach into the
# plate: their feet are no surface.

# %%
LENGTH, DEPTH, BASE, THICK = 24.0, 8.0, 3.0, 2.0  # mm


def shape_of(p):
    plate = Translate(Box((LENGTH, DEPTH, BASE)), (LENGTH / 2, DEPTH / 2, BASE / 2))
    for place, height in zip(p["place"], p["height"], strict=True):
        top = BASE + height
        size = jnp.stack([THICK + 0 * top, DEPTH + 0 * top, top])
        plate = plate | Translate(Box(size), jnp.stack([place, DEPTH / 2 + 0 * place, top / 2]))
    return plate


# %% [markdown]
# As a **surface**, on which the conditions are: the outline seen from the side, swept along y.


# %%
def surface_of(p):
    place, height = np.asarray(p["place"], float), np.asarray(p["height"], float)
    x = np.unique([0.0, LENGTH, *(place - THICK / 2), *(place + THICK / 2)])
    z = np.unique([0.0, BASE, *(BASE + height)])
    planes = x, np.array([0.0, DEPTH]), z
    middle_x, middle_z = 0.5 * (x[1:] + x[:-1])[:, None], 0.5 * (z[1:] + z[:-1])[None]
    solid = np.broadcast_to(middle_z < BASE, (len(x) - 1, len(z) - 1)).copy()
    for at, tall in zip(place, height, strict=True):
        solid |= (np.abs(middle_x - at) < THICK / 2) & (middle_z < BASE + tall)
    padded, quads, unit = np.pad(solid[:, None], 1), [], np.eye(3, dtype=int)
    for cell in np.argwhere(solid[:, None]):
        for axis in range(3):
            for side in (0, 1):
                if not padded[tuple(cell + 1 + (2 * side - 1) * unit[axis])]:
                    start, one, other = cell + side * unit[axis], unit[axis - 2], unit[axis - 1]
                    quad = [start, start + one, start + one + other, start + other]
                    quads.append(quad if side else quad[::-1])
    nodes, which = np.unique(np.array(quads).reshape(-1, 3), axis=0, return_inverse=True)
    vertices = np.stack([planes[axis][nodes[:, axis]] for axis in range(3)], axis=1)
    return vertices, which.reshape(-1, 4)[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)


def problem_of(p):
    far, thin = 1e3, 1e-3
    return Problem(
        mesh_sdf(*surface_of(p), unit="mm"),
        SteadyHeat(conductivity=10.0),
        [HeatFlux("heater", 5e4), Convection("rest", h=50.0, ambient=293.0)],
        {"heater": in_box((-thin, -far, -far), (thin, far, far))},
    )


# %% [markdown]
# ## One gradient
#
# The smooth peak counts what is within 2 K of the hottest as hot. Five linear systems are solved, however many
# parameters there are.

# %%
peak = PeakTemperature(width=2.0)
start = {"place": np.array([9.0, 18.0]), "height": np.array([8.0, 8.0])}
options = {"shape_of": shape_of, "key": jax.random.key(0), "cells": 4500}
found = shape_gradient(problem_of, start, peak, **options)
print(f"peak {found.value:.2f} K after {found.solves} systems")
print("K per mm to the right:", found.gradient["place"].round(3))
print("K per mm of height:   ", found.gradient["height"].round(3))
assert found.converged
assert np.all(found.gradient["height"] < 0)

# %% [markdown]
# ## Against differences
#
# Solving again for a fin that is moved by half a millimetre each way says the same. It takes two solutions for each
# parameter, and steps so large that the changing grid does not drown the difference.


# %%
def moved(change):
    return {"place": start["place"] + np.array([change, 0.0]), "height": start["height"]}


ends = [
    shape_gradient(problem_of, moved(change), peak, **options, form="surface").value for change in (-0.5, 0.5)
]
difference = ends[1] - ends[0]
print(f"first fin: {found.gradient['place'][0]:.3f} by the adjoint, {difference:.3f} by differences, K/mm")
assert abs(found.gradient["place"][0] - difference) < 0.15 * abs(difference)

# %% [markdown]
# ## Downhill
#
# Two steps along the gradient. The fins move, and lend each other height: their volume stays.

# %%
p, peaks = start, [found.value]
for _ in range(2):
    place, height = found.gradient["place"], found.gradient["height"] - found.gradient["height"].mean()
    step = 0.8 / max(np.abs(place).max(), np.abs(height).max())
    p = {"place": p["place"] - step * place, "height": p["height"] - step * height}
    found = shape_gradient(problem_of, p, peak, **options)
    peaks.append(found.value)
print("peaks / K:", np.round(peaks, 2))
assert peaks[-1] < peaks[0] - 1.0

figure, panels = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
panels[0].plot(peaks, "o-")
panels[0].set(xlabel="step", ylabel="smooth peak / K")
for shown, color, name in ((start, "0.6", "before"), (p, "#c2571a", "after")):
    x, y = [0.0, 0.0], [0.0, BASE]
    for at, tall in zip(shown["place"], shown["height"], strict=True):
        x += [at - THICK / 2, at - THICK / 2, at + THICK / 2, at + THICK / 2]
        y += [BASE, BASE + tall, BASE + tall, BASE]
    panels[1].plot([*x, LENGTH, LENGTH, 0.0], [*y, BASE, 0.0, 0.0], color=color, label=name)
panels[1].set(xlabel="x / mm", ylabel="z / mm", aspect="equal")
panels[1].legend(frameon=False)
plt.show()
