"""Volumes of intersections of windows, by linear programming and qhull."""

import numpy as np
from scipy.optimize import linprog
from scipy.spatial import ConvexHull, HalfspaceIntersection


def hull(vectors):
    """Half-spaces [f, m + 1], n·q + c ≤ 0, of the convex hull of points."""
    return ConvexHull(vectors).equations


def cube(frame_columns):
    """The half-spaces of the projection of the unit cube around its centre, from its corners."""
    columns = np.asarray(frame_columns, float)
    corners = np.array(np.meshgrid(*[[-0.5, 0.5]] * columns.shape[1], indexing="ij")).reshape(
        columns.shape[1], -1
    )
    return hull((columns @ corners).T)


def moved(half_spaces, by):
    """The half-spaces of a body moved by a vector."""
    out = half_spaces.copy()
    out[:, -1] -= half_spaces[:, :-1] @ by
    return out


def volume(*bodies):
    """The volume of the intersection of bodies given by half-spaces."""
    planes = np.concatenate(bodies)
    m = planes.shape[1] - 1
    found = linprog(
        np.eye(m + 1)[-1] * -1.0,
        A_ub=np.column_stack([planes[:, :-1], np.ones(len(planes))]),
        b_ub=-planes[:, -1],
        bounds=[(None, None)] * m + [(0.0, 1.0)],
    )
    if found.status != 0 or found.x[-1] < 1e-9:
        return 0.0
    return ConvexHull(HalfspaceIntersection(planes, found.x[:-1]).intersections).volume
