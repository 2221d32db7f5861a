"""Diffuse scattering of thermal and of frozen phonons and phasons around Bragg reflections."""

import jax.numpy as jnp
from jaxtyping import Array, Float

BOLTZMANN = 8.617333262e-5  # eV/K


def hydrodynamic_matrix(
    tensor: Float[Array, "n d n d"], wave_vector: Float[Array, "*k d"]
) -> Float[Array, "*k n n"]:
    """A[I, K](p) = Σ C[I, j, K, l] pⱼ pₗ: twice the elastic energy per volume of a plane wave of displacement.

    Args:
        tensor: The elastic tensor, as `elastic_tensor` gives it.
        wave_vector: p, the distance from the Bragg reflection, in radians per unit of length.

    Returns:
        A in the unit of C over length². For an icosahedral quasicrystal it is 6×6, the first three rows phonons.

    References:
        M. V. Jarić, D. R. Nelson, Phys. Rev. B 37, 4458 (1988), section II.
    """
    return jnp.einsum("IjKl,...j,...l->...IK", tensor, wave_vector, wave_vector)


def effective_matrix(matrix: Float[Array, "*k n n"], d: int, keep: str) -> Float[Array, "*k m m"]:
    """The matrix of one kind of displacement while the other is in equilibrium: the Schur complement.

    A_uu − A_uw A_ww⁻¹ A_wu for phonons among phasons in equilibrium, A_ww − A_wu A_uu⁻¹ A_uw for phasons among phonons
    in equilibrium. Its inverse is the block of A⁻¹.

    Args:
        matrix: A, from `hydrodynamic_matrix`.
        d: The number of phonon components, which come first.
        keep: Which displacements remain, "phonon" or "phason".

    Raises:
        ValueError: `keep` is neither.
    """
    if keep not in ("phonon", "phason"):
        raise ValueError(f'effective_matrix needs keep="phonon" or "phason", received {keep!r}')
    if keep == "phonon":
        kept, other, between = matrix[..., :d, :d], matrix[..., d:, d:], matrix[..., d:, :d]
    else:
        kept, other, between = matrix[..., d:, d:], matrix[..., :d, :d], matrix[..., :d, d:]
    return kept - jnp.swapaxes(between, -1, -2) @ jnp.linalg.solve(other, between)


def diffuse_intensity(
    tensor: Float[Array, "n d n d"],
    q: Float[Array, "*k d"],
    q_perp: Float[Array, "*k m"],
    wave_vector: Float[Array, "*k d"],
    *,
    square: Float[Array, "*k"] | float = 1.0,
    density: Float[Array, ""] | float = 1.0,
    temperature: Float[Array, ""] | float,
    quenched: Float[Array, ""] | float | None = None,
) -> Float[Array, "*k"]:
    """The diffuse intensity per atom at Q∥ + p near a Bragg reflection, of long waves of displacement.

    I = ρ |F|² k T (Q∥, Q⊥) A(p)⁻¹ (Q∥, Q⊥) while phonons and phasons are in equilibrium at T. Phasons need atoms to
    hop, and freeze at some higher temperature T′ while phonons do not. Then

    I = ρ |F|² k (T Q∥ A_uu⁻¹ Q∥ + T′ Q′ S⁻¹ Q′),  Q′ = Q⊥ − A_wu A_uu⁻¹ Q∥,  S = A_ww − A_wu A_uu⁻¹ A_uw,

    with the elastic constants at T (in the blocks with u) taken for those at T′ too. Both agree for T′ = T. The first
    order of an expansion in the displacement, exact in the limit p → 0; I ∝ p⁻² along every direction. It diverges
    where the quasicrystal loses its stability against a wave along p.

    Args:
        tensor: C[I, j, K, l], in eV/Å³ where lengths are in Å; a stable one.
        q: Q∥ of the reflection, in radians per unit of length.
        q_perp: Q⊥, in radians per unit of the phason displacement: if that is the unit of length, Q⊥ of `wave_vectors`
            divided by the lattice constant.
        wave_vector: p ≠ 0, in radians per unit of length.
        square: |F|² of the reflection, Debye–Waller factors included.
        density: ρ, atoms per volume.
        temperature: T of the phonons, in K.
        quenched: T′, in K, at which the phasons froze; T by default.

    Returns:
        In the unit of |F|², where a Bragg reflection of N atoms has N |F|². Differentiable in all arguments.

    Example:
        >>> import jax.numpy as jnp
        >>> crystal = jnp.einsum("ik,jl->ijkl", jnp.eye(3), jnp.eye(3))
        >>> p = jnp.array([[0.1, 0.0, 0.0], [0.2, 0.0, 0.0]])
        >>> q, none = jnp.ones((2, 3)), jnp.zeros((2, 0))
        >>> ratio = diffuse_intensity(crystal, q, none, p, temperature=300.0)
        >>> print(f"{ratio[0] / ratio[1]:.3f}")
        4.000

    References:
        M. V. Jarić, D. R. Nelson, Phys. Rev. B 37, 4458 (1988); Y. Ishii, Phys. Rev. B 45, 5228 (1992); M. de Boissieu
        et al., Phys. Rev. Lett. 75, 89 (1995).
    """
    d = q.shape[-1]
    matrix = hydrodynamic_matrix(tensor, wave_vector)
    factor = BOLTZMANN * density * square
    if quenched is None:
        both = jnp.concatenate([q, q_perp], axis=-1)
        return factor * temperature * _form(matrix, both)
    phonons = temperature * _form(matrix[..., :d, :d], q)
    moved = jnp.linalg.solve(matrix[..., :d, :d], q[..., None])
    rest = q_perp - (matrix[..., d:, :d] @ moved)[..., 0]
    return factor * (phonons + quenched * _form(effective_matrix(matrix, d, "phason"), rest))


def _form(matrix: Float[Array, "*k n n"], vector: Float[Array, "*k n"]) -> Float[Array, "*k"]:
    """v A⁻¹ v."""
    return jnp.sum(vector * jnp.linalg.solve(matrix, vector[..., None])[..., 0], axis=-1)
