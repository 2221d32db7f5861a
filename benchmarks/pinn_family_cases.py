"""A family of heat sinks, what a network should see of their points, and simpler ways to guess a member."""

import math
from collections.abc import Callable, Sequence

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.interpolate import RBFInterpolator

from geoembed.pinn import Convection, HeatFlux, Problem, SteadyHeat
from geoembed.sdf import in_box, mesh_sdf

WIDTH, DEPTH, BASE, THICK = 36.0, 24.0, 3.0, 1.6  # mm: plate in x and y, its thickness, that of a fin
HEATER = (12.0, 8.0)  # mm, in the middle of the underside
WATTS, CONDUCTIVITY, TRANSFER, AMBIENT = 5.0, 10.0, 25.0, 293.0  # W, W/(m K), W/(m² K), K
LOWER, UPPER = (6.0, 3.0), (24.0, 9.0)  # height of the fins in mm, number of fins

HEIGHTS, COUNTS = (6.0, 10.0, 14.5, 19.5, 24.0), (3, 4, 6, 8, 9)
TRAINED = [(height, count) for count in COUNTS for height in HEIGHTS]
HELD_OUT = [(8.0, 4), (17.0, 5), (12.0, 7), (22.0, 8)]  # stop the training
UNSEEN = [
    (11.0, 5),
    (21.0, 5),
    (8.0, 7),
    (16.0, 7),
    (22.0, 7),
    (12.0, 4),
    (17.0, 9),
    (22.0, 3),
]  # judged by FEM


def axes_of(count: int) -> np.ndarray:
    """x of the fins' middle planes."""
    return (np.arange(count) + 0.5) * WIDTH / count - WIDTH / 2


def surface(height: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and faces of a quarter of the part, x ≥ 0 and y ≥ 0; it and its load are symmetric."""
    axes = axes_of(count)
    x = np.concatenate([axes - THICK / 2, axes + THICK / 2, [0, HEATER[0] / 2, WIDTH / 2]])
    x = np.unique(np.round(x[x >= 0], 9))
    y, z = np.array([0, HEATER[1] / 2, DEPTH / 2]), np.array([0, BASE, BASE + height])
    middle = 0.5 * (x[1:] + x[:-1])
    solid = np.ones((len(x) - 1, 2, 2), bool)
    solid[:, :, 1] = np.any(np.abs(middle[:, None] - axes[None]) < THICK / 2, axis=1)[:, None]
    return blocks((x, y, z), solid)


def blocks(planes: Sequence[np.ndarray], solid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The surface of the union of the solid blocks of a rectilinear grid, with shared vertices."""
    padded, quads = np.pad(solid, 1), []
    for place in np.argwhere(solid):
        for axis in range(3):
            for side in (0, 1):
                beyond = place + (2 * side - 1) * np.eye(3, dtype=int)[axis]
                if not padded[tuple(beyond + 1)]:
                    quads.append(_quad(place, axis, side))
    nodes, which = np.unique(np.array(quads).reshape(-1, 3), axis=0, return_inverse=True)
    vertices = np.stack([planes[axis][nodes[:, axis]] for axis in range(3)], axis=1)
    return vertices, which.reshape(-1, 4)[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)


def _quad(place: np.ndarray, axis: int, side: int) -> list[np.ndarray]:
    one, other = np.eye(3, dtype=int)[(axis + 1) % 3], np.eye(3, dtype=int)[(axis + 2) % 3]
    start = place + side * np.eye(3, dtype=int)[axis]
    corners = [start, start + one, start + one + other, start + other]
    return corners if side else corners[::-1]


def make(parameters: Float[np.ndarray, "2"]) -> Problem:
    """The member with a fin height (mm) and a number of fins: a heater below, air around."""
    height, count = float(parameters[0]), round(float(parameters[1]))
    vertices, faces = surface(height, count)
    far, thin = 1e3, 1e-3
    patches = {
        "heater": in_box((-far, -far, -thin), (HEATER[0] / 2 + thin, HEATER[1] / 2 + thin, thin)),
        "mirror x": in_box((-thin, -far, -far), (thin, far, far)),
        "mirror y": in_box((-far, -thin, -far), (far, thin, far)),
    }
    flux = WATTS / (HEATER[0] * HEATER[1] * 1e-6)
    return Problem(
        domain=mesh_sdf(vertices, faces, unit="mm"),
        equation=SteadyHeat(CONDUCTIVITY),
        conditions=[HeatFlux("heater", flux), Convection("rest", TRANSFER, AMBIENT)],
        patches=patches,
    )


def coordinates(x: Float[Array, "3"], parameters: Float[Array, "2"]) -> Float[Array, " f"]:
    """What the network sees: where in the plate, which fin, how far up in it, how near to its foot and to the heater.

    Temperature hardly varies across a fin, so inside a fin the place along x fades into that of its middle plane. The
    last two have the right infinite slopes at the edges of the heater and at the feet of the fins; the slopes of the
    others are continuous inside the part, as the temperature's are.
    """
    height, count = parameters[0], parameters[1]
    pitch = WIDTH / count
    axis = (jnp.floor((x[0] + WIDTH / 2) / pitch) + 0.5) * pitch - WIDTH / 2
    offset, up = x[0] - axis, jnp.maximum(x[2] - BASE, 0.0)
    low = jnp.exp(-((up / THICK) ** 2))
    angle = 2 * jnp.pi / pitch
    ripple = 1 / jnp.cosh(angle * (x[2] - BASE))  # what repeats with the fins fades as fast as this
    feet = foot(offset, x[2] - BASE), foot(-offset, x[2] - BASE)
    return jnp.stack(
        [
            x[0],
            axis + low * offset,
            x[1],
            x[2] / (x[2] + BASE),
            up**2 / ((up + THICK) * height),
            low,
            ripple * jnp.cos(angle * offset),
            ripple * jnp.sin(angle * offset),
            low * jnp.exp(-((offset / THICK) ** 2)),
            heater_potential(x),
            feet[0] + feet[1],
            feet[0] - feet[1],
        ]
    )


def heater_potential(x: Float[Array, "3"]) -> Float[Array, ""]:
    """∫ dA / |x − x'| over the heater: up to a factor the temperature under it in a half-space."""
    z, total = x[2] + 0.02, jnp.zeros((), x.dtype)  # mm; off the plane of the heater, where it has corners
    for i in (-1, 1):
        for j in (-1, 1):
            u, v = x[0] - i * HEATER[0] / 2, x[1] - j * HEATER[1] / 2
            far = jnp.sqrt(u**2 + v**2 + z**2)
            logs = u * jnp.arcsinh(v / jnp.sqrt(u**2 + z**2)) + v * jnp.arcsinh(u / jnp.sqrt(v**2 + z**2))
            total = total + i * j * (logs - z * jnp.arctan(u * v / (z * far)))
    return total


def foot(offset: Float[Array, ""], up: Float[Array, ""]) -> Float[Array, ""]:
    """r^(2/3) cos(2θ/3), the leading singular temperature at an insulated edge of 270°, near one foot of a fin."""
    side = offset - THICK / 2
    square = side**2 + up**2 + 1e-12
    angle = jnp.mod(0.5 - jnp.arctan2(up, side + 1e-9), 2 * jnp.pi) - 0.5  # jumps in the air, not on a face
    return jnp.exp(-4 * square / THICK**2) * jnp.cbrt(square) * jnp.cos(2 * angle / 3)


def carried(points: Float[np.ndarray, "n 3"], member: Sequence[float], other: Sequence[float]) -> np.ndarray:
    """Points of one member at the same place of another: as far up in the fin that is nearest."""
    up = np.maximum(points[:, 2] - BASE, 0.0)
    own, new = axes_of(round(member[1])), axes_of(round(other[1]))
    axis = own[np.argmin(np.abs(points[:, 0, None] - own[None]), axis=1)]
    nearest = new[np.argmin(np.abs(np.abs(axis)[:, None] - new[None]), axis=1)]
    moved = points.copy()
    in_fin = up > 0
    inside = np.clip(points[:, 0] - axis, -THICK / 2, THICK / 2)
    moved[in_fin, 0] = np.abs(nearest + inside)[in_fin]
    moved[:, 2] = np.where(in_fin, BASE + up * other[0] / member[0], points[:, 2])
    return moved


Field = Callable[[np.ndarray], np.ndarray]


def nearest_member(points: np.ndarray, member: tuple, trained: dict[tuple, Field]) -> np.ndarray:
    """The trained member with the closest parameters."""
    span = np.subtract(UPPER, LOWER)
    found = min(trained, key=lambda other: float(np.linalg.norm(np.subtract(member, other) / span)))
    return trained[found](carried(points, member, found))


def linear_between(points: np.ndarray, member: tuple, trained: dict[tuple, Field]) -> np.ndarray:
    """Linear in height and in number between the four trained members around."""
    total = np.zeros(len(points))
    for height, a in _hats(member[0], HEIGHTS):
        for count, b in _hats(member[1], COUNTS):
            if a * b > 0:
                total += a * b * trained[(height, count)](carried(points, member, (height, count)))
    return total


def _hats(value: float, knots: Sequence[float]) -> list[tuple[float, float]]:
    weights = [float(np.interp(value, knots, np.eye(len(knots))[i])) for i in range(len(knots))]
    return list(zip(knots, weights, strict=True))


def principal_components(points: np.ndarray, member: tuple, trained: dict[tuple, Field]) -> np.ndarray:
    """Trained members at the same places, their principal components, coefficients by thin-plate splines."""
    span = np.subtract(UPPER, LOWER)
    known = np.array([np.subtract(other, LOWER) / span for other in trained])
    snapshots = np.stack([field(carried(points, member, other)) for other, field in trained.items()])
    mean = snapshots.mean(0)
    left, size, modes = np.linalg.svd(snapshots - mean, full_matrices=False)
    regression = RBFInterpolator(known, left * size, kernel="thin_plate_spline", degree=1)
    return mean + regression((np.subtract(member, LOWER) / span)[None])[0] @ modes


def fin_theory(points: np.ndarray, member: tuple) -> np.ndarray:
    """A plate of one temperature and straight fins with insulated tips of corrected length.

    References:
        F. P. Incropera, D. P. DeWitt, Fundamentals of Heat and Mass Transfer, sect. 3.6.
    """
    height, count = member
    metre = 1e-3
    m = math.sqrt(2 * TRANSFER * (DEPTH + THICK) / (CONDUCTIVITY * THICK * DEPTH * metre))
    length = (height + THICK * DEPTH / (2 * (THICK + DEPTH))) * metre
    fins = 2 * count * (DEPTH + THICK) * metre * length * math.tanh(m * length) / (m * length)
    plate = WIDTH * DEPTH - HEATER[0] * HEATER[1] + WIDTH * DEPTH - count * THICK * DEPTH
    plate = (plate + 2 * (WIDTH + DEPTH) * BASE) * metre**2
    rise = WATTS / (TRANSFER * (fins + plate))
    up = np.maximum(points[:, 2] - BASE, 0.0) * metre
    return AMBIENT + rise * np.cosh(m * (length - up)) / math.cosh(m * length)
