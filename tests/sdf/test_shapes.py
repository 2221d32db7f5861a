"""Every shape and every operator against the same table: sign, distance, gradient, box, dtype, artefact.

The truth about a case is its membership function in numpy and the distances found from that by search.
"""

import dataclasses
import functools
import inspect
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoembed
from geoembed import sdf
from geoembed.sdf._shapes import _exactness
from tests.sdf.shape_cases import CASES, PLANE, SPACE
from tests.sdf.surface_search import distances

ROOT = Path(__file__).resolve().parents[2]
COUNT = 128  # random points of each case
BATCH = 144  # with the feared ones, filled up: one shape of input, one compilation for all cases of a class
SEARCH = 1e-3  # how far the search for the surface may end above the distance, in parts of the shape's size

# Of one kind each, and what has failed before: the others' gradients in float32 are measured with --slow.
NARROW = ("polygon", "star", "ellipse", "ellipsoid", "capped cone", "hexagonal prism", "octahedron")


def each(cases, slow=lambda case: case.slow):
    """Parametrises by module, which puts the tests of one case next to each other: they share what is computed."""
    marked = [
        pytest.param(case, id=repr(case), marks=[pytest.mark.slow] if slow(case) else []) for case in cases
    ]
    return pytest.mark.parametrize("case", marked, scope="module")


# Another case of the same class, or of the same rule, stands for these.
STOOD_FOR = (
    "rounded box 2D",
    "strip",
    "half plane",
    "clockwise polygon",
    "triangular prism",
    "Schwarz D",
    "shell",
)
STOOD_FOR += ("sharp smooth union", "twisted slab", "row", "drilled block", "shrunk", "disc", "cigar")


every_case = each(CASES, lambda case: case.slow or case.name in STOOD_FOR)
every_primitive = each([*PLANE, *SPACE], lambda case: case.name in STOOD_FOR)
each_primitive_in_time = each([*PLANE, *SPACE], lambda case: case.name not in NARROW)


QUICKLY = {"xla_backend_optimization_level": 0}  # compiled in half the time: these measure formulas


@functools.partial(jax.jit, compiler_options=QUICKLY)
def batch(shape, points):
    """Values, gradients in the parameters and gradients in the point."""
    return jax.vmap(jax.value_and_grad(lambda s, x: s(x), argnums=(0, 1)), (None, 0))(shape, points)


@functools.cache
def made(case):
    return case.make()


@functools.partial(jax.jit, compiler_options=QUICKLY)
def region(shape, grow):
    return shape.region(jnp.zeros(()).dtype, grow)


@functools.cache
def box(case):
    lower, upper = (np.asarray(corner, float) for corner in region(made(case), 0.0))
    return lower, upper, float(np.max(upper - lower))


@functools.cache
def points(case):
    lower, upper, size = box(case)
    drawn = np.random.default_rng(1).uniform(lower - 0.25 * size, upper + 0.25 * size, (BATCH, len(lower)))
    drawn[COUNT : COUNT + len(case.feared)] = np.array(case.feared).reshape(-1, len(lower))
    return drawn


@functools.cache
def computed(case, dtype):
    """Values [n], gradients in the point [n, d] and the list of those in the parameters [n, ...]."""
    with jax.enable_x64(dtype == "float64"):
        values, (in_shape, in_point) = batch(made(case), jnp.asarray(points(case).astype(dtype)))
        assert values.dtype == in_point.dtype == dtype
    return np.asarray(values), np.asarray(in_point), [np.asarray(leaf) for leaf in jax.tree.leaves(in_shape)]


@functools.cache
def truth(case):
    """Which of the random points are inside, and how far they are from the surface at most."""
    lower, upper, size = box(case)
    drawn = points(case)[:COUNT]
    return case.member(drawn), distances(case.member, drawn, lower - 0.5 * size, upper + 0.5 * size)


@every_case
def test_the_sign_is_that_of_the_solid(case):
    values = computed(case, "float64")[0][:COUNT]
    assert np.array_equal(values < 0, truth(case)[0])


@every_case
@pytest.mark.parametrize("side", ["inside", "outside"])
def test_values_are_what_is_declared(case, side):
    """Exact: the distance. Bound: at most L times the distance."""
    shape, values = made(case), np.abs(computed(case, "float64")[0][:COUNT])
    inside, most = truth(case)
    here = inside if side == "inside" else ~inside
    assert here.any()
    size, declared = box(case)[2], getattr(shape.exactness, side)
    if declared == "implicit":
        return
    assert np.all(values[here] <= shape.exactness.lipschitz * most[here] + 1e-12 * size)
    if declared == "exact":
        assert np.all(values[here] >= most[here] - SEARCH * size)
        assert np.quantile(most[here] - values[here], 0.8) < 1e-4 * size  # the search finds most of them


@every_case
def test_gradients_have_length_one_where_it_is_exact(case):
    exactness = made(case).exactness
    lengths = np.linalg.norm(computed(case, "float64")[1][:COUNT], axis=1)
    inside = truth(case)[0]
    for here, declared in ((inside, exactness.inside), (~inside, exactness.outside)):
        if declared == "exact":
            np.testing.assert_allclose(lengths[here], 1, atol=1e-11)
    assert np.all(lengths <= exactness.lipschitz * (1 + 1e-11))


@every_case
def test_on_the_surface_the_gradient_is_a_unit_vector(case):
    """At faces, edges and corners, where a distance as the root of a square would have none."""
    values, in_point, _ = computed(case, "float64")
    feared = slice(COUNT, COUNT + len(case.feared))
    on = np.abs(values[feared]) < 1e-12
    exactness = made(case).exactness
    if (exactness.inside, exactness.outside) == ("exact", "exact"):
        np.testing.assert_allclose(np.linalg.norm(in_point[feared][on], axis=1), 1, atol=1e-11)


@every_case
def test_the_lipschitz_constant_holds_between_all_pairs(case):
    constant = made(case).exactness.lipschitz
    if np.isinf(constant):
        return
    values, x = computed(case, "float64")[0][:COUNT], points(case)[:COUNT]
    rise = np.abs(values[:, None] - values[None])
    run = np.linalg.norm(x[:, None] - x[None], axis=2)
    assert np.all(rise <= constant * run + 1e-12 * box(case)[2])


@every_case
def test_all_derivatives_are_finite_everywhere(case):
    values, in_point, in_shape = computed(case, "float64")
    for numbers in (values, in_point, *in_shape):
        assert np.all(np.isfinite(numbers))


@jax.jit
def gradients(shape, points):
    """Without the values: the compiler fuses this differently, and has lost gradients in it."""
    return jax.vmap(jax.grad(lambda s, x: s(x), argnums=(0, 1)), (None, 0))(shape, points)


@functools.partial(jax.jit, compiler_options=QUICKLY)
def only_values(shape, points):
    return jax.vmap(shape)(points)


@every_primitive
def test_values_in_float32_differ_by_rounding(case):
    """Operators are measured in float32 by the conformance table."""
    values = only_values(made(case), jnp.asarray(points(case).astype(np.float32)))
    np.testing.assert_allclose(values, computed(case, "float64")[0], rtol=0, atol=3e-6 * box(case)[2])


@each_primitive_in_time
def test_gradients_in_float32_differ_by_rounding(case):
    shape, x = made(case), jnp.asarray(points(case).astype(np.float32))
    values, in_point, in_shape = computed(case, "float64")
    narrow, same = gradients(shape, x)
    same_side = np.linalg.norm(np.asarray(same) - in_point, axis=1) < 1e-4 + 1e-5 / (1e-3 + np.abs(values))
    assert same_side[:COUNT].mean() > 0.98  # a point near a kink may round to its other side
    lengths = np.linalg.norm(np.asarray(same, float), axis=1)
    np.testing.assert_allclose(lengths[:COUNT], np.linalg.norm(in_point, axis=1)[:COUNT], atol=1e-4)
    for got, expected in zip(jax.tree.leaves(narrow), in_shape, strict=True):
        assert np.all(np.isfinite(got))
        scale = 1 + np.abs(expected[:COUNT][same_side[:COUNT]])
        gaps = np.abs(np.asarray(got)[:COUNT][same_side[:COUNT]] - expected[:COUNT][same_side[:COUNT]])
        assert np.quantile(gaps / scale, 0.98) < 1e-3


@every_case
def test_derivatives_in_parameters_and_point_match_differences(case):
    """Along a random direction in all parameters and the point at once, where both one-sided slopes agree."""
    shape, x = made(case), points(case)
    random = np.random.default_rng(2)
    leaves, structure = jax.tree.flatten(shape)
    ways = [random.normal(size=np.shape(leaf)) for leaf in leaves]
    way = random.normal(size=x.shape)
    values, in_point, in_shape = computed(case, "float64")
    slopes = np.sum(in_point * way, axis=1)
    for gradient, direction in zip(in_shape, ways, strict=True):
        slopes = slopes + np.sum((gradient * direction[None]).reshape(len(x), -1), axis=1)

    def moved(step):
        there = jax.tree.unflatten(structure, [leaf + step * w for leaf, w in zip(leaves, ways, strict=True)])
        return np.asarray(batch(there, jnp.asarray(x + step * way))[0])

    with jax.enable_x64(True):
        step = 1e-6
        after, before = (moved(step) - values)[:COUNT] / step, (values - moved(-step))[:COUNT] / step
    smooth = np.abs(after - before) < 1e-4 * (1 + np.abs(after))
    assert smooth.mean() > 0.95
    np.testing.assert_allclose(0.5 * (after + before)[smooth], slopes[:COUNT][smooth], atol=2e-6, rtol=2e-6)


@every_case
@pytest.mark.parametrize("grow", [0.0, 0.15])
def test_the_box_contains_every_smaller_value(case, grow):
    shape, values = made(case), computed(case, "float64")[0]
    if not shape.bounded:
        assert shape.bounds is None
        return
    lower, upper = (np.asarray(corner, float) for corner in region(shape, grow))
    inside = points(case)[values < grow]
    assert len(inside)
    assert np.all((inside >= lower - 1e-6) & (inside <= upper + 1e-6))


@every_case
def test_a_shape_survives_saving(case, tmp_path):
    shape = made(case)
    geoembed.save(tmp_path / "shape", shape)
    loaded = geoembed.load(tmp_path / "shape")
    assert type(loaded) is type(shape)
    assert loaded == shape
    assert hash(loaded) == hash(shape)
    assert loaded.exactness == shape.exactness


def test_the_cases_use_every_rule(monkeypatch):
    """Each rule of the table is measured; "offset" applies only while the distance is traced."""
    used = set()

    class Recording(dict):
        def __getitem__(self, rule):
            used.add(rule)
            return super().__getitem__(rule)

    monkeypatch.setattr(_exactness, "RULES", Recording(_exactness.RULES))
    for case in CASES:
        _ = made(case).exactness
    assert set(_exactness.RULES) - used == {"offset"}


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_a_float32_program_computes_nothing_in_float64(case):
    """Where float64 is on, and lowered for all platforms. Constants may be written as float64, and are converted."""
    shape, d = made(case), made(case).dimension
    with jax.enable_x64(True):
        traced = jax.jit(lambda x: shape(x)).trace(jax.ShapeDtypeStruct((d,), jnp.float32))
        program = traced.lower(lowering_platforms=("cpu", "cuda", "tpu")).as_text()
    harmless = re.compile(r"stablehlo\.(constant|convert)|call @|func\.func|return")
    assert not [line for line in program.splitlines() if "f64" in line and not harmless.search(line)]


SHAPES = [item for item in vars(sdf).values() if isinstance(item, type) and issubclass(item, sdf.Shape)]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_no_field_hides_a_method(shape):
    """A field named like an operator would replace it: a Translate with a field `offset` could not be grown."""
    public = {attribute for attribute in dir(sdf.Shape) if not attribute.startswith("_")}
    assert not public & {field.name for field in dataclasses.fields(shape)}


def test_the_page_shows_every_shape():
    """Each class has a row with a picture, and the pictures stay small."""
    page = (ROOT / "docs" / "explanation" / "shapes.md").read_text(encoding="utf-8")
    for shape in SHAPES:
        assert inspect.isabstract(shape) or f"`{shape.__name__}" in page, shape.__name__
    pictures = {
        path.name: path.stat().st_size for path in (ROOT / "docs" / "images" / "shapes").glob("*.png")
    }
    assert set(re.findall(r"images/shapes/(\S+\.png)", page)) == set(pictures)
    assert sum(pictures.values()) < 250_000


def test_the_page_on_exactness_has_the_rules_of_the_library():
    page = (ROOT / "docs" / "explanation" / "exactness.md").read_text(encoding="utf-8")
    assert _exactness.rules_table() in page, "run tools/write_exactness_rules.py"
