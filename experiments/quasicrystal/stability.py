"""Where an icosahedral quasicrystal is elastically stable: the K1-K2 plane with the largest coupling K3."""

from typing import Any

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
from matplotlib.figure import Figure

from geoembed import quasicrystal as qc

FOUR, FIVE = (
    5 / 3,
    -4 / 3,
)  # what K2 adds to the stiffness of the 4- and of the 5-dimensional phason gradients


def tensors() -> dict[str, np.ndarray]:
    """The invariant tensors of λ, μ, K1, K2 and K3.

    The phason energy is ½ K1 |∇w|² + ½ K2 (5/3 |∇w|² of the 4-dimensional part − 4/3 |∇w|² of the 5-dimensional one);
    K3 multiplies the scalar product of the shear with that 5-dimensional part, both of length 1.
    """
    lattice = qc.icosahedral().lattice
    group = qc.lattice_point_group(np.asarray(lattice.parallel), np.asarray(lattice.perpendicular))
    invariants, one = qc.elastic_invariants(group), np.eye(3)
    found = {name: np.zeros((6, 3, 6, 3)) for name in ("lambda", "mu", "K1")}
    found["lambda"][:3, :, :3] = np.einsum("ij,kl->ijkl", one, one)
    found["mu"][:3, :, :3] = np.einsum("ik,jl->ijkl", one, one) + np.einsum("il,jk->ijkl", one, one)
    found["K1"][3:, :, 3:] = np.einsum("ik,jl->ijkl", one, one)
    # any phason invariant that is not K1 has two eigenvalues, of 4 and of 5 gradients
    values, vectors = np.linalg.eigh(invariants.phason.tensors[1][3:, :, 3:].reshape(9, 9))
    lowest = abs(values[4] - values[8]) < 1e-9
    four = vectors[:, :4] if lowest else vectors[:, 5:]
    assert np.ptp(values[:4] if lowest else values[5:]) < 1e-9, "they are 4"
    projection = np.zeros((6, 3, 6, 3))
    projection[3:, :, 3:] = (four @ four.T).reshape(3, 3, 3, 3)
    found["K2"] = FOUR * projection + FIVE * (found["K1"] - projection)
    (coupling,) = invariants.coupling.tensors
    form = np.asarray(qc.strain_form(jnp.asarray(coupling)))[:6, 6:]
    found["K3"] = coupling / np.linalg.norm(form, ord=2)
    return found


def diagram(config: dict[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """K1 and K2 in the stable wedge, and the largest |K3| that is stable there."""
    parts = tensors()
    phonon = jnp.asarray(config["lambda"] * parts["lambda"] + config["mu"] * parts["mu"])
    k1_form, k2_form, k3_form = (jnp.asarray(parts[name]) for name in ("K1", "K2", "K3"))

    @jax.jit
    @jax.vmap
    def largest(k1: jax.Array, k2: jax.Array) -> jax.Array:
        return qc.stability_limits(phonon + k1 * k1_form + k2 * k2_form, k3_form)[1]

    first = np.linspace(1e-3, config["largest"], config["steps"])
    ratio = np.linspace(-3 / 5 + 1e-9, 3 / 4 - 1e-9, config["steps"])
    k1, k2 = np.broadcast_arrays(first[None], ratio[:, None] * first[None])
    values = np.asarray(largest(*(jnp.asarray(k.ravel()) for k in (k1, k2)))).reshape(k1.shape)
    return k1, k2, values


def check(config: dict[str, Any]) -> dict[str, float]:
    """The limits against the closed forms −3/5 < K2/K1 < 3/4 and K3² < 2 μ (K1 − 4/3 K2)."""
    parts = {name: jnp.asarray(part) for name, part in tensors().items()}
    base = config["lambda"] * parts["lambda"] + config["mu"] * parts["mu"] + parts["K1"]
    low, high = (float(x) for x in jax.jit(qc.stability_limits)(base, parts["K2"]))
    _, k3 = jax.jit(qc.stability_limits)(base - 0.5 * parts["K2"], parts["K3"])
    expected = float(np.sqrt(2 * config["mu"] * (1 + 0.5 * 4 / 3)))
    return {
        "lowest K2/K1": low,
        "highest K2/K1": high,
        "largest K3 at K2/K1 = -0.5": float(k3),
        "error": max(abs(low + 3 / 5), abs(high - 3 / 4), abs(float(k3) - expected)),
    }


def draw(config: dict[str, Any]) -> Figure:
    """The diagram."""
    k1, k2, values = diagram(config)
    figure = Figure(figsize=(6.6, 5.4), dpi=130, layout="constrained")
    matplotlib.backends.backend_agg.FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    levels = np.arange(0.25, 3.1, 0.25)
    drawn = axes.contourf(k1, k2, values, levels=np.concatenate([[0.0], levels]), cmap="YlGnBu")
    lines = axes.contour(k1, k2, values, levels=levels[1::2], colors="white", linewidths=0.7)
    axes.clabel(lines, fontsize=8, fmt="%.1f")
    ends = np.array([0.0, config["largest"]])
    for slope, name, offset in (
        (-3 / 5, "4 gradients soften: $K_2/K_1=-3/5$", -0.17),
        (3 / 4, "5 gradients soften: $K_2/K_1=3/4$", 0.1),
    ):
        axes.plot(ends, slope * ends, color="#a3241b", linewidth=1.6)
        x = 0.5 * config["largest"]
        angle = np.degrees(np.arctan(slope))
        axes.text(
            x,
            slope * x + offset,
            name,
            color="#a3241b",
            fontsize=9,
            rotation=angle,
            ha="center",
            rotation_mode="anchor",
            transform_rotates_text=True,
        )
    for name, ratio in config["measured"].items():
        axes.plot(
            ends,
            ratio * ends,
            color="#222222",
            linewidth=1.2,
            linestyle="--",
            label=f"{name}, $K_2/K_1={ratio}$",
        )
    axes.set(
        xlim=ends,
        ylim=(-0.7 * config["largest"], 0.9 * config["largest"]),
        xlabel="$K_1/\\mu$",
        ylabel="$K_2/\\mu$",
    )
    axes.set_title("Stable icosahedral quasicrystals", loc="left")
    axes.legend(frameon=False, fontsize=9, loc="upper left")
    figure.colorbar(drawn, label="largest $|K_3|/\\mu$")
    return figure
