"""The configuration of `geoembed train`: every key, its unit, its default and its meaning."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from ..atoms import SYMBOLS, LabelKeys, Stage, Training
from ..core import InputError
from ..train import Train
from ._table import Number, Table

Share = Annotated[float, Field(ge=0, lt=1)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Degree = Annotated[int, Field(ge=0, le=6)]
_OF_ENCODER = {"correlation": "mace", "pair_weights": "mace", "odd": "nequip"}


class LabelsTable(Table):
    """Under which names, in which units and with which signs extxyz files hold the labels."""

    energy: str = Field("energy", description="key of the energy in the comment line")
    forces: str = Field("forces", description="column of the forces")
    stress: str = Field("stress", description="key of the stress, nine numbers or six")
    virial: str | None = Field(
        None,
        description="key of the virial, which is minus the stress times the volume; nine numbers or six",
    )
    energy_unit: Literal["eV", "meV", "Ha", "kcal/mol", "kJ/mol"] = Field(
        "eV", description="unit of energy, forces and virial"
    )
    length_unit: Literal["Å", "Bohr"] = Field("Å", description="unit of length in the forces")
    stress_unit: Literal["eV/Å³", "GPa", "kbar"] = Field("eV/Å³", description="unit of the stress")
    compression_positive: bool = Field(
        False, description="whether a positive stress means compression, as VASP writes it"
    )
    order: str = Field(LabelKeys.order, description="what six numbers are; VASP: `xx yy zz xy yz zx`")


class DataTable(Table):
    """The labelled structures."""

    train: str = Field(
        description="structures to learn from, extxyz or an rMD17 npz; a relative path starts at the configuration file"
    )
    valid: str | None = Field(None, description="structures to judge by; this or `valid_share`")
    valid_share: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None, description="the share of `train` that is drawn to judge by instead"
    )
    test: str | None = Field(None, description="structures with which the trained potential is compared")
    group: str = Field(
        "config_type",
        description="the value of the comment line that says to which group a structure belongs",
    )
    weights: dict[str, Weight] = Field(
        default_factory=dict,
        description="how much the structures of a group count in the loss; 1 for groups that are not named",
    )
    weight_key: str | None = Field(
        None,
        description="the value of the comment line that says how much a structure counts; it multiplies `weights`",
    )

    labels: LabelsTable = Field(
        default_factory=LabelsTable, description="names, units and signs in extxyz files"
    )

    @model_validator(mode="after")
    def _judges(self) -> "DataTable":
        if (self.valid is None) == (self.valid_share is None):
            raise ValueError('give one of valid = "...xyz" and valid_share = 0.1')
        return self


class PotentialTable(Table):
    """The potential: one to go on from, or a new one."""

    start: str | None = Field(
        None,
        description="folder of a potential to go on from, a relative path starts at the configuration file; without"
        " it, the keys below make a new one",
    )
    dtype: Literal["float32", "float64"] = Field(
        "float32", description="in which numbers a new potential computes"
    )
    encoder: Literal["mace", "nequip"] = Field(
        "mace",
        description="what makes the features of the atoms: `mace`, products of messages; `nequip`, gates and no"
        " products, which takes more layers",
    )
    cutoff: Positive = Field(5.0, description="up to which distance atoms are neighbours, Å")
    channels: Count = Field(32, description="channels of features and messages")
    hidden_ell: Degree = Field(1, description="largest degree of the features between layers")
    max_ell: Degree = Field(3, description="largest degree of the spherical harmonics")
    correlation: Annotated[int, Field(ge=1, le=4)] = Field(
        3, description="how many messages are multiplied at most; `mace` only"
    )
    pair_weights: bool = Field(
        False,
        description="whether radial functions depend on the elements of both atoms; `mace` only, not for mace-torch",
    )
    odd: bool = Field(
        False,
        description="whether features of both parities are kept for every degree, odd scalars too; `nequip` only",
    )
    layers: Count | None = Field(
        None, description="how many layers; by default 2 for `mace` and 4 for `nequip`"
    )
    elements: Literal["one_hot", "random", "physical"] = Field(
        "one_hot",
        description="the vectors that describe elements: `one_hot`, where elements share nothing, as in MACE; `random`;"
        " `physical`, where elements that are alike in the periodic table start alike",
    )
    element_size: Count | None = Field(
        None, description="how many numbers a `random` or `physical` vector has, 16 by default"
    )
    free_elements: Annotated[int, Field(ge=0, le=118)] = Field(
        0, description="how many elements can be added to the potential later without compiling it again"
    )
    isolated: dict[str, Number] = Field(
        default_factory=dict,
        description="energies of isolated atoms by symbol, eV; those that are missing come from the structures",
    )

    def options(self) -> dict[str, Any]:
        """The arguments of `geoembed.atoms.untrained_mace` or `untrained_nequip`."""
        others = {name for name, encoder in _OF_ENCODER.items() if self.encoder != encoder}
        own = self.model_dump(exclude={"start", "isolated", "encoder", *others})
        return {name: value for name, value in own.items() if (name, value) != ("layers", None)}

    @model_validator(mode="after")
    def _encoder(self) -> "PotentialTable":
        for name, encoder in _OF_ENCODER.items():
            if name in self.model_fields_set and self.encoder != encoder:
                raise ValueError(f'{name!r} is for encoder = "{encoder}", not "{self.encoder}"')
        return self

    @model_validator(mode="after")
    def _elements(self) -> "PotentialTable":
        for symbol in self.isolated:
            if symbol not in SYMBOLS:
                raise ValueError(f"{symbol!r} is not a chemical element")
        if self.element_size is not None and self.elements == "one_hot":
            raise ValueError('`element_size` is for elements = "random" or "physical"')
        if self.elements == "physical" and self.element_size is not None and self.element_size < 3:
            raise ValueError(
                f"physical vectors need an `element_size` of at least 3, not {self.element_size}"
            )
        if self.start is not None and self.model_fields_set != {"start"}:
            other = sorted(self.model_fields_set - {"start"})[0]
            raise ValueError(f"{other!r} is for a new potential, and `start` names one to go on from")
        return self


class StageTable(Table):
    """What counts how much in the loss, from some moment of the run on."""

    start: Share = Field(Stage.start, description="when it begins, as a share of all epochs")
    energy: Weight = Field(Stage.energy, description="weight of the energies per atom, (eV/atom)⁻²")
    forces: Weight = Field(Stage.forces, description="weight of the forces, (eV/Å)⁻²")
    stress: Weight = Field(Stage.stress, description="weight of the stresses, (eV/Å³)⁻²")
    rate: Positive = Field(Stage.rate, description="the learning rate is multiplied by this number")


class TrainingTable(Table):
    """How it is trained."""

    epochs: Count = Field(Training.epochs, description="how often each structure is seen")
    batch: Count = Field(Training.batch, description="structures in one step, over all devices together")
    devices: Count = Field(1, description="how many devices share a batch")
    optimiser: Literal["amsgrad", "adam"] = Field(
        Training.optimiser, description="the optimiser, with decoupled weight decay"
    )
    rate: Positive = Field(Training.rate, description="the highest learning rate")
    schedule: Literal["constant", "cosine", "exponential", "plateau"] = Field(
        Training.schedule, description="how the rate falls"
    )
    final: Positive = Field(
        Training.final, description="the share of the rate at the end of the exponential schedule"
    )
    plateau_factor: Annotated[float, Field(gt=0, lt=1)] = Field(
        Training.plateau_factor, description="by which the plateau schedule multiplies the rate"
    )
    plateau_patience: Annotated[int, Field(ge=0)] = Field(
        Training.plateau_patience,
        description="validations without progress that the plateau schedule puts up with",
    )
    warm_up: Share = Field(
        Training.warm_up, description="the share of all steps over which the rate rises from 0"
    )
    decay: Weight = Field(Training.decay, description="weight decay, times the learning rate")
    clip: Positive | None = Field(
        Training.clip, description="the largest norm of the gradient; longer ones are shortened"
    )
    average: Share | None = Field(
        Training.average, description="decay of the moving average of the parameters, which is kept"
    )
    loss: Literal["squares", "huber"] = Field(Training.loss, description="the form of the loss")
    huber: Positive = Field(
        Training.huber, description="where the Huber loss becomes linear; eV/atom, eV/Å, eV/Å³"
    )
    stages: list[StageTable] = Field(
        [], description="weights of the loss, the first from 0 on; by default one stage of the values below"
    )
    validate_every: Count = Field(Training.validate, description="epochs between two validations")
    patience: Count | None = Field(
        Training.patience, description="validations without a new best after which the run ends"
    )
    time_limit: Positive | None = Field(None, description="stop after this time and keep the best so far, s")

    def made(self) -> Training:
        """The options of `geoembed.atoms.fit`."""
        own = self.model_dump(exclude={"stages", "validate_every", "time_limit", "devices"})
        stages = tuple(Stage(**stage.model_dump()) for stage in self.stages) or (Stage(),)
        return Training(**own, validate=self.validate_every, stages=stages)


class TrainableTable(Table):
    """What of the potential is trained, and how; what no such table names stays as it is, bit for bit. Without any:
    everything, in potentials with one-hot element vectors, as converted models are, without `elements`, `scale` and
    `shift`.
    """

    parts: list[str] = Field(
        description="parts whose arrays are trained: names such as `readouts` or `elements` (the element vectors), or"
        " steps that follow each other, `encoder.interactions.0`; `*` is any step, so that `*` alone is everything, and"
        " `-1` the last one, `readouts.-1`"
    )
    but: list[str] = Field([], description="parts of these that are not")
    rows: list[str] | None = Field(
        None,
        description="symbols of elements: only their rows of the element vectors are trained, and in what vectors are"
        " multiplied with what belongs to one of them alone",
    )
    rank: Count | None = Field(
        None, description="matrices get a change of this rank, which is merged into them at the end"
    )
    gains: bool = Field(False, description="the columns of arrays are only multiplied by trained numbers")
    rate: Positive = Field(Train.rate, description="the learning rate is multiplied by this number")

    @model_validator(mode="after")
    def _sense(self) -> "TrainableTable":
        try:
            self.made()
        except InputError as error:
            raise ValueError(error.reason) from None
        return self

    def made(self) -> Train:
        """The rule of `geoembed.atoms.fit`."""
        return Train(**self.model_dump())


class TrainConfig(Table):
    """A configuration file of `geoembed train`."""

    data: DataTable = Field(description="the labelled structures")
    potential: PotentialTable = Field(default_factory=PotentialTable, description="the potential")
    training: TrainingTable = Field(default_factory=TrainingTable, description="how it is trained")
    trainable: list[TrainableTable] = Field([], description="what of it is trained")
