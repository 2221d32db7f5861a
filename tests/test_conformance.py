"""Every public encoder against the same table of properties.

A new encoder joins with one `Encoder` row; nothing below the table knows what it computes.
"""

import dataclasses
import functools
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import geoembed
from geoembed import check, core, cyclic, pinn, sdf
from tests.check.planted import PLANTED

KEY = jax.random.key(2)


@dataclasses.dataclass(frozen=True)
class Encoder:
    """One row of the table.

    Args:
        name: Its public name.
        make: Builds it.
        examples: Items in the domain of its properties, as float64 numpy arrays of one shape.
        feared: Items where values or gradients might not be finite: 0, the surface, an edge, a cutoff.
    """

    name: str
    make: Callable[[], Any]
    examples: Callable[[], list[Any]]
    feared: Callable[[], list[Any]]


def box() -> sdf.MeshSDF:
    """A box 2 × 3 × 4 mm, closed, outward, twelve faces."""
    corners = np.array([[x, y, z] for x in (0.0, 2.0) for y in (0.0, 3.0) for z in (0.0, 4.0)])
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    faces = np.array([face for a, b, c, d in quads for face in ((a, b, c), (a, c, d))])
    return sdf.mesh_sdf(corners, faces, unit="mm")


def box_examples() -> list[np.ndarray]:
    points = np.random.default_rng(0).uniform(-1.5, 5.5, size=(40, 3))
    q = np.sort(np.abs(points - [1, 1.5, 2]) - [1, 1.5, 2], axis=1)
    inside = q[:, 2] < 0
    off_axis = ~inside | (q[:, 2] - q[:, 1] > 0.05)  # two faces equally near: the medial axis
    off_surface = np.abs(q).min(axis=1) > 0.02
    return list(points[off_axis & off_surface])


def box_feared() -> list[np.ndarray]:
    corner, edge, face, centre, far = [0, 0, 0], [2, 3, 1], [0, 1, 1], [1, 1.5, 2], [1e3, -1e3, 1e3]
    return [np.array(point, float) for point in (corner, edge, face, centre, far)]


@functools.cache
def solved() -> pinn.Result:
    """A temperature in the box: one end held, the other convecting."""
    ends = {"left": sdf.facing((-1, 0, 0)), "right": sdf.facing((1, 0, 0))}
    conditions = [pinn.Temperature("left", 400.0), pinn.Convection("right", 2e3, 300.0)]
    problem = pinn.Problem(box(), pinn.SteadyHeat(2.0), conditions, ends)
    return pinn.solve(problem, key=KEY, tolerance=0.0, cells=200, first_cells=200)


def field_examples() -> list[np.ndarray]:
    points = np.random.default_rng(0).uniform(0.02, 0.98, size=(40, 3)) * np.array([[2.0, 3.0, 4.0]])
    field = solved().field
    cell = (points - field.origin[None]) / field.spacing
    return list(points[np.abs(cell - np.rint(cell)).min(axis=1) > 0.01])  # off the planes: C¹, not C²


def field_feared() -> list[np.ndarray]:
    """Corners and faces of the box, and the corner of a cell."""
    field = solved().field
    node = field.origin + field.spacing * np.ceil((np.array([1, 1.5, 2]) - field.origin) / field.spacing)
    return [np.array(point, float) for point in ([0, 0, 0], [2, 3, 4], [2, 1.5, 2], [0, 3, 1], node)]


def drawn(low: Any, high: Any, count: int = 24) -> list[np.ndarray]:
    """Numbers, or points where the bounds are vectors, spread evenly at random."""
    low, high = np.asarray(low, float), np.asarray(high, float)
    return list(np.random.default_rng(0).uniform(low[None], high[None], (count, *low.shape)))


def turns_feared(*periods: float) -> list[np.ndarray]:
    """Whole, half, quarter and eighth turns, and points far away, along every coordinate at once."""
    lengths = np.array(periods) if len(periods) > 1 else np.array(periods[0])
    return [turn * lengths for turn in (0.0, 0.125, 0.25, -0.25, 0.5, -0.5, 1.0, -3.0, 1e-30, 1e6)]


def time2vec() -> cyclic.Time2Vec:
    return cyclic.Time2Vec(6, key=KEY, scale=0.5)


def circle_features() -> cyclic.CircleFeatures:
    kernels = cyclic.VonMises(2.0), cyclic.WrappedGaussian(0.2)
    return cyclic.CircleFeatures((24.0, 7.0), kernels, 16, key=KEY)


def periodic_layer() -> cyclic.PeriodicLayer:
    return cyclic.PeriodicLayer((2.7, None), 8, key=KEY, harmonics=2)


ENCODERS = [
    Encoder("sdf.MeshSDF", box, box_examples, box_feared),
    Encoder("pinn.SplineField", lambda: solved().field, field_examples, field_feared),
    Encoder("pinn.Result.value", lambda: solved().value, field_examples, field_feared),
    Encoder(
        "cyclic.Cyclic",
        lambda: cyclic.Cyclic(24.0, 3, origin=6.0, weights=(1.0, 0.5, 0.25)),
        lambda: drawn(6.0, 30.0),
        lambda: turns_feared(24.0),
    ),
    Encoder(
        "cyclic.Torus",
        lambda: cyclic.Torus((24.0, 7.0), 2),
        lambda: drawn([0.0, 0.0], [24.0, 7.0]),
        lambda: turns_feared(24.0, 7.0),
    ),
    Encoder(
        "cyclic.CyclicSpline",
        lambda: cyclic.CyclicSpline(24.0, 12),
        lambda: [
            *drawn(0.0, 24.0),
            *np.arange(0.0, 24.0, 2.0),
        ],  # with the knots: there a jump is to be feared
        lambda: turns_feared(24.0),
    ),
    Encoder(
        "cyclic.CircleFeatures",
        circle_features,
        lambda: drawn([0.0, 0.0], [24.0, 7.0]),
        lambda: turns_feared(24.0, 7.0),
    ),
    Encoder("cyclic.Time2Vec", time2vec, lambda: drawn(-4.0, 4.0), lambda: turns_feared(1.0)),
    Encoder(
        "cyclic.PeriodicLayer",
        periodic_layer,
        lambda: drawn([-2.7, -1.0], [2.7, 1.0]),
        lambda: turns_feared(2.7, 1.0),
    ),
]

every_encoder = pytest.mark.parametrize("row", ENCODERS, ids=lambda row: row.name)


def in_dtype(items: list[Any], dtype: Any) -> list[Any]:
    """The floating arrays of the items as jax arrays of this dtype."""

    def leaf(value: Any) -> Any:
        value = np.asarray(value)
        return jnp.asarray(value, dtype if np.issubdtype(value.dtype, np.floating) else value.dtype)

    return [jax.tree.map(leaf, item) for item in items]


def call(f: Callable[..., Any], item: Any) -> Any:
    return f(*item) if isinstance(item, tuple) else f(item)


def is_encoder(member: Any) -> bool:
    """Whether it is a class with promises of its own whose objects are called.

    A wrapper that is handed its promises, `properties` being an empty field, has none of its own.
    """
    if not isinstance(member, type) or not any("__call__" in vars(base) for base in member.__mro__[:-1]):
        return False
    promises = inspect.getattr_static(member, "properties", ())
    return isinstance(promises, property) or bool(promises)


def public_encoders() -> set[str]:
    """The encoders that the sub-packages and their public modules export, as "sdf.MeshSDF"."""
    found = set()
    for package in geoembed._SUBPACKAGES:
        module = getattr(geoembed, package)
        members = {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}
        found |= {f"{package}.{name}" for name, member in members.items() if is_encoder(member)}
        for name, inner in members.items():
            if inspect.ismodule(inner) and inner.__name__ == f"geoembed.{package}.{name}":
                public = [member for member in dir(inner) if not member.startswith("_")]
                found |= {f"{package}.{name}.{m}" for m in public if is_encoder(getattr(inner, m))}
    return found


def test_every_public_encoder_has_a_row():
    encoders = public_encoders()
    assert {"sdf.MeshSDF", "pinn.SplineField"} <= encoders, "the search finds encoders"
    names = [row.name for row in ENCODERS]
    assert len(set(names)) == len(names)
    assert encoders - set(names) == set(), "add a row to ENCODERS for each of these"


@every_encoder
def test_every_row_names_something_public(row):
    functools.reduce(getattr, row.name.split("."), geoembed)


@every_encoder
def test_its_own_examples_are_items_like_those_of_the_table(row, precision):
    encoder = row.make()
    items = encoder.examples(5, key=KEY)
    assert isinstance(items, list)
    assert len(items) == 5
    (expected,) = {str(jax.tree.map(np.shape, item)) for item in row.examples()}
    assert {str(jax.tree.map(np.shape, item)) for item in items} == {expected}
    rows = [np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(item)]) for item in items]
    assert len({values.tobytes() for values in rows}) == 5, "examples differ"
    assert np.isfinite(rows).all()
    assert all(leaf.dtype == precision for leaf in jax.tree.leaves(items))
    again = encoder.examples(5, key=KEY)
    assert all(jax.tree.leaves(jax.tree.map(np.array_equal, items, again))), "the key decides"
    assert len(encoder.examples(1, key=KEY)) == 1


def card_of(row: Encoder) -> check.Card:
    """The card on the items of the table, and on some that the encoder makes itself."""
    encoder = row.make()
    items = in_dtype([*row.examples(), *encoder.examples(8, key=KEY)], jnp.float32)
    return check.card(encoder, items, key=KEY)


@every_encoder
def test_the_card_passes(row):
    card = card_of(row)
    assert card.passed, card.to_text()
    assert any(line.declared for line in card.rows), "a public encoder declares properties"


@every_encoder
def test_values_and_gradients_are_finite_where_that_is_feared(row, precision):
    check.assert_finite_at(row.make(), in_dtype(row.feared(), precision))


@every_encoder
def test_it_is_a_hashable_promise(row):
    properties = row.make().properties
    assert isinstance(properties, tuple)
    assert len({*properties}) == len(properties)


@every_encoder
@pytest.mark.parametrize("x64_at_load", [False, True])
def test_an_artefact_comes_back_equal(row, tmp_path, precision, x64_at_load):
    encoder = row.make()
    item = in_dtype(row.examples(), precision)[0]
    geoembed.save(tmp_path / "encoder", encoder)
    with jax.enable_x64(x64_at_load):
        loaded = geoembed.load(tmp_path / "encoder")
    assert type(loaded) is type(encoder)
    assert jax.tree.structure(loaded) == jax.tree.structure(encoder)
    for before, after in zip(jax.tree.leaves(encoder), jax.tree.leaves(loaded), strict=True):
        assert type(before) is type(after)
        assert before.dtype == after.dtype
        assert np.array_equal(before, after, equal_nan=True)
    assert all(jax.tree.leaves(jax.tree.map(np.array_equal, call(loaded, item), call(encoder, item))))
    assert loaded.properties == encoder.properties


@every_encoder
def test_it_serves_as_an_argument_and_as_a_constant(row, precision):
    """`filter_jit(f)(encoder, x)` traces its arrays, `jit(encoder)` closes over them: equal to rounding."""
    encoder, items = row.make(), in_dtype(row.examples(), precision)
    argument = eqx.filter_jit(call)
    tolerance = 1e-5 if precision == np.float32 else 1e-12
    for item in items[:3]:
        got, expected = argument(encoder, item), call(jax.jit(lambda *args: encoder(*args)), item)
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance), got, expected
        )


@every_encoder
@pytest.mark.parametrize("count", [1, 1000])
def test_large_batches_compiled_equal_single_items(row, precision, count):
    """Backends have batched small products wrongly; a batch of many must equal its items."""
    encoder, items = row.make(), in_dtype(row.examples(), precision)
    batch = jax.tree.map(lambda *leaves: jnp.stack(leaves), *[items[i % len(items)] for i in range(count)])
    rows = jax.jit(jax.vmap(lambda item: call(encoder, item)))(batch)
    tolerance = 1e-5 if precision == np.float32 else 1e-12
    for i in {0, count // 2, count - 1}:
        expected = call(encoder, items[i % len(items)])
        got = jax.tree.map(lambda leaf, i=i: leaf[i], rows)
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance), got, expected
        )


# --- the table itself must be able to fail


class Broken(eqx.Module):
    """A box whose distances are 1 % too long."""

    inner: sdf.MeshSDF

    @property
    def properties(self):
        return self.inner.properties

    def __call__(self, x):
        return 1.01 * self.inner(x)


def test_the_page_of_cards_names_every_encoder_and_every_planted_fault():
    """The figures are `python tools/write_cards.py`'s business."""
    root = Path(__file__).resolve().parent.parent
    page = (root / "docs" / "reference" / "property-cards.md").read_text(encoding="utf-8")
    assert [row.name for row in ENCODERS] == re.findall(r"^## (\S+\.\S+)$", page, re.MULTILINE)
    for planted in PLANTED:
        assert f"| {planted.fault} | `{planted.check}` |" in page, "run python tools/write_cards.py"
    assert "failed**" not in page


def test_the_search_for_encoders_tells_them_from_other_classes():
    assert is_encoder(Broken)
    for other in (check.Card, check.Group, core.Property, eqx.nn.Linear, sdf.Closest, box, 3):
        assert not is_encoder(other)


def test_a_wrong_distance_does_not_pass():
    items = in_dtype(box_examples()[:4], jnp.float32)
    assert not check.eikonal(Broken(box()), items)
    assert not check.lipschitz(Broken(box()), 1.0, items, key=KEY)
