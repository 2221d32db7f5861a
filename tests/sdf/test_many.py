"""Evaluating on many points from the host."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.sdf import Sphere, _host, _many, evaluate, value_and_gradient


def cubed(x):
    return x * jnp.sum(x) ** 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [0, 1, 700])
def test_chunks_give_what_one_batch_gives(dtype, count, monkeypatch):
    monkeypatch.setattr(_many, "CHUNK", 64)
    monkeypatch.setattr(_many, "_WORKERS", 3)
    points = np.random.default_rng(0).uniform(-1, 3, (count, 3)).astype(dtype)
    seen = []
    got = evaluate(cubed, points, callback=lambda *progress: seen.append(progress))
    assert got.dtype == dtype
    assert not jax.config.jax_enable_x64
    np.testing.assert_allclose(got, points * points.sum(axis=1)[:, None] ** 2, rtol=1e-5)
    assert seen == [(min(done, count), count) for done in range(64, max(count, 1) + 64, 64)] or count < 64
    assert seen[-1] == (count, count)


def test_results_of_any_shape():
    points = np.random.default_rng(0).normal(size=(10, 3))
    np.testing.assert_allclose(evaluate(lambda x: jnp.outer(x, x), points)[3], np.outer(points[3], points[3]))


def test_what_fails_in_a_chunk_is_raised(monkeypatch):
    monkeypatch.setattr(_many, "CHUNK", 64)

    def stop(done, count):
        if done > 128:
            raise RuntimeError(f"stopped at {done}")

    with pytest.raises(RuntimeError, match="stopped at 192"):
        evaluate(cubed, np.zeros((700, 3)), callback=stop)


def test_values_and_gradients_in_chunks(monkeypatch):
    monkeypatch.setattr(_host, "CHUNK", 256)
    points = np.random.default_rng(0).uniform(-1, 3, (700, 3))
    value, gradient = value_and_gradient(Sphere(0.5), points)
    assert value.dtype == gradient.dtype == np.float64
    length = np.linalg.norm(points, axis=1)
    np.testing.assert_allclose(value, length - 0.5, atol=1e-14)
    np.testing.assert_allclose(gradient, points / length[:, None], atol=1e-14)
