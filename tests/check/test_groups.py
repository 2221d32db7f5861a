"""Groups: random elements, what they refuse, periods."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import check, core
from tests.check.conftest import KEY, cloud, failing


@pytest.mark.parametrize("name", ["SO(2)", "SO(3)", "O(2)", "O(3)", "mirrors"])
def test_random_elements_belong_to_their_group(precision, name):
    n = 2 if "2" in name else 3
    group = check.GROUPS[name]
    x = jnp.zeros((1, n), precision)
    draw = jax.jit(jax.vmap(lambda key: group.sample(key, x)))
    elements = np.asarray(draw(jax.random.split(KEY, 400)), np.float64)
    eps = np.finfo(precision).eps
    np.testing.assert_allclose(
        elements @ elements.transpose(0, 2, 1), np.eye(n)[None].repeat(400, 0), atol=20 * eps
    )
    signs = set(np.round(np.linalg.det(elements)).astype(int).tolist())
    assert signs == {"S": {1}, "O": {1, -1}, "m": {-1}}[name[0]]
    # uniform: the mean of R vanishes, and so does that of R ⊗ R beyond δδ/n
    assert np.abs(elements.mean(0)).max() < 4 * (1 / n / 400) ** 0.5
    assert abs((elements[:, 0, 0] ** 2).mean() - 1 / n) < 4 * (0.2 / 400) ** 0.5


def test_no_drawn_element_is_the_identity():
    keys = jax.random.split(KEY, 300)

    def drawn(group, x):
        return np.asarray(jax.jit(jax.vmap(lambda key: group.sample(key, x)))(keys))

    orders = drawn(check.permutations, jnp.zeros((3, 1)))
    assert {tuple(order) for order in orders.tolist()} == set(itertools.permutations(range(3))) - {(0, 1, 2)}
    shifts = drawn(check.lattice(1.0), jnp.zeros(1))
    assert set(shifts.ravel().tolist()) == {-3, -2, -1, 1, 2, 3}
    places = drawn(check.cyclic_shifts(), jnp.zeros(3))
    assert set(places.tolist()) == {1, 2}


def test_arguments_of_different_length_are_not_reordered_together():
    both = check.permutations.moving(0, 1)
    with pytest.raises(ValueError, match=r"order of 5 rows cannot move an array of shape \(4, 3\)"):
        check.invariant(lambda x, y: jnp.sum(x), both, (cloud(), cloud(n=4)), key=KEY)


def test_unknown_groups_and_wrong_dimensions_are_explained():
    with pytest.raises(ValueError, match=r"unknown group 'SO\(4\)': use a Group or one of SO\(2\)"):
        check.invariant(jnp.sum, "SO(4)", cloud(), key=KEY)
    with pytest.raises(ValueError, match=r"SO\(3\) acts on a last axis of length 3"):
        check.invariant(jnp.sum, "SO(3)", cloud(dimension=2), key=KEY)
    with pytest.raises(ValueError, match="mirrors acts on a last axis, received an array of shape"):
        check.invariant(jnp.sum, "mirrors", jnp.ones(()), key=KEY)
    with pytest.raises(ValueError, match=r"SO\(3\) moves floating-point numbers, received int32"):
        check.invariant(jnp.sum, "SO(3)", jnp.arange(3), key=KEY)
    with pytest.raises(ValueError, match="items differ in shape"):
        check.invariant(jnp.sum, "SO(3)", [cloud(n=3), cloud(n=4)], key=KEY)
    with pytest.raises(ValueError, match="list of items is empty"):
        check.eikonal(jnp.sum, [])


def test_a_lattice_can_be_declared():
    assert hash(core.Property("periodic", group=check.lattice(((1.0, 0.0), (0.0, 2.0)))))


# --- periods


def test_periodic(precision):
    x = jnp.asarray([0.1, 0.7, -0.3], precision)
    assert check.assert_periodic(lambda x: jnp.sin(2 * jnp.pi * x), 1.0, x, key=KEY, tolerance=1e-5)
    assert failing(check.periodic(lambda x: jnp.sin(jnp.pi * x), 1.0, x, key=KEY), 0.1)
    hexagon = ((1.0, 0.0), (0.5, 0.75**0.5))

    def field(x):
        return jnp.cos(2 * jnp.pi * (x[0] - x[1] / 3**0.5)) + jnp.cos(4 * jnp.pi * x[1] / 3**0.5)

    assert check.periodic(field, hexagon, x[:2], key=KEY, tolerance=1e-4)
    assert failing(check.periodic(field, 1.0, x[:2], key=KEY), 0.01)


def test_a_flat_tuple_is_one_period_for_each_coordinate():
    x = jnp.asarray([0.1, 0.7, -0.3])

    def f(x):
        return jnp.stack([jnp.sin(2 * jnp.pi * x[0]), jnp.cos(jnp.pi * x[1]), x[2]])

    assert check.periodic(f, (1.0, 2.0, None), x, key=KEY)
    for wrong in ((2.0, 1.0, None), (1.0, 2.0, 3.0), 2.0):
        assert failing(check.periodic(f, wrong, x, key=KEY), 0.01)
    with pytest.raises(ValueError, match="last axis of length 3"):
        check.periodic(jnp.sin, (1.0, 2.0, None), x[:2], key=KEY)


@pytest.mark.parametrize(
    "period", [0.0, np.nan, np.inf, (1.0, 0.0), ((1.0, 0.0), (0.0, 0.0)), (None, None), ()]
)
def test_a_period_of_nothing_is_refused(period):
    with pytest.raises(ValueError, match="finite and not 0"):
        check.lattice(period)


def test_periods_may_be_lists_and_numpy_numbers(precision):
    assert check.lattice([np.float64(1.0), 2]) is check.lattice((1.0, 2.0))
    assert check.lattice(np.eye(2)) is check.lattice(((1.0, 0.0), (0.0, 1.0)))
    x = jnp.asarray([0.1, 0.2], precision)
    assert check.periodic(lambda x: jnp.sin(2 * jnp.pi * x), np.float64(1.0), x, key=KEY, tolerance=1e-5)


def test_whole_numbers_have_whole_periods():
    assert check.periodic(lambda n: n % 4, 4, jnp.asarray([1, 6]), key=KEY)
    assert failing(check.periodic(lambda n: n % 4, 2, jnp.asarray([1, 6]), key=KEY), 1e9)
    with pytest.raises(ValueError, match="moves floating-point numbers, received int32"):
        check.periodic(lambda n: n % 4, 0.5, jnp.asarray([1, 6]), key=KEY)
