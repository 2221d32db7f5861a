"""Every public encoder against the same table of properties.

A new encoder joins with one `Encoder` row in its package's `encoder_rows.py`; nothing here knows what it computes.
"""

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
from geoembed import check, core, sdf
from tests.atoms import encoder_rows as atoms_rows
from tests.check.planted import PLANTED
from tests.cyclic import encoder_rows as cyclic_rows
from tests.encoder_row import KEY, Encoder
from tests.pinn import encoder_rows as pinn_rows
from tests.sdf import encoder_rows as sdf_rows
from tests.sdf.encoder_rows import box, box_examples

ENCODERS = [*sdf_rows.ROWS, *pinn_rows.ROWS, *cyclic_rows.ROWS, *atoms_rows.ROWS]


def rows_of(encoders: list[Encoder], slow: Callable[[Encoder], bool]) -> pytest.MarkDecorator:
    marks = {True: [pytest.mark.slow], False: []}
    return pytest.mark.parametrize(
        "row", [pytest.param(row, id=row.name, marks=marks[slow(row)]) for row in encoders]
    )


every_encoder = rows_of(ENCODERS, lambda row: row.slow)
every_whole_encoder = rows_of([row for row in ENCODERS if not row.card_only], lambda row: row.slow)
every_card = rows_of(ENCODERS, lambda row: row.slow or row.slow_card)


def in_dtype(items: list[Any], dtype: Any) -> list[Any]:
    """The floating arrays of the items as jax arrays of this dtype."""

    def leaf(value: Any) -> Any:
        value = np.asarray(value)
        return jnp.asarray(value, dtype if np.issubdtype(value.dtype, np.floating) else value.dtype)

    return [jax.tree.map(leaf, item) for item in items]


def outline(item: Any) -> str:
    """The shapes and dtypes of its arrays; atomic numbers stay whole in every precision."""
    return str(jax.tree.map(lambda leaf: (np.shape(leaf), leaf.dtype), item))


def call(f: Callable[..., Any], item: Any) -> Any:
    return f(*item) if isinstance(item, tuple) else f(item)


def is_encoder(member: Any) -> bool:
    """Whether it is a class with promises of its own, not an abstract one, whose objects are called.

    A wrapper that is handed its promises, `properties` being an empty field, has none of its own.
    """
    if (
        not isinstance(member, type)
        or inspect.isabstract(member)
        or not any("__call__" in vars(base) for base in member.__mro__[:-1])
    ):
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


@every_whole_encoder
def test_its_own_examples_are_items_like_those_of_the_table(row, precision):
    encoder = row.make()
    items = encoder.examples(5, key=KEY)
    assert isinstance(items, list)
    assert len(items) == 5
    (expected,) = {outline(item) for item in in_dtype(row.examples(), precision)}
    assert {outline(item) for item in items} == {expected}
    rows = [np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(item)]) for item in items]
    assert len({values.tobytes() for values in rows}) == 5, "examples differ"
    assert np.isfinite(rows).all()
    again = encoder.examples(5, key=KEY)
    assert all(jax.tree.leaves(jax.tree.map(np.array_equal, items, again))), "the key decides"
    assert len(encoder.examples(1, key=KEY)) == 1


def card_of(row: Encoder) -> check.Card:
    """The card on the items of the table, and on some that the encoder makes itself."""
    encoder = row.make()
    items = in_dtype([*row.examples(), *encoder.examples(8, key=KEY)], jnp.float32)
    if not row.card_only:
        return check.card(encoder, items, key=KEY)
    jax.config.update("jax_disable_most_optimizations", True)
    try:
        return check.card(encoder, items[::4], key=KEY, dtypes=("float64",))
    finally:
        jax.config.update("jax_disable_most_optimizations", False)


@every_card
def test_the_card_passes(row):
    card = card_of(row)
    assert card.passed, card.to_text()
    assert any(line.declared for line in card.rows), "a public encoder declares properties"


@rows_of([row for row in ENCODERS if row.slow_card], lambda row: row.slow)
def test_its_program_is_sound_though_its_card_is_slow(row):
    """What a card asks and no other test does."""
    encoder, items = row.make(), in_dtype(row.examples()[:1], jnp.float32)
    assert encoder.properties, "a public encoder declares properties"
    check.assert_dtype_kept(encoder, items)
    check.assert_one_trace(encoder, items)
    check.assert_exports(encoder, items)


@every_whole_encoder
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
    assert loaded.properties == encoder.properties
    # This is eager. Where the card is slow, no other quick test compiles the operations in float64.
    if not (row.slow_card or row.card_only) or precision == np.float32:
        assert all(jax.tree.leaves(jax.tree.map(np.array_equal, call(loaded, item), call(encoder, item))))


@every_whole_encoder
@pytest.mark.parametrize("count", [pytest.param(1, marks=pytest.mark.slow), 1000])
def test_argument_constant_and_batch_compiled_equal_eager_items(row, precision, count):
    """`filter_jit(f)(encoder, x)` traces its arrays, `jit(encoder)` closes over them: equal to rounding.

    Backends have batched small products wrongly; a batch of many must equal its items. Where the card is slow, so are
    eager items in float64: every operation is compiled by itself.
    """
    encoder, items = row.make(), in_dtype(row.examples(), precision)
    batch = jax.tree.map(
        lambda *leaves: jnp.asarray(np.stack(leaves)), *[items[i % len(items)] for i in range(count)]
    )
    rows = jax.device_get(eqx.filter_jit(eqx.filter_vmap(call, in_axes=(None, 0)))(encoder, batch))
    constant = jax.jit(lambda *args: encoder(*args))
    tolerance = 1e-5 if precision == np.float32 else 1e-12
    for i in {0, count // 2, count - 1}:
        item = items[i % len(items)]
        got, expected = jax.tree.map(lambda leaf, i=i: leaf[i], rows), call(constant, item)
        others = [got] if row.slow_card and precision == np.float64 else [got, call(encoder, item)]
        for other in others:
            jax.tree.map(
                lambda a, b: np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance), other, expected
            )


# --- the table itself must be able to fail


class Broken(eqx.Module):
    """A box whose distances are 1 % too long."""

    inner: sdf.Shape

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
    for other in (check.Card, check.Group, core.Property, eqx.nn.Linear, sdf.Closest, sdf.Shape, box, 3):
        assert not is_encoder(other)


def test_a_wrong_distance_does_not_pass():
    items = in_dtype(box_examples()[:4], jnp.float32)
    same = sdf.Box((2.0, 3.0, 4.0)).translate((1.0, 1.5, 2.0))  # as box(), and compiled sooner
    assert check.eikonal(same, items)
    assert not check.eikonal(Broken(same), items)
    assert not check.lipschitz(Broken(same), 1.0, items, key=KEY)
