"""Neighbours that are used again while atoms move, and larger cells."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.atoms import Follower, Frame, Verlet, narrow, pack, predict, supercell
from geoembed.core import InputError
from tests.atoms.structures import brute_pairs, frame, random_frames
from tests.atoms.toy import morse_energy, toy

(LIQUID,) = random_frames(3, (24,))
CUTOFF, SKIN = 3.0, 0.4
narrowed = jax.jit(narrow, static_argnums=(2,))
stale = eqx.filter_jit(Verlet.stale)


def listed(batch) -> set[tuple[int, ...]]:
    near = jax.tree.map(np.asarray, batch.neighbours)
    atom, slot = np.nonzero(near.mask)
    return {
        (int(i), int(near.index[i, s]), *near.shift[i, s].astype(int).tolist())
        for i, s in zip(atom, slot, strict=True)
    }


def assert_turned(batch) -> None:
    """`reverse` leads to the same pair seen from the other atom, and back."""
    near = jax.tree.map(np.asarray, batch.neighbours)
    reverse, slots = near.reverse.ravel(), near.index.shape[1]
    np.testing.assert_array_equal(reverse[reverse], np.arange(reverse.size))
    np.testing.assert_array_equal((reverse // slots)[near.mask.ravel()], near.index[near.mask])
    shift = near.shift.reshape(-1, 3)
    np.testing.assert_array_equal(shift[reverse], -shift)
    assert (reverse == np.arange(reverse.size))[~near.mask.ravel()].all()


@pytest.fixture(scope="module")
def found():
    batch = pack([LIQUID], CUTOFF + SKIN, slots=40, dtype="float32")
    return batch, Verlet(batch.positions, batch.cells, batch.owner, CUTOFF, SKIN)


def deformed(change: np.ndarray, moves: np.ndarray) -> Frame:
    return dataclasses.replace(LIQUID, positions=LIQUID.positions @ change + moves, cell=LIQUID.cell @ change)


def test_a_list_that_is_not_stale_holds_every_pair(found):
    """Random moves and deformations: whenever the flag is down, no pair within the cutoff is missing."""
    batch, verlet = found
    rng, down = np.random.default_rng(0), 0
    for size in np.linspace(0.02, 0.4, 40):
        moves = rng.normal(size=LIQUID.positions.shape)
        moves *= size * rng.random() / np.linalg.norm(moves, axis=1, keepdims=True)
        change = np.eye(3) + rng.normal(size=(3, 3)) * 0.03 * rng.random()
        now = deformed(change, moves)
        moved = eqx.tree_at(
            lambda b: (b.positions, b.cells), batch,
            (jnp.asarray(now.positions, "float32"), jnp.asarray(now.cell[None], "float32")),
        )  # fmt: skip
        if not stale(verlet, moved):
            down += 1
            assert brute_pairs(now, CUTOFF, 2) <= listed(batch)
    assert 5 < down < 35


def test_the_flag_rises_at_half_the_skin(found):
    batch, verlet = found
    for move, expected in ((0.49 * SKIN, False), (0.51 * SKIN, True), (np.nan, True)):
        moved = eqx.tree_at(lambda b: b.positions, batch, batch.positions.at[3, 1].add(move))
        assert bool(stale(verlet, moved)) == expected
    for strain, expected in ((0.9 * SKIN / (CUTOFF + SKIN), False), (1.1 * SKIN / (CUTOFF + SKIN), True)):
        now = deformed(np.diag([1 - strain, 1, 1]), 0.0)
        moved = eqx.tree_at(
            lambda b: (b.positions, b.cells), batch,
            (jnp.asarray(now.positions, "float32"), jnp.asarray(now.cell[None], "float32")),
        )  # fmt: skip
        assert bool(stale(verlet, moved)) == expected


def test_narrowed_lists_hold_the_pairs_within_the_cutoff(found):
    batch, _ = found
    few, overflow = narrowed(batch, CUTOFF, 30)
    assert few.neighbours.index.shape == (24, 30)
    assert not overflow
    assert listed(few) == brute_pairs(LIQUID, CUTOFF, 2)
    empty = ~np.asarray(few.neighbours.mask)
    assert (np.asarray(few.neighbours.index)[empty] == np.nonzero(empty)[0]).all()
    assert_turned(few)
    most = np.bincount([pair[0] for pair in listed(few)]).max()
    squeezed, overflow = narrowed(batch, CUTOFF, int(most) - 1)
    assert overflow
    assert listed(squeezed) < listed(few)


def test_follower_searches_seldom_and_is_right():
    with jax.enable_x64(True):
        follow, now, sizes = Follower(CUTOFF, skin=SKIN), LIQUID, set()
        rng = np.random.default_rng(1)
        for _ in range(30):
            step = 0.03 * rng.normal(size=now.positions.shape)
            now = dataclasses.replace(now, positions=now.positions + step)
            batch = follow(now)
            sizes.add(batch.neighbours.index.shape)
            assert brute_pairs(now, CUTOFF, 2) <= listed(batch)
            np.testing.assert_array_equal(batch.positions, now.positions)
        assert 1 < follow.searches < 15
        assert len(sizes) <= 2
        before = follow.searches
        follow(dataclasses.replace(now, numbers=now.numbers[::-1].copy()))
        assert follow.searches == before + 1
    for options in ({"cutoff": 0.0}, {"cutoff": 3.0, "skin": -1.0}, {"cutoff": 3.0, "growth": 1.0}):
        with pytest.raises(InputError):
            Follower(**options)


@pytest.mark.slow
def test_without_a_cell():
    with jax.enable_x64(True):
        follow = Follower(3.0, skin=0.5)
        one = frame([[0, 0, 0], [0, 0, 3.2]])
        assert follow(one).neighbours.mask.any()
        follow(dataclasses.replace(one, positions=one.positions + 0.1))
        assert follow.searches == 1
        follow(frame([[0, 0, 0], [0, 0, 3.2]], np.diag([9.0, 9, 0]), (False,) * 3))
        assert follow.searches == 2


def test_supercells():
    cell = np.array([[2.4, 0, 0], [0.9, 2.5, 0], [-0.6, 0.4, 2.7]])
    one = frame([[0.1, 0.2, 0.3], [1.3, 1.2, 1.4]], cell, numbers=[11, 17], energy=-3.0, forces=np.eye(3)[:2])
    big = supercell(one, (2, 1, 3))
    assert morse_energy(big) == pytest.approx(6 * morse_energy(one), rel=1e-12)
    assert big.energy == -18
    assert big.forces.shape == (12, 3)
    np.testing.assert_allclose(big.cell, cell * np.array([[2], [1], [3]]))
    for repeats in ((1, 1), (0, 1, 1)):
        with pytest.raises(InputError):
            supercell(one, repeats)
    with pytest.raises(InputError, match="pbc"):
        supercell(dataclasses.replace(one, pbc=np.array([True, True, False])), (1, 1, 2))


@pytest.mark.slow
def test_energy_is_kept_in_a_jitted_run_with_one_list():
    """Velocity Verlet inside one `scan`; the flag is gathered on the way."""
    with jax.enable_x64(True):
        fcc = 1.775 * np.array([[0.0, 1, 1], [1, 0, 1], [1, 1, 0]])
        crystal = supercell(frame([[0, 0, 0]], fcc, numbers=[18]), (4, 4, 4))
        model, step = toy(cutoff=4.0), 1.0  # fs
        mass = 39.95 * 103.642697  # eV fs²/Å²
        batch = pack([crystal], 5.2)
        verlet = Verlet(batch.positions, batch.cells, batch.owner, 4.0, 1.2)
        rng = np.random.default_rng(0)
        speed = rng.normal(size=crystal.positions.shape) * np.sqrt(0.015 / mass)
        speed = jnp.asarray(speed - speed.mean(axis=0))

        def look(positions):
            moved = eqx.tree_at(lambda b: b.positions, batch, positions)
            fewer, overflow = narrow(moved, 4.0, 30)
            value = predict(model, fewer)
            return value.energy[0], value.forces, overflow | verlet.stale(moved)

        def advance(state, _):
            positions, speed, forces = state
            speed = speed + 0.5 * step / mass * forces
            positions = positions + step * speed
            energy, forces, bad = look(positions)
            speed = speed + 0.5 * step / mass * forces
            return (positions, speed, forces), (energy + 0.5 * mass * jnp.sum(speed**2), bad)

        @jax.jit
        def run(positions, speed):
            state = (positions, speed, look(positions)[1])
            return jax.lax.scan(advance, state, None, length=1000)

        _, (total, bad) = run(batch.positions, speed)
        assert not bad.any()
        assert float(jnp.abs(total - total[0]).max()) / 64 < 2e-5
