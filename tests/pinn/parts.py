"""Small parts with known solutions."""

import numpy as np
import trimesh

from geoembed.sdf import MeshSDF, facing, mesh_sdf

ENDS = {"left": facing((-1, 0, 0)), "right": facing((1, 0, 0))}


def box(size, corner=(0.0, 0.0, 0.0), *, unit="m", rotation=None) -> MeshSDF:
    """A box from `corner` to `corner + size`, then rotated."""
    mesh = trimesh.creation.box(extents=size)
    vertices = np.asarray(mesh.vertices) + np.asarray(size) / 2 + np.asarray(corner)
    if rotation is not None:
        vertices = vertices @ rotation.T
    return mesh_sdf(vertices, np.asarray(mesh.faces), unit=unit)


def together(*parts: MeshSDF) -> MeshSDF:
    """Separate bodies as one part."""
    starts = np.cumsum([0] + [len(part.vertices) for part in parts])
    faces = [part.faces + start for part, start in zip(parts, starts, strict=False)]
    return mesh_sdf(
        np.concatenate([p.vertices for p in parts]),
        np.concatenate(faces).astype(np.int64),
        unit=parts[0].unit,
    )


def blocks(x, y, z, solid, *, unit="m") -> MeshSDF:
    """The union of blocks of a rectilinear grid: `solid[i, j, k]` fills x[i]…x[i+1], y[j]…y[j+1], z[k]…z[k+1]."""
    planes = [np.asarray(axis, float) for axis in (x, y, z)]
    solid = np.asarray(solid, bool)
    padded = np.pad(solid, 1)
    vertices, faces = [], []
    for place in np.argwhere(solid):
        for axis in range(3):
            for side in (0, 1):
                beyond = place.copy()
                beyond[axis] += 2 * side - 1
                if padded[tuple(beyond + 1)]:
                    continue
                quad = _quad(planes, place, axis, side)
                start = len(vertices)
                vertices += quad
                faces += [[start, start + 1, start + 2], [start, start + 2, start + 3]]
    return mesh_sdf(np.array(vertices), np.array(faces), unit=unit)


def _quad(planes, place, axis, side):
    first, second = (axis + 1) % 3, (axis + 2) % 3
    quad = []
    for u, v in ((0, 0), (1, 0), (1, 1), (0, 1)):
        corner = np.zeros(3)
        corner[axis] = planes[axis][place[axis] + side]
        corner[first] = planes[first][place[first] + u]
        corner[second] = planes[second][place[second] + v]
        quad.append(corner)
    return quad if side else quad[::-1]


def shell(inner=1.0, outer=2.0, subdivisions=4) -> MeshSDF:
    """A ball with a concentric cavity."""
    out = trimesh.creation.icosphere(subdivisions=subdivisions, radius=outer)
    hole = trimesh.creation.icosphere(subdivisions=subdivisions, radius=inner)
    faces = np.concatenate([out.faces, hole.faces[:, ::-1] + len(out.vertices)])
    return mesh_sdf(np.concatenate([out.vertices, hole.vertices]), faces, unit="m")


def u_shape() -> MeshSDF:
    """Two legs, 1 × 1 × 2, 0.05 apart, on a base."""
    solid = np.ones((3, 1, 2), bool)
    solid[1, 0, 1] = False
    return blocks([0, 1, 1.05, 2.05], [0, 1], [0, 0.5, 2.5], solid)


def rotation(axis, degrees) -> np.ndarray:
    """Rodrigues' formula."""
    a = np.asarray(axis, float) / np.linalg.norm(axis)
    cross = np.array([[0, -a[2], a[1]], [a[2], 0, -a[0]], [-a[1], a[0], 0]])
    angle = np.radians(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
