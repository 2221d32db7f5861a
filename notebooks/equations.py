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
# # Equations, solved by networks
#
# A problem is a domain, an equation and conditions. `solve` finds a network whose residual is small, and
# says how far it may be trusted. This notebook solves four problems whose solutions are known from
# somewhere else: a steepening wave (Burgers), a heated L, a front of an equation of your own, and a disc
# that loses heat through its rim. The last section says when to use something else.
#
# It takes about a minute on two cores.

# %%
from itertools import pairwise

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

import geoembed
from geoembed.core import MLP, InputError
from geoembed.pinn import (
    Burgers,
    Dirichlet,
    Initial,
    Interval,
    Neumann,
    Poisson,
    Problem,
    Robin,
    Training,
    UserEquation,
    derivatives,
    solve,
    time_derivative,
)
from geoembed.sdf import Circle, Polygon, evaluate


def at(field, points):
    """The values of a field at many points, in float64."""
    with jax.enable_x64(True):
        return np.asarray(jax.jit(jax.vmap(field))(jnp.asarray(points)))


def relative(found, exact):
    """‖found − exact‖ / ‖exact‖."""
    return np.linalg.norm(found - exact) / np.linalg.norm(exact)


# %% [markdown]
# ## State a problem
#
# Burgers' equation $u_t + u\,u_x = \nu\,u_{xx}$ on $-1 < x < 1$, $0 < t < 1$, from $u = -\sin\pi x$ and with
# zeros at both ends. The crest of the wave moves faster than its foot, so the wave steepens in the middle.
# A point is an array $(x, t)$, time last. The benchmark of the literature has $\nu = 0.01/\pi$, which takes half a
# minute; here $\nu = 0.05$ takes a few seconds.

# %%
nu = 0.05
problem = Problem(
    domain=Interval(-1.0, 1.0),
    equation=Burgers(viscosity=nu),
    conditions=[Initial(lambda x: -jnp.sin(jnp.pi * x[0])), Dirichlet("all", 0.0)],
    time=(0.0, 1.0),
)

# %% [markdown]
# ## Solve it
#
# In one or two dimensions, time included, the network is one layer of localised features: products of splines
# along $x$ and $t$, some hundred to some ten thousand of them. Intervals are halved where the splines are too
# coarse, until the estimated error is below the tolerance.

# %%
result = solve(problem, key=jax.random.key(0), tolerance=1e-8)
print(f"{result.status}: {result.iterations} steps, {result.parameters} parameters, {result.seconds:.0f} s")
print(f"estimated error {result.estimated_error:.0e}, held-out residual {result.held_out_residual:.0e}")

# %% [markdown]
# The conditions hold whatever the coefficients: the field is $u = g + m N$ with an $m$ that is 0 at the ends, and an
# $N$ that is 0 at the first moment.

# %%
ends = np.array([[-1.0, 0.3], [1.0, 0.8]])
start = np.column_stack([np.linspace(-1, 1, 5), np.zeros(5)])
print(
    "at the ends", at(result.value, ends), " at t = 0", at(result.value, start) + np.sin(np.pi * start[:, 0])
)
assert np.abs(at(result.value, ends)).max() < 1e-12
assert np.abs(at(result.value, start) + np.sin(np.pi * start[:, 0])).max() < 1e-12

# %% [markdown]
# ## Compare with an independent reference
#
# Hopf and Cole found that $u = -2\nu\,\varphi_x/\varphi$ turns the equation into that of heat. The solution is a
# quotient of two integrals with a Gaussian, and Gauss–Hermite quadrature does them:
#
# $$u(x, t) = -\frac{\int \sin(\pi y)\, f(y)\, e^{-s^2} \mathrm ds}{\int f(y)\, e^{-s^2} \mathrm ds},\qquad
# y = x - 2\sqrt{\nu t}\, s,\quad f(y) = e^{-\cos(\pi y)/(2\pi\nu)} .$$


# %%
def cole_hopf(x, t, points=100):
    """The exact solution, to the accuracy of the quadrature."""
    s, weights = np.polynomial.hermite.hermgauss(points)
    y = x[..., None] - 2 * np.sqrt(nu * t[..., None]) * s
    exponent = -np.cos(np.pi * y) / (2 * np.pi * nu)
    share = weights * np.exp(exponent - exponent.max(axis=-1, keepdims=True))
    return -(np.sin(np.pi * y) * share).sum(-1) / share.sum(-1)


x, t = np.meshgrid(np.linspace(-1, 1, 201), np.linspace(0, 1, 101))
exact = cole_hopf(x, t)
assert np.abs(exact - cole_hopf(x, t, 150)).max() < 1e-9  # more points change nothing
found = at(result.value, np.stack([x, t], axis=-1).reshape(-1, 2)).reshape(x.shape)
error = relative(found, exact)
print(f"error {error:.1e}, estimated {result.estimated_error:.1e}")
assert error < 1e-8

# %%
figure, (field, wrong, cuts) = plt.subplots(1, 3, figsize=(12, 3.4), layout="constrained")
shown = field.pcolormesh(t, x, found, cmap="RdBu_r", shading="gouraud")
figure.colorbar(shown, label="u")
field.set(xlabel="t", ylabel="x", title="the solution")
shown = wrong.pcolormesh(
    t, x, np.log10(np.abs(found - exact) + 1e-14), cmap="magma", shading="gouraud", vmin=-13
)
figure.colorbar(shown, label="log₁₀ |error|")
wrong.set(xlabel="t", title="its error")
for i in (0, 25, 50, 100):
    (line,) = cuts.plot(x[i], found[i], label=f"t = {t[i, 0]:g}")
    cuts.plot(x[i, ::10], exact[i, ::10], "o", color=line.get_color(), markersize=3)
cuts.set(xlabel="x", ylabel="u", title="lines: splines, dots: exact")
cuts.legend(fontsize=8)
plt.show()

# %% [markdown]
# ## The evidence, without a reference
#
# Usually nobody knows the solution. Then there is this:
#
# - the **held-out residual**: how well the equation holds at points that were never trained on. If it stays
#   high while the training residual falls, the network fits its points and not the equation. The best field
#   by this measure is the one that is returned;
# - the **estimated error**, from how much the field changed from one grid to the next. It is an estimate and no
#   bound: all fields of one run may be wrong in the same way.

# %%
history = {name: np.array([record[name] for record in result.history]) for name in result.history[0]}
grids = np.arange(len(result.history))
figure, (axes, cells) = plt.subplots(1, 2, figsize=(12, 3.4), layout="constrained")
axes.semilogy(grids, history["residual"], "o-", label="residual at the training points")
axes.semilogy(grids, history["held_out"], "o--", label="held-out residual")
axes.semilogy(grids, history["estimated_error"], "ko-", label="estimated error")
axes.axhline(error, color="k", linestyle=":", label="true error of the result")
axes.legend(fontsize=8)
axes.set(xlabel="grid", xticks=grids)
along_x, along_t = result.value.network.breaks
cells.hlines(np.array(along_x), 0, 1, color="0.6", linewidth=0.6)
cells.vlines((np.array(along_t) + 1) / 2, -1, 1, color="0.6", linewidth=0.6)
cells.set(xlabel="t", ylabel="x", title="the intervals of the last grid")
plt.show()

# %% [markdown]
# The field is a function of a point. Its derivatives are exact, so quantities that are made of them need no
# further approximation: here the steepest slope, which the exact solution has at $x = 0$.


# %%
def slope(p):
    return jax.grad(result.value)(p)[0]


times = np.linspace(0, 1, 101)
steepness = at(slope, np.column_stack([np.zeros(101), times]))
steepest = np.array([times[steepness.argmin()]])
true = (cole_hopf(np.array([1e-4]), steepest) / 1e-4).item()  # u is odd in x
print(f"steepest at t = {steepest.item():.2f}: slope {steepness.min():.2f}, exactly {true:.2f}")

# %% [markdown]
# ## A domain with corners
#
# $-\Delta u = 1$ in an L, $u = 0$ on its boundary. At the inner corner the solution behaves like $r^{2/3}$:
# its gradient is infinite there, as that of no smooth network is. Nothing has to be said about it: the
# outline of the domain is known in pieces, so the corner and its exponent are found, and $m$ behaves like the
# solution there.

# %%
outline = [(0, 0), (1, 0), (1, 1), (-1, 1), (-1, -1), (0, -1)]
ell = Polygon(np.array(outline, float))
heated = Problem(ell, Poisson(source=1.0), [Dirichlet("all", 0.0)])
print("pieces:", ", ".join(piece.name for piece in heated.in_fields.outline))
for corner in heated.in_fields.corners:
    print(f"singular: {corner.point}, angle {np.degrees(corner.angle):.0f}°, exponent {corner.exponent:.3f}")

# %%
ell_result = solve(heated, key=jax.random.key(0), tolerance=3e-5)
print(f"{ell_result.status}: {ell_result.parameters} parameters, {ell_result.seconds:.0f} s")
print(f"estimated error {ell_result.estimated_error:.0e}")

# %% [markdown]
# The reference again shares nothing with the solver. $v = u + r^2/4$ is harmonic, so it is fitted on the boundary
# by functions that are harmonic: $r^{2k/3}\sin(2k\theta/3)$ at the inner corner, polynomials, and logarithms at
# the right angles. By the maximum principle the largest misfit on the boundary bounds the error everywhere
# inside.

# %%
loop = [complex(*corner) for corner in outline]
middles = {1 + 1j: -1 - 1j, -1 + 1j: 1 - 1j, -1 - 1j: 1 + 1j, 1: -1 + 1j, -1j: -1 + 1j, 0: -1 + 1j}


def harmonic(z):
    """Values of the functions, as columns."""
    order = 2 / 3 * np.arange(1, 17)
    turn = np.mod(np.angle(z), 2 * np.pi)[:, None]
    powers = (z[:, None] / 2) ** np.arange(16)
    columns = [np.abs(z / 2)[:, None] ** order * np.sin(order * turn), powers.real, powers.imag]
    for corner, middle in middles.items():
        w = (z - corner) / middle
        w = np.where(w == 0, 1e-15, w)[:, None]
        logarithm = w ** np.array([2, 4]) * np.log(w)
        columns += [logarithm.real, logarithm.imag]
    return np.hstack(columns)


def edges(count, shift):
    """Points on the boundary, dense at the corners."""
    share = 0.5 - 0.5 * np.cos(np.pi * (np.arange(count) + shift) / count)
    return np.concatenate([a + (b - a) * share for a, b in pairwise([*loop, loop[0]])])


z = edges(300, 0.5)
weights = np.linalg.lstsq(harmonic(z), np.abs(z) ** 2 / 4, rcond=None)[0]
z = edges(301, 0.2)
bound = np.abs(harmonic(z) @ weights - np.abs(z) ** 2 / 4).max()
print(f"the reference is right to {bound:.0e}")
assert bound < 1e-6

# %%
x, y = np.meshgrid(np.linspace(-1, 1, 161), np.linspace(-1, 1, 161))
points = np.stack([x, y], axis=-1).reshape(-1, 2)
inside = evaluate(ell, points) < 0
z = points[inside] @ np.array([1, 1j])
exact = harmonic(z) @ weights - np.abs(z) ** 2 / 4
found = at(ell_result.value, points[inside])
ell_error = relative(found, exact)
print(f"error {ell_error:.1e}, estimated {ell_result.estimated_error:.1e}")
assert ell_error < 3e-5

figure, panels = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
for axes, values, title, colours in (
    (panels[0], found, "u", "inferno"),
    (panels[1], np.log10(np.abs(found - exact) + 1e-12), "log₁₀ |error|", "magma"),
):
    picture = np.full(len(points), np.nan)
    picture[inside] = values
    low = np.quantile(values, 0.01)
    shown = axes.pcolormesh(x, y, picture.reshape(x.shape), cmap=colours, shading="nearest", vmin=low)
    figure.colorbar(shown)
    axes.set(title=title, aspect="equal", xticks=[-1, 0, 1], yticks=[-1, 0, 1])
plt.show()

# %% [markdown]
# ## Your own equation
#
# An equation is the function that is zero where it holds. Fisher's equation $u_t = u_{xx} + 6\,u\,(1-u)$ describes
# a population that spreads; Ablowitz and Zeppetella know one of its fronts, $u = (1 + e^{x - 5t})^{-2}$.
#
# Values may be functions of the point. On the right end the flux is given instead, $\partial u/\partial n$
# unless the equation says otherwise. That condition is *soft*: further rows of the least squares, at points on
# the boundary, with a weight that `solve` chooses.


# %%
def fisher(u, x):
    value, _, second = derivatives(u, 0, 2)(x)
    return time_derivative(u)(x) - second - 6 * value * (1 - value)


def front(x):
    return (1 + jnp.exp(x[0] - 5 * x[1])) ** -2


def front_slope(x):
    return -2 * jnp.exp(x[0] - 5 * x[1]) * (1 + jnp.exp(x[0] - 5 * x[1])) ** -3


spreading = Problem(
    domain=Interval(-5.0, 10.0),
    equation=UserEquation(fisher, dimensions=(1,), transient=True),
    conditions=[Initial(front), Dirichlet("left", front), Neumann("right", front_slope)],
    time=(0.0, 1.0),
)
front_result = solve(spreading, key=jax.random.key(0), tolerance=1e-6)
print(f"{front_result.status}: estimated error {front_result.estimated_error:.1e}")

# %% [markdown]
# With four or more coordinates, or if you want it, the network has layers. One of your own is a function of
# the features (here two coordinates) with one output for each unknown. Make it in float64. `Training` says how
# many points and steps it gets; Levenberg–Marquardt and quasi-Newton steps train all its layers. It is much
# slower here, and far from as accurate:

# %%
with jax.enable_x64(True):
    small = MLP(2, 1, 10, 2, activation="tanh", key=jax.random.key(1))
layers_result = solve(spreading, key=jax.random.key(0), network=small, training=Training(steps=60))
x, t = np.meshgrid(np.linspace(-5, 10, 151), np.linspace(0, 1, 41))
points = np.stack([x, t], axis=-1).reshape(-1, 2)
found, exact = at(front_result.value, points), at(front, points)
front_error, layers_error = relative(found, exact), relative(at(layers_result.value, points), exact)
print(f"splines: error {front_error:.1e}, estimated {front_result.estimated_error:.1e}")
print(f"layers, 60 steps: error {layers_error:.1e}, estimated {layers_result.estimated_error:.1e}")
assert front_error < 1e-6
assert layers_error < 1e-2

figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
for i in (0, 20, 40):
    (line,) = axes.plot(x[i], found.reshape(x.shape)[i], label=f"t = {t[i, 0]:g}")
    axes.plot(x[i, ::8], exact.reshape(x.shape)[i, ::8], "o", color=line.get_color(), markersize=3)
axes.set(xlabel="x", ylabel="u", title="lines: splines, dots: the exact front")
axes.legend(fontsize=8)
plt.show()

# %% [markdown]
# Compare the two numbers of the layers: an estimate may also be lower than the error.
#
# ## Soft conditions
#
# A disc with the source 4 loses heat through its rim, $\partial u/\partial n + 2u = 0$. The exact solution is
# $2 - r^2$. A `Robin` condition is soft too, so it does not hold to rounding but as well as the equation
# does.

# %%
disc = Problem(Circle(1.0), Poisson(source=4.0), [Robin("rim", coefficient=2.0, value=0.0)])
disc_result = solve(disc, key=jax.random.key(0), tolerance=1e-8)
turn = np.linspace(0, 2 * np.pi, 100)
rim = np.column_stack([np.cos(turn), np.sin(turn)])


def loss(x):
    return jax.grad(disc_result.value)(x) @ x + 2 * disc_result.value(x)  # on the rim the normal is x


inside = np.sqrt(np.random.default_rng(0).random((1000, 1))) * rim[np.arange(1000) % 100]
disc_error = relative(at(disc_result.value, inside), 2 - (inside**2).sum(1))
print(f"error {disc_error:.1e}, condition on the rim wrong by {np.abs(at(loss, rim)).max():.1e}")
print(f"{disc_result.status}, estimated error {disc_result.estimated_error:.1e}")
assert disc_error < 1e-8

# %% [markdown]
# A piece of the boundary **without a condition is free** here. That differs from energies and finite elements, where
# it would be insulated. If the flux is zero, say so with `Neumann`.
#
# ## When not to use it
#
# - **Real parts.** At a sharp inner edge in space the second derivatives of a temperature are not square
#   integrable, and networks that minimise the residual avoid the edge and the heat that flows around it. For
#   steady heat in a part use `SteadyHeat`, which minimises the energy; see the notebook `heat_in_a_part`. It
#   is another solver behind the same `solve`, and it takes no other equation.
# - **One forward problem on a simple domain.** Finite elements, finite differences or spectral methods are
#   faster and their errors are better understood. The references above took less than a second.
# - **Many waves in three dimensions, or long times.** A grid grows with the product of the intervals along its
#   axes, and a run ends with the status "cell limit" when the memory does. Split the time.
#
# What it gives in exchange: a differentiable function of the point, any equation you can write down, conditions
# that hold exactly, and evidence that comes with the answer.
#
# ## Keep it
#
# A mistake is named where it is made, and a result is a folder with a checksum of every file. Functions that
# were given as conditions are code and not data: a field that contains one is saved only if the function was
# registered (`geoembed.core.register`).

# %%
try:
    Problem(Interval(0.0, 1.0), Poisson(1.0), [Dirichlet("top")])
except InputError as refused:
    print(refused)

geoembed.save("ell", ell_result)
again = geoembed.load("ell")
places = np.array([[-0.5, 0.5], [0.3, 0.7]])
assert np.array_equal(at(again.value, places), at(ell_result.value, places))
