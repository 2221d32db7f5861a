"""The well-known quasicrystals."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from ._frames import frame
from ._lattice import named_lattice
from ._model import Coset, Model, Surface
from ._window_polytopes import Polytope, Projected, Zonotope

Scale = Float[Array, ""] | float


def fibonacci(short: Scale = 1.0, shift: Float[Array, " 1"] | None = None) -> Model:
    """The Fibonacci chain: intervals τ and 1, in the proportion τ.

    Indices count long and short tiles.

    Args:
        short: The length of the short tile.
        shift: The phason shift; generic by default.

    References:
        M. Baake, U. Grimm, Aperiodic Order, volume 1, 2013, section 7.1.
    """
    return Model(named_lattice("fibonacci", short), [Surface(projected_cube("fibonacci"))], shift)


def ammann_beenker(edge: Scale = 1.0, shift: Float[Array, " 2"] | None = None) -> Model:
    """The vertices of the Ammann–Beenker tiling: squares and rhombs of 45°, eightfold.

    Args:
        edge: The edge of the tiles.
        shift: The phason shift; generic by default.

    References:
        F. P. M. Beenker, TH Report 82-WSK-04, Eindhoven 1982; Aperiodic Order, volume 1, section 7.3.
    """
    return Model(named_lattice("octagonal", edge), [Surface(projected_cube("octagonal"))], shift)


def penrose(edge: Scale = 1.0, shift: Float[Array, " 2"] | None = None) -> Model:
    """The vertices of the Penrose tiling by rhombs of 36° and 72°, fivefold.

    The four pentagons of index 1 to 4 sit on four of the five cosets of ℤ⁴; `species` is the index. The fifth vector
    of the star is minus the sum of the four basis vectors.

    Args:
        edge: The edge of the rhombs.
        shift: The phason shift; generic by default.

    References:
        N. G. de Bruijn, Indagationes Mathematicae 84, 39–66 (1981), section 8; Aperiodic Order, volume 1,
            section 7.5.2.
    """
    star = [*_unit_vectors(4), (-1, -1, -1, -1)]
    pairs = [tuple(x + y for x, y in zip(star[k], star[(k + 2) % 5], strict=True)) for k in range(5)]
    surfaces = []
    for index, (corners, sign) in enumerate([(star, 1), (pairs, 1), (pairs, -1), (star, -1)], start=1):
        origin = Projected("pentagonal", tuple(tuple(sign * x for x in corner) for corner in corners))
        coset = Coset(((1, 1, 1, 1),), 5, (index,))
        surfaces.append(Surface(Polytope(origin.floats(), origin), species=index, coset=coset))
    return Model(named_lattice("pentagonal", edge), surfaces, shift)


def dodecagonal(distance: Scale = 1.0, shift: Float[Array, " 2"] | None = None) -> Model:
    """A twelvefold point set whose window is the regular dodecagon with edges of half a unit.

    Args:
        distance: The length of the projected basis vectors.
        shift: The phason shift; generic by default.

    References:
        F. Gähler, in Quasicrystalline Materials, ed. C. Janot and J. M. Dubois, 1988, 272–284.
    """
    units = _unit_vectors(4)
    rows = (*units, (-1, 0, 1, 0), (0, -1, 0, 1))  # ζ⁴ = ζ² − 1 and ζ⁵ = ζ³ − ζ
    origin = Projected("dodecagonal", rows, 2)
    return Model(
        named_lattice("dodecagonal", distance), [Surface(Zonotope(origin.floats(), None, origin))], shift
    )


def shield(edge: Scale = 1.0, shift: Float[Array, " 2"] | None = None) -> Model:
    """The vertices of the shield tiling: squares, triangles and shields, twelvefold.

    The window is the regular dodecagon whose corners are the perpendicular projections of the edges.

    Args:
        edge: The edge of the tiles.
        shift: The phason shift; generic by default.

    References:
        F. Gähler, in Quasicrystalline Materials, ed. C. Janot and J. M. Dubois, 1988, 272–284; Aperiodic Order,
            volume 1, section 7.3.
    """
    half = (*_unit_vectors(4), (-1, 0, 1, 0), (0, -1, 0, 1))
    origin = Projected("dodecagonal", (*half, *(tuple(-x for x in row) for row in half)))
    return Model(named_lattice("dodecagonal", edge), [Surface(Polytope(origin.floats(), origin))], shift)


def icosahedral(a: Scale = 1.0, centering: str = "P", shift: Float[Array, " 3"] | None = None) -> Model:
    """Icosahedral quasicrystals with the triacontahedron as window.

    "P" takes all points of a ℤ⁶, which gives the vertices of the Ammann–Kramer–Neri tiling by two rhombohedra with
    edges a/√2. "F" takes those whose indices have an even sum, and "I" those whose indices are all even or all odd;
    the cubic cell of these two has the edge 2a.

    The fivefold axes are (±1, τ, 0), (0, ±1, τ), (τ, 0, ±1) in the order of the indices.

    Args:
        a: The lattice constant of ℤ⁶.
        centering: "P", "F" or "I".
        shift: The phason shift, in units of a; generic by default.

    Raises:
        ValueError: The centring is another one.

    Example:
        >>> print(f"{icosahedral().density():.4f}")
        4.3525

    References:
        V. Elser, Acta Cryst. A 42, 36–43 (1986); D. Levine, P. J. Steinhardt, Phys. Rev. B 34, 596 (1986).
    """
    pairs = tuple(tuple(int(j in (i, i + 1)) for j in range(6)) for i in range(5))
    cosets = {"P": None, "F": Coset(((1,) * 6,), 2, (0,)), "I": Coset(pairs, 2, (0,) * 5)}
    if centering not in cosets:
        raise ValueError(f'icosahedral needs the centering "P", "F" or "I", received {centering!r}')
    surface = Surface(projected_cube("icosahedral"), coset=cosets[centering])
    return Model(named_lattice("icosahedral", a), [surface], shift)


def _unit_vectors(count: int) -> list[tuple[int, ...]]:
    return [tuple(int(i == j) for j in range(count)) for i in range(count)]


def projected_cube(name: str) -> Zonotope:
    """The projection of the unit cube of the lattice: the window of the tilings by parallelotopes."""
    origin = Projected(name, tuple(_unit_vectors(frame(name).perpendicular.shape[1])))
    return Zonotope(origin.floats(), jnp.zeros(frame(name).perpendicular.shape[0]), origin)
