"""How a field is trained by gradients alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import optax

from ..core import InputError
from ..train import soap

Balance = Literal["gradient", "kernel"]

_RATES = {"adam": 3e-3, "soap": 3e-3}
_WARM_UP = 0.02  # part of the steps over which the rate rises


@dataclass(frozen=True)
class FirstOrder:
    """How a residual is trained by gradients alone; every step costs a multiple of one evaluation of the residuals.

    The loss is Σₖ λₖ Lₖ. L₁, L₂, … are the mean squares of the components of the equation's residual and of each soft
    condition. With `causal`, L of the equation is the mean over slices of the time of wᵢ Lᵢ with

        wᵢ = exp(−ε Σ_{j<i} Lⱼ / L⁰),

    L⁰ the loss of the first field: a moment counts once all before it are solved. ε grows tenfold whenever all
    wᵢ > 0.99.

    Args:
        optimiser: "adam", "soap", "lbfgs" (with a line search), or a gradient transformation of optax that has its own
            rate.
        steps: The most steps, shared evenly by the windows.
        points: Points inside in one step; a quarter of that on each soft condition.
        rate: The highest learning rate, which rises over the first 2 % of a window's steps and falls to 0 along a
            cosine; or a function of the step's number in its window. By default 3e-3. L-BFGS and a transformation of
            your own take none.
        redrawn: Whether every step has points of its own (of 65 536 for a report); otherwise all steps of a window
            share theirs, and causal weights change with the reports only. By default yes, but not for L-BFGS, which
            needs one loss.
        balance: How λ is set at each report: "gradient", λₖ ∝ 1/‖∇Lₖ‖, averaged over reports; "kernel",
            λₖ ∝ 1/trace of its neural tangent kernel, likewise; None: all 1. The first λ is 1.
        causal: The first ε; None for no causal weights.
        slices: Slices of the time for causal weights.
        windows: Windows of the time, solved one after the other; each begins exactly with the end of the one before.
            Evaluating window n takes n networks.
        report: Steps between two reports. They run as one program.

    Raises:
        InputError: An option makes no sense.

    Example:
        >>> from geoembed.pinn import FirstOrder
        >>> FirstOrder("adam", steps=6000, causal=1.0, windows=3).window_steps
        2000

    References:
        S. Wang, Y. Teng, P. Perdikaris, SIAM J. Sci. Comput. 43 (2021) A3055: λ from gradients; S. Wang, X. Yu,
        P. Perdikaris, J. Comput. Phys. 449 (2022) 110768: from the neural tangent kernel; S. Wang, S. Sankaran,
        P. Perdikaris, Comput. Methods Appl. Mech. Eng. 421 (2024) 116813 (arXiv 2203.07404, 2022), eq. 3.6: causal
        weights.
    """

    optimiser: Any = "soap"
    steps: int = 20_000
    points: int = 1024
    rate: float | Callable[[Any], Any] | None = None
    redrawn: bool | None = None
    balance: Balance | None = "kernel"
    causal: float | None = None
    slices: int = 16
    windows: int = 1
    report: int = 100

    def __post_init__(self) -> None:
        lowest = {"steps": 1, "points": 64, "slices": 2, "windows": 1, "report": 1}
        for name, least in lowest.items():
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise _wrong(name, f"{value} is no whole number of at least {least}", "Raise it")
        if self.steps < self.windows:
            raise _wrong("steps", f"{self.steps} are fewer than the {self.windows} windows", "Raise it")
        if self.balance not in ("gradient", "kernel", None):
            raise _wrong("balance", f"{self.balance!r} is unknown", 'Give "gradient", "kernel" or None')
        for name in ("causal", "rate"):
            value = getattr(self, name)
            if not (value is None or callable(value)) and not (np.isfinite(value) and value > 0):
                raise _wrong(name, f"{value} is not positive", "Give a positive number or None")
        self._check_optimiser()

    def _check_optimiser(self) -> None:
        if isinstance(self.optimiser, str):
            if self.optimiser not in (*_RATES, "lbfgs"):
                known = '"adam", "soap", "lbfgs"'
                raise _wrong("optimiser", f"{self.optimiser!r} is unknown", f"Give {known} or one of optax")
        elif not isinstance(self.optimiser, optax.GradientTransformation):
            raise _wrong("optimiser", "this is no optax.GradientTransformation", 'Give one, or "soap"')
        if self.rate is not None and self.optimiser not in _RATES:
            raise _wrong("rate", "this optimiser has its own", "Leave rate= away")
        if self.redrawn and self.searches:
            raise _wrong("redrawn", "L-BFGS compares gradients of one loss", "Leave redrawn= away")

    @property
    def searches(self) -> bool:
        """Whether the optimiser is L-BFGS with its line search."""
        return isinstance(self.optimiser, str) and self.optimiser == "lbfgs"

    @property
    def draws(self) -> bool:
        """Whether every step has points of its own."""
        return not self.searches if self.redrawn is None else self.redrawn

    @property
    def window_steps(self) -> int:
        """The most steps of one window."""
        return self.steps // self.windows

    @property
    def transformation(self) -> optax.GradientTransformationExtraArgs:
        """The optimiser as an object of optax."""
        if not isinstance(self.optimiser, str):
            return optax.with_extra_args_support(self.optimiser)
        if self.searches:
            return optax.lbfgs()
        rate = _RATES[self.optimiser] if self.rate is None else self.rate
        if not callable(rate):
            warm = max(int(_WARM_UP * self.window_steps), 1)
            rate = optax.warmup_cosine_decay_schedule(0.0, rate, warm, max(self.window_steps, warm + 1))
        made = soap(rate) if self.optimiser == "soap" else optax.adam(rate)
        return optax.with_extra_args_support(made)

    @property
    def identity(self) -> dict[str, Any]:
        """All options as what JSON can hold; functions and objects are not compared."""

        def plain(value: Any) -> Any:
            return value if isinstance(value, str | int | float | None) else type(value).__name__

        return {name: plain(value) for name, value in vars(self).items()}


def _wrong(name: str, reason: str, hint: str) -> InputError:
    return InputError("<options>", name, reason, hint)
