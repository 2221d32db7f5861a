"""The bases of the shapes that are made of others."""

import equinox as eqx

from ._shape import Shape


class Changed(Shape):
    """A shape made of one other shape, of the same dimension and bounded if that one is."""

    shape: eqx.AbstractVar[Shape]

    @property
    def dimension(self) -> int:
        return self.shape.dimension

    @property
    def bounded(self) -> bool:
        return self.shape.bounded


class Combined(Shape):
    """A shape made of two others of one dimension."""

    a: eqx.AbstractVar[Shape]
    b: eqx.AbstractVar[Shape]

    def __check_init__(self) -> None:
        taker, a, b = type(self).__name__, self.a, self.b
        for operand in (a, b):
            if not isinstance(operand, Shape):
                raise ValueError(f"{taker} takes shapes, received {type(operand).__name__}")
        if a.dimension != b.dimension:
            raise ValueError(
                f"{taker}: a {type(a).__name__} in {a.dimension}D and a {type(b).__name__} in {b.dimension}D: "
                "extrude or revolve the flat one, or slice the solid one"
            )

    @property
    def dimension(self) -> int:
        return self.a.dimension
