"""Numbers of the host."""

import jax
import numpy as np

from geoembed.core import host_generator, rows_on_device


def test_equal_keys_give_equal_numbers():
    first, again, other = (host_generator(jax.random.key(seed)).uniform(size=5) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_rows_have_the_default_dtype_and_no_length_is_compiled(precision):
    compiled = []

    def note(event: str, duration_secs: float, **kwargs: str | int) -> None:
        if event.endswith("backend_compile_duration"):
            compiled.append(kwargs)

    jax.monitoring.register_event_duration_secs_listener(note)
    try:
        for length in (3, 17, 18):
            points = np.random.default_rng(length).normal(size=(length, 7))
            rows = rows_on_device(points)
            assert len(rows) == length
            assert all(isinstance(row, jax.Array) and row.dtype == precision for row in rows)
            assert np.array_equal(np.stack(rows), points.astype(precision))
        assert rows_on_device(points[:, 0])[0].shape == ()
    finally:
        jax.monitoring.unregister_event_duration_listener(note)
    assert not compiled
