"""SOAP against its algorithm in numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.train import scale_by_soap

B1, B2, EPS = 0.9, 0.99, 1e-8


def aligned(basis, like):
    """Eigenvectors and QR factors are unique up to signs of their columns, which no step depends on."""
    return basis * np.sign(np.sum(basis * like, axis=0))


def soap_in_numpy(gradients, every):
    """Algorithm 3 of arXiv 2409.11321 with corrected moments; the first gradient only makes the bases."""
    first = gradients[0]
    left, right = (1 - B2) * first @ first.T, (1 - B2) * first.T @ first
    basis_left, basis_right = (np.linalg.eigh(m)[1][:, ::-1] for m in (left, right))
    mean, square, steps = np.zeros_like(first), np.zeros_like(first), [np.zeros_like(first)]
    for t, gradient in enumerate(gradients[1:], 1):
        mean = B1 * mean + (1 - B1) * gradient
        square = B2 * square + (1 - B2) * (basis_left.T @ gradient @ basis_right) ** 2
        turned = basis_left.T @ (mean / (1 - B1**t)) @ basis_right
        scaled = turned / (np.sqrt(square / (1 - B2**t)) + EPS)
        steps.append(basis_left @ scaled @ basis_right.T)
        left = B2 * left + (1 - B2) * gradient @ gradient.T
        right = B2 * right + (1 - B2) * gradient.T @ gradient
        if t % every == 0:
            basis_left = np.linalg.qr(left @ basis_left)[0]
            basis_right = np.linalg.qr(right @ basis_right)[0]
    return steps, basis_left, basis_right


def test_it_is_soap(precision):
    rng = np.random.default_rng(0)
    gradients = [rng.normal(size=(3, 3)) for _ in range(6)]
    soap = scale_by_soap(B1, B2, EPS, every=2)
    state = soap.init({"w": jnp.zeros((3, 3), precision)})
    update, found = jax.jit(soap.update), []
    for gradient in gradients:
        step, state = update({"w": jnp.asarray(gradient, precision)}, state)
        found.append(np.asarray(step["w"]))
        assert step["w"].dtype == precision
    expected, left, right = soap_in_numpy(gradients, 2)
    tolerance = 2e-3 if precision == np.float32 else 1e-11
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=tolerance)
    for basis, own in zip(state.bases[0], (left, right), strict=True):
        np.testing.assert_allclose(aligned(np.asarray(basis), own), own, atol=tolerance)


def test_vectors_get_adam():
    gradients = np.random.default_rng(1).normal(size=(4, 5))
    soap = scale_by_soap(B1, B2, EPS)
    state, mean, square = soap.init(jnp.zeros(5)), np.zeros(5), np.zeros(5)
    update = jax.jit(soap.update)
    for t, gradient in enumerate(gradients):
        step, state = update(jnp.asarray(gradient, jnp.float32), state)
        if t:
            mean, square = B1 * mean + (1 - B1) * gradient, B2 * square + (1 - B2) * gradient**2
            own = mean / (1 - B1**t) / (np.sqrt(square / (1 - B2**t)) + EPS)
            np.testing.assert_allclose(step, own, rtol=1e-4)
        else:
            assert not np.any(step)


def test_a_frequency_below_one_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        scale_by_soap(every=0)
