import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import check
from geoembed.cyclic import Cyclic, Time2Vec

KEY = jax.random.key(0)


def test_one_linear_feature_and_sines(precision):
    encoder = Time2Vec(5, key=KEY, scale=0.2)
    x = np.linspace(-10, 10, 41)
    got = jax.jit(encoder)(jnp.asarray(x, precision))
    assert got.dtype == precision
    angles = np.asarray(encoder.frequencies, float) * x[:, None] + np.asarray(encoder.phases, float)
    expected = np.concatenate([angles[:, :1], np.sin(2 * np.pi * angles[:, 1:])], axis=1)
    np.testing.assert_allclose(got, expected, atol=1e-5 if precision == np.float32 else 1e-13)


@pytest.mark.parametrize("shape", [(), (4,), (2, 3)])
def test_any_shape(shape):
    assert jax.eval_shape(Time2Vec(6, key=KEY), jnp.zeros(shape)).shape == (*shape, 6)


def test_it_has_no_period():
    """Not even with the right frequency and without the linear feature, once that frequency is off by a thousandth."""
    items = Cyclic(24.0).examples(16, key=KEY)
    encoder = eqx.tree_at(lambda e: e.frequencies, Time2Vec(2, key=KEY), jnp.array([0.0, 1 / 24]))
    drifted = eqx.tree_at(lambda e: e.frequencies, encoder, jnp.array([0.0, 1.001 / 24]))
    assert check.periodic(encoder, 24.0, items, key=KEY, tolerance=1e-4)
    assert not check.periodic(drifted, 24.0, items, key=KEY, tolerance=1e-2)
    assert "periodic" not in {p.kind for p in encoder.properties}


def test_all_of_it_is_trained():
    encoder = Time2Vec(4, key=KEY)
    slopes = jax.jit(jax.grad(lambda e: jnp.sum(e(jnp.array(0.7)))))(encoder)
    assert all(np.all(leaf != 0) for leaf in jax.tree.leaves(slopes))


def test_the_scale_is_that_of_the_frequencies():
    wide = Time2Vec(4000, key=KEY, scale=0.25)
    assert abs(np.std(wide.frequencies) - 0.25) < 0.01
    np.testing.assert_allclose(wide.frequencies, 0.25 * Time2Vec(4000, key=KEY).frequencies, rtol=1e-6)


@pytest.mark.parametrize(
    ("width", "scale", "message"),
    [(1, 1.0, "width of at least 2"), (4, 0.0, "scale above 0"), (4, np.nan, "scale")],
)
def test_arguments_out_of_range_are_refused(width, scale, message):
    with pytest.raises(ValueError, match=message):
        Time2Vec(width, key=KEY, scale=scale)
