"""A small picture of a shape: its distances in the plane, its lit surface in space."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from ..sdf import Box, Shape
from ._style import INK

_INCHES = 2.0
_ROOM = 0.22  # around a shape in the plane, in parts of its longest side
_LINES = 7  # of equal distance along half the picture
_GRID = 201  # points along one side of the plane
_INSIDE = LinearSegmentedColormap.from_list("inside", ["#cfe0f2", "#2f6ea8"])
_OUTSIDE = LinearSegmentedColormap.from_list("outside", ["#fbfaf7", "#d9cfbf"])
_DASHES = {"exact": "solid", "bound": "dashed", "implicit": "dotted"}
_BODY = np.array([0.42, 0.60, 0.80])
_FINE = 2  # rays along each side of a pixel
_STEPS = 160
_LIGHT = np.array([0.35, -0.5, 0.79])  # its direction as seen: right, into the picture, up


def shape_figure(shape: Shape, *, pixels: int = 200, view: tuple[float, float] = (25.0, -60.0)) -> Figure:
    """Draws a shape.

    In the plane: lines of equal distance, drawn through where the distance is exact, dashed where it is a bound,
    dotted where only its sign is right; blue is inside. In space: the surface, found by walking along parallel rays
    in steps of f/L, which never pass a surface. An unbounded shape is cut by its `region`.

    Args:
        shape: The shape. In space it must have a finite Lipschitz constant.
        pixels: The side of the picture.
        view: Elevation and azimuth of the eye, in degrees; of a shape in space.

    Returns:
        A square figure without axes.

    Raises:
        ValueError: The shape in space is implicit.
    """
    figure = Figure(figsize=(_INCHES, _INCHES), dpi=pixels / _INCHES)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    if shape.dimension == 2:
        _draw_plane(axes, shape)
    else:
        axes.imshow(_lit(shape, pixels, view), interpolation="nearest")
    return figure


def _draw_plane(axes, shape: Shape) -> None:
    lower, upper = (np.asarray(corner, float) for corner in shape.region(jnp.zeros(()).dtype))
    middle, half = 0.5 * (lower + upper), (0.5 + _ROOM) * float((upper - lower).max())
    x, y = (np.linspace(centre - half, centre + half, _GRID) for centre in middle)
    points = jnp.asarray(np.stack(np.meshgrid(x, y), -1).reshape(-1, 2).astype(np.float32))
    values = np.asarray(jax.jit(jax.vmap(shape))(points)).reshape(_GRID, _GRID)
    step = half / _LINES
    deep, far = -step * np.ceil(-values.min() / step), step * np.ceil(values.max() / step)
    for low, high, colours in ((deep, 0.0, _INSIDE.reversed()), (0.0, far, _OUTSIDE)):
        if high > low:
            axes.contourf(x, y, values, levels=np.arange(low, high + 0.5 * step, step), cmap=colours)
    for side, low, high in (("inside", deep, -step), ("outside", step, far)):
        levels = np.arange(low, high + 0.5 * step, step)
        if len(levels):
            dashes = _DASHES[getattr(shape.exactness, side)]
            axes.contour(
                x, y, values, levels=levels, colors=INK, linewidths=0.5, linestyles=dashes, alpha=0.6
            )
    axes.contour(x, y, values, levels=[0.0], colors=INK, linewidths=1.6)
    axes.set_aspect("equal")


def _lit(shape: Shape, pixels: int, view: tuple[float, float]) -> Float[np.ndarray, "p p 3"]:
    """The picture of a shape in space, white around it."""
    if not np.isfinite(shape.exactness.lipschitz):
        raise ValueError(f"an implicit {type(shape).__name__} has no safe step: only bounds can be drawn")
    lower, upper = (np.asarray(corner, float) for corner in shape.region(jnp.zeros(()).dtype))
    middle, radius = 0.5 * (lower + upper), 0.52 * float(np.linalg.norm(upper - lower))
    if not shape.bounded:
        shape = shape & Box(upper - lower).translate(middle)
    right, inward, up = _frame(*np.radians(view))
    side = _FINE * pixels
    steps = radius * (2 * (np.arange(side) + 0.5) / side - 1)
    across, above = np.meshgrid(steps, -steps)
    starts = middle + across.ravel()[:, None] * right + above.ravel()[:, None] * up - radius * inward
    hit, normals = _trace(
        shape, jnp.asarray(starts.astype(np.float32)), jnp.asarray(inward.astype(np.float32)), 2 * radius
    )
    normals = np.asarray(normals, float)
    light = _LIGHT / np.linalg.norm(_LIGHT)
    towards = normals @ (light[0] * right + light[1] * inward + light[2] * up)
    bright = 0.45 + 0.55 * np.clip(towards, 0, 1) + 0.12 * np.clip(-normals @ inward, 0, 1) ** 8
    colour = np.where(np.asarray(hit)[:, None], np.clip(bright[:, None] * _BODY, 0, 1), 1.0)
    return colour.reshape(pixels, _FINE, pixels, _FINE, 3).mean(axis=(1, 3))


def _frame(elevation: float, azimuth: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit vectors to the right, into the picture and up."""
    c, s, ce, se = np.cos(azimuth), np.sin(azimuth), np.cos(elevation), np.sin(elevation)
    return np.array([-s, c, 0.0]), -np.array([ce * c, ce * s, se]), np.array([-se * c, -se * s, ce])


@jax.jit
def _trace(
    shape: Shape, starts: Float[Array, "n 3"], inward: Float[Array, "3"], reach: Float[Array, ""] | float
) -> tuple[Array, Float[Array, "n 3"]]:
    """Which rays hit the shape, and the gradient there."""
    values = jax.vmap(shape)

    def step(_, gone: Array) -> Array:
        ahead = values(starts + gone[:, None] * inward[None]) / shape.exactness.lipschitz
        return jnp.minimum(gone + ahead, reach)

    gone = jax.lax.fori_loop(0, _STEPS, step, jnp.zeros_like(starts[:, 0]))
    ends = starts + gone[:, None] * inward[None]
    normals = jax.vmap(jax.grad(shape))(ends)
    length = jnp.linalg.norm(normals, axis=1, keepdims=True)
    hit = (gone < reach) & (jnp.abs(values(ends)) < 2e-3 * reach)
    return hit, normals / jnp.where(length == 0, 1.0, length)
