"""Dislocations and faults of models, with all their surfaces, and the vectors that make them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64, Int

from ._dislocation import DefectCut, dislocated_cut
from ._displacement import Around
from ._faults import faulted_cut
from ._model import Model
from ._region import Placed, placed


class Burgers(NamedTuple):
    """A Burgers vector, or any other displacement by a lattice vector.

    Args:
        phonon: P k, its part in physical space.
        phason: Q k, its part in perpendicular space.
    """

    phonon: Float[Array, " d"]
    phason: Float[Array, " e"]

    @property
    def vector(self) -> Float[Array, " D"]:
        """Both parts, as `winding` and `straight_dislocation` take them."""
        return jnp.concatenate([self.phonon, self.phason])

    @property
    def accommodation(self) -> Float[Array, ""]:
        """ζ = |b⊥| / |b∥|, the strain accommodation parameter: large where phasons take most of the displacement."""
        return jnp.linalg.norm(self.phason) / jnp.linalg.norm(self.phonon)


def burgers(
    model: Model, indices: Int[np.ndarray | Array, " D"] | Float[np.ndarray | Array, " D"]
) -> Burgers:
    """The parts of a Burgers vector in both spaces, in the unit of the lattice constant; strains included.

    Args:
        model: The quasicrystal.
        indices: k, the vector in the basis of the lattice; fractions make a fault.

    Example:
        >>> import numpy as np
        >>> from geoembed.quasicrystal import icosahedral
        >>> print(f"{burgers(icosahedral(), np.array([1, -1, 0, 0, 0, 0])).accommodation:.4f}")  # τ
        1.6180

    References:
        M. Feuerbacher, Chem. Soc. Rev. 41, 6745 (2012), section 3 on the strain accommodation parameter.
    """
    along, across = model.lattice.projections()
    k = jnp.asarray(indices, along.dtype)
    return Burgers(along @ k, across @ k)


def is_translation(model: Model, indices: Int[np.ndarray, " D"] | Float[np.ndarray, " D"]) -> bool:
    """Whether a vector in the basis of the lattice maps every surface of a model onto itself.

    It has whole components and moves no lattice vector to another coset. Then a dislocation with this Burgers vector
    has no fault.
    """
    whole = np.rint(indices)
    if not np.array_equal(whole, indices):
        return False
    cosets = [surface.coset for surface in model.surfaces if surface.coset is not None]
    return all(bool(np.all(np.array(c.rows) @ whole.astype(np.int64) % c.modulus == 0)) for c in cosets)


def dislocated(model: Model, field: Around, *, radius: float, core: float, branch: float = 0.0) -> DefectCut:
    """All sites of a model with a dislocation, in a ball around 0 and outside the core.

    Args:
        model: The quasicrystal, not traced; any number of surfaces.
        field: The displacement: `winding(b)` or `straight_dislocation`, with b of `burgers`.
        radius: Of the ball, in the unit of the lattice constant.
        core: Sites nearer to the line are left out.
        branch: The angle at which the displacement is cut.

    Returns:
        The sites in the order of the surfaces. Their places and species do not depend on `branch` exactly if the
        Burgers vector is one that `is_translation` tells.

    Raises:
        InputError: The core is so small that the displacement around it is not single-valued.

    Example:
        >>> import numpy as np
        >>> from geoembed.quasicrystal import penrose, winding
        >>> model = penrose()
        >>> around = winding(burgers(model, np.array([1, -1, 0, 0])).vector)
        >>> sites = dislocated(model, around, radius=6.0, core=1.0)
        >>> sorted(set(sites.species.tolist()))
        [1, 2, 3, 4]

    References:
        J. E. S. Socolar, T. C. Lubensky, P. J. Steinhardt, Phys. Rev. B 34, 3345 (1986), section V.
    """

    def of(parallel: np.ndarray, perp: np.ndarray, window: dict[str, Any]) -> DefectCut:
        return dislocated_cut(parallel, perp, field, radius=radius, core=core, branch=branch, **window)

    return _of_surfaces(model, of)


def faulted(
    model: Model,
    normal: Float64[np.ndarray, " d"],
    jump: Float64[np.ndarray, " D"],
    *,
    radius: float,
    height: float = 0.0,
) -> DefectCut:
    """All sites of a model in a ball around 0 where what lies beyond a plane is displaced.

    Args:
        model: The quasicrystal, not traced; any number of surfaces.
        normal: Of the plane, of any length, towards the displaced side.
        jump: The displacement there, its d parallel components first.
        radius: Of the ball, in the unit of the lattice constant.
        height: Of the plane above 0 along its normal.

    Returns:
        The sites in the order of the surfaces.
    """

    def of(parallel: np.ndarray, perp: np.ndarray, window: dict[str, Any]) -> DefectCut:
        return faulted_cut(parallel, perp, normal, jump, radius=radius, height=height, **window)

    return _of_surfaces(model, of)


def _of_surfaces(
    model: Model, cut: Callable[[np.ndarray, np.ndarray, dict[str, Any]], DefectCut]
) -> DefectCut:
    """The sites of each surface, one after the other."""
    parts = []
    for surface in model.surfaces:
        known = placed(model, surface, 0.0)
        found = cut(known.parallel, known.perpendicular, _window(known))
        parts.append(found._replace(species=np.full(len(found.points), surface.species, np.int64)))
    return DefectCut(*(np.concatenate(field) for field in zip(*parts, strict=True)))


def _window(known: Placed) -> dict[str, Any]:
    """What `dislocated_cut` and `faulted_cut` have to know of a surface."""
    axes = np.eye(len(known.perpendicular))
    return {
        "window": lambda q: known.window.margin(q) >= 0,
        "window_radius": float(np.linalg.norm(np.maximum(*known.window.support(np.stack([axes, -axes]))))),
        "shift": known.shift,
        "position": known.position,
        "coset": known.coset,
    }
