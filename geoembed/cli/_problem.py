"""From a configuration to a problem."""

from functools import reduce
from operator import and_
from pathlib import Path
from typing import Any

from ..core import InputError
from ..pinn import (
    ConductivityTable,
    Convection,
    Displacement,
    ElasticFoundation,
    HeatFlux,
    Pressure,
    Problem,
    Radiation,
    SteadyElasticity,
    SteadyHeat,
    Temperature,
    Traction,
)
from ..sdf import MeshSDF, Selection, facing, in_box, load_mesh, segment
from ._config import ConditionTable, Config, Patch, Physics
from ._elastic_config import ElasticConfig, LoadTable
from ._make_solid import make_conductivity
from ._make_transient import check_moments, transient_conditions, transient_equation
from ._mistakes import nearest
from ._places import Places
from ._read_config import place_in_file, place_of
from ._transient_config import TransientConfig

PartConfig = Config | TransientConfig | ElasticConfig
Load = Displacement | Traction | Pressure | ElasticFoundation
Condition = Temperature | HeatFlux | Convection | Radiation
_MESHES = (".stl", ".obj", ".ply", ".off", ".glb")


def mesh_path(config: PartConfig, file: Path) -> Path:
    """Returns where the part's mesh is: a relative path starts at the configuration file."""
    return file.parent / config.part.mesh


def make_problem(config: PartConfig, file: Path) -> Problem:
    """Builds the problem in a part that a configuration file describes.

    Args:
        config: The configuration.
        file: The file it came from: messages name it, and relative paths start there.

    Returns:
        The problem.

    Raises:
        InputError: The mesh, a patch, a number, a condition or what is to be drawn cannot be used.
    """
    _check_mesh_is_there(config, file)
    domain = load_mesh(mesh_path(config, file), unit=config.part.unit)
    patches = {name: _selection(file, name, patch) for name, patch in config.patches.items()}
    _check_slices(config, file, domain)
    try:
        return _problem(config, domain, patches, Places(file))
    except InputError as error:
        raise place_in_file(file, error) from error


def _problem(config: PartConfig, domain: MeshSDF, patches: dict[str, Selection], places: Places) -> Problem:
    conditions: list[Any] = []
    time = None
    match config:
        case ElasticConfig(physics=physics):
            x, y, z = physics.body_force
            equation: Any = SteadyElasticity(physics.young, physics.poisson, (x, y, z))
            for table in config.conditions:
                conditions += elastic_conditions(table)
        case TransientConfig():
            check_moments(config, places)
            equation, time = transient_equation(config, places), (config.time.start, config.time.end)
            conditions = transient_conditions(config, places)
        case Config():
            equation = SteadyHeat(_conductivity(config.physics, places), config.physics.source)
            for table in config.conditions:
                conditions += _conditions(table)
    return Problem(domain=domain, equation=equation, conditions=conditions, patches=patches, time=time)


def elastic_conditions(table: LoadTable) -> list[Load]:
    """The loads and supports of a table."""
    found: list[Load] = []
    if table.displacement is not None:
        x, y, z = table.displacement
        found.append(Displacement(table.patch, (x, y, z)))
    if table.traction is not None:
        found.append(Traction(table.patch, _triple(table.traction)))
    if table.pressure is not None:
        found.append(Pressure(table.patch, table.pressure))
    if table.foundation is not None:
        found.append(ElasticFoundation(table.patch, _triple(table.foundation)))
    return found


def _check_slices(config: PartConfig, file: Path, domain: MeshSDF) -> None:
    """Refuses planes that miss the part before anything is computed."""
    lower, upper = domain.bounds
    for (name, place), low, high in zip(config.output.slices, lower, upper, strict=True):
        if place is not None and not low < place < high:
            where = place_of(file, ("output", "slices", name))
            reason = f"the plane {name} = {place:g} misses the part"
            raise InputError(file, where, reason, f"It reaches from {low:g} to {high:g} {domain.unit}")


def _check_mesh_is_there(config: PartConfig, file: Path) -> None:
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


def _conductivity(physics: Physics, places: Places) -> Any:
    table = physics.conductivity_table
    if table is not None:
        try:
            return ConductivityTable(tuple(t for t, _ in table), tuple(k for _, k in table))
        except InputError as error:
            raise places.wrong(("physics", "conductivity_table"), error.reason, error.hint) from error
    return make_conductivity(physics.conductivity, places, ("physics", "conductivity"))


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
