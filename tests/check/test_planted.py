"""Every planted fault is caught by its check and by the card, and by nothing else; every healthy twin passes."""

import jax
import pytest

from geoembed import check
from geoembed.check._measure import title
from tests.check.planted import KEY, PLANTED

every_fault = pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.fault)
# The first fault of every check; the cards of the others are measured with --slow.
FIRST = {planted.check: planted.fault for planted in reversed(PLANTED)}.values()
a_fault_of_every_check = pytest.mark.parametrize(
    "planted",
    [pytest.param(p, id=p.fault, marks=[] if p.fault in FIRST else pytest.mark.slow) for p in PLANTED],
)


def card_of(planted, which):
    """In float32 the broken one, in float64 the healthy one: both would take twice the time."""
    dtype = {"broken": "float32", "healthy": "float64"}[which]
    return check.card(planted.encoder(which), planted.items, key=KEY, dtypes=(dtype,), platforms=("tpu",))


@every_fault
def test_its_check_tells_the_fault_from_the_healthy_twin(planted):
    caught, healthy = planted.measure("broken"), planted.measure("healthy")
    assert not caught.passed
    assert healthy.passed, str(healthy)
    jax.tree.map(lambda leaf: leaf.shape, caught.worst_input)  # arrays, for the reader


@pytest.mark.slow
@a_fault_of_every_check
def test_the_card_fails_in_the_expected_rows_and_no_others(planted):
    card = card_of(planted, "broken")
    expected = {*planted.rows, *([title(planted.promise)] if planted.promise else [])}
    assert {row.check.name for row in card.rows if not row.check.passed} == expected, card.to_text()


@pytest.mark.slow
@every_fault
def test_the_card_of_the_healthy_twin_passes(planted):
    card = card_of(planted, "healthy")
    assert card.passed, card.to_text()


def test_every_check_has_a_planted_fault():
    checks = {name.removeprefix("assert_") for name in dir(check) if name.startswith("assert_")}
    assert {planted.check for planted in PLANTED} == checks


def test_every_group_has_a_planted_fault_or_stands_for_one_that_has():
    groups = {getattr(group, "name", group) for p in PLANTED for group in p.arguments[:1]}
    assert {"SO(3)", "O(3)", "SE(3)", "E(3)", "permutations", "cyclic shifts", "mirrors"} <= groups
    assert any(str(group).startswith("lattice") for group in groups)
