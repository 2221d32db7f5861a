"""From a configuration of heat in a part in time to its equation and conditions."""

from typing import Any

from ..pinn import Convection, HeatFlux, Initial, Temperature, TransientHeat
from ._make_solid import make_conductivity, make_course, make_of_place
from ._places import Places
from ._transient_config import TransientConfig


def transient_equation(config: TransientConfig, places: Places) -> TransientHeat:
    """The equation of a configuration; raises InputError where a formula or a number is wrong."""
    physics = config.physics
    return TransientHeat(
        make_conductivity(physics.conductivity, places, ("physics", "conductivity")),
        make_of_place(physics.capacity, places, ("physics", "capacity")),
        make_course(physics.source, places, ("physics", "source")),
    )


def transient_conditions(config: TransientConfig, places: Places) -> list[Any]:
    """The first temperature and the conditions of a configuration."""
    found: list[Any] = [
        Initial(make_of_place(config.initial.temperature, places, ("initial", "temperature")))
    ]
    for number, table in enumerate(config.conditions):
        here = ("conditions", number)
        if table.temperature is not None:
            found.append(
                Temperature(table.patch, make_course(table.temperature, places, (*here, "temperature")))
            )
        if table.flux is not None:
            found.append(HeatFlux(table.patch, make_course(table.flux, places, (*here, "flux"))))
        if table.convection is not None:
            ambient = make_course(table.convection.ambient, places, (*here, "convection", "ambient"))
            found.append(Convection(table.patch, table.convection.h, ambient))
    return found


def check_moments(config: TransientConfig, places: Places) -> None:
    """Refuses pictures of moments beyond the time before anything is computed."""
    start, end = config.time.start, config.time.end
    for moment in config.output.times or []:
        if not start <= moment <= end:
            reason = f"the moment {moment:g} s is not within the time"
            raise places.wrong(("output", "times"), reason, f"It goes from {start:g} to {end:g} s")
