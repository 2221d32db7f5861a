"""Substitutions: chains of tiles that grow by replacing each tile with several."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int64


def substitute(rules: Mapping[str, str], word: str, steps: int = 1) -> str:
    """Replaces each letter of a word by what the rules say, again and again.

    Args:
        rules: What each letter becomes.
        word: Letters that the rules know.
        steps: How often.

    Raises:
        ValueError: The rules do not know a letter.

    Example:
        >>> substitute({"L": "LS", "S": "L"}, "L", 4)  # Fibonacci
        'LSLLSLSL'

    References:
        M. Baake, U. Grimm, Aperiodic Order, volume 1, 2013, chapter 4.
    """
    unknown = sorted((set(word) | set("".join(rules.values()))) - set(rules))
    if unknown:
        raise ValueError(f"substitute has no rule for {', '.join(unknown)}")
    for _ in range(steps):
        word = "".join(rules[letter] for letter in word)
    return word


def substitution_matrix(rules: Mapping[str, str]) -> Int64[np.ndarray, "k k"]:
    """How many of each letter (row) the rules make of each letter (column), in the order of the rules.

    Its largest eigenvalue is the factor by which words grow; the eigenvector has the shares of the letters, the one of
    the transposed matrix the lengths of the tiles. On counts of tiles it acts as the matrix of `inflation` does.

    Example:
        >>> substitution_matrix({"L": "LS", "S": "L"}).tolist()
        [[1, 1], [1, 0]]

    References:
        M. Baake, U. Grimm, Aperiodic Order, volume 1, 2013, definition 4.4.
    """
    return np.array([[rule.count(letter) for rule in rules.values()] for letter in rules], np.int64)
