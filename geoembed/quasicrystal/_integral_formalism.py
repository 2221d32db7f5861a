"""Straight dislocations in crystals and quasicrystals of any symmetry: the 2n-dimensional integral formalism.

A displacement with n components (3 in a crystal, 4 to 6 with the phasons of a quasicrystal) around a straight line
needs averages of n×n matrices over the directions in the plane normal to it; no eigenvalue problem, so no case is
degenerate. The integrands are periodic and analytic: the trapezoidal rule and the Fourier series of its samples
converge exponentially.
"""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..core import norm, register


@register
class StraightDislocation(eqx.Module):
    """The elastic field of a straight dislocation, exact but for its quadrature; make it with `straight_dislocation`.

    U(r, θ) = [−ln(r/r₀) S b + ∫₀^θ A dω]/2π, A = (nn)⁻¹(L b + (nm) S b), where θ is counted about the line from the
    cut. Every method takes one point; use `vmap` for many.

    Args:
        stiffness: C[I, j, K, l], any unit of stress.
        burgers: ∮ dU around the line, right-handed; phonon components first, any unit of length.
        axes: Two orthonormal vectors normal to the line. The cut, where the displacement jumps, is along the first.
        line: The direction of the line, of length 1; None in the plane, where the dislocation is a point.
        origin: A point of the line.
        rotation: The matrix S of Barnett and Lothe.
        compliance: Their H, 1/stress.
        prelogarithmic: Their L, a stress; symmetric.
        cosines: Fourier coefficients of A(θ), of cos 2kθ for k = 1, 2, …
        sines: Those of sin 2kθ.
    """

    stiffness: Float[Array, "n d n d"]
    burgers: Float[Array, " n"]
    axes: Float[Array, "2 d"]
    line: Float[Array, " d"] | None
    origin: Float[Array, " d"]
    rotation: Float[Array, "n n"]
    compliance: Float[Array, "n n"]
    prelogarithmic: Float[Array, "n n"]
    cosines: Float[Array, "k n"]
    sines: Float[Array, "k n"]

    def polar(self, point: Float[Array, " d"]) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Distance from the line and angle about it from the cut, in [0, 2π). Both have gradient 0 on the line."""
        return polar(point - self.origin, self.axes)

    def displacement(self, point: Float[Array, " d"], *, reference: float = 1.0) -> Float[Array, " n"]:
        """U at a point, phonon components first; it jumps by −b across the cut, in the sense of growing θ.

        Args:
            point: The place.
            reference: The distance r₀ at which the logarithm is 0: a choice of the rigid displacement.

        Returns:
            The displacement in the unit of b. On the line itself, where it is infinite, the logarithm counts as 0.
        """
        radius, angle = self.polar(point)
        return self.unwrapped(radius / reference, angle)

    def unwrapped(self, radius: Float[Array, ""], angle: Float[Array, ""]) -> Float[Array, " n"]:
        """U with the angle going round without a cut: U(r, θ + 2π) = U(r, θ) + b, exactly.

        Args:
            radius: Distance from the line, in units of r₀.
            angle: Any real number.
        """
        double = _harmonics(self.cosines) * angle
        wave = jnp.sin(double) @ self._over_k(self.cosines)
        wave = wave + (1 - jnp.cos(double)) @ self._over_k(self.sines)
        away = radius > 0
        logarithm = jnp.where(away, jnp.log(jnp.where(away, radius, 1.0)), 0.0)
        fall = self.rotation @ self.burgers
        return (self.burgers * angle + wave - logarithm * fall) / (2 * math.pi)

    def distortion(self, point: Float[Array, " d"]) -> Float[Array, "n d"]:
        """β[I, j] = ∂U_I/∂x_j = [−m_j S b + n_j A(θ)]_I/(2πr), with no cut.

        Returns:
            Numbers without a unit. On the line itself 0, the mean over all directions.

        References:
            Bacon, Barnett, Scattergood, Prog. Mater. Sci. 23, 51 (1979), eq. 4.1.25; for quasicrystals Lazar,
            Crystals 15, 275 (2025).
        """
        radius, angle = self.polar(point)
        outward = jnp.cos(angle) * self.axes[0] + jnp.sin(angle) * self.axes[1]
        around = jnp.cos(angle) * self.axes[1] - jnp.sin(angle) * self.axes[0]
        double = _harmonics(self.cosines) * angle
        slope = self.burgers + jnp.cos(double) @ self.cosines + jnp.sin(double) @ self.sines
        fall = self.rotation @ self.burgers
        away = radius > 0
        strength = jnp.where(away, 1 / (2 * math.pi * jnp.where(away, radius, 1.0)), 0.0)
        return strength * (slope[:, None] * around[None] - fall[:, None] * outward[None])

    def stress(self, point: Float[Array, " d"]) -> Float[Array, "n d"]:
        """σ[I, j] = C[I, j, K, l] β[K, l]: phonon stress first, then the phason stress."""
        return jnp.einsum("IjKl,Kl->Ij", self.stiffness, self.distortion(point))

    def energy_factor(self) -> Float[Array, ""]:
        """E/ln(R/r) = b·L·b/4π: the elastic energy per length of line between the radii r and R."""
        return self.burgers @ self.prelogarithmic @ self.burgers / (4 * math.pi)

    def quadrature_error(self) -> Float[Array, ""]:
        """The largest element of |H L − S² − 1|, which the exact averages make 0: too large, take more samples."""
        identity = jnp.eye(self.burgers.shape[0], dtype=self.burgers.dtype)
        product = self.compliance @ self.prelogarithmic - self.rotation @ self.rotation
        return jnp.max(jnp.abs(product - identity))

    def _over_k(self, coefficients: Float[Array, "k n"]) -> Float[Array, "k n"]:
        return coefficients / _harmonics(coefficients)[:, None]


def straight_dislocation(
    stiffness: Float[Array, "n d n d"],
    burgers: Float[Array, " n"],
    line: Float[Array, " d"] | None = None,
    *,
    origin: Float[Array, " d"] | None = None,
    cut: Float[Array, " d"] | None = None,
    samples: int = 128,
) -> StraightDislocation:
    """A straight dislocation in an infinite body; differentiable in every array.

    Args:
        stiffness: C[I, j, K, l] from `elastic_tensor` or of a crystal (n = 3). It must be positive: `stability_margin`.
        burgers: The Burgers vector b with its n components; (P·k, Q·k) for a vector k of the lattice of a quasicrystal.
        line: Its direction, of any length, where d = 3; None where d = 2.
        origin: A point of the line; 0 by default.
        cut: A direction whose part normal to the line is where the displacement jumps; by default a coordinate
            axis.
        samples: Of the quadrature, over half a turn. The error falls exponentially: see `quadrature_error`.

    Returns:
        The field.

    Raises:
        ValueError: Shapes do not fit, the line is missing, or there are fewer than 4 samples.

    Example:
        >>> one = jnp.eye(3)
        >>> shear = jnp.einsum("ik,jl->ijkl", one, one) + jnp.einsum("il,jk->ijkl", one, one)
        >>> up = jnp.array([0.0, 0.0, 1.0])
        >>> screw = jax.jit(straight_dislocation)(0.5 * shear, up, up)
        >>> bool(abs(screw.energy_factor() - 0.5 / (4 * jnp.pi)) < 1e-6)  # μ b²/4π
        True

    References:
        Barnett, Lothe, Phys. Norv. 7, 13 (1973); Bacon, Barnett, Scattergood, Prog. Mater. Sci. 23, 51 (1979), sec. 4;
        Lazar, Crystals 15, 275 (2025), for n = 4, 5, 6.
    """
    d = stiffness.shape[1]
    if d not in (2, 3) or (line is None) != (d == 2):
        raise ValueError(f"a line direction is needed where d = 3 and only there; d is {d}, line is {line}")
    if samples < 4:
        raise ValueError(f"samples={samples} is too few; 4 is the least, 128 the usual")
    axes, unit = frame(stiffness.dtype, line, cut)
    angles = np.arange(samples) * (np.pi / samples)
    turned = _turned(stiffness, axes, jnp.asarray(angles, stiffness.dtype))
    mm, nm, nn = turned[:, 0, 0], turned[:, 1, 0], turned[:, 1, 1]
    inverse = jnp.linalg.inv(nn)
    slopes = inverse @ nm
    rotation, compliance = -jnp.mean(slopes, axis=0), jnp.mean(inverse, axis=0)
    prelogarithmic = jnp.mean(mm - jnp.swapaxes(nm, 1, 2) @ slopes, axis=0)
    around = inverse @ (prelogarithmic @ burgers) + slopes @ (rotation @ burgers)
    # the mean of A is b (H L − S² = 1); `burgers` itself is used, so that the Burgers vector is kept to rounding
    phases = 2 * np.arange(1, (samples - 1) // 2 + 1)[:, None] * angles[None]
    return StraightDislocation(
        stiffness=stiffness,
        burgers=burgers,
        axes=axes,
        line=unit,
        origin=jnp.zeros(d, stiffness.dtype) if origin is None else origin,
        rotation=rotation,
        compliance=compliance,
        prelogarithmic=prelogarithmic,
        cosines=jnp.asarray(2 / samples * np.cos(phases), stiffness.dtype) @ around,
        sines=jnp.asarray(2 / samples * np.sin(phases), stiffness.dtype) @ around,
    )


def peach_koehler(
    stress: Float[Array, "n d"], burgers: Float[Array, " n"], line: Float[Array, " d"] | None = None
) -> Float[Array, " d"]:
    """The force on a dislocation per length, F = (b·σ) × t, phonon and phason parts together.

    Args:
        stress: Of everything but the dislocation itself, at its place.
        burgers: Its Burgers vector.
        line: Its direction, of length 1; None in the plane, where t points towards the reader.

    Returns:
        A force per length in (unit of stress) · (unit of b), normal to the line.

    References:
        Peach, Koehler, Phys. Rev. 80, 436 (1950); with phasons: Agiasofitou, Lazar, Kirchner, J. Phys.: Condens. Matter
        22, 495401 (2010).
    """
    pull = burgers @ stress
    return jnp.stack([pull[1], -pull[0]]) if line is None else jnp.cross(pull, line)


def polar(offset: Float[Array, " d"], axes: Float[Array, "2 d"]) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Distance from a line and angle about it in [0, 2π), with finite gradients on the line."""
    plane = axes @ offset
    on_line = jnp.all(plane == 0)
    x, y = jnp.where(on_line, 1.0, plane[0]), jnp.where(on_line, 0.0, plane[1])
    angle = jnp.arctan2(y, x)
    return norm(plane), jnp.where(angle < 0, angle + 2 * math.pi, angle)


def frame(
    dtype: np.dtype, line: Float[Array, " d"] | None, cut: Float[Array, " d"] | None
) -> tuple[Float[Array, "2 d"], Float[Array, " d"] | None]:
    """Two orthonormal vectors normal to the line, and its direction."""
    if line is None:
        first = jnp.array([1.0, 0.0], dtype) if cut is None else cut / norm(cut)
        return jnp.stack([first, jnp.stack([-first[1], first[0]])]), None
    unit = line / norm(line)
    if cut is None:
        cut = jax.nn.one_hot(jnp.argmin(jnp.abs(unit)), 3, dtype=dtype)
    first = cut - (cut @ unit) * unit
    first = first / norm(first)
    return jnp.stack([first, jnp.cross(unit, first)]), unit


def _turned(
    stiffness: Float[Array, "n d n d"], axes: Float[Array, "2 d"], angles: Float[Array, " samples"]
) -> Float[Array, "samples 2 2 n n"]:
    """(ab) = a_j C[I, j, K, l] b_l for the axes m and n turned by each angle."""
    still = jnp.einsum("aj,IjKl,bl->abIK", axes, stiffness, axes)
    cos, sin = jnp.cos(angles), jnp.sin(angles)
    turn = jnp.stack([jnp.stack([cos, sin]), jnp.stack([-sin, cos])])
    return jnp.einsum("acs,bds,cdIK->sabIK", turn, turn, still)


def _harmonics(coefficients: Float[Array, "k n"]) -> Float[Array, " k"]:
    """2k for k = 1, 2, …"""
    return jnp.asarray(2 * np.arange(1, len(coefficients) + 1), coefficients.dtype)
