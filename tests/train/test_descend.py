"""Adam against its algorithm in numpy, and what ends a descent."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest
from jax import random

from geoembed.train import descend

KEY = random.key(0)
SLOPES = np.array([1.0, 30.0, 0.1])


def bowl(x, centre, key):
    return 0.5 * jnp.sum(jnp.asarray(SLOPES, x.dtype) * (x - centre) ** 2)


def adam_in_numpy(x, centre, steps, rate):
    """Algorithm 1 of Kingma and Ba, with the rate of `descend`."""
    mean, square, losses = np.zeros(3), np.zeros(3), []
    for i in range(steps):
        losses.append(0.5 * np.sum(SLOPES * (x - centre) ** 2))
        gradient = SLOPES * (x - centre)
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        step = mean / (1 - 0.9 ** (i + 1)) / (np.sqrt(square / (1 - 0.999 ** (i + 1))) + 1e-8)
        share = (i + 0.5) / steps
        x = x - rate * min(share / 0.05, 1) * 0.5 * (1 + np.cos(np.pi * max(share - 0.05, 0) / 0.95)) * step
    return x, losses


def test_it_is_adam_with_a_warm_up_and_a_cosine(precision):
    start, centre = np.array([1.0, -2.0, 0.5]), np.array([0.3, 0.1, -0.4])
    seen = []
    found = descend(
        bowl,
        jnp.asarray(start, precision),
        jnp.asarray(centre, precision),
        steps=70,
        rate=0.05,
        key=KEY,
        chunk=30,
        callback=seen.append,
    )
    expected, losses = adam_in_numpy(start, centre, 70, 0.05)
    assert found.model.dtype == precision
    tolerance = 1e-5 if precision == np.float32 else 1e-12
    np.testing.assert_allclose(found.model, expected, atol=tolerance)
    assert found.status == "done"
    assert [p.step for p in found.history] == [30, 60, 70]
    assert seen == list(found.history)
    means = [np.mean(losses[a:b]) for a, b in itertools.pairwise((0, 30, 60, 70))]
    np.testing.assert_allclose([p.loss for p in found.history], means, rtol=10 * tolerance)


def scaled(model, data, key):
    return jnp.sum((model["weight"] * jnp.asarray(model["table"], model["weight"].dtype) - data) ** 2)


def test_numpy_tables_and_whole_numbers_stay():
    model = {"weight": jnp.ones(2), "table": np.array([1.0, 2.0]), "count": jnp.array(3), "name": "a"}
    found = descend(scaled, model, jnp.zeros(2), steps=5, rate=0.1, key=KEY).model
    assert isinstance(found["table"], np.ndarray)
    assert np.array_equal(found["table"], model["table"])
    assert (int(found["count"]), found["name"]) == (3, "a")
    assert np.all(np.asarray(found["weight"]) < 1)


def noisy(x, data, key):
    return jnp.sum((x - random.normal(key, x.shape)) ** 2)


def test_each_step_has_its_own_key_whatever_the_chunk():
    one, other = (
        descend(noisy, jnp.zeros(2), None, steps=12, rate=0.1, key=KEY, chunk=n).model for n in (12, 5)
    )
    np.testing.assert_array_equal(one, other)


def falls_off(x, data, key):
    return jnp.where(x < 0.5, jnp.nan, x)


def test_a_loss_that_is_not_finite_ends_it_before():
    found = descend(falls_off, jnp.ones(()), None, steps=100, rate=0.1, key=KEY, chunk=5)
    assert found.status == "diverged"
    assert np.isfinite(found.model)
    assert len(found.history) < 20


def test_it_stops_when_asked():
    found = descend(
        bowl, jnp.ones(3), jnp.zeros(3), steps=90, rate=0.1, key=KEY, chunk=30, should_stop=lambda: True
    )
    assert (found.status, found.history[-1].step) == ("interrupted", 30)


def test_no_steps_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        descend(bowl, jnp.ones(3), jnp.zeros(3), steps=0, rate=0.1, key=KEY)
