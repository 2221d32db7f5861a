"""From a configuration to a problem."""

from functools import reduce
from operator import and_
from pathlib import Path

from ..core import InputError
from ..pinn import ConductivityTable, Convection, HeatFlux, Problem, Radiation, SteadyHeat, Temperature
from ..sdf import Selection, facing, in_box, load_mesh, segment
from ._config import ConditionTable, Config, Patch, Physics
from ._mistakes import nearest
from ._read_config import place_in_file, place_of

Condition = Temperature | HeatFlux | Convection | Radiation
_MESHES = (".stl", ".obj", ".ply", ".off", ".glb")


def mesh_path(config: Config, file: Path) -> Path:
    """Returns where the part's mesh is: a relative path starts at the configuration file."""
    return file.parent / config.part.mesh


def make_problem(config: Config, file: Path) -> Problem:
    """Builds the problem that a configuration file describes.

    Args:
        config: The configuration.
        file: The file it came from: messages name it, and relative paths start there.

    Returns:
        The problem.

    Raises:
        InputError: The mesh, a patch or a condition cannot be used.
    """
    _check_mesh_is_there(config, file)
    domain = load_mesh(mesh_path(config, file), unit=config.part.unit)
    patches = {name: _selection(file, name, patch) for name, patch in config.patches.items()}
    conditions = [condition for table in config.conditions for condition in _conditions(table)]
    equation = SteadyHeat(_conductivity(config.physics, file), config.physics.source)
    try:
        return Problem(domain=domain, equation=equation, conditions=conditions, patches=patches)
    except InputError as error:
        raise place_in_file(file, error) from error


def _check_mesh_is_there(config: Config, file: Path) -> None:
    mesh = mesh_path(config, file)
    try:
        missing = not mesh.exists()
        beside = sorted(p.name for p in mesh.parent.iterdir() if p.suffix.lower() in _MESHES)
    except OSError:  # a name too long, a folder that is not there or may not be read
        missing, beside = True, []
    if missing:
        hint = (
            nearest(config.part.mesh, beside)
            if beside
            else "A relative path starts at the configuration file"
        )
        raise InputError(
            file, place_of(file, ("part", "mesh")), f"there is no file {config.part.mesh!r}", hint
        )


def _selection(file: Path, name: str, patch: Patch) -> Selection:
    chosen = []
    try:
        if patch.facing is not None:
            chosen.append(facing(_triple(patch.facing), angle=patch.angle))
        if patch.segment is not None:
            chosen.append(segment(_triple(patch.segment), angle=patch.angle))
        if patch.box is not None:
            chosen.append(in_box(_triple(patch.box.lower), _triple(patch.box.upper)))
    except ValueError as error:
        raise InputError(file, place_of(file, ("patches", name)), str(error), "Correct the patch") from error
    return reduce(and_, chosen)


def _triple(numbers: list[float]) -> tuple[float, float, float]:
    x, y, z = numbers
    return x, y, z


def _conductivity(physics: Physics, file: Path) -> float | ConductivityTable:
    table = physics.conductivity_table
    if table is not None:
        try:
            return ConductivityTable(tuple(t for t, _ in table), tuple(k for _, k in table))
        except InputError as error:
            where = place_of(file, ("physics", "conductivity_table"))
            raise InputError(file, where, error.reason, error.hint) from error
    assert physics.conductivity is not None  # `Physics` asks for one of the two
    return physics.conductivity


def _conditions(table: ConditionTable) -> list[Condition]:
    found: list[Condition] = []
    if table.temperature is not None:
        found.append(Temperature(table.patch, table.temperature))
    if table.flux is not None:
        found.append(HeatFlux(table.patch, table.flux))
    if table.convection is not None:
        found.append(Convection(table.patch, table.convection.h, table.convection.ambient))
    if table.radiation is not None:
        found.append(Radiation(table.patch, table.radiation.emissivity, table.radiation.ambient))
    return found
