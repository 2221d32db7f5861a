"""Each check on an encoder that keeps the promise and on one, planted, that breaks it."""

import json

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import check, core
from geoembed.check import lattice

KEY = jax.random.key(0)


def cloud(dtype=jnp.float32, n=5, dimension=3, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=(n, dimension)), dtype)


def points(n=20, dimension=3, dtype=jnp.float32):
    return list(cloud(dtype, n, dimension))


def failing(result, least=0.0):
    assert not result
    assert not result.passed
    assert result.value > least
    assert "FAILED" in str(result)
    return True


def distances(x):
    return core.norm(x[:, None] - x[None, :])


def volume(x):
    return jnp.linalg.det(x[1:4] - x[0][None])


def torque(x):
    return jnp.sum(jnp.cross(x, jnp.roll(x, 1, axis=0)), axis=0)


def inertia(x):
    return x.T @ x


# --- symmetry


@pytest.mark.parametrize("group", ["SO(3)", "O(3)", "SE(3)", "E(3)", "translations"])
def test_distances_are_invariant(precision, group):
    result = check.assert_invariant(distances, group, cloud(precision), key=KEY)
    assert result.value < (1e-5 if precision == np.float32 else 1e-13)
    assert result.worst_input.shape == (5, 3)


@pytest.mark.parametrize("group", ["SO(3)", "O(3)", "translations", "permutations"])
def test_positions_are_not_invariant(precision, group):
    assert failing(check.invariant(lambda x: x, group, cloud(precision), key=KEY), 0.1)


def test_a_volume_is_invariant_under_rotations_only():
    assert check.invariant(volume, "SE(3)", cloud(), key=KEY)
    assert failing(check.invariant(volume, "E(3)", cloud(), key=KEY), 0.1)


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


def test_a_representation_that_does_not_fit_is_explained():
    with pytest.raises(ValueError, match=r"size 3 cannot act on an output of shape \(5, 5\)"):
        check.equivariant(distances, "SO(3)", cloud(), key=KEY, representation=check.vector)


def test_groups_move_the_arguments_they_are_told_to():
    species = jnp.asarray([1, 1, 8, 6, 1])

    def total(x, species):
        return jnp.sum(core.norm(x) * species.astype(x.dtype))

    both = check.permutations.moving(0, 1)
    assert check.invariant(total, both, (cloud(), species), key=KEY)
    assert failing(check.invariant(total, "permutations", (cloud(), species), key=KEY), 0.01)


def test_sensitive_notices_mirrors_and_order():
    assert check.assert_sensitive(volume, "mirrors", cloud(), key=KEY)
    assert failing(check.sensitive(distances, "mirrors", cloud(), key=KEY), -1)
    weights = jnp.arange(1.0, 6.0)
    assert check.assert_sensitive(lambda x: x[:, 0] @ weights, "permutations", cloud(), key=KEY)
    assert failing(check.sensitive(lambda x: jnp.sum(x), "permutations", cloud(), key=KEY), -1)


def test_sensitive_is_not_fooled_by_nan_or_by_items_at_rest():
    assert not check.sensitive(lambda x: jnp.sum(x) * jnp.nan, "mirrors", cloud(), key=KEY)
    at_rest = check.sensitive(lambda x: x, "permutations", jnp.ones((4, 3)), key=KEY)
    assert not at_rest
    assert "no change moved" in at_rest.detail


def test_periodic(precision):
    x = jnp.asarray([0.1, 0.7, -0.3], precision)
    assert check.assert_periodic(lambda x: jnp.sin(2 * jnp.pi * x), 1.0, x, key=KEY, tolerance=1e-5)
    assert failing(check.periodic(lambda x: jnp.sin(jnp.pi * x), 1.0, x, key=KEY), 0.1)
    hexagon = ((1.0, 0.0), (0.5, 0.75**0.5))

    def field(x):
        return jnp.cos(2 * jnp.pi * (x[0] - x[1] / 3**0.5)) + jnp.cos(4 * jnp.pi * x[1] / 3**0.5)

    assert check.periodic(field, hexagon, x[:2], key=KEY, tolerance=1e-4)
    assert failing(check.periodic(field, 1.0, x[:2], key=KEY), 0.01)


@pytest.mark.parametrize("name", ["SO(2)", "SO(3)", "O(2)", "O(3)", "mirrors"])
def test_random_elements_belong_to_their_group(precision, name):
    n = 2 if "2" in name else 3
    group = check.GROUPS[name]
    x = jnp.zeros((1, n), precision)
    elements = np.asarray(jax.vmap(lambda key: group.sample(key, x))(jax.random.split(KEY, 400)), np.float64)
    eps = np.finfo(precision).eps
    np.testing.assert_allclose(
        elements @ elements.transpose(0, 2, 1), np.eye(n)[None].repeat(400, 0), atol=20 * eps
    )
    signs = set(np.round(np.linalg.det(elements)).astype(int).tolist())
    assert signs == {"S": {1}, "O": {1, -1}, "m": {-1}}[name[0]]
    # uniform: the mean of R vanishes, and so does that of R ⊗ R beyond δδ/n
    assert np.abs(elements.mean(0)).max() < 4 * (1 / n / 400) ** 0.5
    assert abs((elements[:, 0, 0] ** 2).mean() - 1 / n) < 4 * (0.2 / 400) ** 0.5


def test_unknown_groups_and_wrong_dimensions_are_explained():
    with pytest.raises(ValueError, match=r"unknown group 'SO\(4\)': use a Group or one of SO\(2\)"):
        check.invariant(jnp.sum, "SO(4)", cloud(), key=KEY)
    with pytest.raises(ValueError, match=r"SO\(3\) acts on a last axis of length 3"):
        check.invariant(jnp.sum, "SO(3)", cloud(dimension=2), key=KEY)
    with pytest.raises(ValueError, match="items differ in shape"):
        check.invariant(jnp.sum, "SO(3)", [cloud(n=3), cloud(n=4)], key=KEY)
    with pytest.raises(ValueError, match="list of items is empty"):
        check.eikonal(jnp.sum, [])


# --- bounds


def sphere(x):
    return core.norm(x) - 1


def test_lipschitz(precision):
    x = points(dtype=precision)
    assert check.assert_lipschitz(sphere, 1.0, x, key=KEY).value > 0.99
    assert failing(check.lipschitz(sphere, 0.9, x, key=KEY), 0.95)
    assert failing(check.lipschitz(lambda x: 1.01 * sphere(x), 1.0, x, key=KEY), 1.0)
    assert failing(check.lipschitz(lambda x: jnp.sum(x) / 0.0, 1.0, x, key=KEY), 1e9)


def test_lipschitz_sees_a_jump_and_a_steep_spot():
    at_rest = jnp.asarray([0.05, 0.1])
    assert failing(
        check.lipschitz(lambda x: jnp.where(x[0] > 0, 1.0, 0.0), 1.0, at_rest, key=KEY, samples=300), 1.5
    )
    steep = check.lipschitz(lambda x: 1e-3 * jnp.sin(1e4 * (x[0] - 0.05)), 1.0, at_rest, key=KEY)
    assert failing(steep, 9.9)


def test_lipschitz_of_a_vector_uses_the_largest_singular_value():
    matrix = jnp.asarray([[1.0, 2.0], [0.0, 1.0], [3.0, 0.0]])
    exact = float(np.linalg.svd(np.asarray(matrix))[1][0])
    result = check.lipschitz(lambda x: matrix @ x, exact, jnp.ones(2), key=KEY)
    assert result
    np.testing.assert_allclose(result.value, exact, rtol=1e-5)


def test_eikonal(precision):
    x = points(dtype=precision)
    assert check.assert_eikonal(sphere, x)
    assert failing(check.eikonal(lambda x: 1.001 * sphere(x), x), 9e-4)
    assert failing(check.eikonal(lambda x: jnp.linalg.norm(x), jnp.zeros(3)), 1e9)


def test_smooth():
    origin = jnp.zeros(2)
    assert check.assert_smooth(lambda x: jnp.sin(x[0]) * x[1], 3, origin, key=KEY)
    assert check.assert_smooth(lambda x: jnp.abs(x[0]) ** 3, 1, origin, key=KEY)
    assert failing(check.smooth(lambda x: jnp.abs(x[0]) * x[0], 2, origin, key=KEY), 0.1)
    assert failing(check.smooth(lambda x: jnp.maximum(x[0], 0.0), 1, origin, key=KEY), 0.1)
    assert failing(check.smooth(jnp.sign, 0, origin, key=KEY), 0.1)


# --- derivatives


def test_gradient_matches():
    assert check.assert_gradient_matches(lambda x: jnp.sin(x) * jnp.sum(x**2), points(), key=KEY)

    @jax.custom_vjp
    def wrong(x):
        return jnp.sum(x**2)

    wrong.defvjp(lambda x: (jnp.sum(x**2), x), lambda x, w: (2.001 * x * w,))
    assert failing(check.gradient_matches(wrong, points(), key=KEY), 1e-4)


def test_gradient_that_is_blocked_or_of_one_argument_only():
    blocked = check.gradient_matches(lambda x: jax.lax.stop_gradient(x) ** 2, points(), key=KEY)
    assert failing(blocked, 0.1)
    second = check.gradient_matches(
        lambda x, y: x * jax.lax.stop_gradient(y), (jnp.ones(3), jnp.full(3, 2.0)), key=KEY
    )
    assert failing(second, 0.1)


def test_gradient_matches_beside_a_kink_and_with_integers():
    assert check.gradient_matches(jnp.abs, jnp.asarray([1e-4, -1e-4]), key=KEY)
    assert check.gradient_matches(lambda n, x: x[n] ** 2, (jnp.asarray([2, 0]), jnp.ones(3)), key=KEY)
    assert check.gradient_matches(lambda n: n + 1, jnp.asarray([2, 0]), key=KEY)


def test_finite_at(precision):
    feared = [jnp.zeros(3, precision), jnp.ones(3, precision)]
    assert check.assert_finite_at(core.norm, feared)
    result = check.finite_at(lambda x: jnp.sqrt(jnp.sum(x**2)), feared)
    assert failing(result, 2)
    assert np.array_equal(result.worst_input, [0, 0, 0])
    assert failing(check.finite_at(lambda x: 1 / x, feared), 2)


# --- programs


def test_jit_matches_eager(precision):
    assert check.assert_jit_matches_eager(
        lambda x: {"a": jnp.sin(x), "n": jnp.argmax(x)}, points(dtype=precision)
    )

    def treacherous(x):
        return x * (1.001 if isinstance(x, jax.core.Tracer) else 1.0)

    assert failing(check.jit_matches_eager(treacherous, points(dtype=precision)), 5e-4)

    def other_integer(x):
        return jnp.asarray(isinstance(x, jax.core.Tracer), jnp.int32)

    assert failing(check.jit_matches_eager(other_integer, points()), 1e9)

    def other_shape(x):
        return x[:2] if isinstance(x, jax.core.Tracer) else x

    assert failing(check.jit_matches_eager(other_shape, points()), 1e9)


def test_vmap_matches_loop():
    assert check.assert_vmap_matches_loop(lambda x: jnp.sum(x**2), points())
    assert check.assert_vmap_matches_loop(lambda x: jnp.sum(x**2), cloud())

    @jax.custom_batching.custom_vmap
    def mixing(x):
        return jnp.sum(x)

    @mixing.def_vmap
    def _(size, batched, x):
        return jnp.cumsum(jnp.sum(x, axis=-1)), True

    assert failing(check.vmap_matches_loop(mixing, points()), 0.1)


class Named(eqx.Module):
    label: object = eqx.field(static=True)
    weight: jax.Array = eqx.field(default_factory=lambda: jnp.ones(3))

    def __call__(self, x):
        return self.weight @ x


class Identity:
    """Compares by identity, as a class without __eq__ does."""


def test_one_trace():
    assert check.assert_one_trace(Named("a"), points()).value == 1
    result = check.one_trace(Named(Identity()), points())
    assert failing(result)
    assert result.value == 2


def test_dtype_kept():
    assert check.assert_dtype_kept(lambda x: 2.0 * jnp.sin(x) + jnp.argmax(x).astype(x.dtype), cloud())
    lost = check.dtype_kept(lambda x: x.astype(jnp.float32), cloud())
    assert failing(lost)
    assert "float64 gives float32" in lost.detail
    table = np.linspace(0, 1, 3)
    assert check.dtype_kept(lambda x: x @ jnp.asarray(table, x.dtype), cloud())

    def wide_inside(x):
        return jax.lax.cond(True, lambda x: (x.astype(jnp.float64) * table[None]).astype(x.dtype), jnp.sin, x)

    assert failing(check.dtype_kept(wide_inside, cloud()))


def test_exports():
    assert check.assert_exports(lambda x: jnp.linalg.norm(x), cloud())
    result = check.exports(lambda x: jnp.abs(jnp.linalg.eigvals(x)), cloud(n=3))
    assert failing(result)
    assert "tpu" in result.detail
    endless = check.exports(lambda x: jax.lax.while_loop(lambda c: c[0, 0] < 9, lambda c: c + 1, x), cloud())
    assert endless.value == 3, "reverse mode through while_loop must fail everywhere"


# --- what a check is


def test_a_check_as_text_and_json():
    good = check.eikonal(sphere, points())
    bad = check.eikonal(lambda x: jnp.nan * jnp.sum(x), jnp.ones(3))
    assert "passed" in str(good)
    assert bad.value == float("inf")
    for result in (good, bad):
        text = json.dumps(result.to_dict(), allow_nan=False)
        assert json.loads(text)["passed"] is result.passed
    assert bad.to_dict()["value"] == "inf"


def test_assert_twins_raise_with_the_figure():
    with pytest.raises(
        AssertionError, match=r"eikonal: FAILED, measured 1, tolerance 1e-05\n  worst input: array"
    ):
        check.assert_eikonal(lambda x: 2 * sphere(x), points())
    assert check.assert_invariant.__name__ == "assert_invariant"


@pytest.mark.parametrize("name", [n for n in dir(check) if n.startswith("assert_")])
def test_every_twin_has_its_check(name):
    assert callable(getattr(check, name.removeprefix("assert_")))


def test_lattices_are_equal_when_their_periods_are():
    assert lattice(1.0) is lattice(1.0)
    assert hash(core.Property("periodic", group=lattice(((1.0, 0.0), (0.0, 2.0)))))
