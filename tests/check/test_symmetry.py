"""Invariance, equivariance, sensitivity, periodicity: figures, worst inputs, and measurements that measure nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import check, core
from tests.check.conftest import KEY, cloud, failing, points
from tests.check.planted import distances, torque, volume


def inertia(x):
    return x.T @ x


@pytest.mark.parametrize(
    ("group", "dtype"),
    [(group, "float32") for group in ("SO(3)", "O(3)", "SE(3)", "E(3)", "translations")]
    + [("E(3)", "float64")],
)
def test_distances_are_invariant(group, dtype):
    """E(3), which has the moves of all others, in both precisions."""
    with jax.enable_x64(dtype == "float64"):
        result = check.assert_invariant(distances, group, cloud(dtype), key=KEY)
    assert result.value < (1e-5 if dtype == "float32" else 1e-13)
    assert result.worst_input.shape == (5, 3)


@pytest.mark.parametrize("group", ["SO(3)", "O(3)", "translations", "permutations", "cyclic shifts"])
def test_positions_are_not_invariant(group):
    assert failing(check.invariant(lambda x: x, group, cloud(), key=KEY), 0.1)


def test_a_slight_break_is_measured_as_large_as_it_is(precision):
    def slight(x):
        return jnp.sum(x**2) + 1e-3 * jnp.sin(x[0, 0])

    value = check.invariant(slight, "SO(3)", cloud(precision) / 10, key=KEY, samples=200).value
    assert 1e-5 < value < 2e-3


def test_the_worst_of_many_items_is_found():
    items = points()
    items[7] = items[7] * 0 + jnp.asarray([3.0, 0.0, 0.0])
    result = check.invariant(
        lambda x: jnp.where(core.norm(x) > 2.9, x[0], 0.0), "SO(3)", items, key=KEY, samples=200
    )
    assert failing(result, 0.5)
    assert np.array_equal(result.worst_input, [3, 0, 0])


@pytest.mark.parametrize(
    ("f", "representation", "wrong"),
    [
        (lambda x: jnp.sum(x, axis=0), check.vector, check.pseudovector),
        (torque, check.pseudovector, check.vector),
        (inertia, check.tensor, check.scalar),
        (volume, check.pseudoscalar, check.scalar),
    ],
)
def test_equivariance_tells_the_representations_apart(precision, f, representation, wrong):
    x = cloud(precision)
    assert check.assert_equivariant(f, "O(3)", x, key=KEY, representation=representation)
    assert failing(check.equivariant(f, "O(3)", x, key=KEY, representation=wrong), 0.1)


@pytest.mark.parametrize("group", ["E(3)", "permutations", "cyclic shifts"])
def test_outputs_that_move_like_the_input(group):
    assert check.assert_equivariant(lambda x: 2 * x - x, group, cloud(), key=KEY)
    assert failing(
        check.equivariant(lambda x: x * jnp.arange(1.0, 6.0)[:, None], group, cloud(), key=KEY), 0.1
    )


def test_representations_of_orders_shifts_and_translations(precision):
    x = cloud(precision)
    row = jnp.sum
    assert check.equivariant(
        lambda x: jax.vmap(row)(x), "permutations", x, key=KEY, representation=check.permutation
    )
    assert failing(
        check.equivariant(
            lambda x: jax.vmap(row)(x)[::-1], "permutations", x, key=KEY, representation=check.permutation
        ),
        0.1,
    )

    def rolling(places):
        return jnp.roll(jnp.eye(5), places, axis=0)

    assert check.equivariant(lambda x: x[:, 0], "cyclic shifts", x, key=KEY, representation=rolling)

    def turning(shift):  # of (sin, cos): x -> x + t turns the code by t
        s, c = jnp.sin(shift), jnp.cos(shift)
        return jnp.stack([jnp.stack([c, s]), jnp.stack([-s, c])])

    def circle(x):
        return jnp.stack([jnp.sin(x), jnp.cos(x)])

    phase = jnp.asarray(0.3, precision)
    for group in ("translations", check.lattice(1.0)):
        assert check.equivariant(circle, group, phase, key=KEY, representation=turning)
        assert failing(
            check.equivariant(circle, group, phase, key=KEY, representation=lambda t: turning(-t)), 0.1
        )


def test_a_representation_that_does_not_fit_is_explained():
    with pytest.raises(ValueError, match=r"size 3 cannot act on an output of shape \(5, 5\)"):
        check.equivariant(distances, "SO(3)", cloud(), key=KEY, representation=check.vector)
    with pytest.raises(ValueError, match=r"square matrix, received shape \(3,\)"):
        check.equivariant(distances, "SO(3)", cloud(), key=KEY, representation=lambda g: g[0])


def test_groups_move_the_arguments_they_are_told_to():
    species = jnp.asarray([1, 1, 8, 6, 1])

    def total(x, species):
        return jnp.sum(core.norm(x) * species.astype(x.dtype))

    both = check.permutations.moving(0, 1)
    assert check.invariant(total, both, (cloud(), species), key=KEY)
    assert failing(check.invariant(total, "permutations", (cloud(), species), key=KEY), 0.01)
    for wrong in (2, -1):
        with pytest.raises(ValueError, match=f"moves argument {wrong}, the call has 2"):
            check.invariant(total, check.permutations.moving(0, wrong), (cloud(), species), key=KEY)


# --- measurements that would measure nothing


@pytest.mark.parametrize(
    ("group", "x"),
    [
        ("SO(3)", jnp.zeros(3)),
        ("permutations", jnp.ones((4, 3))),
        ("cyclic shifts", jnp.ones(4)),
        (check.lattice(1e-12), jnp.ones(2)),  # lost in the rounding of x
    ],
)
def test_an_item_that_nothing_moves_is_no_evidence(group, x):
    for measured in (
        check.invariant(lambda x: x + 1, group, x, key=KEY),
        check.equivariant(lambda x: x + 1, group, x, key=KEY),
        check.sensitive(lambda x: x + 1, group, x, key=KEY),
    ):
        assert failing(measured)
        assert "moved any item" in measured.detail


def test_one_row_cannot_be_reordered():
    for group in ("permutations", "cyclic shifts"):
        with pytest.raises(ValueError, match="two rows or more"):
            check.invariant(jnp.sum, group, jnp.ones((1, 3)), key=KEY)
    with pytest.raises(ValueError, match="two rows or more on axis 2"):
        check.invariant(jnp.sum, check.cyclic_shifts(2), jnp.ones((4, 3)), key=KEY)


def test_outputs_below_the_tolerance_are_no_evidence():
    def tiny(x):
        return 1e-7 * x[0]

    result = check.invariant(tiny, "SO(3)", cloud()[0], key=KEY)
    assert not result
    assert "below the tolerance" in result.detail
    assert failing(check.invariant(tiny, "SO(3)", cloud()[0], key=KEY, tolerance=1e-9), 1e-8)
    whole = check.invariant(lambda x: jnp.argmax(core.norm(x)) * 0, "SO(3)", cloud(), key=KEY)
    assert whole.passed, "an integer differs or does not"


def test_nan_on_both_sides_is_not_equal():
    assert failing(check.invariant(lambda x: jnp.sum(x) * jnp.nan, "SO(3)", cloud(), key=KEY), 1e9)


@pytest.mark.parametrize("empty", [lambda x: (), lambda x: None, lambda x: x[:0]])
def test_an_empty_output_is_refused(empty):
    assert "no numbers to compare" in check.jit_matches_eager(empty, cloud()).detail
    with pytest.raises(ValueError, match="no numbers to compare"):
        check.invariant(empty, "SO(3)", cloud(), key=KEY)
    for derive in (check.gradient_matches, check.smooth, check.lipschitz):
        options = {"smooth": (1,), "lipschitz": (1.0,)}.get(derive.__name__, ())
        with pytest.raises(ValueError, match="no floating-point number"):
            derive(empty, *options, cloud(), key=KEY)


# --- sensitivity


def test_sensitive_notices_mirrors_and_order():
    assert check.assert_sensitive(volume, "mirrors", cloud(), key=KEY)
    assert failing(check.sensitive(distances, "mirrors", cloud(), key=KEY), -1)


def test_a_change_of_an_integer_is_noticed():
    items = [jnp.asarray([[0.0], [1.0]]), jnp.asarray([[1.0], [0.0]])]
    assert check.sensitive(lambda x: jnp.argmax(x), "permutations", items, key=KEY)
    assert not check.sensitive(lambda x: jnp.argmax(x) * 0, "permutations", items, key=KEY)


def test_sensitive_is_not_fooled_by_nan_or_by_rounding():
    assert not check.sensitive(lambda x: jnp.sum(x) * jnp.nan, "mirrors", cloud(), key=KEY)
    # a sum rounds differently in another order: no sign of noticing, whatever least change is asked for
    many = cloud(n=1000)
    assert not check.sensitive(lambda x: 0 * x[0] + jnp.sum(x), "permutations", many, key=KEY, least=1e-12)
    with pytest.raises(ValueError, match="above 0"):
        check.sensitive(lambda x: x, "permutations", cloud(), key=KEY, least=0.0)
