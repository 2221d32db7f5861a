"""What an encoder promises about itself, in a form that `geoembed.check` can measure."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Literal, get_args

Kind = Literal["invariant", "equivariant", "sensitive", "periodic", "eikonal", "lipschitz", "smooth"]
Exactness = Literal["exact", "bound", "approximate"]

_NEEDS_GROUP = ("invariant", "equivariant", "sensitive", "periodic")
_NEEDS_CONSTANT = ("lipschitz", "smooth")


@dataclass(frozen=True)
class Property:
    """One promise of an encoder f.

    | kind        | promise                                    | `group`              | `constant`          |
    |-------------|--------------------------------------------|----------------------|---------------------|
    | invariant   | f(g·x) = f(x)                              | the group            |                     |
    | equivariant | f(g·x) = ρ(g) f(x), ρ = `representation`   | the group            |                     |
    | sensitive   | f(g·x) ≠ f(x)                              | what must be noticed | least change (1e-3) |
    | periodic    | f(x + p) = f(x) for p in a lattice         | the lattice          |                     |
    | eikonal     | the length of ∇f is 1 almost everywhere    |                      |                     |
    | lipschitz   | the distance of f(x), f(y) ≤ L that of x, y |                      | L                   |
    | smooth      | continuous derivatives up to order k       |                      | k                   |

    Args:
        kind: Which promise, see the table.
        group: A name that `geoembed.check.GROUPS` knows ("SO(3)"), or a `geoembed.check.Group`.
        representation: A callable g ↦ matrix that acts on the output; None for an output that the group moves
            as it moves the input.
        exactness: "exact" up to rounding, "bound" for a one-sided guarantee, "approximate" within the
            tolerances.
        tol_f32: Largest deviation in float32. Absolute below 1, relative to the output above.
        tol_f64: The same in float64.
        domain: Where the promise holds, in words.
        constant: The number that belongs to the kind, see the table.

    Raises:
        ValueError: The fields contradict each other.

    Example:
        >>> Property("lipschitz", exactness="bound", constant=1.0).kind
        'lipschitz'
    """

    kind: Kind
    group: Hashable = None
    representation: Callable[[Any], Any] | None = None
    exactness: Exactness = "exact"
    tol_f32: float = 1e-5
    tol_f64: float = 1e-12
    domain: str = "everywhere"
    constant: int | float | None = None

    def __post_init__(self) -> None:
        _one_of("kind", self.kind, get_args(Kind))
        _one_of("exactness", self.exactness, get_args(Exactness))
        if self.kind in _NEEDS_GROUP and self.group is None:
            raise ValueError(f"Property {self.kind!r} needs a group, received None: pass group='SO(3)'")
        if self.kind in _NEEDS_CONSTANT and self.constant is None:
            raise ValueError(f"Property {self.kind!r} needs a number, received None: pass constant=")
        if not (self.tol_f32 >= 0 and self.tol_f64 >= 0):
            raise ValueError(f"tolerances must be ≥ 0, received {self.tol_f32} and {self.tol_f64}")
        hash(self)  # an unhashable group fails here, not inside a jit cache


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"unknown {name} {value!r}: use one of {', '.join(known)}")
