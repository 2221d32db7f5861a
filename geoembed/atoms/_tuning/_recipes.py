"""What trains in a fine-tuning: recipes as rules."""

from collections.abc import Sequence
from typing import get_args

from ...train import Train
from ._settings import Recipe

_RATES: dict[Recipe | None, float] = {
    "rows": 1e-2,
    "low_rank": 3e-3,
    "rows+low_rank": 3e-3,
    "last_layer": 1e-2,
    "naive": 1e-3,
    None: 1e-3,
}


def recipe_rules(recipe: Recipe, *, rows: Sequence[str], rank: int = 4) -> list[Train] | None:
    """The rules of a recipe, as `fit` takes them for `trainable`.

    Args:
        recipe: "rows": the vectors of some elements, with which nothing changes for structures without them.
            "low_rank": a change of low rank of every matrix, degree by degree, so that equivariance holds; the
            vectors of the elements stay. "rows+low_rank": both. "last_layer": the readouts. "naive": all that
            `geoembed train` trains.
        rows: Symbols of the elements whose vectors the first and third train.
        rank: Of the changes.

    Returns:
        The rules; None for "naive".

    Raises:
        ValueError: There is no such recipe.

    Example:
        >>> [rule.parts for rule in recipe_rules("rows+low_rank", rows=["W"])]
        [('elements',), ('*',)]
    """
    match recipe:
        case "rows":
            return [Train("elements", rows=tuple(rows))]
        case "low_rank":
            return [Train("*", rank=rank)]
        case "rows+low_rank":
            return [Train("elements", rows=tuple(rows)), Train("*", but="elements", rank=rank)]
        case "last_layer":
            return [Train("readouts")]
        case "naive":
            return None
    raise ValueError(f"there is no recipe {recipe!r}: give one of {', '.join(map(repr, get_args(Recipe)))}")


def usual_rate(recipe: Recipe | None) -> float:
    """The highest learning rate of a recipe where none is given; None stands for rules of one's own."""
    return _RATES[recipe]
