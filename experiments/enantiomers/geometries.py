"""Chiral molecules and crystals, and geometries that equal their mirror image, from bond lengths and angles.

Lengths in Å and angles in degrees, rounded textbook values: the point is which atom is where, not the last digit.
"""

from collections.abc import Callable

import numpy as np

from geoembed.atoms import Frame, atomic_number


def chain(rows: list[tuple]) -> Frame:
    """A molecule from internal coordinates.

    Args:
        rows: For each atom its symbol; the atom it is bound to and the distance; a second atom and the angle; a third
            atom and the dihedral angle, right-handed. The first three atoms have fewer.
    """
    points: list[np.ndarray] = []
    for _, *how in rows:
        if not points:
            points.append(np.zeros(3))
            continue
        root, length = points[how[0]], how[1]
        if len(points) == 1:
            points.append(root + np.array([length, 0.0, 0.0]))
            continue
        axis = points[how[2]] - root
        axis /= np.linalg.norm(axis)
        third = points[how[4]] if len(points) > 2 else root + np.array([0.0, 1.0, 0.0])
        side = (third - points[how[2]]) - axis * ((third - points[how[2]]) @ axis)
        side /= np.linalg.norm(side)
        angle, turn = np.radians(how[3]), np.radians(how[5] if len(points) > 2 else 0.0)
        # Seen along the bond from `root` to its neighbour, `side` is where dihedral angle 0 lies.
        across = np.cross(side, axis)
        points.append(
            root
            + length * (np.cos(angle) * axis + np.sin(angle) * (np.cos(turn) * side + np.sin(turn) * across))
        )
    return molecule([row[0] for row in rows], np.array(points))


def molecule(symbols: list[str], points: np.ndarray) -> Frame:
    """Atoms without a cell, their middle at the origin."""
    numbers = np.array([atomic_number(symbol) for symbol in symbols], np.int64)
    return Frame(numbers, points - points.mean(axis=0), None, np.zeros(3, bool))


def crystal(symbols: list[str], fractions: list, cell: np.ndarray) -> Frame:
    """Atoms at fractions of a cell."""
    numbers = np.array([atomic_number(symbol) for symbol in symbols], np.int64)
    return Frame(numbers, np.mod(np.array(fractions, float), 1.0) @ cell, cell, np.ones(3, bool))


def centre(*bonds: tuple[str, float]) -> Frame:
    """A carbon atom with four others at the corners of a tetrahedron."""
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)
    lengths = np.array([length for _, length in bonds])
    points = np.concatenate([np.zeros((1, 3)), corners * lengths[:, None]])
    return molecule(["C", *(symbol for symbol, _ in bonds)], points)


def dihydrogen(symbol: str, bond: float, to_hydrogen: float, angle: float, dihedral: float) -> Frame:
    """H–X–X–H."""
    return chain(
        [
            (symbol,),
            (symbol, 0, bond),
            ("H", 0, to_hydrogen, 1, angle),
            ("H", 1, to_hydrogen, 0, angle, 2, dihedral),
        ]
    )


def hydrazine(dihedral: float) -> Frame:
    """H₂N–NH₂; the angle is that of the first hydrogens of both ends."""
    rows: list[tuple] = [("N",), ("N", 0, 1.45), ("H", 0, 1.02, 1, 108.0), ("H", 0, 1.02, 1, 108.0, 2, 116.0)]
    return chain([*rows, *(("H", 1, 1.02, 0, 108.0, 2, dihedral + k) for k in (0.0, 116.0))])


def biphenyl(twist: float) -> Frame:
    """Two benzene rings on one axis, turned against each other."""
    symbols, points = [], []
    for side, turn in ((1.0, -twist / 2), (-1.0, twist / 2)):
        for k in range(6):
            angle = np.pi + np.pi / 3 * k
            for symbol, radius in (("C", 1.39), ("H", 2.47)):
                if symbol == "H" and k == 0:
                    continue  # there is the other ring
                x, y = 0.745 + 1.39 + radius * np.cos(angle), radius * np.sin(angle)
                t = np.radians(turn)
                points.append([side * x, y * np.cos(t), y * np.sin(t)])
                symbols.append(symbol)
    return molecule(symbols, np.array(points))


def allene(first: str, second: str, bond: float) -> Frame:
    """XHC=C=CHY, whose ends stand at right angles."""
    t = np.radians(120.0)
    points = [[0, 0, 0], [1.31, 0, 0], [-1.31, 0, 0]]
    points += [
        [1.31 - 1.09 * np.cos(t), 1.09 * np.sin(t), 0],
        [1.31 - bond * np.cos(t), -bond * np.sin(t), 0],
    ]
    points += [
        [-1.31 + 1.09 * np.cos(t), 0, 1.09 * np.sin(t)],
        [-1.31 + bond * np.cos(t), 0, -bond * np.sin(t)],
    ]
    return molecule(["C", "C", "C", "H", first, "H", second], np.array(points, float))


def oxirane(substituent: bool) -> Frame:
    """The three-membered ring C₂O; with a methyl group it is propylene oxide."""
    rows: list[tuple] = [("C",), ("C", 0, 1.47), ("O", 0, 1.43, 1, 59.1)]
    rows += [("H", 0, 1.09, 1, 119.5, 2, 103.0), ("H", 0, 1.09, 1, 119.5, 2, -103.0)]
    rows += [("H", 1, 1.09, 0, 119.5, 2, -103.0)]
    if not substituent:
        return chain([*rows, ("H", 1, 1.09, 0, 119.5, 2, 103.0)])
    rows.append(("C", 1, 1.50, 0, 121.0, 2, 103.0))
    rows += [("H", 6, 1.09, 1, 110.0, 0, turn) for turn in (60.0, 180.0, -60.0)]
    return chain(rows)


def alkane(*dihedrals: float) -> Frame:
    """CH₃–(CH₂)ₙ₊₁–CH₃ with n dihedral angles along the chain of carbon atoms."""
    carbons = 3 + len(dihedrals)
    rows: list[tuple] = [("C",), ("C", 0, 1.53), ("C", 1, 1.53, 0, 112.0)]
    for k, turn in enumerate(dihedrals):
        rows.append(("C", k + 2, 1.53, k + 1, 112.0, k, turn))
    for k in range(1, carbons - 1):
        rows += [("H", k, 1.09, k - 1, 109.5, k + 1, turn) for turn in (121.0, -121.0)]
    for end, next_, third in ((0, 1, 2), (carbons - 1, carbons - 2, carbons - 3)):
        rows += [("H", end, 1.09, next_, 110.0, third, turn) for turn in (180.0, 60.0, -60.0)]
    return _with_improper_hydrogens(rows, carbons)


def _with_improper_hydrogens(rows: list[tuple], carbons: int) -> Frame:
    """The hydrogens of a CH₂ group stand on both sides of the plane of its two bonds to carbon."""
    heavy = chain(rows[:carbons])
    found = [heavy.positions[k] for k in range(carbons)]
    for symbol, root, length, next_, angle, third, turn in rows[carbons:]:
        if symbol == "H" and 0 < root < carbons - 1:
            one, other = (heavy.positions[k] - heavy.positions[root] for k in (next_, third))
            inward = one / np.linalg.norm(one) + other / np.linalg.norm(other)
            normal = np.cross(one, other)
            half = np.radians(53.5)
            way = -np.cos(half) * inward / np.linalg.norm(inward)
            way = way + np.sign(turn) * np.sin(half) * normal / np.linalg.norm(normal)
            found.append(heavy.positions[root] + length * way)
        else:
            base = chain([*rows[:carbons], (symbol, root, length, next_, angle, third, turn)]).positions
            found.append(base[-1] - base[0] + heavy.positions[0])
    return molecule([row[0] for row in rows], np.array(found))


def amino_acid(side: str) -> Frame:
    """H₂N–CHR–COOH with all heavy atoms of the backbone in one plane: alanine for R = CH₃, glycine for R = H."""
    rows: list[tuple] = [("C",), ("C", 0, 1.52), ("N", 0, 1.45, 1, 110.0)]
    rows += [("O", 1, 1.21, 0, 125.0, 2, 0.0), ("O", 1, 1.34, 0, 112.0, 2, 180.0)]
    rows += [("H", 4, 0.97, 1, 106.0, 0, 180.0)]
    rows += [("H", 2, 1.01, 0, 110.0, 1, turn) for turn in (60.0, -60.0)]
    rows += [("H", 0, 1.09, 1, 108.5, 2, -119.0)]
    if side == "H":
        return chain([*rows, ("H", 0, 1.09, 1, 108.5, 2, 119.0)])
    rows.append(("C", 0, 1.53, 1, 110.0, 2, 121.0))
    return chain([*rows, *(("H", 9, 1.09, 0, 110.0, 1, turn) for turn in (60.0, 180.0, -60.0))])


def dihaloethane(dihedral: float) -> Frame:
    """FClHC–CHClF with both centres of opposite hand; at 180° it has a centre of inversion and no mirror plane."""
    rows: list[tuple] = [
        ("C",),
        ("C", 0, 1.53),
        ("F", 0, 1.36, 1, 109.0),
        ("F", 1, 1.36, 0, 109.0, 2, dihedral),
    ]
    rows += [("Cl", 0, 1.77, 1, 110.0, 2, 120.0), ("H", 0, 1.09, 1, 109.0, 2, -120.0)]
    rows.append(("Cl", 1, 1.77, 0, 110.0, 2, dihedral - 120.0))
    rows.append(("H", 1, 1.09, 0, 109.0, 2, dihedral + 120.0))
    return chain(rows)


def hexagonal(a: float, c: float) -> np.ndarray:
    """The cell vectors of a hexagonal lattice."""
    return np.array([[a, 0, 0], [-a / 2, a * np.sqrt(3) / 2, 0], [0, 0, c]])


def selenium() -> Frame:
    """Trigonal selenium, P3₁21: helices of three atoms a turn."""
    u = 0.2254
    return crystal(["Se"] * 3, [[u, 0, 1 / 3], [0, u, 2 / 3], [-u, -u, 0]], hexagonal(4.366, 4.954))


def quartz() -> Frame:
    """α-Quartz, P3₂21."""
    u, (x, y, z) = 0.4697, (0.4135, 0.2669, 0.7858)
    places = [[u, 0, 2 / 3], [0, u, 1 / 3], [-u, -u, 0]]
    places += [[x, y, z], [-y, x - y, z + 2 / 3], [y - x, -x, z + 1 / 3]]
    places += [[y, x, -z], [x - y, -y, 1 / 3 - z], [-x, y - x, 2 / 3 - z]]
    return crystal(["Si"] * 3 + ["O"] * 6, places, hexagonal(4.9134, 5.4052))


def rutile() -> Frame:
    """TiO₂, P4₂/mnm."""
    u = 0.3053
    places = [
        [0, 0, 0],
        [0.5, 0.5, 0.5],
        [u, u, 0],
        [-u, -u, 0],
        [0.5 + u, 0.5 - u, 0.5],
        [0.5 - u, 0.5 + u, 0.5],
    ]
    return crystal(["Ti"] * 2 + ["O"] * 4, places, np.diag([4.594, 4.594, 2.959]))


def benzene() -> Frame:
    """A planar ring."""
    angles = np.pi / 3 * np.arange(6)
    ring = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
    return molecule(["C"] * 6 + ["H"] * 6, np.concatenate([1.39 * ring, 2.47 * ring]))


CHIRAL: dict[str, Callable[[], Frame]] = {
    "CHFClBr": lambda: centre(("H", 1.09), ("F", 1.36), ("Cl", 1.76), ("Br", 1.94)),
    "H₂O₂, 112°": lambda: dihydrogen("O", 1.46, 0.97, 99.4, 111.8),
    "H₂S₂, 91°": lambda: dihydrogen("S", 2.06, 1.34, 98.0, 90.3),
    "N₂H₄, gauche": lambda: hydrazine(90.0),
    "biphenyl, 44°": lambda: biphenyl(44.4),
    "alanine": lambda: amino_acid("CH3"),
    "1,3-dichloroallene": lambda: allene("Cl", "Cl", 1.73),
    "propylene oxide": lambda: oxirane(True),
    "butane, gauche": lambda: alkane(65.0),
    "hexane, helical": lambda: alkane(60.0, 60.0, 60.0),
    "trigonal selenium": selenium,
    "quartz": quartz,
}
ACHIRAL: dict[str, Callable[[], Frame]] = {
    "CHFCl₂": lambda: centre(("H", 1.09), ("F", 1.36), ("Cl", 1.76), ("Cl", 1.76)),
    "H₂O₂, cis": lambda: dihydrogen("O", 1.46, 0.97, 99.4, 0.0),
    "H₂O₂, trans": lambda: dihydrogen("O", 1.46, 0.97, 99.4, 180.0),
    "benzene": benzene,
    "biphenyl, flat": lambda: biphenyl(0.0),
    "biphenyl, 90°": lambda: biphenyl(90.0),
    "glycine": lambda: amino_acid("H"),
    "allene": lambda: allene("H", "H", 1.09),
    "oxirane": lambda: oxirane(False),
    "butane, anti": lambda: alkane(180.0),
    "pentane, g⁺g⁻": lambda: alkane(65.0, -65.0),
    "C₂H₂F₂Cl₂, meso": lambda: dihaloethane(180.0),
    "rutile": rutile,
}
