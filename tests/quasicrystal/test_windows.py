"""Intersections, star-shaped windows and functions as windows."""

import itertools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoembed
from geoembed import quasicrystal as qc

TAU = (1 + math.sqrt(5)) / 2

pytestmark = pytest.mark.usefixtures("compiled_quickly")

VOLUME = eqx.filter_jit(lambda window: window.volume())
TRANSFORM = eqx.filter_jit(lambda window, k: window.transform(k))
MARGIN = eqx.filter_jit(lambda window, q: window.margin(q))


def on_host(window):
    """The window in numpy: nothing is compiled."""
    return jax.tree.map(np.asarray, window)


def moved(window, by):
    return qc.Zonotope(window.generators, window.centre + by)


@pytest.mark.parametrize(
    ("make", "mean"), [(qc.ammann_beenker, 4), pytest.param(qc.icosahedral, 6, marks=pytest.mark.slow)]
)
def test_edges_of_tilings_are_intersections(make, mean):
    """The mean number of neighbours: 4 for Ammann–Beenker, 6 for the icosahedral tiling."""
    with jax.enable_x64(True):
        model = make()
        window, step = model.surfaces[0].window, model.lattice.perpendicular[:, 0]
        both = window & moved(window, -step)
        share = float(VOLUME(both) / VOLUME(window))
        assert 2 * model.lattice.perpendicular.shape[1] * share == pytest.approx(mean, rel=1e-12)


@pytest.mark.slow
def test_rhombohedra_are_intersections_of_eight_windows():
    with jax.enable_x64(True):
        model = qc.icosahedral()
        window, q = model.surfaces[0].window, model.lattice.perpendicular
        shares = []
        for chosen in ((0, 2, 4), (0, 1, 4)):
            body = window
            for n in (1, 2, 3):
                for some in itertools.combinations(chosen, n):
                    body = body & moved(window, -sum(q[:, i] for i in some))
            shares.append(float(VOLUME(body)))
        p = np.asarray(model.lattice.parallel)
        large, small = (abs(np.linalg.det(p[:, list(c)])) for c in ((0, 2, 4), (0, 1, 4)))
        ratio = shares[0] / shares[1] if large > small else shares[1] / shares[0]
        assert ratio == pytest.approx(TAU, rel=1e-11)


@pytest.mark.slow
def test_intersection_of_boxes():
    """Its volume, transform and derivatives are those of the box in common."""
    with jax.enable_x64(True):
        first = qc.Zonotope(jnp.diag(jnp.array([2.0, 1.0])))
        second = qc.Polytope(jnp.array([[0.25, -0.75], [3.0, -0.75], [3.0, 0.75], [0.25, 0.75]]))
        both = first & second
        box = qc.Zonotope(jnp.diag(jnp.array([0.75, 1.0])), jnp.array([0.625, 0.0]))
        assert float(VOLUME(both)) == pytest.approx(0.75, rel=1e-14)
        k = jnp.asarray(np.random.default_rng(0).normal(scale=4.0, size=(9, 2))).at[0].set(0.0)
        np.testing.assert_allclose(TRANSFORM(both, k), TRANSFORM(box, k), atol=1e-13)
        slopes = eqx.filter_jit(eqx.filter_grad(lambda w: w.volume()))(both)
        # the right side of the first and the left side of the second bound it
        np.testing.assert_allclose(slopes.second.vertices[:, 0].sum(), -1.0, atol=1e-13)
        np.testing.assert_allclose(np.diag(slopes.first.generators), [0.5, 0.75], atol=1e-13)
        q = np.random.default_rng(1).uniform(-1.5, 1.5, (200, 2))
        inside = (np.abs(q) <= [1.0, 0.5]).all(1) & (q[:, 0] >= 0.25)
        assert np.array_equal(on_host(both).margin(q) >= 0, inside)
        np.testing.assert_allclose(
            on_host(both).support(np.array([[1.0, 0.0], [-1.0, 2.0]])), [1.0, 0.75], atol=1e-13
        )
        line = qc.interval(-1.0, 0.5) & qc.interval(0.2, 3.0)
        assert float(VOLUME(line)) == pytest.approx(0.3, rel=1e-13)


def test_cuts_through_intersections_are_exact():
    """The vertices that have a neighbour one step ahead, by columns and by enumeration."""
    with jax.enable_x64(True):
        model = qc.ammann_beenker()
        window, step = model.surfaces[0].window, model.lattice.perpendicular[:, 0]
        ahead = qc.Model(model.lattice, [qc.Surface(window & moved(window, -step))])
        n = set(map(tuple, np.asarray(qc.cut(model, box=12.0).indices).tolist()))
        inner = qc.cut(ahead, box=8.0)
        expected = {
            i
            for i in map(tuple, np.asarray(qc.cut(model, box=8.0).indices).tolist())
            if (i[0] + 1, *i[1:]) in n
        }
        assert set(map(tuple, np.asarray(inner.indices).tolist())) == expected
        other = qc.cut(ahead, box=8.0, method="enumerate")
        assert set(map(tuple, np.asarray(other.indices).tolist())) == expected


def test_windows_that_do_not_meet():
    with pytest.raises(ValueError, match="volume in common"):
        qc.interval(0.0, 1.0) & qc.interval(2.0, 3.0)
    with pytest.raises(ValueError, match="received Ball"):
        qc.Ball(jnp.asarray(1.0), 1) & qc.interval(2.0, 3.0)
    with pytest.raises(ValueError, match="one dimension"):
        qc.interval(0.0, 1.0) & qc.Zonotope(jnp.eye(2))


def same_window(star, body, rng):
    """Volume, transform, membership and support of a star are those of a convex window."""
    m = star.directions.shape[1]
    assert float(VOLUME(star)) == pytest.approx(float(VOLUME(body)), rel=1e-13)
    k = jnp.asarray(rng.normal(scale=3.0, size=(6, m)))
    np.testing.assert_allclose(TRANSFORM(star, k), TRANSFORM(body, k), atol=1e-12)
    q = rng.uniform(-1.4, 1.4, (300, m))
    margins = on_host(star).margin(q)
    assert np.array_equal(margins >= 0, on_host(body).margin(q) >= 0)
    np.testing.assert_allclose(MARGIN(star, jnp.asarray(q)), margins, atol=1e-13)
    d = rng.normal(size=(5, m))
    np.testing.assert_allclose(on_host(star).support(d), on_host(body).support(d), rtol=1e-13)


def test_a_star_with_the_corners_of_the_octagon():
    with jax.enable_x64(True):
        angles = np.arange(4) * np.pi / 4
        edges = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        corners = np.pi / 8 + np.arange(8) * np.pi / 4
        centre = jnp.array([0.1, 0.2])
        directions = np.stack([np.cos(corners), np.sin(corners)], axis=1)
        star = qc.Star(jnp.full(8, 0.5 / math.sin(math.pi / 8)), directions, centre)
        same_window(star, qc.Zonotope(jnp.asarray(edges), centre), np.random.default_rng(3))


@pytest.mark.slow
def test_a_star_with_the_corners_of_the_icosahedron():
    with jax.enable_x64(True):
        directions, centre = qc.sphere_directions(0), jnp.array([0.1, 0.2, 0.3])
        body = qc.Polytope(1.1 * jnp.asarray(directions) + centre[None])
        same_window(qc.Star(jnp.full(12, 1.1), directions, centre), body, np.random.default_rng(3))


def test_sphere_directions_are_fivefold_axes():
    axes = qc.sphere_directions(0)
    perpendicular = np.asarray(qc.icosahedral().lattice.perpendicular, float).T
    along = np.abs(axes @ perpendicular.T) / np.linalg.norm(perpendicular, axis=1)
    np.testing.assert_allclose(along.max(axis=0), 1.0, atol=1e-6)
    finer = qc.sphere_directions(1)
    assert len(finer) == 42
    np.testing.assert_allclose(np.linalg.norm(finer, axis=1), 1.0, atol=1e-14)


def test_stars_that_are_not_convex():
    """A four-pointed star: area, margin along the ray, softness, and derivatives in the radii."""
    with jax.enable_x64(True):
        radii = jnp.tile(jnp.array([1.0, 0.4]), 4)
        star = qc.Star(radii)
        area = 8 * 0.5 * 1.0 * 0.4 * math.sin(math.pi / 4)
        assert float(VOLUME(star)) == pytest.approx(area, rel=1e-14)
        half = math.sqrt(0.5)
        q = jnp.array(
            [[0.9, 0.0], [0.5 * half, 0.5 * half], [0.0, -1.25], [0.0, 0.0], [0.3 * half, -0.3 * half]]
        )
        np.testing.assert_allclose(MARGIN(star, q), [0.1, -0.1, -0.25, 0.4, 0.1], atol=1e-14)
        soft = eqx.filter_jit(eqx.filter_value_and_grad(lambda s: jnp.sum(s.soft(q, 0.3))))
        _, gradient = soft(star)
        assert np.isfinite(gradient.radii).all()
        assert float(jnp.abs(gradient.directions).max()) == 0.0
        ends = [float(soft(qc.Star(jnp.array([1.0 + step, *radii[1:]])))[0]) for step in (1e-6, -1e-6)]
        assert float(gradient.radii[0]) == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6)
        slope = jax.jit(jax.grad(lambda r: qc.Star(r).volume()))(radii)
        np.testing.assert_allclose(slope, np.tile([0.4, 1.0], 4) * math.sin(math.pi / 4), rtol=1e-13)


def test_cuts_through_stars():
    """By columns and by enumeration; boundaries are decided exactly, also those between two cones."""
    with jax.enable_x64(True):
        lattice = qc.ammann_beenker().lattice
        model = qc.Model(lattice, [qc.Surface(qc.Star(jnp.tile(jnp.array([1.3, 0.7]), 4)))])
        cuts = [qc.cut(model, box=6.0, method=method) for method in ("columns", "enumerate")]
        first, second = (set(map(tuple, np.asarray(c.indices).tolist())) for c in cuts)
        assert first == second
        many = qc.cut(model, box=25.0)
        assert len(many) == pytest.approx(float(model.density()) * 2500, rel=0.02)
        square = qc.Star(jnp.ones(4))  # corners on the axes: the point (1, 0) of index (1, 0, 0, 0) is one
        edge = qc.cut(qc.Model(lattice, [qc.Surface(square)], jnp.zeros(2)), box=1.2)
        assert edge.singular
        assert (1, 0, 0, 0) in set(map(tuple, np.asarray(edge.indices).tolist()))
        inner = qc.cut(qc.Model(lattice, [qc.Surface(qc.Star(jnp.full(4, 0.99)))], jnp.zeros(2)), box=1.2)
        assert not inner.singular, "the origin lies on no boundary"
        assert (0, 0, 0, 0) in set(map(tuple, np.asarray(inner.indices).tolist()))


def test_star_mistakes_are_named():
    with pytest.raises(ValueError, match="surround"):
        qc.Star(jnp.ones(3), np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
    with pytest.raises(ValueError, match="surround"):
        qc.Star(jnp.ones(4), np.eye(4)[:, :3] + 2.0)
    with pytest.raises(ValueError, match="direction of 2 or 3"):
        qc.Star(jnp.ones(4), np.eye(4))
    with pytest.raises(ValueError, match="in space"):
        qc.Star(jnp.ones(4), centre=jnp.zeros(3))


class Blob(eqx.Module):
    """A ball whose radius is a parameter."""

    radius: jax.Array

    def __call__(self, q):
        return self.radius - jnp.sqrt(jnp.sum(q**2) + 1e-30)


@pytest.mark.slow
@pytest.mark.parametrize(("m", "nodes"), [(2, 64), (3, 32)])
def test_functions_as_windows(m, nodes):
    """A disc and a ball against their closed forms, within the estimated error; and the derivative in the radius."""

    def measured(window):
        return window.volume(), window.volume_error()

    with jax.enable_x64(True):
        window = qc.FunctionWindow(Blob(jnp.asarray(0.8)), jnp.full(m, -1.0), jnp.full(m, 1.0), nodes)
        exact = math.pi * 0.8**2 if m == 2 else 4 * math.pi * 0.8**3 / 3
        both = eqx.filter_jit(eqx.filter_value_and_grad(measured, has_aux=True))
        (volume, error), slope = both(window)
        off = abs(float(volume) - exact)
        assert off < float(error) < 0.02
        surface = (2 * math.pi * 0.8) if m == 2 else 4 * math.pi * 0.8**2
        assert float(slope.function.radius) == pytest.approx(surface, rel=0.02)
        k = jnp.asarray(np.random.default_rng(m).normal(size=(4, m)))
        ball = qc.Ball(jnp.asarray(0.8), m)
        np.testing.assert_allclose(TRANSFORM(window, k), TRANSFORM(ball, k), atol=float(error))
        finer = qc.FunctionWindow(window.function, window.lower, window.upper, 2 * nodes)
        assert abs(float(VOLUME(finer)) - exact) < 0.3 * off, "the error falls with the square of the spacing"


def test_cuts_through_functions_are_those_of_the_window_they_describe():
    for wide in (False, True):
        with jax.enable_x64(wide):
            lattice = qc.ammann_beenker().lattice
            window = qc.FunctionWindow(lambda q: 0.9 - jnp.sqrt(q @ q), jnp.full(2, -1.0), jnp.full(2, 1.0))
            ball = qc.Ball(jnp.asarray(0.9), 2)
            found, expected = (
                set(
                    map(
                        tuple,
                        np.asarray(qc.cut(qc.Model(lattice, [qc.Surface(w)]), box=5.0).indices).tolist(),
                    )
                )
                for w in (window, ball)
            )
            assert found == expected
            assert len(found) > 20
    with pytest.raises(ValueError, match="lower < upper"):
        qc.FunctionWindow(lambda q: q[0], jnp.ones(1), jnp.zeros(1))


@pytest.mark.slow
def test_windows_lower_and_are_saved(tmp_path):
    """For all platforms, without a float64 in a program of float32; artefacts give the same window back."""
    octagon = qc.ammann_beenker().surfaces[0].window
    star = qc.Star(jnp.linspace(0.5, 0.9, 8))
    both = octagon & qc.Polytope(jnp.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]]))
    own = qc.FunctionWindow(Blob(jnp.asarray(0.8)), -jnp.ones(2), jnp.ones(2), 16)

    def everything(windows, q):
        return [(w.volume(), w.transform(q), w.soft(q, 0.1)) for w in windows]

    windows, q = (star, both, own), jnp.ones((3, 2))
    lowered = jax.export.export(jax.jit(everything), platforms=("cpu", "cuda", "tpu"))(windows, q)
    assert lowered.platforms == ("cpu", "cuda", "tpu")
    assert "f64" not in lowered.mlir_module()
    for window in (star, both):
        geoembed.save(tmp_path / "window", window)
        again = geoembed.load(tmp_path / "window")
        assert jax.tree.structure(again) == jax.tree.structure(window)
        np.testing.assert_array_equal(
            on_host(again).margin(np.ones((1, 2))), on_host(window).margin(np.ones((1, 2)))
        )
