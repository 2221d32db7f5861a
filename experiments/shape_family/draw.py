"""The pictures."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from mpl_toolkits.mplot3d.art3d import Poly3DCollection
from PIL import Image

from geoembed.core import InputError
from geoembed.sdf import march

HALF = 0.6
CELLS = 40
LIGHT = np.array([0.35, -0.55, 0.76])
COLOURS = {"truth": "0.75", "network": "#7fa8d9", "components": "#e0a96d"}
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)


def solid(axes: Any, shape: Any, colour: str) -> None:
    """The surface of a shape, lit from above."""
    axes.set_axis_off()
    axes.set_box_aspect((1, 1, 1), zoom=1.12)
    axes.view_init(24, -58)
    axes.set(xlim=(-0.5, 0.5), ylim=(-0.5, 0.5), zlim=(-0.5, 0.5))
    try:
        mesh = march(shape, np.full(3, -HALF), np.full(3, HALF), cells=CELLS)
    except InputError:  # nothing is inside
        return
    corners = mesh.vertices[mesh.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    bright = 0.45 + 0.55 * np.clip(normals / np.where(lengths > 0, lengths, 1) @ LIGHT, 0, 1)
    base = np.array(plt.matplotlib.colors.to_rgb(colour))
    faces = np.clip(bright[:, None] * base, 0, 1)
    axes.add_collection3d(Poly3DCollection(corners, facecolors=faces, edgecolors=faces, linewidths=0.3))


def sheet(rows: list[tuple[str, list[tuple[Any, str]]]], titles: list[str], file: Path) -> None:
    """A table of solids: a name for each row, a title for each column."""
    wide = len(titles)
    figure = plt.figure(figsize=(1.55 * wide + 0.9, 1.45 * len(rows) + 0.3))
    left, top = 0.9 / figure.get_figwidth(), 0.3 / figure.get_figheight()
    cell, tall = (1 - left) / wide, (1 - top) / len(rows)
    for i, (name, items) in enumerate(rows):
        bottom = 1 - top - (i + 1) * tall
        figure.text(0.005, bottom + 0.5 * tall, name, fontsize=8, va="center")
        for j, (shape, colour) in enumerate(items):
            solid(figure.add_axes((left + j * cell, bottom, cell, tall), projection="3d"), shape, colour)
    for j, title in enumerate(titles):
        figure.text(left + (j + 0.5) * cell, 1 - 0.6 * top, title, fontsize=8, ha="center")
    save(figure, file)


def save(figure: Any, file: Path) -> None:
    """Writes a picture in 64 colours, which keeps it small."""
    with io.BytesIO() as buffer:
        figure.savefig(buffer, dpi=100)
        Image.open(buffer).convert("RGB").quantize(64).save(file, optimize=True)
    plt.close(figure)


def interpolations(file: Path, methods: dict, train: list, per_kind: int) -> None:
    """From one part of training to another along a straight line between their codes."""
    pairs = [(0, 1), (per_kind, per_kind + 1), (2 * per_kind, 2 * per_kind + 1), (12, per_kind + 12)]
    rows = []
    for i, j in pairs:
        kinds = [train[k].kind for k in (i, j)]
        title = kinds[0] if kinds[0] == kinds[1] else f"{kinds[0]}\nto {kinds[1]}"
        for name, method in methods.items():
            codes = [(1 - t) * method.train[i] + t * method.train[j] for t in STEPS]
            rows.append((f"{name}\n{title}", [(method.decode(code), COLOURS[name]) for code in codes]))
    sheet(rows, [f"t = {t:g}" for t in STEPS], file)


def reconstructions(file: Path, methods: dict, held_out: list, per_kind: int) -> None:
    """New parts: as they are, from all distances, from half of the surface."""
    rows = []
    for k in range(3):
        for i in (k * per_kind, k * per_kind + 3):
            items = [(held_out[i].shape, COLOURS["truth"])]
            for codes in ("held_out", "partial"):
                items += [(m.decode(getattr(m, codes)[i]), COLOURS[name]) for name, m in methods.items()]
            rows.append((held_out[i].kind, items))
    sheet(rows, ["truth", "network", "components", "network, half", "components, half"], file)


def maps(file: Path, methods: dict, train: list, held_out: list) -> None:
    """The two leading directions of the codes."""
    figure, panels = plt.subplots(1, len(methods), figsize=(9, 4.2), layout="constrained")
    for axes, (name, method) in zip(panels, methods.items(), strict=True):
        mean = method.train.mean(axis=0)
        _, _, ways = np.linalg.svd(method.train - mean, full_matrices=False)
        for codes, parts, marker, size in (
            (method.train, train, "o", 16),
            (method.held_out, held_out, "*", 60),
            (method.partial, held_out, "x", 26),
        ):
            places = (codes - mean) @ ways[:2].T
            for k, kind in enumerate(dict.fromkeys(part.kind for part in train)):
                some = [part.kind == kind for part in parts]
                label = kind if marker == "o" else None
                axes.scatter(
                    *places[some].T, s=size, marker=marker, color=f"C{k}", label=label, linewidths=0.8
                )
        axes.set(title=name, xlabel="first direction", ylabel="second direction")
        axes.legend(
            fontsize=7.5, title="dots: training, stars: new,\ncrosses: new, from half", title_fontsize=7
        )
    save(figure, file)
