"""Make the finite-element reference that the demo compares itself with.

    python experiments/heat_sink/reference.py [--out FILE] [--quick]

needs `pip install 'geoembed[fem]'` and takes some minutes. The mesher is not deterministic, so a second run
gives other points; the temperatures agree within the `fem_agreement` that is stored beside them.

The part is a plate of 40 x 40 mm with nine fins. Its base is held at 350 K, everything else convects with
h = 25 W/(m² K) to air of 293 K. The conductivity, 10 W/(m K), puts the fin tips about half way between: with
0.5 W/(m K) the fins would be dead, (T_base − T_tip) / (T_base − T_ambient) = 0.99, with a metal's
200 W/(m K) the part would be almost isothermal.
"""

import argparse
import json
from pathlib import Path

import numpy as np

import geoembed
from geoembed.pinn import FaceConditions, FemReference, fem_reference, judge
from geoembed.sdf import UNITS, RawMesh, read_mesh

DATA = Path(geoembed.__file__).parent / "pinn" / "data"
UNIT, CONDUCTIVITY, BASE, H, AMBIENT = "mm", 10.0, 350.0, 25.0, 293.0
POINTS, SEED = 8_100, 0
# Tetrahedra from the mesher and after refinement; the fin roots are singular, hence the second numbers.
COARSE, FINE = (30_000, 200_000), (15_000, 550_000)
QUICK = (15_000, 40_000), (20_000, 80_000)


def corners_of(raw: RawMesh) -> tuple[np.ndarray, np.ndarray]:
    """Return the part's corners in metres and the unit normal of each triangle."""
    vertices = raw.vertices * UNITS[UNIT]
    a, b, c = (vertices[raw.faces[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    return vertices, normal / np.linalg.norm(normal, axis=1, keepdims=True)


def conditions_of(base: np.ndarray) -> FaceConditions:
    """Hold the base, let everything else convect."""
    return FaceConditions(
        temperature=np.where(base, BASE, np.nan),
        h=np.where(base, 0.0, H),
        ambient=np.where(base, 0.0, AMBIENT),
        flux=np.zeros(len(base)),
    )


def tip_temperatures(reference: FemReference, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Return the temperature at points drawn uniformly over the fins' end faces, K."""
    corner = vertices[faces]
    corner = corner[(corner[..., 2] > vertices[:, 2].max() - 1e-6).all(1)]
    area = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1)
    rng = np.random.default_rng(SEED)
    face = rng.choice(len(corner), 4000, p=area / area.sum())
    return reference.fine.value(np.einsum("nk,nki->ni", rng.dirichlet(np.ones(3), len(face)), corner[face]))


def facts_of(reference: FemReference, raw: RawMesh, tip: np.ndarray) -> dict:
    """Collect what a reader of the reference needs to know, as plain JSON."""
    itself = judge(reference, reference.fine.value, seed=SEED).as_dict()
    kept = ("fem_agreement", "deviation", "heat", "energy_balance", "dofs", "tets", "seed", "versions")
    return {
        "mesh": "heat_sink.stl",
        "unit": UNIT,
        "mesh_sha256": raw.sha256,
        "conductivity_W_per_m_K": CONDUCTIVITY,
        "source_W_per_m3": 0.0,
        "base_facing": [0, 0, -1],
        "base_temperature_K": BASE,
        "rest_h_W_per_m2_K": H,
        "ambient_K": AMBIENT,
        "tip_mean_K": float(tip.mean()),
        "tip_least_K": float(tip.min()),
        "fin_tip_ratio": float((BASE - tip.mean()) / (BASE - AMBIENT)),
        "fin_tip_ratio_largest": float((BASE - tip.min()) / (BASE - AMBIENT)),
        "mean_K": float(reference.temperature.mean()),
        "spread_K": float(reference.temperature.std()),
        "points": "uniform over the volume, metres; error = |T - T_fem| / |T_fem - mean(T_fem)| over them",
        **{key: itself[key] for key in kept},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=DATA / "heat_sink_reference.npz")
    parser.add_argument("--quick", action="store_true", help="coarse meshes, to try the script")
    options = parser.parse_args()
    raw = read_mesh(DATA / "heat_sink.stl")
    vertices, normal = corners_of(raw)
    base = normal[:, 2] < -0.99
    coarse, fine = QUICK if options.quick else (COARSE, FINE)
    reference = fem_reference(
        vertices, raw.faces, conditions_of(base), CONDUCTIVITY, 0.0,
        seed=SEED, face_patch=np.where(base, 0, 1), names=("base", "rest"),
        coarse=coarse, fine=fine, points=POINTS,
    )  # fmt: skip
    facts = facts_of(reference, raw, tip_temperatures(reference, vertices, raw.faces))
    np.savez_compressed(
        options.out,
        points=reference.points.astype(np.float32),
        temperature=reference.temperature.astype(np.float32),
        facts=np.array(json.dumps(facts)),
    )
    print(json.dumps(facts, indent=1))


if __name__ == "__main__":
    main()
