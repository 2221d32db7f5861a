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
    """A sum over parallelepipeds against one over tetrahedra: the triacontahedron and an interval."""
    with jax.enable_x64(True):
        rng = np.random.default_rng(5)
        for model in (qc.icosahedral(), qc.fibonacci()):
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
        x = np.array([0.0, 1e-8, 1.0, 1.999, 2.001, 15.0]) / radius
        # q = r sin t along k, cross sections of radius r cos t
        phases = np.cos(np.multiply.outer(x * radius, np.sin(angles)))
        for m, section in ((1, 1.0), (2, 2 * np.cos(angles)), (3, np.pi * np.cos(angles) ** 2)):
            integrals = 0.5 * np.pi * (phases * section * np.cos(angles)) @ weights * radius**m
            k = jnp.asarray(np.pad(x[:, None], ((0, 0), (m - 1, 0))))
            found = jax.jit(lambda b, k: b.transform(k))(qc.Ball(jnp.asarray(radius), m), k)
            np.testing.assert_allclose(found, integrals, atol=1e-13)
        assert float(qc.Ball(jnp.asarray(2.0), 3).volume()) == pytest.approx(32 * np.pi / 3)


@pytest.mark.parametrize(
    ("make", "half", "q_max", "tolerance"),
    [
        (qc.fibonacci, 2000.0, 9.0, 1e-3),
        pytest.param(qc.penrose, 40.0, 9.0, 0.01, marks=pytest.mark.slow),
        (qc.ammann_beenker, 40.0, 9.0, 0.02),
        pytest.param(qc.icosahedral, 9.0, 13.0, 0.01, marks=pytest.mark.slow),
    ],
)
def test_direct_sums_come_close(make, half, q_max, tolerance):
    """Amplitudes and phases of the strongest reflections; those of Penrose's tiling include fractions of 5."""
    with jax.enable_x64(True):
        model = make()
        listed = qc.bragg(model, q_max=q_max, q_perp_max=4.0, least=0.05)
        assert np.all(np.diff(listed.intensities) < 1e-6)
        assert len(listed) > 4
        chosen = np.unique(np.linspace(0, len(listed) - 1, 8).astype(int))
        points = np.asarray(qc.cut(model, box=half).points)
        found = np.exp(1j * points @ np.asarray(listed.q)[chosen].T).mean(0)
        np.testing.assert_allclose(found, np.asarray(listed.factors)[chosen], atol=tolerance)
        if make is qc.penrose:
            assert np.any(np.asarray(listed.indices) % 1 != 0)


def test_direct_sum(precision):
    rng = np.random.default_rng(2)
    x, q, w = (rng.normal(size=shape).astype(precision) for shape in ((50, 2), (7, 2), 50))
    waves = np.exp(1j * x.astype(float) @ q.T.astype(float))
    tolerance = 1e-5 if precision == np.float32 else 1e-13
    np.testing.assert_allclose(qc.direct_sum(*map(jnp.asarray, (x, q))), waves.mean(0), atol=tolerance)
    np.testing.assert_allclose(
        qc.direct_sum(*map(jnp.asarray, (x, q, w))), w.astype(float) @ waves / w.sum(), atol=10 * tolerance
    )


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
        model = qc.fibonacci()
        window, h = model.surfaces[0].window, jnp.array([[0, 0], [1, 0], [2, -1]])
        core = qc.interval(-0.2, 0.3)
        apart = qc.Model(model.lattice, [qc.Surface(window - core), qc.Surface(core)])
        whole = factors(model, h)
        found = [factors(apart, h, jnp.array(f)) for f in ([1.0, 1.0], [1.0, 0.0], [0.0, 1.0])]
        np.testing.assert_allclose(found[0], whole, atol=1e-14)
        np.testing.assert_allclose(found[1] + found[2], whole, atol=1e-14)
        assert found[2][0].real == pytest.approx(0.5 / ((1 + math.sqrt(5)) / 2), rel=1e-14)
        moved = qc.Model(model.lattice, [qc.Surface(window, jnp.array([0.5, 0.25]))])
        turned = whole * np.array([1, -1, np.exp(1.5j * np.pi)])  # 2π h·s = 2π (1 − ¼)
        np.testing.assert_allclose(factors(moved, h), turned, atol=1e-14)


@pytest.mark.slow
def test_gradients_also_at_the_origin():
    """In windows, shift, positions and strains, against central differences; h = 0 has Q⊥ = 0."""
    with jax.enable_x64(True):
        lattice = qc.penrose().lattice
        pentagon = qc.penrose().surfaces[0].window
        windows = (pentagon, qc.Zonotope(jnp.array([[1.0, 0.0], [0.6, 0.8], [-0.2, 0.7]])))
        model = qc.Model(lattice, [qc.Surface(w, 0.1 * jnp.ones(4)) for w in windows])
        h = jnp.array([[0, 0, 0, 0], [1, 0, 0, 0], [2, -1, 0, 1]])
        mix = jnp.array([0.3, 1.0, -0.7])

        def total(model):
            f = qc.structure_factor(model, h)
            return jnp.sum(mix * (f.real**2 + f.imag**2 + f.real))

        both = jax.jit(jax.value_and_grad(total))
        gradient = both(model)[1]
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))
        leaves, tree = jax.tree.flatten(model)
        step = 1e-5
        for seed in range(3):
            rng = np.random.default_rng(seed)
            direction = [rng.normal(size=leaf.shape) for leaf in leaves]
            ends = []
            for s in (step, -step):
                moved = [jnp.asarray(np.asarray(a) + s * d) for a, d in zip(leaves, direction, strict=True)]
                ends.append(float(both(tree.unflatten(moved))[0]))
            slope = sum(
                float(np.sum(g * d)) for g, d in zip(jax.tree.leaves(gradient), direction, strict=True)
            )
            assert slope == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6, abs=1e-8)


@pytest.mark.slow
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
