"""Powder patterns: lines with multiplicities, Lorentz-polarisation factors and profiles."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64, Int64

from ..core import register
from ._bragg import bragg
from ._lattice import exact_projections
from ._model import Model
from ._scatterers import Scatterers

_SAME = (
    1e-9  # lines nearer than this share of Q∥ are one: rounding is 1e-15, different lines are farther apart
)


@register
class Powder(eqx.Module):
    """Lines of a powder pattern, by rising angle.

    Args:
        two_theta: The scattering angle 2θ, in degrees.
        q: |Q∥|, in radians per unit of length.
        multiplicity: How many listed reflections have this |Q∥|; reflections of several orbits where these coincide.
        intensities: Σ |F|² over them times the Lorentz-polarisation factor.
        indices: One of the reflections, the last one in the order of their indices.
    """

    two_theta: Float64[np.ndarray, " n"]
    q: Float64[np.ndarray, " n"]
    multiplicity: Int64[np.ndarray, " n"]
    intensities: Float64[np.ndarray, " n"]
    indices: Float64[np.ndarray, "n D"]

    def __len__(self) -> int:
        return len(self.two_theta)


def powder(
    model: Model,
    wavelength: float,
    *,
    q_perp_max: float,
    two_theta_max: float = 150.0,
    scatterers: Scatterers | None = None,
    radiation: str = "x-ray",
    monochromator: float = 0.0,
    least: float = 1e-4,
) -> Powder:
    """The lines of a powder of randomly oriented grains in Bragg–Brentano or Debye–Scherrer geometry.

    Bragg's law |Q∥| = 4π sin θ / λ places them. The intensity is exact for an ideal powder but for the reflections that
    `q_perp_max` leaves out; there is no absorption, texture or extinction. It runs on the host.

    Args:
        model: The quasicrystal, not traced. A periodic crystal is one whose windows have length 1 along perpendicular
            directions that parallel space does not see.
        wavelength: λ, in the unit of length of the model (1.5406 Å is Cu Kα₁).
        q_perp_max: Only reflections with |Q⊥| up to this, in radians per lattice constant: the others are weak.
        two_theta_max: The largest angle 2θ, in degrees, below 180.
        scatterers: The scattering amplitudes of the surfaces; all 1 by default.
        radiation: "x-ray" (Lorentz and polarisation factor) or "neutron" (Lorentz factor).
        monochromator: The angle 2θ of a crystal monochromator before or behind the sample, in degrees; 0 for none.
        least: The weakest line that is kept, as a share of the strongest.

    Raises:
        ValueError: The wavelength or an angle is out of range.

    Example:
        >>> from geoembed.quasicrystal import icosahedral, powder
        >>> lines = powder(icosahedral(7.0), 1.5406, q_perp_max=4.0, two_theta_max=50.0, least=0.3)
        >>> [(round(float(t), 1), int(m)) for t, m in zip(lines.two_theta, lines.multiplicity)]
        [(21.4, 20), (24.7, 30), (38.5, 12), (40.6, 30)]

    References:
        B. E. Warren, X-ray Diffraction, 1969, sections 4.4 (Lorentz-polarisation) and 5.1 (multiplicity).
    """
    if not (wavelength > 0 and 0 < two_theta_max < 180):
        raise ValueError(
            f"powder needs a positive wavelength and 0 < two_theta_max < 180, received {wavelength}, {two_theta_max}"
        )
    q_max = 4.0 * np.pi * np.sin(np.deg2rad(two_theta_max) / 2.0) / wavelength
    listed = bragg(model, q_max=q_max, q_perp_max=q_perp_max, amplitudes=scatterers)
    indices = np.asarray(listed.indices, np.float64)
    order = np.lexsort(indices.T[::-1])
    lengths = _exact_lengths(model, indices[order])
    order = order[np.argsort(lengths, kind="stable")]
    lengths = np.sort(lengths)
    order, lengths = order[lengths > _SAME * q_max], lengths[lengths > _SAME * q_max]
    number = np.cumsum(np.diff(lengths, prepend=0.0) > _SAME * lengths) - 1
    multiplicity = np.bincount(number)
    q = np.bincount(number, lengths) / multiplicity
    last = np.cumsum(multiplicity) - 1
    two_theta = 2.0 * np.rad2deg(np.arcsin(np.minimum(q * wavelength / (4.0 * np.pi), 1.0)))
    squares = np.asarray(listed.intensities, np.float64)[order]
    intensities = np.bincount(number, squares) * lorentz_polarisation(two_theta, radiation, monochromator)
    kept = intensities >= least * intensities.max(initial=0.0)
    lines = (two_theta, q, multiplicity.astype(np.int64), intensities, indices[order][last])
    return Powder(*(part[kept] for part in lines))


def lorentz_polarisation(
    two_theta: Float64[np.ndarray, " n"], radiation: str = "x-ray", monochromator: float = 0.0
) -> Float64[np.ndarray, " n"]:
    """(1 + cos² 2θₘ cos² 2θ) / ((1 + cos² 2θₘ) sin² θ cos θ) for X-rays, 1 / (sin² θ cos θ) for neutrons.

    Args:
        two_theta: 2θ, in degrees, between 0 and 180.
        radiation: "x-ray" for an unpolarised beam, or "neutron".
        monochromator: 2θₘ, in degrees; 0 for none.

    Raises:
        ValueError: The radiation is another one.
    """
    if radiation not in ("x-ray", "neutron"):
        raise ValueError(f'lorentz_polarisation needs "x-ray" or "neutron", received {radiation!r}')
    theta = np.deg2rad(two_theta) / 2.0
    lorentz = 1.0 / (np.sin(theta) ** 2 * np.cos(theta))
    if radiation == "neutron":
        return lorentz
    crystal = np.cos(np.deg2rad(monochromator)) ** 2
    return lorentz * (1.0 + crystal * np.cos(2.0 * theta) ** 2) / (1.0 + crystal)


def powder_profile(
    lines: Powder,
    two_theta: Float[Array, " n"],
    caglioti: Float[Array, " 3"],
    mixing: Float[Array, ""] | float = 0.5,
) -> Float[Array, " n"]:
    """The pattern that a detector sees: every line as a pseudo-Voigt function of its own width.

    Σ Iⱼ (η L + (1 − η) G), where L and G are a Lorentz and a Gauss function of area 1 and of the full width at half
    maximum (U tan² θ + V tan θ + W)^½. Differentiable in the widths and the mixing.

    Args:
        lines: From `powder`.
        two_theta: Where, in degrees.
        caglioti: U, V and W, in squares of degrees; (0, 0, w²) for the same width w everywhere.
        mixing: η, from 0 (Gauss) to 1 (Lorentz).

    Returns:
        Intensity per degree.

    References:
        G. Caglioti, A. Paoletti, F. P. Ricci, Nucl. Instrum. 3, 223 (1958); P. Thompson, D. E. Cox, J. B. Hastings,
        J. Appl. Cryst. 20, 79 (1987), eq. 2.
    """
    dtype = two_theta.dtype
    centres, intensities = (jnp.asarray(x, dtype) for x in (lines.two_theta, lines.intensities))
    tangents = jnp.asarray(np.tan(np.deg2rad(lines.two_theta) / 2.0), dtype)
    u, v, w = caglioti
    width = jnp.sqrt(u * tangents**2 + v * tangents + w)[None]
    apart = jnp.square((two_theta[:, None] - centres[None]) / width)
    gauss = jnp.exp(-4.0 * np.log(2.0) * apart) * float(2.0 * np.sqrt(np.log(2.0) / np.pi))
    lorentz = float(2.0 / np.pi) / (1.0 + 4.0 * apart)
    return ((mixing * lorentz + (1.0 - mixing) * gauss) / width) @ intensities


def _exact_lengths(model: Model, indices: Float64[np.ndarray, "n D"]) -> Float64[np.ndarray, " n"]:
    """|Q∥| in float64, whatever the dtype of the model."""
    projections = np.concatenate([part.astype(np.float64) for part in exact_projections(model.lattice)])
    dual = 2.0 * np.pi * np.linalg.inv(projections).T[: model.lattice.dimensions[0]]
    return np.linalg.norm(indices @ dual.T, axis=1)
