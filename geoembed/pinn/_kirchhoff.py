"""Kirchhoff's transformation: where k depends on T, the heat equation is linear in the integral of k.

With k₀ U = k₀ T₀ + ∫_{T₀}^{T} k dT′ it is k ∇T = k₀ ∇U, so that −∇·(k₀ ∇U) = q: the energy inside the part stays
quadratic, and what depends on T itself is left to the surface. k is linear between entries of a table, so U is
piecewise quadratic in T, and T(U) has a closed form.
"""

from dataclasses import dataclass

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..core import register
from ._equations._steady_heat import SteadyHeat

_PLACE, _SHARE = np.polynomial.legendre.leggauss(4)  # exact for k |T|³ T between two entries: degree 5


@register
class KirchhoffMap(eqx.Module):
    """T of U at one point.

    Args:
        temperatures: The entries of the table, K.
        values: k there, W/(m K).
        levels: U there, K.
        mean: k₀, W/(m K).
    """

    temperatures: Float[Array | np.ndarray, " k"]
    values: Float[Array | np.ndarray, " k"]
    levels: Float[Array | np.ndarray, " k"]
    mean: float = eqx.field(static=True)

    def __call__(self, u: Float[Array, ""]) -> Float[Array, ""]:
        """Returns T in K, in the dtype of U; C¹."""
        t, k, levels = (jnp.asarray(a, u.dtype) for a in (self.temperatures, self.values, self.levels))
        if len(t) == 1:
            return t[0] + (u - levels[0]) * self.mean / k[0]
        piece = jnp.clip(jnp.searchsorted(levels, u, side="right") - 1, 0, len(t) - 2)
        inside = jnp.clip(u, levels[0], levels[-1])
        step = self.mean * (inside - levels[piece])
        bend = 2 * (k[piece + 1] - k[piece]) / (t[piece + 1] - t[piece])
        within = t[piece] + 2 * step / (k[piece] + jnp.sqrt(k[piece] ** 2 + bend * step))
        end = jnp.where(u <= levels[0], k[0], k[-1])  # `<=`: at the end clip has half a slope
        return within + self.mean * (u - inside) / end


@dataclass(frozen=True)
class Kirchhoff:
    """The transformation on arrays. With a number as conductivity U = T.

    Args:
        temperatures: The entries of the table, K.
        values: k there, W/(m K).
        sums: ∫ k dT, ∫ k T dT and ∫ k |T|³ T dT from the first entry to each.
        reference: T₀, K, where U = T.
        mean: k₀, W/(m K).
    """

    temperatures: Float[np.ndarray, " k"]
    values: Float[np.ndarray, " k"]
    sums: Float[np.ndarray, "3 k"]
    reference: float
    mean: float

    def of(self, temperature: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Returns U."""
        if len(self.values) == 1:
            return temperature
        return self.reference + self.integral(temperature, 0) / self.mean

    def temperature(self, u: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Returns T."""
        if len(self.values) == 1:
            return u
        t, k = self.temperatures, self.values
        heat = self.mean * (u - self.reference) + self._from_first(np.array([self.reference]), 0)
        inside = np.clip(heat, 0.0, self.sums[0, -1])
        piece = np.clip(np.searchsorted(self.sums[0], inside, side="right") - 1, 0, len(t) - 2)
        step = inside - self.sums[0, piece]
        bend = 2 * (k[piece + 1] - k[piece]) / (t[piece + 1] - t[piece])
        within = t[piece] + 2 * step / (k[piece] + np.sqrt(k[piece] ** 2 + bend * step))
        return within + (heat - inside) / np.where(heat < 0, k[0], k[-1])

    def conductivity(self, temperature: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Returns k."""
        return np.interp(temperature, self.temperatures, self.values)

    def integral(self, temperature: Float[np.ndarray, " n"], which: int) -> Float[np.ndarray, " n"]:
        """Returns ∫_{T₀}^{T} of k (0), of k T′ (1) or of k |T′|³ T′ (2)."""
        if len(self.values) == 1:
            return self._within(np.full_like(temperature, self.reference), temperature, which)
        return self._from_first(temperature, which) - self._from_first(np.array([self.reference]), which)

    def _from_first(self, temperature: Float[np.ndarray, " n"], which: int) -> Float[np.ndarray, " n"]:
        """The integral from the first entry of the table."""
        piece = np.clip(np.searchsorted(self.temperatures, temperature, side="right") - 1, 0, None)
        return self.sums[which, piece] + self._within(self.temperatures[piece], temperature, which)

    def _within(self, start: np.ndarray, end: np.ndarray, which: int) -> np.ndarray:
        """The integral between temperatures with no entry of the table between them."""
        half, total = 0.5 * (end - start), np.zeros_like(end)
        for place, share in zip(_PLACE.tolist(), _SHARE.tolist(), strict=True):
            t = start + half * (1 + place)
            power = (np.ones_like, lambda s: s, lambda s: np.abs(s) ** 3 * s)[which](t)
            total += share * self.conductivity(t) * power
        return half * total

    @property
    def map(self) -> KirchhoffMap:
        """T of U at one point, for a field."""
        return KirchhoffMap(self.temperatures, self.values, self.of(self.temperatures), self.mean)


def kirchhoff(equation: SteadyHeat, reference: float, mean: float | None = None) -> Kirchhoff:
    """Returns the transformation of an equation.

    Args:
        equation: The equation.
        reference: T₀, K.
        mean: k₀ where the conductivity depends on the point, W/(m K).
    """
    k = equation.conductivity
    unit = mean if mean is not None else k.mean if equation.varies else float(k)
    table: tuple = (k.temperatures, k.values) if equation.varies else ((reference,), (unit,))
    temperatures, values = (np.array(column, np.float64) for column in table)
    bare = Kirchhoff(temperatures, values, np.zeros((3, len(values))), reference, unit)
    pieces = np.array([bare._within(temperatures[:-1], temperatures[1:], which) for which in range(3)])
    sums = np.concatenate([np.zeros((3, 1)), np.cumsum(pieces, axis=1)], axis=1)
    return Kirchhoff(temperatures, values, sums, reference, unit)
