"""Make the temperatures that the sensors of run.py measure: finite elements that share nothing with the solver.

    python experiments/inverse/truth.py [--quick]

needs `pip install 'geoembed[fem]'` and takes some minutes. Writes results/truth.npz: places inside the heat sink and
on its surface, and the temperatures there on the finer of two meshes. The part is that of `geoembed demo`, a plate of
40 x 40 mm with nine fins; its base takes up a known heat flux, everything else convects.
"""

import argparse
import json
from importlib import resources
from pathlib import Path

import jax
import numpy as np

from geoembed.pinn import Convection, HeatFlux, Problem, SteadyHeat, fem_reference
from geoembed.sdf import facing, load_mesh, sample_interior, sample_surface

HERE = Path(__file__).resolve().parent
CONDUCTIVITY, H, AMBIENT, FLUX = 10.0, 25.0, 293.0, 10_000.0
PLACES = 1500  # inside, and as many on the surface
# Tetrahedra from the mesher and after refinement; the fin roots are singular, hence the second numbers.
COARSE, FINE = (30_000, 200_000), (15_000, 550_000)
QUICK = (15_000, 40_000), (20_000, 80_000)


def heat_sink(conductivity: float = CONDUCTIVITY, h: float = H) -> Problem:
    """The heat sink with a known heat flux into its base."""
    with resources.as_file(resources.files("geoembed.pinn") / "data" / "heat_sink.stl") as path:
        part = load_mesh(path, unit="mm")
    conditions = [HeatFlux("base", FLUX), Convection("rest", h=h, ambient=AMBIENT)]
    return Problem(part, SteadyHeat(conductivity), conditions, {"base": facing((0, 0, -1))})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="coarser meshes")
    options = parser.parse_args()
    problem = heat_sink()
    part = problem.domain
    metres = part.metres_per_unit
    coarse, fine = QUICK if options.quick else (COARSE, FINE)
    reference = fem_reference(
        part.vertices * metres, part.faces, problem.face_conditions, CONDUCTIVITY, 0.0,
        seed=0, face_patch=problem.resolved.face_patch, names=problem.resolved.names, coarse=coarse, fine=fine,
    )  # fmt: skip
    inside, surface = jax.random.split(jax.random.key(0))
    points = np.concatenate(
        [
            sample_interior(part, PLACES, key=inside).points,
            sample_surface(part, PLACES, key=surface).points,
        ]
    )
    facts = {
        "fem_agreement": reference.agreement,
        "energy_balance": reference.energy_balance,
        "heat_W": {patch.name: patch.watts for patch in reference.heat},
        "dofs": [reference.coarse.dofs, reference.fine.dofs],
        "seconds": round(reference.seconds),
    }
    np.savez_compressed(
        HERE / "results" / "truth.npz",
        points=points,
        temperature=reference.fine.value(points * metres),
        other=reference.coarse.value(points * metres),
        facts=np.array(json.dumps(facts)),
    )
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
