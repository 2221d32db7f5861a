"""Errors before and after: what was learned, and what was forgotten."""

from dataclasses import dataclass
from typing import Any, Literal

from .._training._deviation import Errors
from .._training._evaluate import Evaluation

Kind = Literal["energy", "forces", "stress"]
KINDS: tuple[Kind, ...] = ("energy", "forces", "stress")


@dataclass(frozen=True, eq=False)
class Comparison:
    """The same labelled structures beside a potential before and after its fine-tuning.

    Args:
        before: The errors before.
        after: The errors after.
    """

    before: Evaluation
    after: Evaluation

    def change(self, kind: Kind, group: str | None = None) -> float | None:
        """The relative change of an RMSE: 0.05 where it grew by five percent; None where it cannot be said.

        Args:
            kind: "energy", "forces" or "stress".
            group: Of which group of structures; None for all.
        """
        before, after = (_rmse(found, kind, group) for found in (self.before, self.after))
        return None if before is None or after is None or before == 0 else after / before - 1

    @property
    def forgetting(self) -> float | None:
        """The largest relative growth of the RMSE of energies and forces, 0 if both fell; None without labels.

        A number for structures of the old domain; for those of the new one it has no meaning.
        """
        found = [change for kind in ("energy", "forces") if (change := self.change(kind)) is not None]
        return max([*found, 0.0]) if found else None

    def to_dict(self) -> dict[str, Any]:
        """Errors and changes as what JSON can hold."""
        groups = {
            name: {kind: self.change(kind, name) for kind in KINDS if self.change(kind, name) is not None}
            for name in self.before.by_group
        }
        changes = {kind: self.change(kind) for kind in KINDS if self.change(kind) is not None}
        return {
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "relative_change_rmse": changes,
            "relative_change_rmse_by_group": groups,
        }


def _rmse(found: Evaluation, kind: Kind, group: str | None) -> float | None:
    errors: Errors = found.errors if group is None else found.by_group[group]
    return getattr(errors, kind).rmse
