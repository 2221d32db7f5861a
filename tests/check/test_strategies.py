"""Strategies find planted faults, let healthy encoders pass, and shrink to what a person would have written."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from geoembed import check
from geoembed.check import strategies

ANY = settings(derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))


def drawn(strategy, count=300):
    """What hypothesis draws, as numpy arrays, without shrinking."""
    values = []

    @given(strategy)
    @settings(ANY, max_examples=count, phases=[Phase.generate])
    def collect(value):
        values.append(jax.tree.map(np.asarray, value))

    collect()
    return values


def first(strategy, condition=lambda value: True, count=200):
    """The simplest example with a property."""
    return find(strategy, condition, settings=settings(ANY, max_examples=count))


def found(test, strategy):
    """The shrunk example of a test that fails."""

    def fails(value):
        try:
            test(value)
        except AssertionError:
            return True
        return False

    return first(strategy, fails)


# --- what is drawn


def test_keys():
    assert jax.random.key_data(first(strategies.keys(), count=1)).tolist() == [0, 0]


def test_phases_hold_what_is_to_be_feared(precision):
    values = np.asarray(drawn(strategies.phases()))
    assert values.dtype == precision
    assert np.isfinite(values).all()
    for quarter in (0.0, 0.25, 0.5, 0.75, 1.0):
        assert (values == quarter).any()
        assert ((values > quarter) & (values < quarter + 1e-6)).any()
    assert ((values == 0) & np.signbit(values)).any()
    assert ((np.abs(values) > 0) & (np.abs(values) < 1e-30)).any()
    assert (values > 1e6).any()
    assert (values < -1e6).any()
    assert ((values > 0) & (values < 1)).mean() > 0.2
    assert first(strategies.phases(), count=1) == 0
    assert drawn(strategies.phases((2, 3)), 1)[0].shape == (2, 3)


def test_points(precision):
    bound = 2.0
    points = np.asarray(drawn(strategies.points(3, bound=bound), 150))
    assert points.dtype == precision
    assert np.abs(points).max() == bound
    assert (points == 0).all(axis=1).any()
    assert (points == bound).any(axis=1).any()
    assert first(strategies.points(3), count=1).tolist() == [0, 0, 0]


def test_clouds():
    assert first(strategies.clouds((2, 4)), count=1).shape == (2, 3)
    clouds = [cloud for cloud in drawn(strategies.clouds((2, 4)), 150) if np.ptp(cloud) > 1e-3]
    assert {len(cloud) for cloud in clouds} == {2, 3, 4}
    fours = [cloud for cloud in clouds if len(cloud) == 4]
    assert any((cloud[0] == cloud[-1]).all() for cloud in fours)
    assert {np.linalg.matrix_rank(cloud) for cloud in fours} >= {1, 3}


def test_beside(precision):
    values = np.asarray(drawn(strategies.beside(0.5, 2.0)))
    kind, infinity = precision.type, precision.type(np.inf)
    assert values.dtype == precision
    for place in (kind(0.5), kind(2.0)):
        assert {place, np.nextafter(place, infinity), np.nextafter(place, -infinity)} <= set(values.tolist())
        assert any(5e-4 < abs(value - place) < 3e-3 for value in values)
    assert first(strategies.beside(0.5, 2.0), count=1) == 0.5
    at_zero = np.asarray(drawn(strategies.beside(0.0)))
    assert ((at_zero == 0) & np.signbit(at_zero)).any()
    assert np.finfo(precision).tiny in at_zero
    with pytest.raises(ValueError, match="at least one place"):
        strategies.beside()


def test_a_dtype_that_nobody_computes_in_is_refused():
    with pytest.raises(ValueError, match="float16, float32 or float64, received int32"):
        first(strategies.points(2, dtype=jnp.int32))


@pytest.mark.parametrize("group", [*check.GROUPS, check.lattice((1.0, 2.0, 4.0)), check.cyclic_shifts(1)])
def test_elements_of_every_group_move_items_as_the_group_does(group):
    name = group if isinstance(group, str) else group.name
    x = jnp.asarray(np.random.default_rng(0).normal(size=(3, 2 if "2)" in name else 3)), jnp.float32)
    pairs = drawn(strategies.moved(group, x), 20)
    assert any((start != there).any() for start, there in pairs)
    for start, there in pairs:
        assert (start == x).all()
        assert there.shape == x.shape
        if name == "permutations" or "cyclic" in name:
            assert sorted(there.ravel()) == sorted(start.ravel())
        else:  # isometries
            sides = [np.linalg.norm(y - np.roll(y, 1, axis=0), axis=1) for y in (start, there)]
            np.testing.assert_allclose(*sides, rtol=1e-5, atol=1e-5)


def test_special_elements_are_exact_turns_and_mirror_images():
    x = jnp.asarray([1.0, 2.0, 3.0])
    identity = first(strategies.elements("O(3)", x), count=1)
    assert identity.tolist() == np.eye(3).tolist()
    assert jnp.linalg.det(first(strategies.elements("mirrors", x), count=1)) == -1
    for group, count in (("SO(3)", 24), ("O(3)", 48), ("mirrors", 24)):
        special = check._groups.special_isometries(check.GROUPS[group], x)
        assert len({tuple(np.asarray(matrix).ravel().tolist()) for matrix in special}) == count
    turned = first(
        strategies.moved("SO(3)", x), lambda pair: jnp.all(pair[1] == jnp.asarray([3.0, 1.0, 2.0]))
    )
    assert turned[1].tolist() == [3, 1, 2]
    orders = first(strategies.elements("permutations", jnp.ones((3, 1))), lambda order: order[0] == 2)
    assert orders.tolist()[0] == 2


def test_arguments_are_moved_as_they_are_told():
    species = jnp.asarray([1, 2, 3])
    both = check.permutations.moving(0, 1)
    pairs = drawn(strategies.moved(both, st.tuples(strategies.clouds(3), st.just(species))), 30)
    assert any(there[1].tolist() == [2, 1, 3] for _, there in pairs)
    for (x, kinds), (moved_x, moved_kinds) in pairs:
        assert kinds.tolist() == [1, 2, 3]
        assert moved_x.tolist() == x[moved_kinds - 1].tolist()


# --- what is found


def test_a_healthy_encoder_passes_and_a_broken_one_shrinks_to_a_short_example():
    pairs = strategies.moved("permutations", strategies.clouds(3, bound=4.0))

    def healthy(pair):
        x, y = pair
        np.testing.assert_allclose(np.sum(x, axis=0), np.sum(y, axis=0), atol=1e-5)

    def broken(pair):
        x, y = pair
        np.testing.assert_allclose(np.asarray(x)[0], np.asarray(y)[0], atol=1e-5)

    given(pairs)(settings(ANY, max_examples=50)(healthy))()
    x, y = found(broken, pairs)
    rows = np.asarray(x)
    assert np.count_nonzero(rows) == 1  # one coordinate of one point tells the fault
    assert sorted(rows.tolist()) == sorted(np.asarray(y).tolist())


def test_a_phase_that_is_wrong_beyond_one_turn_is_found():
    def test(t):
        t = float(t)
        folded = t if t < 1 else t - 1  # right for one turn too many, no further
        assert abs(abs(2 * folded - 1) - abs(2 * (t % 1) - 1)) < 1e-3

    assert float(found(test, strategies.phases())) in (-0.25, -1.0, 3.0)


def test_a_kink_is_found_beside_its_place():
    def test(x):
        assert jnp.isfinite(jax.grad(lambda x: jnp.sqrt(jnp.abs(x - 1)))(x))

    assert float(found(test, strategies.beside(0.0, 1.0, 2.0))) == 1.0


def test_without_hypothesis_the_message_says_what_to_install():
    code = """
import sys
sys.modules["hypothesis"] = None
import geoembed.check
try:
    from geoembed.check import strategies
except ModuleNotFoundError as error:
    print(error.name, "|", error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == (
        "hypothesis | geoembed.check.strategies needs hypothesis: run  pip install 'geoembed[test]'"
    ), done.stderr
