"""The configuration of `geoembed solve` for an elastic part: every key, its unit, its default and its meaning."""

from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, model_validator

from ._config import Part, Patch
from ._table import Number, PartOutputTable, Table, Triple
from ._values_config import Said

FREE = "free"

Stiffness = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def _components(value: Any) -> list[float | None]:
    """Three numbers, or "free" where nothing is held."""
    if not isinstance(value, list) or len(value) != 3:
        raise ValueError('a displacement has three components, each a number in m or "free"')
    return [_component(part) for part in value]


def _component(value: Any) -> float | None:
    if value == FREE:
        return None
    try:
        if (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and abs(float(value)) < float("inf")
        ):
            return float(value)
    except OverflowError:
        pass
    raise ValueError(f'a component of a displacement is a number in m or "{FREE}"')


Components = Annotated[Any, PlainValidator(_components), Said('three, each a number or `"free"`')]


class ElasticPhysics(Table):
    """What happens in the part: small deformations of one elastic material at rest."""

    kind: Literal["steady_elasticity"] = Field(
        description="the equation: −∇·σ = f, σ = λ (∇·u) I + μ (∇u + ∇uᵀ)"  # noqa: RUF001
    )
    young: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        description="Young's modulus, Pa; steel has 210e9"
    )
    poisson: Annotated[float, Field(gt=-1, le=0.49, allow_inf_nan=False)] = Field(
        description="Poisson's ratio; metals have 0.2 to 0.4"
    )
    body_force: Triple = Field(
        [0.0, 0.0, 0.0],
        description="f, force in the volume along x, y, z, N/m³; weight is density times 9.81",
    )


class LoadTable(Table):
    """A load or a support of a patch, several together where they do not contradict. Without one it is free."""

    patch: str = Field(description='name of a patch, or "rest" for all that no patch takes')
    displacement: Components | None = Field(
        None,
        description='given displacement along x, y, z, m; "free" where nothing is held; [0, 0, 0] clamps',
    )
    traction: Triple | None = Field(None, description="force on each square metre along x, y, z, Pa")
    pressure: Number | None = Field(None, description="the same against the outer normal, Pa")
    foundation: Annotated[list[Stiffness], Field(min_length=3, max_length=3)] | None = Field(
        None, description="stiffness of springs along x, y, z on each square metre, N/m³; 0 leaves free"
    )

    @model_validator(mode="after")
    def _says_something(self) -> "LoadTable":
        loads = ("displacement", "traction", "pressure", "foundation")
        if all(getattr(self, name) is None for name in loads):
            raise ValueError(f"a condition needs one of {', '.join(loads)}")
        if self.displacement is not None and all(part is None for part in self.displacement):
            raise ValueError("this displacement holds no component: leave it away")
        if self.displacement is not None and self.foundation is not None:
            raise ValueError("a patch cannot be held and stand on springs: keep displacement or foundation")
        return self


class ElasticSolveTable(Table):
    """How far to go."""

    tolerance: Annotated[float, Field(gt=0, lt=1)] = Field(
        5e-3,
        description="stop when the estimated error, relative to the size of the displacement, is below this",
    )
    cells: Annotated[int, Field(ge=1000, le=10_000_000)] = Field(
        200_000, description="the most grid cells; each costs ten times as much as for heat, try 45000 first"
    )
    time_limit: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        None, description="stop after this time and keep the best so far, s; no limit by default"
    )


class ElasticConfig(Table):
    """A configuration file of `geoembed solve` for an elastic part."""

    part: Part = Field(description="the part")
    patches: dict[str, Patch] = Field(default_factory=dict, description="patches of its surface, by name")
    physics: ElasticPhysics = Field(description="what happens in the part")
    conditions: list[LoadTable] = Field(min_length=1, description="loads and supports of patches")
    solve: ElasticSolveTable = Field(default_factory=ElasticSolveTable, description="how far to go")
    output: PartOutputTable = Field(default_factory=PartOutputTable, description="what is drawn")
