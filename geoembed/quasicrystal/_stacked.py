"""Quasicrystals with a periodic axis: layers of a planar one, repeated along the normal of its plane."""

import dataclasses
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..core import register
from ._lattice import Lattice
from ._model import Coset, Model, Surface


@register
@dataclasses.dataclass(frozen=True)
class Layer:
    """One layer of a period.

    Args:
        height: Where it lies, as a share of the period.
        surfaces: The numbers of the surfaces whose atoms it has; all by default.
    """

    height: float
    surfaces: tuple[int, ...] | None = None


def stacked(
    model: Model, period: Float[Array, ""] | float, layers: Sequence[Layer | float] = (0.0,)
) -> Model:
    """A quasicrystal with a periodic axis, from one of one dimension less: decagonal, octagonal, dodecagonal, …

    The lattice gets one basis vector more, the period along the new last axis of parallel space; perpendicular space
    and the windows stay what they are. Indices, of points and of reflections, get one component more. All functions
    of models take the result; `cut` enumerates it, and counts the floats of its lattice as exact, so that it wants a
    generic shift.

    Args:
        model: The quasicrystal of a layer; with the `penrose` model the result is decagonal.
        period: Its length, in the unit of the lattice constant; it may be traced.
        layers: Heights, for layers that are alike, or `Layer`s with surfaces of their own.

    Returns:
        The model, with the surfaces of the first layer first.

    Raises:
        ValueError: There is no layer, or a layer names a surface that does not exist.

    Example:
        A decagonal structure with a screw axis 10₅: a turn by 36° takes the windows 1 and 3 to 4 and 2.

        >>> from geoembed.quasicrystal import Layer, cut, penrose, stacked
        >>> decagonal = stacked(penrose(), 1.6, [Layer(0.25, (0, 2)), Layer(0.75, (1, 3))])
        >>> decagonal.lattice.dimensions, len(decagonal.surfaces)
        ((3, 2), 4)

    References:
        T. Janssen, G. Chapuis, M. de Boissieu, Aperiodic Crystals, 2nd ed. 2018, section 2.6; W. Steurer, S. Deloudi,
            Crystallography of Quasicrystals, 2009, section 3.6.
    """
    if not layers:
        raise ValueError("stacked needs at least one layer")
    every = tuple(range(len(model.surfaces)))
    surfaces = []
    for layer in layers:
        one = layer if isinstance(layer, Layer) else Layer(float(layer))
        chosen = every if one.surfaces is None else one.surfaces
        if not set(chosen) <= set(every):
            raise ValueError(
                f"stacked: a layer names the surfaces {chosen}, but the model has those from 0 to {every[-1]}"
            )
        surfaces += [_lifted(model.surfaces[i], one.height, model.lattice) for i in chosen]
    along = jnp.asarray(period, model.lattice.parallel.dtype)
    return Model(_lattice(model.lattice, along), surfaces, model.shift)


@jax.jit  # many small steps: compiled one by one they would cost more
def _lattice(plane: Lattice, period: Float[Array, ""]) -> Lattice:
    d, m = plane.dimensions
    dtype = plane.parallel.dtype
    along = jnp.zeros((1, d + m + 1), dtype).at[0, d + m].set(period / plane.scale)
    return Lattice(
        jnp.concatenate([jnp.pad(plane.parallel, ((0, 0), (0, 1))), along]),
        jnp.pad(plane.perpendicular, ((0, 0), (0, 1))),
        plane.scale,
        jnp.pad(plane.strain, ((0, 1), (0, 1))),
        jnp.pad(plane.phason_strain, ((0, 0), (0, 1))),
    )


def _lifted(surface: Surface, height: float, plane: Lattice) -> Surface:
    """The surface at a height of the period."""
    dtype = plane.parallel.dtype
    before = jnp.zeros(sum(plane.dimensions), dtype) if surface.position is None else surface.position
    position = jnp.concatenate([before, jnp.asarray(np.array([height]), dtype)])
    coset = surface.coset
    if coset is not None:
        coset = Coset(tuple((*row, 0) for row in coset.rows), coset.modulus, coset.residues)
    return Surface(surface.window, position, surface.species, coset)
