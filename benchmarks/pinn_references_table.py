"""PINNacle's heat equation with a conductivity that is a table of random numbers: finite elements on two meshes.

The recipe of PINNacle's Heat2d-VC: 256 × 256 numbers, the exponential of a Gaussian random field with amplitudes
∝ |k|^−2 for all wave numbers k of the table, here from a fixed seed. Between the nodes the conductivity is
**bilinear**: continuous, with derivatives that jump along all lines of the table. (PINNacle's networks take the nearest
number.) Its logarithm has gradients that grow with the number of nodes, so no smooth field resolves their residual.

PINNacle's own solution (`heat_darcy.dat`) cannot be compared with: its table is not among the data, and the solution
does not belong to the recipe. The local ratio of source and solution in it is that of conductivities from 0.8 to 2.4,
while the field of the recipe, drawn in their picture of the table, goes from 0.06 to 14; finite elements with
the numbers of that picture give a solution that is three times as large and differs by 0.54 after scaling.

References:
    Z. Hao et al., "PINNacle: a comprehensive benchmark of physics-informed neural networks", 2023, arXiv:2306.08827,
    appendix B.
    V. Druskin and L. Knizhnerman, Numer. Linear Algebra Appl. 2 (1995) 205: functions of a matrix in a Krylov space.
"""

import numpy as np
import skfem
from pinn_references import Reference, relative
from scipy.linalg import eigh
from scipy.sparse.linalg import splu

COUNT = 256  # nodes of each direction
_SHIFT = 3.0  # near the smallest rate, 2π² times a typical small conductivity
_VECTORS = 40


def darcy_table() -> np.ndarray:
    """The conductivity at the nodes: entry [j, i] at (x, y) = (i, j)/255. Its logarithm has mean 0, variance 1."""
    wave = np.fft.fftfreq(COUNT, 1 / COUNT)
    square = wave[:, None] ** 2 + wave**2
    square[0, 0] = np.inf
    noise = np.random.default_rng(2023).normal(size=(2, COUNT, COUNT))
    log = np.fft.ifft2((noise[0] + 1j * noise[1]) / square).real
    return np.exp((log - log.mean()) / log.std())


def bilinear(table: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A table on the unit square between its nodes."""
    last = len(table) - 1
    i, j = (np.minimum((along * last).astype(int), last - 1) for along in (x, y))
    s, t = x * last - i, y * last - j
    below = (1 - s) * table[j, i] + s * table[j, i + 1]
    return (1 - t) * below + t * ((1 - s) * table[j + 1, i] + s * table[j + 1, i + 1])


def heat_darcy_table(points: np.ndarray) -> Reference:
    """u_t = ∇·(a ∇u) + 200 sin πx sin 5πy sin πt in [0, 1]², u = 0 at t = 0 and on the sides, 0 ≤ t ≤ 5.

    Biquadratic elements on the cells of the table; the accuracy compares with cells three times as wide. In time the
    solution is exact in a Krylov space of the source, to rounding.

    Args:
        points: (x, y, t), shape (n, 3).
    """
    table = darcy_table()
    values, coarse = (_on_mesh(points, table, cells) for cells in (COUNT - 1, (COUNT - 1) // 3))
    return Reference(points, values, relative(coarse, values))


def _on_mesh(points: np.ndarray, table: np.ndarray, cells: int) -> np.ndarray:
    stiffness, mass, load, basis, inner = _matrices(table, cells)
    solver = splu(stiffness + _SHIFT * mass, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    vectors, new = np.zeros((len(load), 0)), solver.solve(load)
    for _ in range(_VECTORS):
        for _ in range(2):
            new = new - vectors @ (vectors.T @ (mass @ new))
        vectors = np.column_stack([vectors, new / np.sqrt(new @ (mass @ new))])
        new = solver.solve(mass @ vectors[:, -1])
    rates, modes = eigh(vectors.T @ (stiffness @ vectors))
    modes = vectors @ modes
    where, which = np.unique(points[:, :2], axis=0, return_inverse=True)
    shapes = (basis.probes(where.T).tocsr()[:, inner] @ modes) * (load @ modes)
    t = points[:, 2:]
    swing = rates * np.sin(np.pi * t) - np.pi * np.cos(np.pi * t) + np.pi * np.exp(-rates * t)
    return np.sum(shapes[which.ravel()] * swing / (rates**2 + np.pi**2), axis=1)


def _matrices(table: np.ndarray, cells: int) -> tuple:
    """Stiffness, mass and load of the inner nodes, the basis of all and the numbers of the inner ones."""
    line = np.linspace(0, 1, cells + 1)
    order = 4 if cells >= COUNT - 1 else 6
    basis = skfem.Basis(skfem.MeshQuad.init_tensor(line, line), skfem.ElementQuad2(), intorder=order)

    def slope(u, v, w):
        return bilinear(table, *w.x) * (u.grad[0] * v.grad[0] + u.grad[1] * v.grad[1])

    def source(v, w):
        return 200 * np.sin(np.pi * w.x[0]) * np.sin(5 * np.pi * w.x[1]) * v

    inner = basis.complement_dofs(basis.get_dofs())
    both = [skfem.BilinearForm(form).assemble(basis) for form in (slope, lambda u, v, w: u * v)]
    stiffness, mass = (matrix[inner][:, inner].tocsc() for matrix in both)
    return stiffness, mass, skfem.LinearForm(source).assemble(basis)[inner], basis, inner
