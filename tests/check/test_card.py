import json

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed import check, core
from geoembed.core import Property

KEY = jax.random.key(0)


class Shape(eqx.Module):
    """A ball that keeps its promises; `factor` ≠ 1 breaks them."""

    radius: jax.Array
    factor: float = eqx.field(static=True, default=1.0)
    properties: tuple[Property, ...] = eqx.field(
        static=True,
        default=(
            Property("eikonal", domain="off the centre"),
            Property("lipschitz", exactness="bound", constant=1.0),
            Property("invariant", group="O(3)"),
            Property("sensitive", group="translations", constant=1e-4),
            Property("smooth", constant=2),
        ),
    )

    def __call__(self, x):
        return self.factor * (core.norm(x) - self.radius)


def points():
    return list(jnp.asarray(np.random.default_rng(0).normal(size=(12, 3)), jnp.float32))


def rows(card):
    return {(row.check.name, row.dtype): row for row in card.rows}


@pytest.fixture(scope="module")
def good():
    return check.card(Shape(jnp.ones(())), points(), key=KEY)


def test_a_card_measures_every_declared_property_in_both_precisions(good):
    assert good.passed, good.to_text()
    declared = [(row.declared.kind, row.dtype) for row in good.rows if row.declared]
    kinds = ["eikonal", "lipschitz", "invariant", "sensitive"]
    expected = [(kind, dtype) for kind in kinds for dtype in ("float32", "float64")]
    assert sorted(declared) == sorted([*expected, ("smooth", "float64")])
    # float64 is really float64: rounding in float32 could not be this small
    assert 0 < rows(good)["eikonal", "float32"].check.value < 1e-5
    assert rows(good)["eikonal", "float64"].check.value < 1e-14
    assert jnp.zeros(()).dtype == jnp.float32, "the caller's mode is back"


def test_a_card_measures_what_every_encoder_owes(good):
    names = {row.check.name for row in good.rows if row.declared is None}
    assert names == {
        "jit matches eager",
        "vmap matches loop",
        "finite values and gradients",
        "gradient matches differences",
        "dtype kept",
        "traced once",
        "lowers for cpu, cuda, tpu",
    }


def test_a_broken_promise_fails_its_rows_and_only_these():
    broken = Shape(jnp.ones(()), factor=1.01)
    card = check.card(broken, points(), key=KEY, dtypes=("float32",), platforms=("cpu",))
    assert not card
    assert {row.check.name for row in card.rows if not row.check.passed} == {"eikonal", "lipschitz 1"}


def test_tolerances_are_those_declared():
    loose = (Property("eikonal", exactness="approximate", tol_f32=0.02, tol_f64=0.005),)
    card = check.card(Shape(jnp.ones(()), 1.01, loose), points(), key=KEY)
    assert rows(card)["eikonal", "float32"].check.passed
    assert not rows(card)["eikonal", "float64"].check.passed


def test_a_measurement_that_raises_is_a_failed_row():
    class Moody(Shape):
        def __call__(self, x):
            if x.dtype == jnp.float64:
                raise TypeError("only float32, please")
            return jnp.sum(x)

    card = check.card(Moody(jnp.ones(()), properties=()), points(), key=KEY)
    assert not card
    assert "only float32, please" in card.to_text()
    assert len(card.rows) == 10


def test_kinds_with_a_group_and_a_representation():
    class Moment(eqx.Module):
        properties: tuple[Property, ...] = eqx.field(
            static=True,
            default=(
                Property("equivariant", group="E(3)"),
                Property("equivariant", group=check.SO3, representation=check.vector),
                Property("periodic", group=check.lattice(2.0), tol_f32=1e-4),
            ),
        )

        def __call__(self, x):
            return jnp.mean(x, axis=0)

    cloud = jnp.asarray(np.random.default_rng(0).normal(size=(4, 3)), jnp.float32)
    card = check.card(Moment(), cloud, key=KEY, dtypes=("float32",), platforms=("cpu",))
    failed = {row.check.name for row in card.rows if not row.check.passed}
    assert failed == {"periodic in lattice 2.0"}


def test_a_card_as_text_and_json(good):
    text = good.to_text()
    assert text.splitlines()[0] == "Shape"
    assert "off the centre" in text
    assert str(good) == text
    data = json.loads(json.dumps(good.to_dict(), allow_nan=False))
    assert data["passed"] is True
    assert data["name"] == "Shape"
    assert {row["dtype"] for row in data["rows"]} >= {"float32", "float64"}
    assert any(row["declared"] and row["exactness"] == "bound" for row in data["rows"])


def test_the_text_tells_a_figure_just_above_its_tolerance_from_it():
    check_ = check.Check("lipschitz 1", 1.00002, 1.00001, np.ones(3), False, "why")
    text = check.Card("Ball", (check.Row(check_, "float32"),)).to_text()
    assert "1.00002" in text
    assert "1.00001" in text
    assert "lipschitz 1 (float32): why" in text
    assert "worst input array([1., 1., 1.])" in text


class Ring(eqx.Module):
    """A module that makes its own examples."""

    properties: tuple[Property, ...] = eqx.field(
        static=True, default=(Property("periodic", group=1.0, tol_f32=2e-5),)
    )

    def __call__(self, x):
        return jnp.sin(2 * jnp.pi * x)

    def examples(self, count, *, key):
        return list(jax.random.uniform(key, (count,)))


def test_an_encoder_may_make_its_own_examples():
    seen = []
    card = check.card(Ring(), key=KEY, dtypes=("float32",), platforms=("cpu",), callback=seen.append)
    assert card, card.to_text()
    assert seen == list(card.rows)
    assert card.rows[0].check.name == "periodic in lattice 1.0"


def test_what_cannot_have_a_card_is_explained():
    with pytest.raises(ValueError, match="Shape has no method examples"):
        check.card(Shape(jnp.ones(())), key=KEY)

    class Empty(Ring):
        def examples(self, count, *, key):
            return []

    with pytest.raises(ValueError, match=r"Empty.examples must return a list of items, received \[\]"):
        check.card(Empty(), key=KEY)
    with pytest.raises(ValueError, match=r"tuple of geoembed.core.Property, received \('periodic',\)"):
        check.card(Ring(("periodic",)), key=KEY)
    for options in ({"dtypes": ()}, {"dtypes": ("float16",)}, {"platforms": ()}):
        with pytest.raises(ValueError, match=r"dtypes must be|at least one platform"):
            check.card(Ring(), key=KEY, **options)


def test_whole_numbers_owe_no_gradient():
    table = jnp.asarray(np.random.default_rng(0).normal(size=(4, 2)), jnp.float32)

    class Lookup(eqx.Module):
        table: jax.Array

        def __call__(self, n):
            return self.table[n]

    card = check.card(Lookup(table), [jnp.asarray(n) for n in range(4)], key=KEY, dtypes=("float32",))
    assert card, card.to_text()
    assert "gradient matches differences" not in {row.check.name for row in card.rows}


def test_a_card_without_rows_is_not_true():
    assert not check.Card("nothing", ())


def test_a_plain_function_has_a_card_without_promises():
    card = check.card(jnp.cos, points(), key=KEY)
    assert card
    assert card.name == "cos"
    assert all(row.declared is None for row in card.rows)
