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
# # Several materials in one domain
#
# Where two materials meet, the temperature has a kink, and where they touch badly it jumps. No smooth function follows
# that. `Materials` takes one smooth function per region instead, and rows of the least squares join them on the
# interfaces. Both problems here have solutions in closed form. It takes about 20 seconds on one core.

# %%
import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from geoembed.pinn import Dirichlet, HeatEquation, Interface, Interval, Materials, Poisson, Problem, solve
from geoembed.sdf import Box, Circle


def at(field, points):
    """The values of a field at many points, in float64."""
    with jax.enable_x64(True):
        return np.asarray(jax.jit(jax.vmap(field))(jnp.asarray(points)))


# %% [markdown]
# ## A wall with a bad contact
#
# 12 cm of brick (0.8 W/(m K)) and 8 cm of wood (0.15), 20 °C inside and −5 °C outside, with a contact between them that
# resists the heat like 0.2 m² K/W. Resistances in a row add up, which gives the exact solution.

# %%
brick, wood, contact = (0.12, 0.8), (0.08, 0.15), 0.2
wall = Problem(
    Interval(0.0, brick[0] + wood[0]),
    Materials(
        {"brick": Interval(0.0, brick[0])}, {"brick": HeatEquation(brick[1]), "rest": HeatEquation(wood[1])}
    ),
    [Dirichlet("left", 20.0), Dirichlet("right", -5.0), Interface(("brick", "rest"), resistance=contact)],
)
result = solve(wall, key=jax.random.key(0))
x = np.linspace(0.0005, 0.1995, 400)
flow = 25.0 / (brick[0] / brick[1] + contact + wood[0] / wood[1])
passed = np.clip(x, 0.0, brick[0]) / brick[1] + np.clip(x - brick[0], 0.0, None) / wood[1]
exact = 20.0 - flow * (passed + contact * (x > brick[0]))
found = at(result.value, x[:, None])
print(result.status, f"largest error {np.max(np.abs(found - exact)):.1e} K")
assert np.max(np.abs(found - exact)) < 1e-8

# %%
figure, axes = plt.subplots(figsize=(6, 3), layout="constrained")
axes.plot(100 * x, found, color="#1b6ca8")
axes.set_xlabel("Depth, cm")
axes.set_ylabel("Temperature, °C")
plt.show()

# %% [markdown]
# Each region has its own function, which is known on the interface too. So the heat that crosses it can be taken from
# either side:

# %%
middle = jnp.array([brick[0]])
for number, conductivity in enumerate((brick[1], wood[1])):
    with jax.enable_x64(True):
        slope = jax.grad(result.value.in_region(number))(jnp.asarray(middle, jnp.float64))[0]
    print(f"{-conductivity * float(slope):.9f} W/m²")
    assert abs(-conductivity * float(slope) - flow) < 1e-6

# %% [markdown]
# ## A disc in a plane
#
# A disc conducts ten times as well as the plane around it, in which the temperature rises evenly from left to right far
# away. J. C. Maxwell's solution is a uniform field inside and a dipole outside. The circle cuts through the cells of
# the grid as it likes.

# %%
ratio, radius = 10.0, 0.5
share = (1 - ratio) / (1 + ratio) * radius**2


def dipole(x):
    """The exact values on the outer square."""
    return x[0] + share * x[0] / (x[0] ** 2 + x[1] ** 2)


plane = Problem(
    Box([2.0, 2.0]),
    Materials({"disc": Circle(radius)}, {"disc": Poisson(diffusivity=ratio), "rest": Poisson()}),
    [Dirichlet("all", dipole, hard=False)],
)
result = solve(plane, key=jax.random.key(0), tolerance=3e-4)
line = np.linspace(-0.995, 0.995, 80)
points = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
square = np.sum(points**2, axis=1)
inside = square < radius**2
exact = points[:, 0] * np.where(inside, 2 / (1 + ratio), 1 + share / np.maximum(square, radius**2))
found = at(result.value, points)
error = np.linalg.norm(found - exact) / np.linalg.norm(exact)
print(result.status, f"relative error {error:.1e}, estimated {result.estimated_error:.1e}")
assert error < 3e-5

# %%
figure, axes = plt.subplots(figsize=(4, 3.6), layout="constrained")
levels = axes.contour(line, line, found.reshape(80, 80), 21, cmap="viridis")
turn = np.linspace(0, 2 * np.pi, 200)
axes.plot(radius * np.cos(turn), radius * np.sin(turn), color="black", linewidth=0.8)
axes.set_aspect("equal")
figure.colorbar(levels, label="Temperature")
plt.show()

# %% [markdown]
# `experiments/materials` compares this with one field whose coefficient is blurred.
