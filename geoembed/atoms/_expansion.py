"""Neighbourhoods in spherical harmonics and radial functions."""

import jax.numpy as jnp

from ._batch import Batch
from ._chebyshev import ChebyshevBasis
from ._distance_transform import AgnesiTransform, SoftTransform
from ._halves import Halves
from ._harmonics import spherical_harmonics
from ._messages import Edges
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
    halves = Halves.of(batch.neighbours)
    if halves is None:
        distance, seen = distance.reshape(-1), None if seen is None else seen.reshape(-1)
        taken = batch.neighbours.mask.reshape(-1)
    else:
        distance, seen = halves.first(distance), None if seen is None else halves.first(seen)
        taken = halves.taken
    values = jnp.where(taken[:, None], radial(distance, seen), 0.0)
    return Edges(batch.neighbours, harmonics, values, halves)
