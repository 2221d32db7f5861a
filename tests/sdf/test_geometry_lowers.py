"""Curvatures, integrals and samplers compile for every kind of device."""

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
import pytest

from geoembed.sdf import (
    Box,
    Sphere,
    curvatures,
    draw_boundary,
    draw_interior,
    draw_near,
    draw_surface,
    halton,
    implicit_integrals,
    mesh_integrals,
    resample,
)

BALL, FACES = Sphere(1.0), [[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]
FUNCTIONS = {
    "curvatures": lambda x, key: curvatures(BALL, x[0]),
    "mesh_integrals": lambda x, key: mesh_integrals(x, np.array(FACES)),
    "implicit_integrals": lambda x, key: jax.grad(lambda r: implicit_integrals(Sphere(r), cells=3).volume)(
        x[0, 0]
    ),
    "draw_interior": lambda x, key: draw_interior(BALL, 8, key=key),
    "draw_near": lambda x, key: draw_near(BALL, 8, width=0.1, key=key),
    "draw_boundary": lambda x, key: draw_boundary(
        Box((1.0, 1.0, 1.0)), 8, width=0.1, key=key, method="random"
    ),
    "draw_surface": lambda x, key: draw_surface(x, jnp.asarray(FACES), 8, key=key),
    "halton": lambda x, key: halton(8, 3, key=key),
    "resample": lambda x, key: resample(x[:, 0], 8, key=key),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_it_lowers(name):
    compiled = jax.jit(lambda x, seed: FUNCTIONS[name](x, jax.random.key(seed)))
    arguments = (jax.ShapeDtypeStruct((4, 3), jnp.float32), jax.ShapeDtypeStruct((), jnp.uint32))
    exported = jax.export.export(compiled, platforms=("cpu", "cuda", "tpu"))(*arguments)
    assert "f64" not in exported.mlir_module()
