"""Quadratic elastic invariants of quasicrystals: how many constants there are, and the tensor they make.

The energy of a slowly varying displacement U of the higher-dimensional lattice is ½ β:C:β with the distortion
β[I, j] = ∂U_I/∂x_j. The first d components U_I are the phonon displacement, of which only the strain counts, the others
the phason displacement, of which every component of the gradient counts. What the point group leaves of C is found
by averaging over its elements, not from tables.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64

from ._point_group import PointGroup


class InvariantCounts(NamedTuple):
    """How many independent quadratic invariants there are.

    Args:
        phonon: Of the strain.
        phason: Of the phason gradient.
        coupling: Of one with the other.
    """

    phonon: int
    phason: int
    coupling: int


class InvariantBlock(NamedTuple):
    """Invariant tensors of one kind; tensor k is 1 at component k of `components` and 0 at the other ones.

    The constants in front of them are therefore components of C by name.

    Args:
        tensors: Each with the symmetry C[I,j,K,l] = C[K,l,I,j].
        components: (I, j, K, l) of the component that each constant is, counted from 0; I, K < d are phonons.
    """

    tensors: Float64[np.ndarray, "k n d n d"]
    components: tuple[tuple[int, int, int, int], ...]


class ElasticInvariants(NamedTuple):
    """A basis of all elastic tensors that a point group allows.

    Args:
        phonon: Invariants of the strain.
        phason: Invariants of the phason gradient.
        coupling: Invariants of one with the other.
    """

    phonon: InvariantBlock
    phason: InvariantBlock
    coupling: InvariantBlock


def strain_basis(d: int) -> Float64[np.ndarray, "s d d"]:
    """Orthonormal symmetric matrices (Mandel's basis), s = d(d+1)/2; the diagonal ones first.

    Args:
        d: The dimension of physical space.
    """
    pairs = [(i, i) for i in range(d)] + [(i, j) for i in range(d) for j in range(i + 1, d)]
    basis = np.zeros((len(pairs), d, d))
    for k, (i, j) in enumerate(pairs):
        basis[k, i, j] = basis[k, j, i] = 1.0 if i == j else np.sqrt(0.5)
    return basis


def distortion_basis(n: int, d: int) -> Float64[np.ndarray, "m n d"]:
    """Orthonormal distortions: the strains of `strain_basis`, then the phason gradients row by row.

    Args:
        n: The dimension of the lattice's displacement.
        d: The dimension of physical space.
    """
    strains, gradients = strain_basis(d), (n - d) * d
    basis = np.zeros((len(strains) + gradients, n, d))
    basis[: len(strains), :d] = strains
    basis[len(strains) :, d:] = np.eye(gradients).reshape(gradients, n - d, d)
    return basis


def count_invariants(group: PointGroup) -> InvariantCounts:
    """The numbers of phonon, phason and coupling constants, exact, from characters alone.

    Args:
        group: The point group.

    Returns:
        ⟨½(χ² + χ(g²))⟩ of the strain and of the phason gradient, and ⟨χ χ'⟩ of one with the other.

    Example:
        >>> from geoembed.quasicrystal import point_group
        >>> cubic = point_group(
        ...     np.array([[[0.0, -1, 0], [1, 0, 0], [0, 0, 1]], [[0, 0, 1], [1, 0, 0], [0, 1, 0]]]),
        ...     np.zeros((2, 0, 0)),
        ... )
        >>> count_invariants(cubic)
        InvariantCounts(phonon=3, phason=0, coupling=0)

    References:
        Ding, Yang, Hu, Wang, Phys. Rev. B 48, 7003 (1993), sec. III; Hu, Wang, Ding, Rep. Prog. Phys. 63, 1 (2000),
        tables 5-8.
    """
    strain, gradient = _representations(group)
    chi = [np.trace(r, axis1=1, axis2=2) for r in (strain, gradient)]
    squared = [np.einsum("gab,gba->g", r, r) for r in (strain, gradient)]
    phonon, phason = (np.mean(c**2 + c2) / 2 for c, c2 in zip(chi, squared, strict=True))
    return InvariantCounts(*(round(float(x)) for x in (phonon, phason, np.mean(chi[0] * chi[1]))))


def elastic_invariants(group: PointGroup) -> ElasticInvariants:
    """A basis of the elastic tensors that the group leaves unchanged, by projecting on them.

    The basis depends on the group only: the constants are the components of C that come first in the order of
    their indices (I, j, K, l) and are independent.

    Args:
        group: The point group.

    Returns:
        The invariant tensors of each kind, complete.

    References:
        As in `count_invariants`.
    """
    strain, gradient = _representations(group)
    d, e = group.parallel.shape[1], group.perp.shape[1]
    phonons, phasons = np.split(distortion_basis(d + e, d), [strain.shape[1]])
    return ElasticInvariants(
        _block(strain, strain, phonons, phonons),
        _block(gradient, gradient, phasons, phasons),
        _block(strain, gradient, phonons, phasons),
    )


def elastic_tensor(
    invariants: ElasticInvariants,
    phonon: Float[Array, " phonon"],
    phason: Float[Array, " phason"],
    coupling: Float[Array, " coupling"],
) -> Float[Array, "n d n d"]:
    """The generalised elastic tensor C[I, j, K, l]; the energy density is ½ β:C:β, the stress C:β.

    Args:
        invariants: What the point group allows.
        phonon: The constants of `invariants.phonon`, in its order, eV/Å³ or any other unit of stress.
        phason: Those of `invariants.phason`, where the phason displacement has the unit of the phonon's.
        coupling: Those of `invariants.coupling`.

    Returns:
        C in the unit of the constants, linear in them.

    Raises:
        ValueError: The numbers of constants are not those of the invariants.
    """
    given = (phonon, phason, coupling)
    for name, block, values in zip(invariants._fields, invariants, given, strict=True):
        if len(values) != len(block.components):
            raise ValueError(
                f"{name} has {len(values)} constants, the group has {len(block.components)}: "
                f"give the components {block.components}"
            )
    parts = [
        jnp.einsum("k,kIjKl->IjKl", values, jnp.asarray(block.tensors, values.dtype))
        for block, values in zip(invariants, given, strict=True)
    ]
    return parts[0] + parts[1] + parts[2]


def elastic_constants_of(
    invariants: ElasticInvariants, tensor: Float[Array, "n d n d"]
) -> tuple[Float[Array, " phonon"], Float[Array, " phason"], Float[Array, " coupling"]]:
    """The constants with which `elastic_tensor` gives this tensor, if the group allows it.

    Args:
        invariants: What the point group allows.
        tensor: An elastic tensor.

    Returns:
        The phonon, phason and coupling constants.
    """
    indices = [np.array(b.components, dtype=int).reshape(-1, 4).T for b in invariants]
    phonon, phason, coupling = (tensor[tuple(i)] for i in indices)
    return phonon, phason, coupling


def _representations(
    group: PointGroup,
) -> tuple[Float64[np.ndarray, "order s s"], Float64[np.ndarray, "order w w"]]:
    """How the group acts on strains (in Mandel's basis) and on phason gradients (row by row)."""
    g, h = group
    basis = strain_basis(g.shape[1])
    strain = np.einsum("aij,gik,gjl,bkl->gab", basis, g, g, basis, optimize=True)
    size = g.shape[1] * h.shape[1]
    return strain, np.einsum("gIK,gjl->gIjKl", h, g).reshape(len(g), size, size)


def _block(
    left: Float64[np.ndarray, "order a a"],
    right: Float64[np.ndarray, "order b b"],
    left_basis: Float64[np.ndarray, "a n d"],
    right_basis: Float64[np.ndarray, "b n d"],
) -> InvariantBlock:
    """Invariant bilinear forms of two representations as symmetric tensors."""
    a, b, (n, d) = left.shape[1], right.shape[1], left_basis.shape[1:]
    average = np.einsum("gac,gbd->abcd", left, right, optimize=True).reshape(a * b, a * b) / len(left)
    forms = _range(average)
    forms = forms.reshape(len(forms), a, b)
    tensors = np.einsum("kab,aIj,bKl->kIjKl", forms, left_basis, right_basis, optimize=True)
    tensors = tensors + tensors.transpose(0, 3, 4, 1, 2)
    rows = tensors.reshape(len(tensors), (n * d) ** 2)
    flat = _range(rows.T @ rows)  # without the antisymmetric forms, whose tensors are 0
    columns = _first_independent(flat)
    reduced = np.linalg.solve(flat[:, columns], flat) if columns else flat
    places = np.stack(np.unravel_index(np.array(columns, int), (n, d, n, d)), axis=-1)
    return InvariantBlock(reduced.reshape(len(flat), n, d, n, d), tuple(map(tuple, places.tolist())))


def _range(symmetric: Float64[np.ndarray, "m m"]) -> Float64[np.ndarray, "rank m"]:
    """An orthonormal basis of the range of a positive semidefinite matrix whose other eigenvalues are far from 0."""
    values, vectors = np.linalg.eigh(symmetric)
    return vectors[:, values > 1e-6].T


def _first_independent(rows: Float64[np.ndarray, "rank m"]) -> list[int]:
    """The first columns that are independent of the ones before."""
    found, rest = [], rows.copy()
    for k in range(rows.shape[1]):
        if len(found) == len(rows):
            break
        length = np.linalg.norm(rest[:, k])
        if length > 1e-3:
            found.append(k)
            along = rest[:, k] / length
            rest = rest - np.outer(along, along @ rest)
    return found
