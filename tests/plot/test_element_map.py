"""Element vectors on a plane beside Mantel's test."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.atoms import ElementEmbedding, atomic_number, compare_with_properties
from geoembed.plot import element_map_figure

KEY = jax.random.key(0)


def test_places_are_those_of_the_vectors_and_the_test_is_mantels():
    places = {"F": (0.0, 0.0), "Cl": (1.0, 0.5), "Na": (6.0, 1.0), "K": (8.0, -1.0), "Fe": (4.0, 3.0)}
    numbers = jnp.asarray([atomic_number(s) for s in places] + [0])
    vectors = np.array([*places.values(), (0.0, 0.0)])
    elements = ElementEmbedding(numbers, jnp.asarray(vectors))
    figure = element_map_figure(elements, key=KEY, permutations=500)
    axes = {one.get_label(): one for one in figure.axes}
    drawn = {text.get_text(): np.array(text.get_position()) for text in axes["map"].texts}
    assert set(places) <= set(drawn)
    for one, at in places.items():  # moved and turned, distances stay
        for other, there in places.items():
            far = np.linalg.norm(drawn[one] - drawn[other])
            assert far == pytest.approx(np.linalg.norm(np.subtract(at, there)), abs=1e-5)
    test = compare_with_properties(elements, key=KEY, permutations=500)
    assert sum(patch.get_height() for patch in axes["test"].patches) == test.permutations == 120
    assert axes["test"].lines[0].get_xdata()[0] == test.correlation
    assert f"p = {test.p_value:.2g}" in axes["test"].get_title(loc="left")


def test_vectors_of_one_number_and_vectors_that_are_all_equally_far():
    line = ElementEmbedding(jnp.asarray([1, 6, 8]), jnp.asarray([[0.0], [1.0], [4.0]]))
    assert len(element_map_figure(line, key=KEY).axes) == 2
    test = element_map_figure(ElementEmbedding.one_hot([1, 6, 8]), key=KEY).axes[1]
    assert not test.patches
    assert "p = 1" in test.get_title(loc="left")
