"""The box in which a function of space is looked at."""

from typing import Any


def bounds_of(f: Any, given: Any, name: str = "f") -> tuple[Any, Any]:
    """Returns the corners that were given, or those of the function's own box.

    Args:
        f: A function of a point, perhaps with `bounds`.
        given: The lower and upper corner, or None.
        name: What the function is called, for the message.

    Raises:
        ValueError: There are none.
    """
    bounds = getattr(f, "bounds", None) if given is None else given
    if bounds is None:
        raise ValueError(f"{name} has no bounds: give `bounds`, the lower and upper corner of a box")
    return bounds


def corners_of(f: Any, lower: Any, upper: Any) -> tuple[Any, Any]:
    """The same for two arguments.

    Raises:
        ValueError: There are none, or only one is given.
    """
    if (lower is None) != (upper is None):
        raise ValueError("give both corners of the box, or none")
    bounds = getattr(f, "bounds", None) if lower is None else (lower, upper)
    if bounds is None:
        raise ValueError("f has no bounds: give `lower` and `upper`")
    return bounds
