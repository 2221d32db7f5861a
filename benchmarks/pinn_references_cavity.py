"""Reference solution of the lid-driven cavity, computed with scikit-fem and independent of the library.

The square [0, 1]² is full of a fluid; its lid y = 1 moves with u = 1, and the other walls stand still:

    v·∇v = −∇p + ∇²v / Re,    ∇·v = 0.

Finite elements of Taylor and Hood (velocity of degree 2, pressure of degree 1) on triangles whose rows get thinner
towards all walls; Newton's method from one Reynolds number to the next. At the ends of the lid the velocity jumps, so
the pressure is unbounded there; the velocity away from them hardly feels it.

Meshes of 64 and 42 rows agree within 2e-4 at Re = 100 and 5e-4 at Re = 1000 (relative L2). At Re = 1000 and 60 rows the
lowest u on the vertical centre line is −0.38857 and v on the horizontal one lies between −0.52714 and 0.37688; Botella
and Peyret have −0.38857, −0.52708 and 0.37694.

References:
    O. Botella and R. Peyret, Comput. Fluids 27, 421 (1998): the extrema of the two centre lines at Re = 1000.
"""

from typing import Any, NamedTuple

import numpy as np
import skfem
from pinn_references import Reference, relative
from scipy.sparse import bmat, csc_matrix
from scipy.sparse.linalg import splu
from skfem.helpers import ddot, div, dot, grad, mul

STEPS = (100.0, 400.0, 1000.0)  # Reynolds numbers on the way
STRETCH = 0.9  # the thinnest rows are this much thinner than rows of one thickness would be
CLOSE = 1e-9  # largest change of a coefficient in the last step of Newton's method


class Flow(NamedTuple):
    """A solution by finite elements.

    Attributes:
        velocity: The basis of the velocity.
        vector: Coefficients of the velocity, then of the pressure.
    """

    velocity: skfem.Basis
    vector: np.ndarray

    def at(self, points: np.ndarray) -> np.ndarray:
        """The velocity (n, 2) at points (n, 2)."""
        table = self.velocity.probes(points.T)
        found = table @ self.vector[: self.velocity.N]
        return found.reshape(2, len(points)).T


def cavity(reynolds: float, *, rows: int = 64) -> Reference:
    """The velocity on the two centre lines and on an even grid of the inside.

    Args:
        reynolds: Re, up to 1000.
        rows: Rows of triangles; the accuracy compares with two thirds of them.
    """
    points = places()
    values = flow(reynolds, rows).at(points)
    coarse = flow(reynolds, 2 * rows // 3).at(points)
    return Reference(points, values, relative(coarse, values))


def places() -> np.ndarray:
    """Points of both centre lines, and of an even grid that stays 0.05 away from the walls."""
    line = np.linspace(0.02, 0.98, 97)
    middle = np.full(len(line), 0.5)
    axis = np.linspace(0.05, 0.95, 37)
    even = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    return np.concatenate([np.stack([middle, line], axis=1), np.stack([line, middle], axis=1), even])


def flow(reynolds: float, rows: int) -> Flow:
    """Solves on one mesh."""
    mesh = skfem.MeshTri.init_tensor(*[graded(rows)] * 2)
    velocity = skfem.Basis(mesh, skfem.ElementVector(skfem.ElementTriP2()), intorder=5)
    pressure = velocity.with_element(skfem.ElementTriP1())
    fixed = np.append(velocity.get_dofs().all(), velocity.N)  # the pressure in one corner of the floor is 0
    free = np.setdiff1d(np.arange(velocity.N + pressure.N), fixed)
    drag = skfem.asm(_drag, velocity)
    swell = skfem.asm(_swell, velocity, pressure)
    vector = np.zeros(velocity.N + pressure.N)
    lid = velocity.get_dofs(lambda x: x[1] > 1 - 1e-9).all(["u^1"])
    vector[lid[(velocity.doflocs[0, lid] > 1e-9) & (velocity.doflocs[0, lid] < 1 - 1e-9)]] = 1.0
    for number in [step for step in STEPS if step < reynolds] + [reynolds]:
        _newton(velocity, drag / number, swell, vector, free)
    return Flow(velocity, vector)


def graded(rows: int) -> np.ndarray:
    """The ends of rows of triangles from 0 to 1, thin at both ends."""
    even = np.linspace(0, 1, rows + 1)
    return even - STRETCH * np.sin(2 * np.pi * even) / (2 * np.pi)


def _newton(velocity: skfem.Basis, drag: Any, swell: Any, vector: np.ndarray, free: np.ndarray) -> None:
    """Changes the free entries of the vector until the equations hold."""
    count = velocity.N
    for _ in range(20):
        flow = velocity.interpolate(vector[:count])
        matrix: Any = bmat([[drag + skfem.asm(_carried, velocity, flow=flow), swell.T], [swell, None]], "csr")
        force = skfem.asm(_inertia, velocity, flow=flow)
        rest = np.concatenate(
            [drag @ vector[:count] + force + swell.T @ vector[count:], swell @ vector[:count]]
        )
        change = splu(csc_matrix(matrix[free][:, free])).solve(-rest[free])
        vector[free] += change
        if np.abs(change[free < count]).max() < CLOSE:
            return
    raise RuntimeError("Newton's method does not converge")


@skfem.BilinearForm
def _drag(u: Any, v: Any, _: Any) -> Any:
    return ddot(grad(u), grad(v))


@skfem.BilinearForm
def _swell(u: Any, q: Any, _: Any) -> Any:
    return -div(u) * q


@skfem.BilinearForm
def _carried(u: Any, v: Any, w: Any) -> Any:
    return dot(mul(grad(u), w.flow) + mul(grad(w.flow), u), v)


@skfem.LinearForm
def _inertia(v: Any, w: Any) -> Any:
    return dot(mul(grad(w.flow), w.flow), v)
