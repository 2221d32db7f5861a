"""Properties of the elements, vectors from them, and what is read off a table of vectors."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ase.data import covalent_radii, ground_state_magnetic_moments
from ase.data.vdw_alvarez import vdw_radii

from geoembed.atoms import (
    SYMBOLS,
    ElementEmbedding,
    atomic_number,
    compare_with_properties,
    element_properties,
    nearest_elements,
)
from geoembed.atoms._physical_vectors import physical_vectors

KEY = jax.random.key(0)
GROUPS = {  # the columns of the periodic table as everyone prints them
    1: "H Li Na K Rb Cs Fr", 2: "Be Mg Ca Sr Ba Ra", 3: "Sc Y Lu Lr", 4: "Ti Zr Hf Rf", 5: "V Nb Ta Db",
    6: "Cr Mo W Sg", 7: "Mn Tc Re Bh", 8: "Fe Ru Os Hs", 9: "Co Rh Ir Mt", 10: "Ni Pd Pt Ds", 11: "Cu Ag Au Rg",
    12: "Zn Cd Hg Cn", 13: "B Al Ga In Tl Nh", 14: "C Si Ge Sn Pb Fl", 15: "N P As Sb Bi Mc", 16: "O S Se Te Po Lv",
    17: "F Cl Br I At Ts", 18: "He Ne Ar Kr Xe Rn Og",
}  # fmt: skip
PERIODS = (2, 8, 8, 18, 18, 32, 32)  # how many elements each has


def of(symbol):
    return element_properties(atomic_number(symbol))


def test_every_element_stands_where_it_is_printed():
    for group, symbols in GROUPS.items():
        assert {of(symbol).group for symbol in symbols.split()} == {group}
    printed = " ".join(GROUPS.values()).split()
    others = [symbol for symbol in SYMBOLS if symbol not in printed]
    assert len(others) == 28
    assert {(of(symbol).group, of(symbol).block) for symbol in others} == {(None, "f")}
    rows = [element_properties(number).period for number in range(1, 119)]
    assert rows == [row for row, count in enumerate(PERIODS, start=1) for _ in range(count)]
    blocks = [element_properties(number).block for number in range(1, 119)]
    assert {name: blocks.count(name) for name in "spdf"} == {"s": 14, "p": 36, "d": 40, "f": 28}


def test_valence_electrons_are_those_of_the_ground_states():
    """Unpaired electrons against ase's magnetic moments of free atoms, a table of its own."""
    wrong = [
        SYMBOLS[number - 1]
        for number in range(1, 103)
        if element_properties(number).unpaired != ground_state_magnetic_moments[number]
    ]
    # In Ce 4f and 5d couple to a singlet against Hund; Es is 5f¹¹, three unpaired, and ase has 4.
    assert wrong == ["Ce", "Es"]
    assert of("Cr").valence == (1, 0, 5, 0)
    assert of("Fe").valence == (2, 0, 6, 0)
    assert of("Pd").valence == (0, 0, 10, 0)
    assert of("O").valence == (2, 4, 0, 0)
    assert of("Br").valence == (2, 5, 0, 0), "3d is closed"
    assert of("W").valence == (2, 0, 4, 0), "4f is closed"
    assert of("U").valence == (2, 0, 1, 3)


def test_measured_numbers():
    for number in range(1, 119):
        found = element_properties(number)
        assert math.isnan(found.covalent_radius) == (number > 96)
        assert number > 96 or found.covalent_radius == covalent_radii[number]
        known = number < len(vdw_radii) and np.isfinite(vdw_radii[number])
        assert np.array_equal(
            found.van_der_waals_radius, vdw_radii[number] if known else np.nan, equal_nan=True
        )
    values = {
        element_properties(number).symbol: element_properties(number).electronegativity
        for number in range(1, 119)
    }
    known = {symbol: value for symbol, value in values.items() if not math.isnan(value)}
    assert max(known, key=known.__getitem__) == "F"
    assert min(known, key=known.__getitem__) == "Fr"
    assert (known["F"], known["O"], known["C"], known["H"], known["Cs"]) == (3.98, 3.44, 2.55, 2.20, 0.79)
    assert (known["Mo"], known["W"], known["Au"], known["Pu"]) == (2.16, 1.7, 2.4, 1.3)
    assert {"He", "Ne", "Ar", "Kr", "Rn", "Pm", "Am", "Og"}.isdisjoint(known)
    assert len(known) == 85
    with pytest.raises(ValueError, match="1 to 118, received 0"):
        element_properties(0)


def test_physical_vectors_are_near_where_elements_are_alike(precision):
    elements = ElementEmbedding.physical(list(range(1, 119)), 9)
    assert elements.vectors.dtype == precision
    by_symbol = dict(zip(SYMBOLS, np.asarray(elements.vectors, np.float64), strict=True))

    def far(one, other):
        return np.linalg.norm(by_symbol[one] - by_symbol[other])

    for one, alike, other in [
        ("Mo", "W", "O"), ("Nb", "Ta", "Na"), ("F", "Cl", "Na"), ("Na", "K", "Cl"), ("C", "Si", "Fe"),
        ("O", "S", "Mg"), ("Zr", "Hf", "Zn"), ("La", "Ce", "Lr"), ("Ar", "Kr", "K"), ("Cu", "Ag", "Ca"),
    ]:  # fmt: skip
        assert 2 * far(one, alike) < far(one, other), (one, alike, other)
    for symbol, nearest in {"Ta": "W", "Si": "Ge", "Fe": "Co", "Xe": "I", "Zr": "Nb"}.items():
        others = sorted(by_symbol, key=lambda name, symbol=symbol: far(symbol, name))
        assert nearest in others[1:4], (symbol, others[1:4])


@pytest.mark.parametrize("size", [3, 4, 6, 9, 16])
def test_no_two_elements_have_the_same_vector(size):
    vectors = physical_vectors(size)
    assert vectors.shape == (118, size)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-12)
    far = np.linalg.norm(vectors[:, None] - vectors, axis=-1)[np.triu_indices(118, 1)]
    assert far.min() > (5e-3 if size == 3 else 0.025)
    if size >= 9:  # more than all there is to say
        assert not vectors[:, 9:].any()
        full = compare_with_properties(
            ElementEmbedding.physical(list(range(1, 119)), size), key=KEY, permutations=20
        )
        assert full.correlation > 0.96


def test_a_vector_does_not_depend_on_the_other_elements():
    one = ElementEmbedding.physical([74], 5, capacity=3)
    many = ElementEmbedding.physical([8, 42, 74, 1], 5)
    assert np.array_equal(one.vectors[0], many.vectors[2])
    assert one.numbers.tolist() == [74, 0, 0]
    assert not one.vectors[1:].any()
    with pytest.raises(ValueError, match="at least 3, received 2"):
        ElementEmbedding.physical([1, 8], 2)


def on_a_line(places):
    """An embedding with known distances."""
    rows = jnp.asarray([[float(x), 0.0] for x in places.values()])
    return ElementEmbedding(jnp.asarray([atomic_number(s) for s in places]), rows)


def test_nearest_elements():
    line = on_a_line({"H": 0, "C": 1, "N": 3, "O": 7})
    found = nearest_elements(line, count=2)
    assert {symbol: [name for name, _ in rows] for symbol, rows in found.items()} == {
        "H": ["C", "N"], "C": ["H", "N"], "N": ["C", "H"], "O": ["N", "C"],
    }  # fmt: skip
    assert found["O"][0] == ("N", 4.0)
    assert len(nearest_elements(line, count=9)["H"]) == 3
    turned = ElementEmbedding(
        jnp.asarray([1, 6, 7, 0]), jnp.asarray([[1.0, 0.0], [5.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    )
    found = nearest_elements(turned, measure="cosine")
    assert found.keys() == {"H", "C", "N"}, "free rows are no elements"
    assert found["H"] == (("C", 0.0), ("N", 1.0))


def test_the_permutation_test_finds_what_is_there_and_nothing_else():
    numbers = [3, 11, 19, 37, 9, 17, 35, 53]
    alike = on_a_line({SYMBOLS[z - 1]: k // 4 + 0.01 * k for k, z in enumerate(numbers)})
    found = compare_with_properties(alike, key=KEY, permutations=999)
    assert found.correlation > 0.8
    assert found.p_value <= 0.05
    assert found.permutations == 999
    draw, values = np.random.default_rng(0), []
    for _ in range(40):  # p-values of tables that mean nothing are spread evenly from 0 to 1
        random = ElementEmbedding(alike.numbers, jnp.asarray(draw.normal(size=(8, 4)), jnp.float32))
        values.append(compare_with_properties(random, key=KEY, permutations=199).p_value)
    assert abs(np.mean(values) - 0.5) < 0.14, "three standard deviations"
    assert 0 < np.min(values) < 0.2
    assert 0.8 < np.max(values) <= 1
    few = compare_with_properties(on_a_line({"Li": 0, "Na": 0.1, "F": 1, "Cl": 1.2}), key=KEY)
    assert few.permutations == 24
    assert few.p_value * 24 == pytest.approx(round(few.p_value * 24))
    assert few.p_value >= 1 / 24
    assert compare_with_properties(ElementEmbedding.one_hot([1, 6, 8]), key=KEY) == (0.0, 1.0, 0)
    with pytest.raises(ValueError, match="three elements or more, received 2"):
        compare_with_properties(ElementEmbedding.one_hot([1, 6]), key=KEY)
