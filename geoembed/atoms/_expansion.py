"""Neighbourhoods in spherical harmonics and radial functions."""

import jax.numpy as jnp

from ._batch import Batch
from ._chebyshev import ChebyshevBasis
from ._distance_transform import AgnesiTransform, SoftTransform
from ._harmonics import spherical_harmonics
from ._interaction import Edges
from ._radial import BesselBasis, GaussianBasis

Radial = BesselBasis | GaussianBasis | ChebyshevBasis


def expand(
    batch: Batch, radial: Radial, max_ell: int, transform: AgnesiTransform | SoftTransform | None = None
) -> Edges:
    """The directions and distances of all neighbours, in harmonics up to `max_ell` and radial functions."""
    vectors = batch.to_centre()
    squares = jnp.sum(vectors**2, axis=-1)
    distance = jnp.sqrt(jnp.where(squares > 0, squares, 1.0))
    harmonics = spherical_harmonics(vectors / distance[..., None], max_ell)
    seen = None if transform is None else transform(distance, batch)
    values = jnp.where(batch.neighbours.mask[..., None], radial(distance, seen), 0.0)
    return Edges(batch.neighbours, harmonics, values)
