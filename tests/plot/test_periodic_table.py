"""The periodic table: where the elements stand and which colours they have."""

import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from geoembed.atoms import SYMBOLS, ElementEmbedding, atomic_number
from geoembed.plot import periodic_table_figure
from geoembed.plot._periodic_table import place


def cells(figure):
    """The patch of every element."""
    return {patch.get_gid(): patch for patch in figure.axes[0].patches}


def colour(patch):
    return np.array(to_rgb(patch.get_facecolor()))


def test_every_element_has_a_place_of_its_own():
    places = [place(number) for number in range(1, 119)]
    assert len(set(places)) == 118
    assert place(1) == (0, 0)
    assert place(2) == (17, 0)
    assert place(atomic_number("Mo")) == (5, 4)
    assert place(atomic_number("W")) == (5, 5)
    assert place(atomic_number("Ce"))[0] == place(atomic_number("Th"))[0] == 3
    assert place(atomic_number("Ce"))[1] > 7


def test_near_vectors_have_near_colours():
    symbols = ("F", "Cl", "Na", "K", "Fe")
    elements = ElementEmbedding.physical([atomic_number(s) for s in symbols], 6, capacity=7)
    found = cells(periodic_table_figure(elements))
    assert found.keys() == set(SYMBOLS)
    assert {s for s, patch in found.items() if colour(patch).min() < 0.9} == set(symbols), "others are white"
    f, cl, na, k, _ = (colour(found[s]) for s in symbols)
    assert np.abs(f - cl).max() < np.abs(f - na).max()
    assert np.abs(na - k).max() < np.abs(k - cl).max()


def test_the_distance_to_one_element():
    places = {"H": 0.0, "C": 1.0, "O": 4.0}
    numbers = jnp.asarray([atomic_number(symbol) for symbol in places])
    line = ElementEmbedding(numbers, jnp.asarray([[x] for x in places.values()]))
    figure = periodic_table_figure(line, like="C", title="On a line")
    table, bar = figure.axes
    assert (table.get_label(), bar.get_label()) == ("table", "bar")
    words = [text.get_text() for text in table.texts]
    assert {"0.00", "1.00", "3.00"} <= set(words)
    assert "On a line" in [text.get_text() for text in figure.texts]
    found = cells(figure)
    dark = {symbol: colour(found[symbol]).sum() for symbol in places}
    assert dark["C"] < dark["H"] < dark["O"]
    assert len(periodic_table_figure(ElementEmbedding.one_hot([1, 8])).axes) == 1
    with pytest.raises(ValueError, match="'N' is not among the elements H, C, O"):
        periodic_table_figure(line, like="N")
