"""What a model of the MACE family is made of, in numpy, whatever program wrote it."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class MaceLayer:
    """One round of messages.

    Args:
        inputs: The degrees l of the features that come in.
        outputs: The degrees of the features that go out.
        paths: For each product of a feature of degree l1 with a spherical harmonic of degree l2 the triple (l1, l2,
            l3); the columns of the last radial matrix stand in this order, one for each channel.
        correlation: How many factors the products have at most.
        residual: Whether the skip connection takes the features that come in and is added at the end; else it takes
            the message, before the products.
        density: Whether messages are divided by 1 + a learned sum over neighbours, else by `neighbours`.
        neighbours: The mean number of neighbours.
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    paths: tuple[tuple[int, int, int], ...]
    correlation: int
    residual: bool
    density: bool
    neighbours: float


@dataclass(frozen=True)
class MaceConfig:
    """All numbers that fix the shape of a model.

    Args:
        numbers: Atomic numbers, in the order of every axis "elements".
        heads: Names of the readouts, one for each data set it was trained on.
        cutoff: Å.
        channels: How many features there are of each degree.
        degree: The largest degree of the spherical harmonics.
        basis: "bessel", "gaussian" or "chebyshev".
        basis_size: How many radial functions.
        envelope: The power p of the polynomial that ends at the cutoff.
        transform: Of the distance, before the basis: "none", "agnesi" or "soft".
        repulsion: The power p of the envelope of the ZBL repulsion, or None without it.
        layers: The rounds of messages.
        readouts: For each readout its layer, counted from 0, and its hidden features per head, 0 if it is linear.
        scaled: Whether the readouts and the repulsion are scaled and shifted (ScaleShiftMACE).
        activation: The factor after every SiLU.
    """

    numbers: tuple[int, ...]
    heads: tuple[str, ...]
    cutoff: float
    channels: int
    degree: int
    basis: str
    basis_size: int
    envelope: int
    transform: str
    repulsion: int | None
    layers: tuple[MaceLayer, ...]
    readouts: tuple[tuple[int, int], ...]
    scaled: bool
    activation: float


@dataclass(frozen=True)
class MaceDescription:
    r"""The shape of a model and its numbers, by name.

    Matrices are applied as $x W/\sqrt{n}$ with n the number of inputs; there are no biases. C are channels, Z
    elements, H heads, i counts layers, l degrees, K ways of coupling:

    | name | shape | |
    |---|---|---|
    | `embedding` | Z, C | first features of the atoms, n = 1 |
    | `basis.*` | | `weights`, `prefactor` (bessel: prefactor · sin(weights r)/r), `weights`, `coefficient` (gaussian) |
    | `transform.*` | | `q`, `p`, `a` (agnesi), `alpha` (soft), `radii` (Å, by atomic number) |
    | `repulsion.*` | | `c`, `exponent`, `prefactor`, `radii` (Å, by atomic number) |
    | `layers.i.up.l` | C, C | before the message |
    | `layers.i.radial.k` | | matrices of the radial network; SiLU between them |
    | `layers.i.density` | basis, 1 | of the learned density |
    | `layers.i.down.l` | paths to l, C, C | after the sum over neighbours, n = paths · C |
    | `layers.i.skip.l` | C, Z, C | skip connection, n = C |
    | `layers.i.coupling.l.v` | 2l+1, D, …, D, K | couplings of v factors, D = (degree + 1)² |
    | `layers.i.product.l.v` | Z, K, C | their weights |
    | `layers.i.mix.l` | C, C | after the products |
    | `readouts.i.0` | C, H or C, H·hidden | |
    | `readouts.i.1` | H·hidden, H | after SiLU; head h sees its own hidden features only |
    | `isolated` | H, Z | energies of isolated atoms, eV |
    | `scale`, `shift` | H | of everything else, if `scaled` |

    Args:
        config: The shape.
        arrays: The numbers.
    """

    config: MaceConfig
    arrays: dict[str, np.ndarray]
