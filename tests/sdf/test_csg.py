"""Boolean operations: their laws on random trees, their exactness, and the smooth versions."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import geoembed
from geoembed import sdf
from tests.sdf.encoder_rows import box
from tests.sdf.members import ball, block, half_spaces, near_segment
from tests.sdf.surface_search import distances

LOWER, UPPER = np.full(2, -2.0), np.full(2, 2.0)
POINTS = np.random.default_rng(0).uniform(LOWER, UPPER, (64, 2))
SHORT = st.floats(0.1, 1.0)
PLACE = st.floats(-1.0, 1.0)


def values(shape, points=POINTS):
    with jax.enable_x64(True):
        return np.asarray(jax.jit(jax.vmap(shape))(jnp.asarray(points)))


@st.composite
def leaves(draw):
    """A shape and its membership."""
    kind = draw(st.sampled_from(["circle", "box", "capsule", "half plane"]))
    x, y, size, other = draw(PLACE), draw(PLACE), draw(SHORT), draw(SHORT)
    if kind == "circle":
        return sdf.Circle(size).translate((x, y)), ball(size, x, y)
    if kind == "box":
        return sdf.Box((size, other)).translate((x, y)), block(size, other, centre=(x, y))
    if kind == "capsule":
        return sdf.Capsule((x, y), (y, size), 0.3 * other), near_segment((x, y), (y, size), 0.3 * other)
    normal = np.array([size, y])
    return sdf.HalfSpace(normal, x), half_spaces([normal], [x * np.linalg.norm(normal)])


def joined(operands):
    def node(draw):
        kind = draw(st.sampled_from(["|", "&", "-", "^", "~"]))
        (a, inside_a), (b, inside_b) = draw(operands), draw(operands)
        return {
            "|": (a | b, lambda p: inside_a(p) | inside_b(p)),
            "&": (a & b, lambda p: inside_a(p) & inside_b(p)),
            "-": (a - b, lambda p: inside_a(p) & ~inside_b(p)),
            "^": (a ^ b, lambda p: inside_a(p) ^ inside_b(p)),
            "~": (-a, lambda p: ~inside_a(p)),
        }[kind]

    return st.composite(node)()


TREES = st.recursive(leaves(), joined, max_leaves=6)


@settings(max_examples=15)
@given(TREES)
def test_a_tree_is_as_exact_as_it_says(tree):
    """Signs from the sets; the distance, or at most it, from a search for their surface."""
    shape, member = tree
    here, inside = values(shape), member(POINTS)
    clear = np.abs(here) > 1e-12
    assert np.array_equal((here < 0)[clear], inside[clear])
    cloud = member(np.random.default_rng(1).uniform(1.5 * LOWER, 1.5 * UPPER, (4000, 2)))
    if not 0.01 < cloud.mean() < 0.99:
        return  # (nearly) empty or full: the search finds no surface
    most = distances(member, POINTS, 1.5 * LOWER, 1.5 * UPPER)
    for side, at in (("inside", inside), ("outside", ~inside)):
        at = at & (np.abs(here) < 0.5)  # what is nearest lies in the window of the search
        assert np.all(np.abs(here[at]) <= most[at] + 1e-12)
        if getattr(shape.exactness, side) == "exact":
            assert np.quantile(np.append(most[at] - np.abs(here[at]), 0.0), 0.9) < 1e-4


@settings(max_examples=10)
@given(TREES, st.floats(-3, 3), PLACE, PLACE, st.floats(0.3, 3.0))
def test_a_moved_tree_has_moved_values(tree, angle, x, y, factor):
    """f of the moved shape at the moved point; magnified, f grows by the factor."""
    shape, here = tree[0], values(tree[0])
    c, s = np.cos(angle), np.sin(angle)
    there = factor * POINTS @ np.array([[c, s], [-s, c]]) + np.array([x, y])
    moved = shape.rotate(angle).scale(factor).translate((x, y))
    np.testing.assert_allclose(values(moved, there), factor * here, rtol=0, atol=1e-12)


def plate(corner, size, angle):
    """One leaf of one structure: the laws are compiled once for all numbers."""
    return sdf.Box(size).rotate(angle).translate(corner)


PLATES = st.builds(plate, st.tuples(PLACE, PLACE), st.tuples(SHORT, SHORT), st.floats(-3, 3))

LAWS = {
    "a | b = b | a": lambda a, b, c: (a | b, b | a),
    "a & b = b & a": lambda a, b, c: (a & b, b & a),
    "a ^ b = b ^ a": lambda a, b, c: (a ^ b, b ^ a),
    "(a | b) | c = a | (b | c)": lambda a, b, c: ((a | b) | c, a | (b | c)),
    "(a & b) & c = a & (b & c)": lambda a, b, c: ((a & b) & c, a & (b & c)),
    "(a ^ b) ^ c = a ^ (b ^ c)": lambda a, b, c: ((a ^ b) ^ c, a ^ (b ^ c)),
    "-(a | b) = -a & -b": lambda a, b, c: (-(a | b), -a & -b),
    "-(a & b) = -a | -b": lambda a, b, c: (-(a & b), -a | -b),
    "a - b = a & -b": lambda a, b, c: (a - b, a & -b),
    "a ^ b = (a | b) - (a & b)": lambda a, b, c: (a ^ b, (a | b) - (a & b)),
    "-(-a) = a": lambda a, b, c: (sdf.Complement(-a), a),
    "a | a = a": lambda a, b, c: (a | a, a),
    "a & a = a": lambda a, b, c: (a & a, a),
    "a & (b | c) = (a & b) | (a & c)": lambda a, b, c: (a & (b | c), (a & b) | (a & c)),
    "a | (a & b) = a": lambda a, b, c: (a | (a & b), a),
    "a - (b | c) = (a - b) & (a - c)": lambda a, b, c: (a - (b | c), (a - b) & (a - c)),
}


@jax.jit
def both_sides(a, b, c, points):
    pairs = [law(a, b, c) for law in LAWS.values()]
    return jnp.stack([jnp.stack([jax.vmap(left)(points), jax.vmap(right)(points)]) for left, right in pairs])


@given(PLATES, PLATES, PLATES)
def test_laws_of_sets_hold_to_the_last_bit(a, b, c):
    with jax.enable_x64(True):
        sides = np.asarray(both_sides(a, b, c, jnp.asarray(POINTS)))
    for law, (left, right) in zip(LAWS, sides, strict=True):
        np.testing.assert_array_equal(left, right, err_msg=law)


@jax.jit
def combined(a, b, radius, points):
    shapes = {
        "a": a,
        "b": b,
        "|": a | b,
        "&": a & b,
        "-": a - b,
        "a ^ a": a ^ a,
        "offset": a.offset(0.2),
        "smooth |": a.smooth_union(b, radius),
        "swapped |": b.smooth_union(a, radius),
        "smooth &": a.smooth_intersection(b, radius),
        "smooth -": a.smooth_difference(b, radius),
        "smooth & of -b": a.smooth_intersection(-b, radius),
        "smooth a | a": a.smooth_union(a, radius),
    }
    return {name: jax.vmap(shape)(points) for name, shape in shapes.items()}


@given(PLATES, PLATES, st.floats(0.05, 0.8))
def test_operators_are_monotone_and_smooth_ones_near(a, b, radius):
    """A smooth operator adds to a union and takes from the others, at most a quarter of its radius."""
    with jax.enable_x64(True):
        f = {
            name: np.asarray(v)
            for name, v in combined(a, b, jnp.asarray(radius), jnp.asarray(POINTS)).items()
        }
    assert np.all(f["&"] >= f["a"])
    assert np.all(f["|"] <= f["a"])
    assert np.all(f["-"] >= f["a"])
    assert np.all(f["a ^ a"] >= 0)
    assert np.all(f["offset"] < f["a"])
    for name, sign, second in (("|", 1, f["b"]), ("&", -1, f["b"]), ("-", -1, -f["b"])):
        gap = sign * (f[name] - f[f"smooth {name}"])
        assert np.all((gap >= 0) & (gap <= radius / 4 + 1e-15))
        assert np.all(gap[np.abs(f["a"] - second) >= radius] == 0)
    np.testing.assert_array_equal(f["smooth |"], f["swapped |"])
    np.testing.assert_array_equal(f["smooth -"], f["smooth & of -b"])
    np.testing.assert_allclose(f["smooth a | a"], f["a"] - radius / 4, atol=1e-15)


def test_a_smooth_union_has_a_continuous_gradient():
    """Across the places where the blend starts, and where both are equal."""
    shape = sdf.Circle(0.6).smooth_union(sdf.Circle(0.5).translate((1.0, 0.0)), 0.4)
    x = np.stack([np.linspace(-0.3, 1.3, 4001), np.full(4001, 0.7)], 1)
    with jax.enable_x64(True):
        gradients = np.asarray(jax.jit(jax.vmap(jax.grad(shape)))(jnp.asarray(x)))
    assert np.linalg.norm(np.diff(gradients, axis=0), axis=1).max() < 5e-3
    sharp = sdf.Circle(0.6) | sdf.Circle(0.5).translate((1.0, 0.0))
    with jax.enable_x64(True):
        jumps = np.asarray(jax.jit(jax.vmap(jax.grad(sharp)))(jnp.asarray(x)))
    assert np.linalg.norm(np.diff(jumps, axis=0), axis=1).max() > 0.5


def test_at_a_tie_the_gradient_is_that_of_one_side(precision):
    """Of a sharp union; a smooth one has a gradient there, the mean."""
    middle = jnp.asarray([0.0, 0.5], precision)
    left, right = sdf.Circle(0.3).translate((-1.0, 0.0)), sdf.Circle(0.3).translate((1.0, 0.0))
    sharp = jax.jit(jax.grad(left | right))(middle)
    np.testing.assert_allclose([abs(float(sharp[0])), sharp[1]], np.array([1.0, 0.5]) / 1.25**0.5, atol=1e-6)
    smooth = jax.jit(jax.grad(left.smooth_union(right, 0.5)))(middle)
    np.testing.assert_allclose(smooth, [0, 0.5 / 1.25**0.5], atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "inside", "outside"),
    [
        (lambda: sdf.Sphere(1.0) | sdf.Torus(1.0, 0.2), "bound", "exact"),
        (lambda: sdf.Sphere(1.0) & sdf.Torus(1.0, 0.2), "exact", "bound"),
        (lambda: sdf.Sphere(1.0) - sdf.Torus(1.0, 0.2), "exact", "bound"),
        (lambda: sdf.Sphere(1.0) ^ sdf.Torus(1.0, 0.2), "exact", "exact"),
        (lambda: -(sdf.Sphere(1.0) | sdf.Torus(1.0, 0.2)), "exact", "bound"),
        (lambda: (sdf.Sphere(1.0) | sdf.Torus(1.0, 0.2)) - sdf.Box((0.2, 0.2, 4.0)), "bound", "bound"),
        (lambda: sdf.Box((1.0, 1.0, 1.0)).offset(0.1), "bound", "exact"),
        (lambda: sdf.Box((1.0, 1.0, 1.0)).offset(-0.1), "exact", "bound"),
        (lambda: sdf.Sphere(1.0) & sdf.Gyroid(1.0), "bound", "bound"),
        (lambda: sdf.Slab((1.0, 0.0, 0.0), 1.0).twist(1.0) | sdf.Sphere(1.0), "implicit", "implicit"),
    ],
)
def test_composition_derives_exactness(shape, inside, outside):
    found = shape().exactness
    assert (found.inside, found.outside) == (inside, outside)
    assert np.isinf(found.lipschitz) == ("implicit" in (inside, outside))


def test_an_offset_of_unknown_sign_is_a_bound():
    seen = []

    @jax.jit
    def trace(distance):
        seen.append(sdf.Circle(1.0).offset(distance).exactness)
        return distance

    trace(0.5)
    assert (seen[0].inside, seen[0].outside) == ("bound", "bound")


def test_a_wrong_declaration_would_be_noticed():
    """The search that judges exactness tells a bound from a distance: outside the tip of a wedge."""
    shape = sdf.HalfSpace((0.3, 1.0)) & sdf.HalfSpace((0.3, -1.0))
    member = half_spaces([[0.3, 1.0], [0.3, -1.0]], [0.0, 0.0])
    beyond = POINTS[:, 0] > 0.5
    most = distances(member, POINTS, 2 * LOWER, 2 * UPPER)
    assert np.min((most - np.abs(values(shape)))[beyond & ~member(POINTS)]) > -1e-12
    assert np.max((most - np.abs(values(shape)))[beyond & ~member(POINTS)]) > 0.3


def test_a_mesh_is_a_shape(tmp_path):
    """A ball is taken out of a box of triangles: values by hand, a derivative in the radius, a saved tree."""
    cut = box() - sdf.Sphere(1.0).translate((2.0, 1.5, 2.0))  # the centre lies on the face x = 2
    points = np.random.default_rng(0).uniform(-1, 5, (40, 3))
    gaps = np.abs(points - [1, 1.5, 2]) - [1, 1.5, 2]
    solid = np.linalg.norm(np.maximum(gaps, 0), axis=1) + np.minimum(gaps.max(axis=1), 0)
    ball_out = 1 - np.linalg.norm(points - [2, 1.5, 2], axis=1)
    np.testing.assert_allclose(values(cut, points), np.maximum(solid, ball_out), atol=1e-12)
    assert cut.exactness == sdf.Exactness("exact", "bound")
    np.testing.assert_allclose(cut.bounds, [[0, 0, 0], [2, 3, 4]])
    in_the_hole = jnp.asarray([1.5, 1.5, 2.0])
    assert (
        float(jax.grad(lambda r: (box() - sdf.Sphere(r).translate((2.0, 1.5, 2.0)))(in_the_hole))(1.0)) == 1.0
    )
    geoembed.save(tmp_path / "cut", cut)
    loaded = geoembed.load(tmp_path / "cut")
    assert loaded == cut
    assert hash(loaded) == hash(cut)


def test_every_operator_takes_a_mesh():
    """The section of a row of hollow boxes, moved: at the height of the walls' middle it is known."""
    row = box().translate((-1.0, -1.5, -2.0)).shell(0.2).repeat((5.0, 9.0, 9.0), (3, 1, 1))
    section = row.rotate(np.pi / 2, (0.0, 0.0, 1.0)).slice(0.5)
    points = np.array([[0.0, 0.0], [1.5, 0.0], [0.0, 5.0], [0.0, 8.0], [0.0, 13.0]])
    np.testing.assert_allclose(values(section, points), [0.9, -0.1, 0.9, 0.9, 1.9], atol=1e-12)
    assert section.exactness == sdf.Exactness("bound", "bound")
    np.testing.assert_allclose(section.bounds, [[-1.6, -1.1], [1.6, 11.1]], atol=1e-6)


def test_a_mesh_with_a_hole_is_implicit():
    part = box()
    with_hole = sdf.mesh_sdf(part.vertices, part.faces[1:], unit="mm")
    assert not with_hole.sign_reliable
    assert with_hole.exactness.inside == with_hole.exactness.outside == "implicit"
    assert np.isinf((with_hole | sdf.Sphere(1.0)).exactness.lipschitz)


def test_operands_must_be_of_one_dimension():
    with pytest.raises(ValueError, match="in 2D and a Sphere in 3D"):
        _ = sdf.Circle(1.0) | sdf.Sphere(1.0)


@functools.cache
def bracket():
    plate = sdf.RoundedBox((3.0, 2.0, 0.4), 0.1)
    return (plate - sdf.Cylinder(0.3, 1.0).translate((1.0, 0.5, 0.0))).smooth_union(
        sdf.Capsule((-1.0, 0.0, 0.0), (-1.0, 0.0, 1.0), 0.3), 0.2
    )


def test_a_tree_learns_its_parameters():
    """Gradient descent in all parameters at once moves the surface to where it is wanted."""
    target = jnp.asarray(np.random.default_rng(0).uniform(-1, 1, (32, 3)))
    leaves, structure = jax.tree.flatten(bracket())
    leaves = [jnp.asarray(leaf, target.dtype) for leaf in leaves]

    @jax.jit
    def step(leaves):
        def loss(leaves):
            return jnp.mean(jax.vmap(jax.tree.unflatten(structure, leaves))(target) ** 2)

        value, slopes = jax.value_and_grad(loss)(leaves)
        return value, [leaf - 0.1 * slope for leaf, slope in zip(leaves, slopes, strict=True)]

    losses = []
    for _ in range(15):
        value, leaves = step(leaves)
        losses.append(float(value))
    assert losses[-1] < 0.7 * losses[0]
    assert np.all(np.diff(losses) <= 0)
