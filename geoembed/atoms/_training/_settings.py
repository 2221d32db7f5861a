"""How a potential is trained: every number that decides the course of a run."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ...core import InputError

Optimiser = Literal["amsgrad", "adam"]
Schedule = Literal["constant", "cosine", "exponential", "plateau"]
LossKind = Literal["squares", "huber"]


def _check(right: bool, name: str, value: object, words: str) -> None:
    if not right:
        raise _wrong(name, f"{value} {words}", "Correct it")


def _wrong(name: str, reason: str, hint: str) -> InputError:
    return InputError("<training>", name, reason, hint)


@dataclass(frozen=True)
class Stage:
    """What counts how much in the loss, from some moment of the run on.

    Args:
        start: When it begins, as a share of all epochs.
        energy: Weight of the energies per atom, (eV/atom)⁻².
        forces: Weight of the forces, (eV/Å)⁻².
        stress: Weight of the stresses, (eV/Å³)⁻².
        rate: The learning rate is multiplied by this number.
    """

    start: float = 0.0
    energy: float = 1.0
    forces: float = 100.0
    stress: float = 0.0
    rate: float = 1.0

    def __post_init__(self) -> None:
        for name in ("energy", "forces", "stress"):
            _check(getattr(self, name) >= 0, f"stages.{name}", getattr(self, name), "is negative")
        _check(0 <= self.start < 1, "stages.start", self.start, "is no share of the epochs from 0 to 1")
        _check(self.rate > 0, "stages.rate", self.rate, "is not positive")
        if self.energy == self.forces == self.stress == 0:
            raise _wrong("stages", "all weights are 0", "Give one of energy, forces, stress a weight")


@dataclass(frozen=True)
class Training:
    """How `fit` trains. The defaults suit some hundred small molecules.

    With f(s) the schedule, r the rate of the stage, and step s of S in all, the learning rate of a step is

        rate · r · min(1, s / (warm_up · S)) · f(s / S),

    f = 1 (constant), (1 + cos πx)/2 (cosine), or a^x with a = `final` (exponential). "plateau" begins with f = 1 and
    multiplies it by `plateau_factor` whenever more than `plateau_patience` validations in a row have brought the
    validation loss less than 0.01 % below its lowest value; these are MACE's schedule and defaults.

    Args:
        epochs: How often each structure is seen.
        batch: Structures in one step, over all devices together.
        optimiser: "amsgrad" or "adam", with decoupled weight decay.
        rate: The highest learning rate.
        schedule: "cosine", "exponential", "constant" or "plateau".
        final: The share of the rate at the end of the exponential schedule.
        plateau_factor: By which the rate is multiplied on a plateau.
        plateau_patience: How many validations without progress are no plateau yet.
        warm_up: The share of all steps over which the rate rises from 0.
        decay: Weight decay of the arrays with two and more axes, times the learning rate.
        clip: The largest norm of the gradient; longer ones are shortened. None: no limit.
        average: Decay of the exponential moving average of the parameters, which is what is judged and returned; it is
            shorter at the start: min(average, (1 + s)/(10 + s)). None: no average.
        loss: "squares" or "huber".
        huber: Where the Huber loss becomes linear, in the units of the errors (eV/atom, eV/Å, eV/Å³).
        stages: The weights of the loss; the first begins at 0.
        validate: Epochs between two validations.
        patience: Validations without a new best after which the run ends; None: it goes on.
        check: Steps between two looks at the loss. If one was not finite, the run goes on from the last parameters
            that are known to be good, with half the rate.
        rollbacks: How often that may happen.

    Raises:
        InputError: An option makes no sense.

    Example:
        >>> training = Training(epochs=100, stages=(Stage(), Stage(start=0.75, energy=1000.0, rate=0.1)))
        >>> training.stage(80).energy, training.stage(10).energy
        (1000.0, 1.0)

    References:
        S. J. Reddi, S. Kale, S. Kumar, ICLR 2018, algorithm 2 (AMSGrad); I. Loshchilov, F. Hutter, ICLR 2019,
        algorithm 2 (decoupled weight decay), and ICLR 2017, eq. 5 (cosine).
    """

    epochs: int = 100
    batch: int = 5
    optimiser: Optimiser = "amsgrad"
    rate: float = 0.01
    schedule: Schedule = "cosine"
    final: float = 0.01
    plateau_factor: float = 0.8
    plateau_patience: int = 50
    warm_up: float = 0.01
    decay: float = 0.0
    clip: float | None = 10.0
    average: float | None = 0.99
    loss: LossKind = "squares"
    huber: float = 0.01
    stages: tuple[Stage, ...] = (Stage(),)
    validate: int = 1
    patience: int | None = None
    check: int = 20
    rollbacks: int = 8

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "validate", "check"):
            _check(getattr(self, name) >= 1, name, getattr(self, name), "is below 1")
        _check(self.patience is None or self.patience >= 1, "patience", self.patience, "is below 1")
        for name in ("rate", "huber", "final"):
            value = getattr(self, name)
            _check(math.isfinite(value) and value > 0, name, value, "is not positive")
        _check(0 < self.plateau_factor < 1, "plateau_factor", self.plateau_factor, "is not between 0 and 1")
        _check(self.plateau_patience >= 0, "plateau_patience", self.plateau_patience, "is negative")
        _check(self.clip is None or self.clip > 0, "clip", self.clip, "is not positive")
        _check(self.decay >= 0, "decay", self.decay, "is negative")
        _check(0 <= self.warm_up < 1, "warm_up", self.warm_up, "is no share from 0 to 1")
        _check(self.average is None or 0 <= self.average < 1, "average", self.average, "is no share below 1")
        starts = [stage.start for stage in self.stages]
        if not starts or starts[0] != 0 or starts != sorted(set(starts)):
            reason = f"they start at {starts}"
            raise _wrong("stages", reason, "Let the first start at 0 and each later than the one before")
        for name, known in (
            ("optimiser", ("amsgrad", "adam")),
            ("schedule", ("cosine", "exponential", "constant", "plateau")),
            ("loss", ("squares", "huber")),
        ):
            if getattr(self, name) not in known:
                raise _wrong(name, f"{getattr(self, name)!r} is unknown", f"Give one of {', '.join(known)}")

    def stage(self, epoch: int) -> Stage:
        """The weights in an epoch."""
        return [stage for stage in self.stages if stage.start * self.epochs <= epoch][-1]

    def rate_at(self, step: int, steps: int) -> float:
        """The share of the highest rate at a step of all, without the stage's and what plateaus leave."""
        share = (step + 0.5) / steps
        warm = min(1.0, share / self.warm_up) if self.warm_up > 0 else 1.0
        fall = {
            "constant": 1.0,
            "plateau": 1.0,
            "cosine": 0.5 * (1 + math.cos(math.pi * share)),
            "exponential": self.final**share,
        }
        return warm * fall[self.schedule]

    def average_at(self, step: int) -> float:
        """The decay of the moving average at a step; 0 without one."""
        return 0.0 if self.average is None else min(self.average, (1 + step) / (10 + step))

    @property
    def identity(self) -> dict[str, Any]:
        """All options as what JSON can hold."""
        return asdict(self)
