"""Atoms around a dislocation: the lattice in D dimensions is displaced, then cut.

A displacement around a line has many values, U(θ + 2π) = U(θ) + b. A cut, on which θ jumps, picks one at every place,
and a site is where x = P k + U_par(x) holds at its final place x. Next to the cut a lattice vector k may have no site
or two. If b is the projection of a vector of the lattice, the sites just before the cut continue those just behind it,
and the structure does not know where the cut was made. If it is not, there is a fault on the cut.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64, Int64

from ..core import InputError
from ._ball_points import ball_points
from ._displacement import STEEPEST, Around, displaced_site
from ._model import Coset
from ._strip import Accepts

_CHUNK = 8192  # lattice vectors that are solved side by side, always as many: one program
_FAN = 16  # directions that are tried for a lattice vector near the line


class DefectCut(NamedTuple):
    """The sites of a displaced lattice.

    Args:
        points: Their places, in the unit of P.
        perp: Their perpendicular coordinates, inside the window.
        indices: Their lattice vectors; one may come twice, on both sides of a cut, and other ones not at all.
        angle: The angle about the line on the sheet of the displacement; 0 without a line.
        species: What the surface they belong to stands for; 0 where it is not said.
    """

    points: Float64[np.ndarray, "n d"]
    perp: Float64[np.ndarray, "n e"]
    indices: Int64[np.ndarray, "n D"]
    angle: Float64[np.ndarray, " n"]
    species: Int64[np.ndarray, " n"]


def dislocated_cut(
    parallel: Float64[np.ndarray, "d D"],
    perp: Float64[np.ndarray, "e D"],
    field: Around,
    window: Accepts,
    *,
    radius: float,
    window_radius: float,
    core: float,
    shift: Float64[np.ndarray, " e"] | None = None,
    branch: float = 0.0,
    position: Float64[np.ndarray, " D"] | None = None,
    coset: Coset | None = None,
) -> DefectCut:
    """All sites of a quasicrystal with a dislocation, in a ball around 0 and outside the core.

    `dislocated` does this for all surfaces of a model.

    Args:
        parallel: P, the projection of the lattice on physical space.
        perp: Q, the projection on perpendicular space.
        field: The displacement: `winding(b, line)`, or `straight_dislocation` for an elastic one.
        window: Which perpendicular coordinates [n, e] belong to a site.
        radius: Of the ball, in the unit of P.
        window_radius: The largest distance from 0 in the window.
        core: Sites nearer to the line are left out: there a displacement of the lattice means nothing.
        shift: Moves the lattice in perpendicular space.
        branch: The angle at which the displacement is cut; sites have angles in [branch, branch + 2π).
        position: Where in the unit cell the window is centred, in the basis of the lattice; 0 by default.
        coset: On which lattice vectors it sits; all by default.

    Returns:
        The sites, on the host. Their places do not depend on `branch` exactly if the Burgers vector is (P k, Q k) for a
        vector k of the lattice; their indices always do.

    Raises:
        InputError: The core is so small that the displacement around it is not single-valued.

    References:
        Socolar, Lubensky, Steinhardt, Phys. Rev. B 34, 3345 (1986), sec. V; Kléman, Adv. Phys. 38, 605 (1989).
    """
    d = len(parallel)
    steepest, reach = _survey(field, d, radius, core, branch)
    if steepest > STEEPEST:
        raise InputError(
            "dislocation",
            "core",
            f"at its rim, {core} from the line, the displacement has the gradient {steepest:.2f}",
            f"take a core of at least {core * steepest / STEEPEST:.3g}, so that places have one origin each",
        )
    indices, base = lattice_sites(
        parallel, perp, radius + reach[0], window_radius + reach[1], shift, position, coset
    )
    rows, starts = _starts(base, field, core, reach[0], branch)
    places, angles, order = _solutions(base, field, rows, starts, branch)
    distance = np.linalg.norm(_plane(places[:, :d], field), axis=1)
    chosen = (np.linalg.norm(places[:, :d], axis=1) <= radius) & (distance > core)
    chosen[chosen] = window(places[chosen, d:])
    species = np.zeros(np.count_nonzero(chosen), np.int64)
    return DefectCut(places[chosen, :d], places[chosen, d:], indices[order[chosen]], angles[chosen], species)


def lattice_sites(
    parallel: Float64[np.ndarray, "d D"],
    perp: Float64[np.ndarray, "e D"],
    radius: float,
    perp_radius: float,
    shift: Float64[np.ndarray, " e"] | None,
    position: Float64[np.ndarray, " D"] | None,
    coset: Coset | None,
) -> tuple[Int64[np.ndarray, "n D"], Float64[np.ndarray, "n D"]]:
    """Lattice vectors k of a coset, and P (k + s), Q (k + s) + shift, with at least all that lie within two radii."""
    at = np.zeros(parallel.shape[1]) if position is None else position
    beside = np.zeros(len(perp)) if shift is None else shift
    start = np.concatenate([parallel @ at, perp @ at + beside])
    far = (float(np.linalg.norm(part)) for part in np.split(start, [len(parallel)]))
    indices = ball_points(parallel, perp, *(r + f for r, f in zip((radius, perp_radius), far, strict=True)))
    if coset is not None:
        indices = indices[coset.contains(indices)]
    return indices, np.concatenate([indices @ parallel.T, indices @ perp.T], axis=1) + start


def _starts(
    base: Float64[np.ndarray, "n D"], field: Around, core: float, reach: float, branch: float
) -> tuple[Int64[np.ndarray, " m"], Float64[np.ndarray, " m"]]:
    """Which lattice vectors to solve from which angles, so that no solution outside the core is missed."""
    along, across = _plane(base[:, : field.axes.shape[1]], field).T
    angle = branch + (np.arctan2(across, along) - branch) % (2 * np.pi)
    distance = np.hypot(along, across)
    # Far from the line a site cannot come to its other side: there is one solution on each sheet, near the angle of the
    # lattice vector. It crosses the cut only if the cut is in reach.
    far = distance > core + reach
    to_cut = np.where(np.cos(angle - branch) > 0, np.abs(distance * np.sin(angle - branch)), distance)
    everywhere, crossing = np.flatnonzero(far), np.flatnonzero(far & (to_cut <= reach))
    # Near the line all directions are tried.
    near = np.repeat(np.flatnonzero(~far), _FAN)
    fan = branch + 2 * np.pi * (np.arange(_FAN) + 0.5) / _FAN
    rows = np.concatenate([everywhere, crossing, crossing, near])
    sheets = np.repeat([0, -2 * np.pi, 2 * np.pi], [len(everywhere), len(crossing), len(crossing)])
    return rows, np.concatenate([angle[rows[: len(sheets)]] + sheets, np.tile(fan, len(near) // _FAN)])


def _solutions(
    base: Float64[np.ndarray, "n D"],
    field: Around,
    rows: Int64[np.ndarray, " m"],
    starts: Float64[np.ndarray, " m"],
    branch: float,
) -> tuple[Float64[np.ndarray, "k D"], Float64[np.ndarray, " k"], Int64[np.ndarray, " k"]]:
    """The sites whose angles are behind the cut, each once: places, angles, and which lattice vectors they are."""
    dtype, eps = field.origin.dtype, float(jnp.finfo(field.origin.dtype).eps)
    found = []
    for begin in range(0, len(rows), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        missing = _CHUNK - len(rows[part])
        padded = np.pad(base[rows[part]], ((0, missing), (0, 0)), mode="edge")
        angles = np.pad(starts[part], (0, missing), mode="edge")
        answer = _solve(jnp.asarray(padded, dtype), field, jnp.asarray(angles, dtype))
        found.append([np.asarray(x, np.float64)[: _CHUNK - missing] for x in answer])
    places, angles, gaps = (np.concatenate(x) for x in zip(*found, strict=True))
    solved = gaps < 64 * eps * (1 + np.abs(base).max())
    # Lattices have rows of sites exactly along axes: the cut is made where rounding does not decide about them.
    since = angles - (branch - np.sqrt(eps))
    kept = np.flatnonzero((since >= 0) & (since < 2 * np.pi) & solved)
    kept = kept[np.lexsort([angles[kept], rows[kept]])]
    again = (np.diff(rows[kept], prepend=-1) == 0) & (np.diff(angles[kept], prepend=0) < np.sqrt(eps))
    kept = kept[~again]
    return places[kept], angles[kept], rows[kept]


@eqx.filter_jit
def _solve(
    base: Float[Array, "n D"], field: Around, starts: Float[Array, " n"]
) -> tuple[Float[Array, "n D"], Float[Array, " n"], Float[Array, " n"]]:
    return jax.vmap(displaced_site, (0, None, 0))(base, field, starts)


def _plane(points: Float64[np.ndarray, "n d"], field: Around) -> Float64[np.ndarray, "n 2"]:
    origin, axes = np.asarray(field.origin, np.float64), np.asarray(field.axes, np.float64)
    return (points - origin) @ axes.T


def _survey(
    field: Around, d: int, radius: float, core: float, branch: float
) -> tuple[float, tuple[float, float]]:
    """The steepest gradient at the rim of the core and the largest displacements, parallel and perpendicular."""
    dtype = field.origin.dtype
    far = radius + float(np.linalg.norm(np.asarray(field.origin)))
    angles = jnp.asarray(branch + np.linspace(-0.5, 2 * np.pi + 0.5, 97), dtype)
    radii = jnp.asarray([core, far], dtype)
    values, slopes = _surveyed(field, radii, angles)
    gradient = np.linalg.norm(np.asarray(slopes, np.float64)[..., :d, :], ord=2, axis=(-2, -1)).max()
    sizes = np.asarray(values, np.float64)
    longest = [1.02 * float(np.linalg.norm(part, axis=-1).max()) for part in np.split(sizes, [d], axis=-1)]
    return float(gradient), (longest[0], longest[1])


@eqx.filter_jit
def _surveyed(
    field: Around, radii: Float[Array, " r"], angles: Float[Array, " a"]
) -> tuple[Float[Array, "r a D"], Float[Array, "a D 2"]]:
    """Displacements on circles, and their slopes outwards and around on the first."""
    each = jax.vmap(jax.vmap(field.unwrapped, (None, 0)), (0, None))

    def slope(angle: Float[Array, ""]) -> Float[Array, "D 2"]:
        outward, around = jax.jacfwd(field.unwrapped, argnums=(0, 1))(radii[0], angle)
        return jnp.stack([outward, around / radii[0]], axis=-1)

    return each(radii, angles), jax.vmap(slope)(angles)
