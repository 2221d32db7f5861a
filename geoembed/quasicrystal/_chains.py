"""Chains of two tiles whose lengths are quadratic irrational: from their ratio, or from a substitution."""

import math
from collections.abc import Mapping

import numpy as np
from jaxtyping import Array, Float

from ._frames import quadratic_name
from ._lattice import named_lattice
from ._model import Model, Surface
from ._models import Scale, projected_cube
from ._substitution import substitute, substitution_matrix

# a substitution whose images are no powers of one word makes balanced words if, and only if, it keeps this one balanced
_WITNESS = "baabaababaabab"


def quadratic_chain(
    a: int, b: int, c: int, unit: Scale = 1.0, shift: Float[Array, " 1"] | None = None
) -> Model:
    """The chain of tiles of the lengths θ and 1 where a θ² + b θ + c = 0: quasiperiodic, balanced, of any such ratio.

    Its window is the projection of the unit square, of the length 1 + |θ′|, so that there are 1/|θ′| tiles θ for each
    tile 1. `cut` decides it exactly and by columns. (1, −1, −1) is Fibonacci's chain, (1, −k, −1) that of a metallic
    mean; indices count tiles θ and tiles 1.

    Args:
        a: Coefficient of θ².
        b: Coefficient of θ.
        c: Constant. Its sign is not that of a: only if the conjugate θ′ is negative do two tiles make a chain.
        unit: The length of the tile 1.
        shift: The phason shift; generic by default.

    Raises:
        ValueError: θ is rational, or the conjugate is not negative.

    Example:
        >>> silver = quadratic_chain(1, -2, -1)
        >>> print(f"{silver.density():.6f}")  # (1 + |θ′|) / (θ − θ′)
        0.500000

    References:
        M. Baake, U. Grimm, Aperiodic Order, volume 1, 2013, sections 4.2 and 7.1; M. Morse, G. A. Hedlund, Amer. J.
        Math. 62, 1 (1940).
    """
    common = math.gcd(a, b, c) * (-1 if a < 0 else 1)
    if a * c >= 0:
        raise ValueError(
            f"quadratic_chain needs a and c of opposite signs, so that only one root is positive, received "
            f"{(a, b, c)}: take the tiles of another basis, as the ratio minus a whole number between the roots"
        )
    a, b, c = a // common, b // common, c // common
    if math.isqrt(b * b - 4 * a * c) ** 2 == b * b - 4 * a * c:
        raise ValueError(
            f"quadratic_chain needs an irrational ratio, the roots of {a}θ² + {b}θ + {c} are rational"
        )
    name = quadratic_name(a, b, c)
    return Model(named_lattice(name, unit), [Surface(projected_cube(name))], shift)


def substitution_chain(
    rules: Mapping[str, str], unit: Scale = 1.0, shift: Float[Array, " 1"] | None = None
) -> Model:
    """The chain that a substitution of two letters makes, as a slice of a lattice in two dimensions.

    The lengths of the tiles are the left eigenvector of the substitution's matrix, so that each rule stretches by its
    largest eigenvalue. The words of the chain are those of the substitution, all of them and no others.

    Args:
        rules: What each of the two letters becomes. Indices count tiles in their order.
        unit: The length of the tile of the second letter.
        shift: The phason shift; generic by default.

    Raises:
        ValueError: There are not two letters; the lengths are in a rational proportion; or the words are not balanced,
            so that the window is no interval.

    Example:
        >>> chain = substitution_chain({"a": "aba", "b": "a"})  # the silver mean
        >>> print(chain.lattice.name, f"{chain.lattice.parallel[0, 0]:.6f}")
        quadratic 1 -2 -1 2.414214

    References:
        J. Berstel, P. Séébold, RAIRO Theor. Inform. Appl. 28, 255 (1994): when the words are balanced (Sturmian);
        M. Baake, U. Grimm, Aperiodic Order, volume 1, 2013, section 4.3.
    """
    if len(rules) != 2 or set("".join(rules.values())) - set(rules):
        raise ValueError(
            f"substitution_chain needs rules for two letters in these two, received {dict(rules)}"
        )
    (aa, ab), (ba, bb) = substitution_matrix(rules).tolist()
    # with the lengths θ and 1 both rules stretch alike: θ aa + ba = θ (θ ab + bb)
    coefficients = ab, bb - aa, -ba
    if 0 in (ab, ba):
        raise ValueError("substitution_chain needs rules that make each letter of the other one")
    model = quadratic_chain(*coefficients, unit, shift)
    first, second = rules
    word = substitute(rules, "".join(first if letter == "a" else second for letter in _WITNESS))
    if not _balanced(word, first):
        raise ValueError(
            f"substitution_chain needs balanced words, those of {dict(rules)} are not: their window is no interval"
        )
    return model


def _balanced(word: str, letter: str) -> bool:
    """Whether all factors of one length have the same number of a letter, up to 1."""
    counts = np.cumsum([0, *(x == letter for x in word)])
    return all(np.ptp(counts[n:] - counts[:-n]) <= 1 for n in range(1, len(word)))
