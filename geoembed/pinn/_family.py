"""A family of shapes: problems that differ by a few numbers, and one field for all of them."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..core import InputError, register
from ..sdf._shapes._parameters import like
from ._problem import Problem
from ._trial import in_dtype


@dataclass(frozen=True)
class Family:
    """Problems that differ by a few numbers: a height, a count, a conductivity.

    The network of a family does not see the point itself but `coordinates(x, parameters)`. Choose them such that
    solutions look alike in them: heights as shares of the height, positions in a period of what repeats, distances to
    what moves. They need not map members one to one, so a number of fins, which changes the topology, may be a
    parameter like any other.

    Args:
        make: The problem of the member with some parameters.
        coordinates: What the network sees of a point of a member: a vector, smooth inside the part, computed by
            jax.numpy in the dtype of its arguments. To save a field, register it with `geoembed.core.register`.
        lower: The smallest parameters of interest.
        upper: The largest.

    Raises:
        InputError: The limits are not increasing numbers.

    Example:
        >>> import jax.numpy as jnp
        >>> from geoembed.pinn import Dirichlet, Family, Interval, Poisson, Problem
        >>> def make(parameters):  # rods of some length, heated evenly, cold at both ends
        ...     return Problem(Interval(0.0, float(parameters[0])), Poisson(1.0), [Dirichlet("all")])
        >>> def coordinates(x, parameters):
        ...     return x / parameters
        >>> rods = Family(make, coordinates, lower=(1.0,), upper=(2.0,))
    """

    make: Callable[[Any], Problem]
    coordinates: Callable[[Any, Any], Any]
    lower: tuple[float, ...]
    upper: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "lower", tuple(float(value) for value in self.lower))
        object.__setattr__(self, "upper", tuple(float(value) for value in self.upper))
        rises = len(self.lower) == len(self.upper) and np.all(np.subtract(self.upper, self.lower) > 0)
        if not rises or not np.all(np.isfinite([*self.lower, *self.upper])):
            raise InputError(
                "family",
                "limits",
                f"{self.lower} and {self.upper} are no limits",
                "Give a smaller and a larger number for each parameter",
            )


@register
class FamilyField(eqx.Module):
    """One field for all members of a family: a network of the shape, polynomials of the parameters.

        u(x; p) = reference + scale · (a + exp(Σⱼ gⱼ Pⱼ(p)) Σⱼ Pⱼ(p) Nⱼ(ξ)),    ξ = (features(x; p) − centre)/width

    with Pⱼ the products of Legendre polynomials up to a total degree, over limits scaled to −1…1, and N a network with
    as many outputs; N, a and g are trained. Between few members a polynomial of low degree can be trusted where a
    network that took p among its inputs would bend as it likes. The exponential takes what multiplies the solution: a
    temperature that falls as the surface grows is far from a polynomial, one over it is not.

    One point and the parameters of a member in, one scalar out, in the dtype of the point. Differentiable in both as
    often as the features are: `jax.grad(field, 1)` is the change of u at a fixed point when the shape changes. A whole
    number among the parameters may be given any value; only whole ones mean a member. Parameters outside the limits
    extrapolate, at the risk of the caller.

    Args:
        network: N.
        level: a.
        gain: gⱼ of all polynomials but the constant.
        coordinates: The features, see `Family`.
        centre: Their means over the training points.
        width: Their standard deviations.
        reference: The mean of the values.
        scale: Their standard deviation.
        lower: The smallest parameters.
        upper: The largest.
        degree: The largest total degree.
    """

    network: Any
    level: Float[Array | np.ndarray, ""]
    gain: Float[Array | np.ndarray, " g"]
    coordinates: Callable[[Any, Any], Any] = eqx.field(static=True)
    centre: Float[np.ndarray, " f"]
    width: Float[np.ndarray, " f"]
    reference: float = eqx.field(static=True)
    scale: float = eqx.field(static=True)
    lower: tuple[float, ...] = eqx.field(static=True)
    upper: tuple[float, ...] = eqx.field(static=True)
    degree: int = eqx.field(static=True)

    def __call__(self, x: Float[Array, " d"], parameters: Any) -> Float[Array, ""]:
        """Returns the value at one point of one member.

        Args:
            x: The point.
            parameters: The parameters of the member.

        Raises:
            ValueError: It is not one point of floating-point coordinates, or the number of parameters is wrong.
        """
        x = jnp.asarray(x)
        parameters = jnp.asarray(parameters)
        if x.ndim != 1 or not jnp.issubdtype(x.dtype, jnp.floating):
            raise ValueError(
                f"a field of a family takes one point of floating-point coordinates, received {x.dtype} of shape "
                f"{x.shape}: use jax.vmap for many"
            )
        if parameters.shape != (len(self.lower),):
            raise ValueError(
                f"this family has {len(self.lower)} parameters, received an array of shape {parameters.shape}"
            )
        parameters = parameters.astype(x.dtype)
        features = self.coordinates(x, parameters)
        network = jax.tree.map(lambda leaf: in_dtype(leaf, x), self.network)
        factors = network((features - like(self.centre, x)) / like(self.width, x))
        basis = parameter_basis(parameters, self.lower, self.upper, self.degree)
        value = combined(basis, factors, like(self.level, x), like(self.gain, x))
        return self.reference + self.scale * value

    def member(self, parameters: Any) -> "FamilyMember":
        """The field of one member, a function of the point."""
        return FamilyMember(self, np.asarray(parameters, np.float64))

    @property
    def parameters(self) -> int:
        """How many numbers were trained."""
        leaves = jax.tree.leaves((self.network, self.level, self.gain))
        return sum(leaf.size for leaf in leaves if isinstance(leaf, jax.Array | np.ndarray))

    def __hash__(self) -> int:
        return hash((self.coordinates, self.reference, self.degree))  # lets `jax.jit(field)` find its cache


@register
class FamilyMember(eqx.Module):
    """The field of one member as a function of the point alone; all members of a field share one compilation.

    Args:
        field: The field of the family.
        parameters: Those of the member.
    """

    field: FamilyField
    parameters: Float[Array | np.ndarray, " p"]

    def __call__(self, x: Float[Array, " d"]) -> Float[Array, ""]:
        """Returns the value at one point."""
        return self.field(x, self.parameters)

    def __hash__(self) -> int:
        return hash(self.field)


def exponents(count: int, degree: int) -> list[tuple[int, ...]]:
    """The degrees in each of some parameters of all products up to a total degree."""
    every = itertools.product(range(degree + 1), repeat=count)
    return [powers for powers in every if sum(powers) <= degree]


def parameter_basis(
    parameters: Float[Array, " p"], lower: tuple[float, ...], upper: tuple[float, ...], degree: int
) -> Float[Array, " j"]:
    """Products of Legendre polynomials in the parameters, scaled to −1…1, up to a total degree."""
    low, high = like(np.array(lower), parameters), like(np.array(upper), parameters)
    t = (2 * parameters - low - high) / (high - low)
    ones = [jnp.ones_like(t), t]
    for k in range(1, degree):  # (k + 1) Pₖ₊₁ = (2k + 1) t Pₖ − k Pₖ₋₁
        ones.append(((2 * k + 1) * t * ones[k] - k * ones[k - 1]) / (k + 1))
    products = [
        jnp.prod(jnp.stack([ones[power][i] for i, power in enumerate(powers)]))
        for powers in exponents(len(lower), degree)
    ]
    return jnp.stack(products)


def combined(
    basis: Float[Array, " j"], factors: Float[Array, " j"], level: Float[Array, ""], gain: Float[Array, " g"]
) -> Float[Array, ""]:
    """a + exp(Σ gⱼ Pⱼ) Σ Pⱼ Nⱼ."""
    return level + jnp.exp(jnp.sum(gain * basis[1:])) * jnp.sum(basis * factors)
