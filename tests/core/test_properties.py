import dataclasses

import pytest

from geoembed.core import Property


def test_a_property_is_a_hashable_value():
    a = Property("invariant", group="SO(3)")
    assert a == Property("invariant", group="SO(3)")
    assert len({a, Property("invariant", group="SO(3)"), Property("eikonal")}) == 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        a.kind = "smooth"  # pyright: ignore


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"kind": "inverted"}, "inverted"),
        ({"kind": "eikonal", "exactness": "nearly"}, "nearly"),
        ({"kind": "invariant"}, "needs a group"),
        ({"kind": "lipschitz"}, "pass constant="),
        ({"kind": "smooth"}, "pass constant="),
        ({"kind": "eikonal", "tol_f32": -1.0}, "tolerances must be ≥ 0"),
        ({"kind": "eikonal", "tol_f64": float("nan")}, "tolerances must be ≥ 0"),
    ],
)
def test_contradictions_are_refused(arguments, said):
    with pytest.raises(Exception, match=said):
        Property(**arguments)


def test_an_unhashable_group_is_refused():
    with pytest.raises(TypeError):
        Property("invariant", group=["SO(3)"])  # pyright: ignore
