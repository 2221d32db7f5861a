"""An encoder and its two flax faces, compared: the tests assert it, tools/write_flax_table.py tabulates it."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

import geoembed
from geoembed.interop import flax_linen, flax_nnx
from tests.encoder_row import Encoder
from tests.pinn.encoder_rows import field_examples, field_feared, solved
from tests.sdf.encoder_rows import SHAPES
from tests.test_conformance import ENCODERS, in_dtype


def trained_field() -> Any:
    """The temperature field with its coefficients as parameters."""
    return eqx.tree_at(lambda field: field.coefficients, solved().field, replace_fn=jnp.asarray)


# A difference of shapes stands for all shapes, and rows that are measured with --slow only for nothing new.
_STOOD_FOR = {f"sdf.{name}" for name in SHAPES if name != "Difference"}
ROWS = [row for row in ENCODERS if not row.slow and row.name not in _STOOD_FOR]
ROWS += [Encoder("pinn.SplineField, trainable", trained_field, field_examples, field_feared)]


@dataclasses.dataclass(frozen=True)
class Figures:
    """Largest differences of value and gradient (in the item and in the parameters) to the encoder's own.

    Args:
        parameters: The names, each with its shape.
        artefact: Whether the encoder that comes back equals the wrapped one, from linen also through a file.
    """

    parameters: dict[str, tuple[int, ...]]
    linen_value: float
    linen_gradient: float
    nnx_value: float
    nnx_gradient: float
    artefact: bool


def is_parameter(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jnp.inexact)


def named(tree: Any) -> dict[str, Any]:
    """The arrays of a tree by dotted names, read from jax's own text of the path."""
    paths = jax.tree_util.tree_flatten_with_path(tree)[0]
    return {".".join(re.findall(r"\w+", jax.tree_util.keystr(path))): leaf for path, leaf in paths}


def scalar(output: Any) -> jax.Array:
    """A fixed linear function of all floating numbers of an output."""
    total = jnp.zeros(())
    for leaf in jax.tree.leaves(eqx.filter(output, eqx.is_inexact_array)):
        weights = jnp.asarray(np.cos(1.0 + np.arange(leaf.size)).reshape(leaf.shape), leaf.real.dtype)
        total = total.astype(weights.dtype) + jnp.sum(weights * (leaf.real + leaf.imag))
    return total


def measure(row: Encoder, dtype: Any, folder: Path) -> Figures:
    """The figures of one encoder in one precision; everything compiled."""
    encoder, item = row.make(), in_dtype(row.examples(), dtype)[0]
    item = item if isinstance(item, tuple) else (item,)
    floats, rest = eqx.partition(item, eqx.is_inexact_array)
    own, tables = eqx.partition(encoder, is_parameter)

    def both(f: Any, floats: Any) -> Any:
        output = f(*eqx.combine(floats, rest))
        return scalar(output), output

    def by_own(own: Any, floats: Any) -> Any:
        return both(eqx.combine(own, tables), floats)

    linen = flax_linen.wrap(encoder)
    variables = jax.jit(linen.init)(jax.random.key(0), *item)

    def by_variables(variables: Any, floats: Any) -> Any:
        return both(lambda *args: linen.apply(variables, *args), floats)

    module = flax_nnx.wrap(encoder)
    options = {"argnums": (0, 1), "has_aux": True}
    gradient, value = jax.jit(jax.grad(by_own, **options))(own, floats)
    linen_gradient, linen_value = jax.jit(jax.grad(by_variables, **options))(variables, floats)
    nnx_gradient, nnx_value = nnx.jit(nnx.grad(both, **options))(module, floats)

    back = flax_linen.from_linen(linen, variables)
    same = equal(back, encoder) and equal(flax_nnx.from_nnx(module), encoder)
    if isinstance(encoder, eqx.Module):
        geoembed.save(folder / "encoder", back)
        same = same and equal(geoembed.load(folder / "encoder"), encoder)
    return Figures(
        parameters={name: leaf.shape for name, leaf in named(own).items()},
        linen_value=difference(linen_value, value),
        linen_gradient=difference((linen_gradient[0].get("params", {}), linen_gradient[1]), gradient),
        nnx_value=difference(nnx_value, value),
        nnx_gradient=difference((nnx.to_pure_dict(nnx_gradient[0]), nnx_gradient[1]), gradient),
        artefact=same,
    )


def difference(got: Any, expected: Any) -> float:
    """The largest difference between arrays of one name; inf when names, shapes or dtypes differ."""
    got, expected = named(got), named(expected)
    if got.keys() != expected.keys():
        return np.inf
    gaps = [0.0]
    for name, a in got.items():
        b = expected[name]
        if a.shape != b.shape or a.dtype != b.dtype:
            return np.inf
        a, b = np.asarray(a), np.asarray(b)
        if not np.array_equal(a, b, equal_nan=np.issubdtype(a.dtype, np.inexact)):
            gaps.append(float(np.nanmax(np.abs(a.astype(complex) - b))))
    return max(gaps)


def equal(a: Any, b: Any) -> bool:
    """The same structure and static fields, and the same arrays on the same side."""
    if jax.tree.structure(a) != jax.tree.structure(b):
        return False
    for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        if type(x) is not type(y):
            return False
        if isinstance(x, jax.Array | np.ndarray):
            if x.dtype != y.dtype or not np.array_equal(x, y, equal_nan=True):
                return False
        elif x != y:
            return False
    return True


def table(rows: list[Encoder], folder: Path) -> str:
    """The round trips as a markdown table; each figure is the larger of float32 and float64."""
    lines = [
        "| encoder | parameters | linen: Δ value | Δ gradient | nnx: Δ value | Δ gradient | artefact |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        found = []
        for dtype in ("float32", "float64"):
            with jax.enable_x64(dtype == "float64"):
                found.append(measure(row, jnp.dtype(dtype), folder))
        names = ("linen_value", "linen_gradient", "nnx_value", "nnx_gradient")
        figures = [f"{max(getattr(f, name) for f in found):.2g}" for name in names]
        shapes = found[0].parameters
        count = sum(int(np.prod(shape)) for shape in shapes.values())
        held = f"{', '.join(f'`{name}`' for name in shapes)}: {count} numbers" if shapes else "none"
        verdict = "equal" if all(f.artefact for f in found) else "NOT equal"
        lines.append(
            " | ".join(
                [f"| `{row.name}`".replace(", trainable`", "`, trainable"), held, *figures, f"{verdict} |"]
            )
        )
    return "\n".join(lines)
