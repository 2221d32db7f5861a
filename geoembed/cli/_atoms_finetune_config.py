"""The configuration of `geoembed finetune`: every key, its unit, its default and its meaning."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..atoms import SYMBOLS, NewElement, Recipe, Replay, Training
from ._atoms_config import Count, DataTable, Positive, TrainableTable, TrainingTable
from ._table import Number, Table

Rank = Annotated[int, Field(ge=1, le=1024)]


class TuningTable(Table):
    """Where it begins, and what of it may change."""

    start: str = Field(
        description="folder of the potential to go on from; a relative path starts at the configuration file"
    )
    recipe: Recipe | None = Field(
        None,
        description="what trains: `rows`, the vectors of the new elements; `low_rank`, changes of low rank of all"
        " matrices; `rows+low_rank`; `last_layer`, the readouts; `naive`, everything that `geoembed train` trains; by"
        " default `rows+low_rank` with new elements, else `low_rank`. `[[trainable]]` say something else instead",
    )
    rank: Rank = Field(4, description="rank of the changes of `low_rank`")
    energies: Literal["new", "all", "keep"] = Field(
        "new",
        description="which energies of isolated atoms are fitted to the structures first: those of the `new` elements;"
        " of `all` elements, where the labels come from another method of computation; or none",
    )
    isolated: dict[str, Number] = Field(
        default_factory=dict, description="energies of isolated atoms by symbol that are known, eV"
    )

    @model_validator(mode="after")
    def _symbols(self) -> "TuningTable":
        for symbol in self.isolated:
            if symbol not in SYMBOLS:
                raise ValueError(f"{symbol!r} is not a chemical element")
        if self.isolated and self.energies == "keep":
            raise ValueError('`isolated` gives energies, and energies = "keep" keeps those of the potential')
        return self


class NewTable(Table):
    """An element that the potential does not know yet, and where its vector begins."""

    like: str | None = Field(None, description="the symbol of an element whose vector it takes")
    vector: Literal["properties"] | list[Number] | None = Field(
        None,
        description="the vector itself, or `properties`: what the properties of the elements suggest; without this and"
        " `like` the structures of `train` choose the known element that suits them best, or the properties",
    )
    e0: Number | None = Field(
        None, description="energy of an isolated atom, eV; else it is fitted to the structures"
    )

    @model_validator(mode="after")
    def _one_source(self) -> "NewTable":
        if self.like is not None and self.vector is not None:
            raise ValueError("`like` and `vector` both say what its vector is: give one of them")
        if self.like is not None and self.like not in SYMBOLS:
            raise ValueError(f"{self.like!r} is not a chemical element")
        return self

    def made(self, symbol: str) -> NewElement:
        """The element as `geoembed.atoms.finetune` takes it."""
        vector = tuple(self.vector) if isinstance(self.vector, list) else self.vector
        return NewElement(symbol, self.like, vector, self.e0)


class OldTable(Table):
    """The domain that the potential knows and should not forget."""

    test: str | None = Field(
        None, description="labelled structures by which forgetting is measured, before and after"
    )
    replay: str | None = Field(None, description="structures that are learned again beside the new ones")
    labels: Literal["file", "potential"] = Field(
        "file",
        description="who labels the structures of `replay`: their `file`, or the `potential` as it is before, which"
        " needs no labels",
    )
    share: Positive = Field(
        Replay.share, description="how many structures are replayed for each one of `train`; drawn at random"
    )
    weight: Positive = Field(Replay.weight, description="how much they count in the loss")


class FinetuneTrainingTable(TrainingTable):
    """How it is trained: as by `geoembed train`, but more gently, and until nothing better comes."""

    rate: Positive | None = Field(  # pyright: ignore[reportIncompatibleVariableOverride]
        None,
        description="the highest learning rate; by default 0.01 for `rows` and `last_layer`, 0.003 with `low_rank`,"
        " 0.001 for `naive` and `[[trainable]]`",
    )
    patience: Count | None = Field(20, description="validations without a new best after which the run ends")

    def tuned(self, rate: float) -> Training:
        """The options of the training, with a learning rate for where none is given."""
        return self.model_copy(update={"rate": self.rate or rate}).made()


class FinetuneConfig(Table):
    """A configuration file of `geoembed finetune`."""

    tuning: TuningTable = Field(description="where it begins, and what of it may change")
    new: dict[str, NewTable] = Field(default_factory=dict, description="elements to be added, by symbol")
    data: DataTable = Field(description="the labelled structures to learn from")
    old: OldTable = Field(default_factory=OldTable, description="the domain that should not be forgotten")
    trainable: list[TrainableTable] = Field([], description="what trains, in the place of a recipe")
    training: FinetuneTrainingTable = Field(
        default_factory=FinetuneTrainingTable, description="how it is trained"
    )

    @property
    def recipe(self) -> Recipe | None:
        """The recipe; None where rules are given."""
        if self.trainable:
            return None
        return self.tuning.recipe or ("rows+low_rank" if self.new else "low_rank")

    @model_validator(mode="after")
    def _consistent(self) -> "FinetuneConfig":
        for symbol in self.new:
            if symbol not in SYMBOLS:
                raise ValueError(f"[new.{symbol}]: {symbol!r} is not a chemical element")
        if self.trainable and self.tuning.recipe is not None:
            raise ValueError("`recipe` and `[[trainable]]` both say what trains: give one of them")
        if self.new and self.tuning.energies == "keep" and any(own.e0 is None for own in self.new.values()):
            raise ValueError('with energies = "keep" every new element needs its e0')
        return self
