"""The encoders of `geoembed.atoms` in the table of tests/test_conformance.py."""

import equinox as eqx
import jax
import numpy as np

from geoembed import atoms
from tests.encoder_row import KEY, Encoder

NUMBERS = np.array([8, 1, 1, 6], np.int32)


def descriptors() -> atoms.Descriptors:
    elements = atoms.ElementEmbedding.random([1, 6, 8], 3, key=KEY)
    encoder = atoms.Mace(
        elements,
        cutoff=3.0,
        channels=2,
        max_ell=1,
        correlation=2,
        radial=atoms.BesselBasis(3.0, 4),
        radial_layers=(8,),
        average_neighbours=3.0,
        key=jax.random.key(3),
    )
    return atoms.Descriptors(encoder)


@eqx.filter_jit
def pseudoscalars() -> atoms.Pseudoscalars:
    """Odd scalars need three layers."""
    elements = atoms.ElementEmbedding.random([1, 6, 8], 2, key=KEY)
    encoder = atoms.Nequip(
        elements,
        channels=1,
        max_ell=1,
        num_interactions=3,
        odd=True,
        radial=atoms.BesselBasis(3.0, 2),
        radial_layers=(),
        average_neighbours=0.004,  # what comes out, a product of three messages, is about 0.1
        key=jax.random.key(3),
    )
    return atoms.Pseudoscalars(encoder)


def soap() -> atoms.SoapPowerSpectrum:
    return atoms.SoapPowerSpectrum((1, 6, 8), atoms.GaussianBasis(3.0, 2), max_ell=1)


def chirality() -> atoms.Chirality:
    return atoms.Chirality(soap(), outputs=2, key=jax.random.key(5))


def molecules(count: int = 12) -> list[tuple[np.ndarray, np.ndarray]]:
    random = np.random.default_rng(0)
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) * 0.6
    return [(corners + random.uniform(-0.3, 0.3, (4, 3)), NUMBERS) for _ in range(count)]


def feared() -> list[tuple[np.ndarray, np.ndarray]]:
    """Atoms on top of each other, on a line, on an axis, at the cutoff and beyond it."""
    line = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0]], float)
    return [(points, NUMBERS) for points in (0 * line, line, 3 * line, np.roll(line, 1, 1), line * 1e-30)]


ROWS = [
    Encoder("atoms.Chirality", chirality, molecules, feared, slow=True),
    Encoder("atoms.Descriptors", descriptors, molecules, feared, slow=True),
    Encoder("atoms.Pseudoscalars", pseudoscalars, molecules, feared, slow=True, card_only=True),
    Encoder("atoms.SoapPowerSpectrum", soap, molecules, feared, slow=True),
]
