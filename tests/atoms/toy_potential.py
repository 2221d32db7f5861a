"""A pair potential with a few parameters for each element, and structures that it labels itself."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from geoembed.atoms import Batch, Frame, neighbour_pairs
from geoembed.core import register


@register(name="tests.atoms.Morse")
class Morse(eqx.Module):
    """E = ½ Σ D (e^{−2a(r−r₀)} − 2e^{−a(r−r₀)}) (1 − r²/c²)³ over the neighbours; D = √(D D'), and means of a and r₀.

    Args:
        depth: log D/eV of each element.
        stiffness: a, 1/Å.
        distance: r₀, Å.
        numbers: The atomic numbers of the elements.
        cutoff: c, Å.
    """

    depth: Float[Array, " elements"]
    stiffness: Float[Array, " elements"]
    distance: Float[Array, " elements"]
    numbers: tuple[int, ...] = eqx.field(static=True)
    cutoff: float = eqx.field(static=True)

    def __call__(self, batch: Batch) -> Float[Array, " atoms"]:
        row = jnp.argmax(batch.numbers[:, None] == jnp.asarray(self.numbers, batch.kind.dtype)[None], axis=1)
        near = batch.neighbours
        depth, stiffness, distance = (
            0.5 * (values[row][:, None] + values[row][near.index])
            for values in (self.depth, self.stiffness, self.distance)
        )
        square = jnp.sum(batch.to_centre() ** 2, axis=-1)
        fade = jnp.exp(-stiffness * (jnp.sqrt(square) - distance))
        cut = jnp.maximum(1.0 - square / self.cutoff**2, 0.0) ** 3
        pairs = jnp.exp(depth) * (fade * fade - 2.0 * fade) * cut
        return 0.5 * jnp.sum(jnp.where(near.mask, pairs, 0.0), axis=1)


def morse(dtype="float32", shift=0.0):
    """A potential of argon and krypton; `shift` moves its parameters."""

    def values(*numbers):
        return jnp.asarray([number + shift for number in numbers], dtype)

    return Morse(values(-1.0, -0.5), values(1.2, 1.0), values(2.4, 2.7), (18, 36), 6.0)


def clusters(count, *, cells=True, seed=0):
    """Random clusters of four and five atoms, every second pair of them in a cell, without labels."""
    draw = np.random.default_rng(seed)
    frames = []
    for number in range(count):
        atoms = 4 + number % 2
        grid = np.array([[i, j, k] for i in range(2) for j in range(2) for k in range(2)], float)[:atoms]
        positions = 2.4 * grid + draw.normal(0, 0.15, (atoms, 3))
        boxed = cells and number % 4 < 2
        cell = np.diag([13.0, 14.0, 15.0]) + draw.normal(0, 0.5, (3, 3)) if boxed else None
        kinds = draw.choice([18, 36], atoms)
        frames.append(
            Frame(kinds, positions, cell, np.full(3, boxed), info={"config_type": "box" if boxed else "free"})
        )
    return frames


def said(frame, potential):
    """Energy, forces and stress (None without a cell) that a potential gives, by numpy in float64."""
    depth, stiffness, distance = (
        np.asarray(values, np.float64)
        for values in (potential.depth, potential.stiffness, potential.distance)
    )
    row = np.array([potential.numbers.index(number) for number in frame.numbers])
    first, second, shift = neighbour_pairs(frame, potential.cutoff)
    cell = np.zeros((3, 3)) if frame.cell is None else frame.cell
    vector = frame.positions[second] + shift @ cell - frame.positions[first]
    d, a, r0 = (0.5 * (v[row[first]] + v[row[second]]) for v in (depth, stiffness, distance))
    r = np.linalg.norm(vector, axis=1)
    fade, cut = np.exp(-a * (r - r0)), 1 - (r / potential.cutoff) ** 2
    well, slope = fade**2 - 2 * fade, -2 * a * (fade**2 - fade)
    pair = np.exp(d) * well * cut**3
    by_r = np.exp(d) * (slope * cut**3 - well * 6 * r / potential.cutoff**2 * cut**2)
    force = (by_r / r)[:, None] * vector  # on the first atom, from both orders of the pair together
    forces = np.zeros_like(frame.positions)
    np.add.at(forces, first, force)
    virial = 0.5 * force.T @ vector
    return 0.5 * pair.sum(), forces, None if frame.cell is None else virial / abs(np.linalg.det(cell))


def labelled(frames, potential):
    """The frames with the energies, forces and stresses of a potential."""
    found = [said(frame, potential) for frame in frames]
    return [
        replace(frame, energy=float(energy), forces=forces, stress=stress)
        for frame, (energy, forces, stress) in zip(frames, found, strict=True)
    ]


def leaves(tree):
    """All arrays of a tree as bytes."""
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(tree) if eqx.is_array(leaf)]


def write_xyz(path, frames):
    """Writes frames as extended XYZ."""
    lines = []
    for frame in frames:
        comment = ["Properties=species:S:1:pos:R:3" + ("" if frame.forces is None else ":forces:R:3")]
        for name, matrix in (("Lattice", frame.cell), ("stress", frame.stress)):
            if matrix is not None:
                comment.append(f'{name}="{" ".join(repr(float(x)) for x in matrix.ravel())}"')
        comment += [] if frame.energy is None else [f"energy={frame.energy!r}"]
        comment += [f"{name}={value}" for name, value in frame.info.items()]
        comment.append('pbc="' + " ".join("FT"[int(p)] for p in frame.pbc) + '"')
        lines += [str(len(frame.numbers)), " ".join(comment)]
        rows = frame.positions if frame.forces is None else np.hstack([frame.positions, frame.forces])
        for symbol, row in zip(frame.symbols, rows, strict=True):
            lines.append(" ".join([symbol, *(repr(float(x)) for x in row)]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
