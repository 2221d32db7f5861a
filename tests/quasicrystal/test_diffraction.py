"""Structure factors against published values, other formulas, direct sums and differences."""

import itertools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import quasicrystal as qc

TAU = (1 + math.sqrt(5)) / 2

pytestmark = pytest.mark.usefixtures("compiled_quickly")

factors = eqx.filter_jit(qc.structure_factor)


def test_icosahedral_intensities(precision):
    """Four reflections of the Ammann–Kramer–Neri tiling; h = 0 has the amplitude 1."""
    h = jnp.array([[2, 1, 1, -1, 1, 1], [1, 1, 1, 0, 1, 0], [1, 1, 1, -1, 1, 1], [1, 1, 0, 0, 0, 0], [0] * 6])
    found = factors(qc.icosahedral(), h)
    assert found.real.dtype == precision
    intensities = np.abs(np.asarray(found)) ** 2
    np.testing.assert_allclose(intensities, [0.794142, 0.134874, 0.009319, 0.000800, 1.0], atol=6e-7)
    n, m = qc.cahn_indices(h)
    assert n.tolist() == [18, 8, 12, 4, 0]
    assert m.tolist() == [29, 12, 16, 4, 0]


def test_cahn_indices_are_the_lengths_of_wave_vectors():
    with jax.enable_x64(True):
        h = jnp.asarray(np.random.default_rng(3).integers(-4, 5, (50, 6)))
        n, m = (np.asarray(i) for i in qc.cahn_indices(h))
        assert np.array_equal(n, 2 * (np.asarray(h) ** 2).sum(1))
        q, q_perp = (np.asarray(q) / (2 * np.pi) for q in qc.wave_vectors(qc.icosahedral(), h))
        unit = 2 * (TAU + 2)
        np.testing.assert_allclose((q**2).sum(1) * unit, n + m * TAU, rtol=1e-12)
        np.testing.assert_allclose((q_perp**2).sum(1) * unit, TAU * (n * TAU - m), atol=1e-10)
        assert qc.cahn_indices(jnp.array([2, 1, 1, 1, 1, 1]))[0] == 18


def test_fibonacci_is_a_sinc():
    with jax.enable_x64(True):
        model = qc.fibonacci(shift=jnp.zeros(1))
        h = np.array(list(itertools.product(range(-3, 4), repeat=2)))
        # the reciprocal basis by hand: rows of the inverse of [[τ, 1], [−1/τ, 1]]
        q_perp = 2 * np.pi * (-h[:, 0] + TAU * h[:, 1]) / (TAU + 1 / TAU)
        np.testing.assert_allclose(
            factors(model, jnp.asarray(h)), np.sinc(q_perp * TAU / (2 * np.pi)), atol=1e-14
        )


def test_transforms_of_the_same_body_agree():
    """A sum over parallelepipeds against one over tetrahedra: the triacontahedron, an octagon, an interval."""
    with jax.enable_x64(True):
        rng = np.random.default_rng(5)
        for model in (qc.icosahedral(), qc.ammann_beenker(), qc.fibonacci()):
            zonotope = model.surfaces[0].window
            generators = np.asarray(zonotope.generators)
            signs = np.array(list(itertools.product((-0.5, 0.5), repeat=len(generators))))
            polytope = qc.Polytope(jnp.asarray(signs @ generators))
            k = rng.normal(size=(6, generators.shape[1])) * np.array(
                [[0.0], [1e-9], [1e-3], [1.0], [10.0], [20.0]]
            )
            first, second = (
                np.asarray(jax.jit(lambda w, k: w.transform(k))(w, jnp.asarray(k)))
                for w in (zonotope, polytope)
            )
            np.testing.assert_allclose(first, second, atol=2e-13)
            assert first[0].real == pytest.approx(float(zonotope.volume()), rel=1e-14)


def test_transforms_of_balls():
    """Against quadrature along the wave vector: the ball is a stack of intervals, discs or points."""
    with jax.enable_x64(True):
        nodes, weights = np.polynomial.legendre.leggauss(60)
        radius = 0.7
        angles = 0.5 * np.pi * nodes
        for x in (0.0, 1e-8, 1.999, 2.001, 15.0):
            # q = r sin t along k, cross sections of radius r cos t
            phase = np.cos(x * radius * np.sin(angles))
            for m, section in ((1, 1.0), (2, 2 * np.cos(angles)), (3, np.pi * np.cos(angles) ** 2)):
                integral = 0.5 * np.pi * weights @ (phase * section * np.cos(angles)) * radius**m
                k = np.zeros((1, m))
                k[0, -1] = x
                found = qc.Ball(jnp.asarray(radius), m).transform(jnp.asarray(k))
                np.testing.assert_allclose(found, [integral], atol=1e-13)
        assert float(qc.Ball(jnp.asarray(2.0), 3).volume()) == pytest.approx(32 * np.pi / 3)


@pytest.mark.parametrize(
    ("make", "half", "tolerance"),
    [
        (qc.fibonacci, 2000.0, 1e-3),
        (qc.penrose, 40.0, 0.01),
        (qc.ammann_beenker, 40.0, 0.02),
        (qc.icosahedral, 9.0, 0.01),
    ],
)
def test_direct_sums_come_close(make, half, tolerance):
    """Amplitudes and phases of the strongest reflections; those of Penrose's tiling include fractions of 5."""
    with jax.enable_x64(True):
        model = make()
        listed = qc.bragg(model, q_max=9.0, q_perp_max=4.0, least=0.05)
        assert np.all(np.diff(listed.intensities) < 1e-6)
        assert len(listed) > 4
        chosen = np.unique(np.linspace(0, len(listed) - 1, 8).astype(int))
        points = qc.cut(model, box=half).points
        found = qc.direct_sum(points, listed.q[chosen])
        np.testing.assert_allclose(found, listed.factors[chosen], atol=tolerance)
        if make is qc.penrose:
            assert np.any(np.asarray(listed.indices) % 1 != 0)


def test_bragg_lists_all_reflections():
    with jax.enable_x64(True):
        model = qc.ammann_beenker()
        listed = qc.bragg(model, q_max=8.0, q_perp_max=5.0)
        h = np.array(list(itertools.product(range(-6, 7), repeat=4)))
        q, q_perp = (np.asarray(q) for q in qc.wave_vectors(model, jnp.asarray(h)))
        expected = h[(np.linalg.norm(q, axis=1) <= 8.0) & (np.linalg.norm(q_perp, axis=1) <= 5.0)]
        assert np.abs(expected).max() < 6
        assert set(map(tuple, listed.indices.astype(int).tolist())) == set(map(tuple, expected.tolist()))
        with pytest.raises(ValueError, match="positive cut-offs"):
            qc.bragg(model, q_max=0.0, q_perp_max=1.0)
        window = model.surfaces[0].window
        mixed = qc.Model(
            model.lattice, [qc.Surface(window), qc.Surface(window, coset=qc.Coset(((1, 1, 1, 1),), 2, (0,)))]
        )
        with pytest.raises(ValueError, match="cosets of the same rows"):
            qc.bragg(mixed, q_max=1.0, q_perp_max=1.0)


def test_positions_amplitudes_and_combined_windows():
    """A window taken apart into a ring and a core scatters as the whole; a position turns the phase."""
    with jax.enable_x64(True):
        model = qc.ammann_beenker()
        window, h = model.surfaces[0].window, jnp.array([[0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, -1]])
        core = qc.Zonotope(0.5 * window.generators)
        apart = qc.Model(model.lattice, [qc.Surface(window - core), qc.Surface(core)])
        whole = factors(model, h)
        np.testing.assert_allclose(factors(apart, h), whole, atol=1e-14)
        weighted = factors(apart, h, jnp.array([1.0, 0.0])) + factors(apart, h, jnp.array([0.0, 1.0]))
        np.testing.assert_allclose(weighted, whole, atol=1e-14)
        s = jnp.array([0.5, 0.0, 0.0, 0.25])
        moved = qc.Model(model.lattice, [qc.Surface(window, s)])
        np.testing.assert_allclose(
            factors(moved, h), whole * np.array([1, -1, np.exp(-0.5j * np.pi)]), atol=1e-14
        )


def test_gradients_also_at_the_origin():
    """In window, shift, position and phason strain, against central differences; h = 0 has Q⊥ = 0."""
    with jax.enable_x64(True):
        base = qc.penrose()
        pieces = [
            qc.Zonotope(qc.ammann_beenker().surfaces[0].window.generators),
            *[s.window for s in base.surfaces[:1]],
        ]
        model = qc.Model(
            base.lattice, [qc.Surface(w, 0.1 * jnp.ones(4), species=i) for i, w in enumerate(pieces)]
        )
        h = jnp.array([[0, 0, 0, 0], [1, 0, 0, 0], [2, -1, 0, 1]])
        mix = jnp.array([0.3, 1.0, -0.7])

        @jax.jit
        def total(model):
            f = qc.structure_factor(model, h)
            return jnp.sum(mix * (f.real**2 + f.imag**2 + f.real))

        gradient = jax.jit(jax.grad(total))(model)
        assert all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(gradient))
        step = 1e-5
        leaves, tree = jax.tree.flatten(model)
        for seed in range(3):
            rng = np.random.default_rng(seed)
            direction = [jnp.asarray(rng.normal(size=leaf.shape)) for leaf in leaves]
            ends = [
                float(
                    total(tree.unflatten([a + s * step * d for a, d in zip(leaves, direction, strict=True)]))
                )
                for s in (1, -1)
            ]
            slope = sum(
                float(jnp.sum(g * d)) for g, d in zip(jax.tree.leaves(gradient), direction, strict=True)
            )
            assert slope == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6, abs=1e-8)


def test_public_functions_lower():
    model = qc.penrose()
    cut = qc.cut(model, box=2.0)

    def everything(model, cut, h, q):
        return (
            qc.structure_factor(model, h), qc.direct_sum(cut.points, q), qc.positions(model, cut),
            qc.perp_coordinates(model, cut), qc.weights(model, cut, 0.1), model.density(), qc.wave_vectors(model, h),
        )  # fmt: skip

    shapes = eqx.filter_eval_shape(lambda x: x, (model, cut, jnp.ones((3, 4), jnp.int32), jnp.ones((3, 2))))
    lowered = jax.export.export(jax.jit(everything), platforms=("cpu", "cuda", "tpu"))(*shapes)
    assert lowered.platforms == ("cpu", "cuda", "tpu")
    icosahedral = jax.export.export(jax.jit(qc.structure_factor), platforms=("cpu", "cuda", "tpu"))
    text = icosahedral(qc.icosahedral(), jnp.ones((3, 6), jnp.int32)).mlir_module()
    assert "f64" not in text
