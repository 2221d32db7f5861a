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
# # One field for a family of heat sinks
#
# How high should the fins be? Each height is another part, another mesh, another solution. This notebook solves
# a few of them, trains one field on these, and asks it about all the others: their temperatures, their peak, and
# how the peak moves when the fins grow.
#
# It takes about a minute on one core, so the grids are coarse and the number of fins is fixed.
# `benchmarks/pinn_family.py` does the same for height and number of fins, with finite elements as the judge.

# %%
from functools import partial

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from geoembed.pinn import (
    Convection,
    Family,
    HeatFlux,
    Problem,
    SteadyHeat,
    member_error,
    solve,
    solve_member,
    train_family,
)
from geoembed.sdf import in_box, mesh_sdf

# %% [markdown]
# ## The members
#
# A plate of 24 mm × 16 mm × 3 mm with three fins, 2 mm thick. A heater of 8 mm × 6 mm sits under its middle, everything
# else is cooled by air. Part and load are symmetric: a quarter is enough, and its two cuts carry no heat.
#
# The surface is that of some blocks of a grid, so its faces are exact planes.

# %%
WIDTH, DEPTH, BASE, THICK, COUNT = 24.0, 16.0, 3.0, 2.0, 3
PITCH = WIDTH / COUNT


def surface(height):
    """Vertices and faces of a quarter."""
    x = np.array([0, THICK / 2, 4.0, PITCH - THICK / 2, PITCH + THICK / 2, WIDTH / 2])
    planes = x, np.array([0, 3.0, DEPTH / 2]), np.array([0, BASE, BASE + height])
    solid = np.ones((5, 2, 2), bool)
    solid[[1, 2, 4], :, 1] = False  # air between the fins
    padded, quads, unit = np.pad(solid, 1), [], np.eye(3, dtype=int)
    for place in np.argwhere(solid):
        for axis in range(3):
            for side in (0, 1):
                if not padded[tuple(place + 1 + (2 * side - 1) * unit[axis])]:
                    start, one, other = place + side * unit[axis], unit[axis - 2], unit[axis - 1]
                    quad = [start, start + one, start + one + other, start + other]
                    quads.append(quad if side else quad[::-1])
    nodes, which = np.unique(np.array(quads).reshape(-1, 3), axis=0, return_inverse=True)
    vertices = np.stack([planes[axis][nodes[:, axis]] for axis in range(3)], axis=1)
    return vertices, which.reshape(-1, 4)[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)


def make(parameters):
    """The problem of the member with a height in mm."""
    far, thin = 1e3, 1e-3
    return Problem(
        domain=mesh_sdf(*surface(float(parameters[0])), unit="mm"),
        equation=SteadyHeat(conductivity=10.0),
        conditions=[HeatFlux("heater", 5e4), Convection("rest", h=25.0, ambient=293.0)],
        patches={
            "heater": in_box((-far, -far, -thin), (4 + thin, 3 + thin, thin)),
            "mirror x": in_box((-thin, -far, -far), (thin, far, far)),
            "mirror y": in_box((-far, -thin, -far), (far, thin, far)),
        },
    )


# %% [markdown]
# ## What the network sees
#
# Not x, y, z, but where a point is in terms of the shape: how far up in the fin as a share of its height, how
# deep in the plate, which fin. In these, members look alike. Inside a fin, across which the temperature hardly
# varies, the place along the plate fades into that of the fin's middle.


# %%
def coordinates(x, parameters):
    axis = jnp.round(x[0] / PITCH) * PITCH  # middle of the nearest fin
    up = jnp.maximum(x[2] - BASE, 0.0)
    near = jnp.exp(-up / THICK)
    along = axis + near * (x[0] - axis)
    phase = near * jnp.cos(2 * jnp.pi * x[0] / PITCH)
    return jnp.stack([along**2, x[1] ** 2, jnp.minimum(x[2], BASE), up / parameters[0], near, phase])


family = Family(make, coordinates, lower=(6.0,), upper=(24.0,))

# %% [markdown]
# ## Solve five, train on four
#
# `solve_member` solves one and keeps its temperature at some points. `train_family` fits the field by least squares.
# The member that is held out is not trained on; it says when to stop and how large the error is between the others.

# %%
solver = partial(solve, cells=5_000, first_cells=5_000)
heights = (6.0, 10.0, 17.0, 24.0, 13.0)
members = [
    solve_member(family, [height], key=jax.random.key(i), points=450, solver=solver)
    for i, height in enumerate(heights)
]
result = train_family(family, members[:4], held_out=members[4:], key=jax.random.key(0), width=12, steps=60)
field = result.field
print("trained:", [f"{error:.2%}" for error in result.errors])
print("held out, 13 mm:", f"{result.held_out_errors[0]:.2%}")
assert result.held_out_errors[0] < 2e-2

# %% [markdown]
# ## A member that nobody has seen
#
# 20 mm: solved now, only to look at the difference. An error is relative to how much the temperature varies in the
# part. A guess that interpolates linearly between the neighbours at the same places of the shape is the thing to beat;
# for points of the plate, which all members share, it is quickly written.

# %%
unseen = solve_member(family, [20.0], key=jax.random.key(9), points=450, solver=solver)
print(f"error {member_error(field, unseen):.2%} of the spread, {unseen.spread:.1f} K")

many = jax.jit(jax.vmap(field, (0, None)))
found = np.asarray(many(jnp.asarray(unseen.points, jnp.float32), jnp.array([20.0])))
figure, axes = plt.subplots(figsize=(5, 3.2), layout="constrained")
shown = axes.scatter(unseen.points[:, 2], found - unseen.values, c=unseen.values, s=4, cmap="inferno")
axes.set(xlabel="z / mm", ylabel="field - solver / K", title="20 mm, not trained on")
figure.colorbar(shown, label="T / K")
plt.show()

# %% [markdown]
# ## Any height at once
#
# The parameters are arguments: `vmap` runs over heights, `grad` differentiates in them. The peak is over the middle of
# the heater.

# %%
centre = jnp.zeros(3)
range_of_heights = jnp.linspace(6.0, 24.0, 73)[:, None]
peak, slope = jax.vmap(jax.value_and_grad(lambda p: field(centre, p)))(range_of_heights)
figure, panels = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
panels[0].plot(range_of_heights[:, 0], peak, label="field")
hottest = [member.values.max() for member in members]
panels[0].plot(heights, hottest, "o", label="hottest of 450 points, solver")
panels[0].set(xlabel="height / mm", ylabel="peak / K")
panels[0].legend()
panels[1].plot(range_of_heights[:, 0], slope[:, 0])
panels[1].set(xlabel="height / mm", ylabel="change of the peak / (K/mm)", ylim=(None, 0))
plt.show()

# %% [markdown]
# ## The lowest fins that keep it cool
#
# The peak shall not exceed a limit. Newton's method with the gradient of the field finds the height in a few steps.

# %%
limit = float(peak.mean())
height = 12.0
for _ in range(6):
    value, change = jax.value_and_grad(lambda p: field(centre, p))(jnp.array([height]))
    height -= float((value - limit) / change[0])
    print(f"{height:.3f} mm")
reached = float(field(centre, jnp.array([height])))
print(f"fins of {height:.2f} mm keep the peak at {reached:.2f} K, asked for {limit:.2f} K")
assert abs(reached - limit) < 0.05
