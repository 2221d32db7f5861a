"""Solids as membership in numpy, written from their definitions: whether points [..., d] are inside."""

from collections.abc import Callable

import numpy as np

Member = Callable[[np.ndarray], np.ndarray]


def rho(p: np.ndarray) -> np.ndarray:
    return np.hypot(p[..., 0], p[..., 1])


def half_spaces(normals, offsets) -> Member:
    """Inside all of n · p < c."""
    return lambda p: np.all(p @ np.asarray(normals, float).T < np.asarray(offsets, float), axis=-1)


def ngon(n: int, radius: float) -> Member:
    angles = (2 * np.arange(n) + 1) * np.pi / n
    return half_spaces(np.stack([np.cos(angles), np.sin(angles)], 1), np.full(n, radius * np.cos(np.pi / n)))


def winding(*loops) -> Member:
    """Inside an odd number of loops, by the sum of the angles under which the edges are seen."""

    def member(p: np.ndarray) -> np.ndarray:
        count = np.zeros(p.shape[:-1], int)
        for loop in loops:
            ray = np.asarray(loop, float) - p[..., None, :]
            angle = np.arctan2(ray[..., 1], ray[..., 0])
            turn = np.diff(np.concatenate([angle, angle[..., :1]], -1), axis=-1)
            turn = (turn + np.pi) % (2 * np.pi) - np.pi
            count += np.abs(np.rint(turn.sum(-1) / (2 * np.pi))).astype(int)
        return count % 2 == 1

    return member


def star_corners(n: int, outer: float, inner: float) -> np.ndarray:
    angles, radii = np.arange(2 * n) * np.pi / n, np.tile([outer, inner], n)
    return radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)


def near_arc(radius: float, angle: float, width: float) -> Member:
    """Within `width` of an arc about the origin in the plane of the first two coordinates."""

    def member(p: np.ndarray) -> np.ndarray:
        height = p[..., 2] if p.shape[-1] == 3 else 0.0
        theta = np.clip(np.arctan2(p[..., 1], p[..., 0]), -angle / 2, angle / 2)
        x, y = p[..., 0] - radius * np.cos(theta), p[..., 1] - radius * np.sin(theta)
        return x**2 + y**2 + height**2 < width**2

    return member


def near_segment(a, b, radius: float) -> Member:
    a, b = np.asarray(a, float), np.asarray(b, float)

    def member(p: np.ndarray) -> np.ndarray:
        t = np.clip((p - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
        return np.sum((p - a - t[..., None] * (b - a)) ** 2, -1) < radius**2

    return member


def ball(radius: float, *centre: float) -> Member:
    return lambda p: np.sum((p - np.asarray(centre, float)) ** 2, -1) < radius**2


def block(*size: float, centre: float | tuple[float, ...] = 0.0) -> Member:
    return lambda p: np.all(np.abs(p - np.asarray(centre, float)) < np.asarray(size, float) / 2, -1)


def rounded_block(size, radius: float) -> Member:
    core = np.asarray(size, float) / 2 - radius
    return lambda p: np.sum(np.maximum(np.abs(p) - core, 0) ** 2, -1) < radius**2


def frame(size, thickness: float) -> Member:
    half = np.asarray(size, float) / 2

    def member(p: np.ndarray) -> np.ndarray:
        q = np.abs(p)
        rim = q > half - thickness
        return np.all(q < half, -1) & (rim.sum(-1) >= 2)

    return member


def ellipsoid(*axes: float) -> Member:
    return lambda p: np.sum((p / np.asarray(axes, float)) ** 2, -1) < 1


def upright(radius: float, height: float) -> Member:
    return lambda p: (rho(p) < radius) & (np.abs(p[..., 2]) < height / 2)


def cone(bottom: float, top: float, height: float) -> Member:
    return lambda p: (
        (np.abs(p[..., 2]) < height / 2) & (rho(p) < bottom + (top - bottom) * (p[..., 2] / height + 0.5))
    )


def hull_of_balls(bottom: float, top: float, height: float) -> Member:
    """Both balls and the cone between the circles in which a common cone touches them."""
    sine = (bottom - top) / height
    touch = np.array([(1 - sine**2) ** 0.5, sine])
    corners = [(0, -height / 2), np.array([0, -height / 2]) + bottom * touch]
    corners += [np.array([0, height / 2]) + top * touch, (0, height / 2)]
    corners = np.array(corners)
    edges = np.roll(corners, -1, axis=0) - corners
    between = half_spaces(
        np.stack([edges[:, 1], -edges[:, 0]], 1), edges[:, 1] * corners[:, 0] - edges[:, 0] * corners[:, 1]
    )

    def member(p: np.ndarray) -> np.ndarray:
        balls = ball(bottom, 0, 0, -height / 2)(p) | ball(top, 0, 0, height / 2)(p)
        return balls | between(np.stack([rho(p) + 1e-300, p[..., 2]], -1))

    return member


def pyramid(base: float, height: float) -> Member:
    def member(p: np.ndarray) -> np.ndarray:
        width = base / 2 * (0.5 - p[..., 2] / height)
        return (p[..., 2] > -height / 2) & (np.max(np.abs(p[..., :2]), -1) < width)

    return member


def waves(kind: str, period: float, level: float) -> Member:
    def member(p: np.ndarray) -> np.ndarray:
        a, b, c = np.moveaxis(2 * np.pi * p / period, -1, 0)
        sin, cos = np.sin, np.cos
        value = {
            "gyroid": sin(a) * cos(b) + sin(b) * cos(c) + sin(c) * cos(a),
            "p": cos(a) + cos(b) + cos(c),
            "d": sin(a) * sin(b) * sin(c)
            + sin(a) * cos(b) * cos(c)
            + cos(a) * sin(b) * cos(c)
            + cos(a) * cos(b) * sin(c),
        }[kind]
        return value < level

    return member


def moved(member: Member, offset) -> Member:
    return lambda p: member(p - np.asarray(offset, float))


def turned(member: Member, angle: float) -> Member:
    c, s = np.cos(angle), np.sin(angle)
    return lambda p: member(p @ np.array([[c, -s], [s, c]]))


def rotation(angle: float, axis) -> np.ndarray:
    k = np.asarray(axis, float) / np.linalg.norm(axis)
    cross = np.array([[0, -k[2], k[1]], [k[2], 0, -k[0]], [-k[1], k[0], 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def rotated(member: Member, angle: float, axis) -> Member:
    matrix = rotation(angle, axis)
    return lambda p: member(p @ matrix)


def mirrored(member: Member, normal, offset: float) -> Member:
    n = np.asarray(normal, float) / np.linalg.norm(normal)
    return lambda p: member(p - 2 * ((p @ n) - offset)[..., None] * n)


def repeated(member: Member, period, counts) -> Member:
    """The union of all copies, one by one; of endless rows those in the three cells around a point."""

    def member_of_all(p: np.ndarray) -> np.ndarray:
        q = np.stack(
            [
                p[..., i] - (np.rint(p[..., i] / period[i]) * period[i] if n is None else 0)
                for i, n in enumerate(counts)
            ],
            -1,
        )
        grids = np.meshgrid(*[np.arange(-1, 2) if n is None else np.arange(n) for n in counts], indexing="ij")
        steps = np.stack([grid.ravel() for grid in grids], 1) * np.asarray(period, float)
        return np.any([member(q - step) for step in steps], axis=0)

    return member_of_all


def elongated(member: Member, length) -> Member:
    half = np.asarray(length, float) / 2
    return lambda p: member(np.sign(p) * np.maximum(np.abs(p) - half, 0))


def twisted(member: Member, rate: float) -> Member:
    def member_of_twist(p: np.ndarray) -> np.ndarray:
        c, s = np.cos(rate * p[..., 2]), np.sin(rate * p[..., 2])
        x, y = c * p[..., 0] + s * p[..., 1], c * p[..., 1] - s * p[..., 0]
        return member(np.stack([x, y, p[..., 2]], -1))

    return member_of_twist


def bent(member: Member, radius: float) -> Member:
    def member_of_bend(p: np.ndarray) -> np.ndarray:
        z = p[..., 0] * 1j + (radius - p[..., 1])
        flat = np.stack([radius * np.angle(z), radius - np.abs(z)], -1)
        return member(np.concatenate([flat, p[..., 2:]], -1))

    return member_of_bend


def extruded(member: Member, height: float) -> Member:
    return lambda p: member(p[..., :2]) & (np.abs(p[..., 2]) < height / 2)


def revolved(member: Member, offset: float) -> Member:
    return lambda p: member(np.stack([rho(p) - offset, p[..., 2]], -1))


def either(a: Member, b: Member) -> Member:
    return lambda p: a(p) | b(p)


def both(a: Member, b: Member) -> Member:
    return lambda p: a(p) & b(p)


def without(a: Member, b: Member) -> Member:
    return lambda p: a(p) & ~b(p)


def one_of(a: Member, b: Member) -> Member:
    return lambda p: a(p) ^ b(p)


def grown_l(p: np.ndarray, d: float) -> np.ndarray:
    """Within d of the L, which is the union of two boxes."""
    arms = (np.array([1.0, 0.5]), np.array([1.0, 0.5])), (np.array([0.5, 1.0]), np.array([0.5, 1.0]))
    return np.any([np.sum(np.maximum(np.abs(p - c) - h, 0) ** 2, -1) < d**2 for c, h in arms], axis=0)


def gyroid_wall(p: np.ndarray) -> np.ndarray:
    a, b, c = np.moveaxis(2 * np.pi * p, -1, 0)
    value = np.sin(a) * np.cos(b) + np.sin(b) * np.cos(c) + np.sin(c) * np.cos(a)
    return np.abs(value) / (2 * np.pi * 3**0.5) < 0.05


def blended(a: tuple, b: tuple, radius: float, how: str) -> Member:
    """Two balls, each a radius and a centre, joined by the quadratic blend."""

    def member(p: np.ndarray) -> np.ndarray:
        f, g = (np.linalg.norm(p - np.asarray(ball[1:], float), axis=-1) - ball[0] for ball in (a, b))
        f, g = {"union": (f, g), "intersection": (-f, -g), "difference": (-f, g)}[how]
        value = np.minimum(f, g) - np.maximum(radius - np.abs(f - g), 0) ** 2 / (4 * radius)
        return value < 0 if how == "union" else value > 0

    return member
