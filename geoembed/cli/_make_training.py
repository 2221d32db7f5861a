"""From a configuration to the options of `solve` that are about a network and its training."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from ..core import MLP, InputError, ModifiedMLP, PirateNet, Separable, Siren
from ..pinn import FirstOrder, Problem, Training
from ..pinn._equations._divergence import fluxes
from ..pinn._first_network import first_network
from ..pinn._weak_problem import check_weak
from ._field_config import FieldConfig
from ._network_config import (
    MLPTable,
    ModifiedMLPTable,
    NetworkTable,
    PirateNetTable,
    SeparableTable,
    SirenTable,
)
from ._places import Places
from ._training_config import FirstOrderTable, LeastSquaresTable

_SHORT = {
    "training": ("points", "steps"),
    "network": ("width", "depth"),
}  # keys of [solve] that stand for a table


def training_options(config: FieldConfig, problem: Problem, key: PRNGKeyArray) -> dict[str, Any]:
    """The options of `solve` about a network; those that were not asked for are left to the solver.

    Args:
        config: The configuration.
        problem: The problem.
        key: A random key: the start of the network.
    """
    table = config.solve
    found: dict[str, Any] = {}
    training = {name: getattr(table, name) for name in _SHORT["training"] if getattr(table, name)}
    size = {name: getattr(table, name) for name in _SHORT["network"] if getattr(table, name)}
    if config.training is not None:
        found["training"] = _training(config.training)
    elif training:
        found["training"] = Training(**training)
    if config.network is not None or size:
        chosen = config.network or MLPTable(kind="mlp", **size)
        with jax.enable_x64(True):
            found["network"] = _network(chosen, problem, jax.random.split(key)[1])
    return found


def check_training(config: FieldConfig, problem: Problem, places: Places) -> None:
    """Refuses what is said twice, and a form that does not fit.

    Raises:
        InputError: [solve] and another table say the same, or the equation has no such form.
    """
    for table, keys in _SHORT.items():
        for key in keys:
            if getattr(config, table) is not None and getattr(config.solve, key) is not None:
                reason = f"there is a table [{table}] as well"
                raise places.wrong(("solve", key), reason, f"Give all that is about it in [{table}]")
    first_order = isinstance(config.training, FirstOrderTable)
    if config.solve.form == "weak" and first_order:
        reason = "first-order training knows the strong form only"
        raise places.wrong(
            ("solve", "form"), reason, 'Leave it away, or give [training] kind = "least_squares"'
        )
    equation = problem.equation
    if config.solve.form == "weak" and getattr(config.physics, "residual", None) is not None:
        reason = "an equation that is given by its residual has no weak form"
        raise places.wrong(("solve", "form"), reason, "Write flux and balance instead of residual")
    if config.solve.form == "weak":
        try:
            check_weak(problem.in_fields)
            _traced(equation, problem)
        except InputError as error:
            raise option_error(error, places) from error
        except ValueError as error:  # a coefficient that must not vary
            reason = str(error).partition(": use form=")[0]
            raise places.wrong(("solve", "form"), reason, 'Use form = "strong"') from error


def _traced(equation: Any, problem: Problem) -> None:
    """Follows the weak form of an equation at one point without computing it."""
    shape = () if len(equation.fields) == 1 else (len(equation.fields),)

    def both(x: Any) -> Any:
        def field(y: Any) -> Any:
            return jnp.broadcast_to(jnp.sum(y), shape)

        return equation.balance(field, x), fluxes(equation, field, x)

    jax.eval_shape(both, jax.ShapeDtypeStruct(problem.in_fields.coordinates.lower.shape, jnp.float32))


def option_error(error: InputError, places: Places) -> InputError:
    """An error of `solve` about an option as one about its key; any other error as it is."""
    hint = error.hint.replace("form='strong'", 'form = "strong"').replace("hard=True", "hard = true")
    if error.file == "weak form":
        return places.wrong(("solve", "form"), f"{error.where}: {error.reason}", hint)
    if error.file == "<options>":
        return places.wrong(("training", error.where), error.reason, hint)
    return error


def _training(table: Any) -> Any:
    """The training of a table; the same keys but for what TOML cannot say."""
    given: dict[str, Any] = {name: value for name, value in table if name != "kind"}
    if isinstance(table, LeastSquaresTable):
        return Training(**given)
    given["balance"] = None if table.balance == "none" else table.balance
    return FirstOrder(**given)


def _network(table: NetworkTable, problem: Problem, key: PRNGKeyArray) -> Any:
    """The network of a table, with an output for each unknown of each region."""
    inputs, outputs = problem.in_fields.coordinates.size, len(problem.in_fields.shapings)
    match table:
        case MLPTable(activation="tanh"):
            return first_network(problem.in_fields, key=key, width=table.width, depth=table.depth)
        case PirateNetTable():
            scale = table.scale or None
            return PirateNet(
                inputs, outputs, table.width, table.blocks, scale=scale, activation=table.activation, key=key
            )
        case SirenTable():
            sizes = (inputs, outputs, table.width, table.depth)
            return Siren(*sizes, first=table.first, frequency=table.frequency, key=key)
        case SeparableTable():
            sizes = (inputs, outputs, table.width, table.depth, table.rank)
            return Separable(*sizes, activation=table.activation, key=key)
        case ModifiedMLPTable():
            kind = ModifiedMLP
        case _:
            kind = MLP
    return kind(inputs, outputs, table.width, table.depth, activation=table.activation, key=key)
