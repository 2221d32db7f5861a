"""The family: training, codes of new parts, and what the codes are worth, beside principal components."""

import itertools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import draw
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from baseline import PrincipalComponents
from parts import Part, make_parts
from scipy import ndimage
from scipy.stats import spearmanr
from sklearn.linear_model import RidgeCV

import geoembed
from geoembed import core, sdf

BOX = ((-0.5,) * 3, (0.5,) * 3)  # of every part
HALF = 0.6  # of the box in which shapes are learned and measured: a tenth more on every side
WIDE = ((-HALF,) * 3, (HALF,) * 3)
BAND = 0.05  # |f| below this counts as near the surface
CRUMB = 1e-3  # a piece with less of the volume is none


@dataclass
class Method:
    """Codes of both sets of parts, and what they decode to.

    Args:
        train: Codes of the parts of training.
        held_out: Codes of the others, from their distances.
        partial: Codes of the others, from points on half of the surface.
        decode: Maps a code to a signed distance.
    """

    train: np.ndarray
    held_out: np.ndarray
    partial: np.ndarray
    decode: Any


def family_rows(config: dict, folder: Path, keep: Path | None) -> tuple[dict, Callable[[], None]]:
    """All figures, and what draws the pictures."""
    settings, measure = config["family"], config["measure"]
    train, held_out = make_parts(*[settings[name] for name in ("kinds", "train", "held_out", "seed")])
    family = trained(settings, train, keep)
    clouds = [half_cloud(part, measure, i) for i, part in enumerate(held_out)]
    methods = {
        "network": network_codes(family, settings, held_out, clouds),
        "components": component_codes(config, train, held_out, clouds),
    }
    truth = overlaps(train, held_out)
    rows: dict[str, Any] = {"eikonal of the network": vars(family.report.eikonal).copy()}
    chosen = range(0, len(train), measure["every"])
    for name, method in methods.items():
        sets = {
            "training": [(train[i], method.train[i]) for i in chosen],
            "held out": list(zip(held_out, method.held_out, strict=True)),
            "from half a surface": list(zip(held_out, method.partial, strict=True)),
        }
        row = {key: agreements(pairs, method.decode, measure) for key, pairs in sets.items()}
        row["codes"] = code_figures(method, train, held_out, truth)
        row["parameters"] = parameter_figures(method, train, held_out)
        row["interpolation"] = interpolation(method, train, measure["pairs"])
        rows[name] = row
        sys.stderr.write(f"{name}\n")
    rows["nearest part of training"] = float(truth["held out"].max(axis=1).mean())

    def pictures() -> None:
        draw.interpolations(folder / "interpolation.png", methods, train, settings["train"])
        draw.reconstructions(folder / "held_out.png", methods, held_out, settings["held_out"])
        draw.maps(folder / "codes.png", methods, train, held_out)

    return rows, pictures


def trained(settings: dict, parts: list[Part], keep: Path | None) -> sdf.ShapeFamily:
    """The family, or the one that an earlier run kept."""
    if keep is not None and keep.exists():
        return geoembed.load(keep)
    network = core.Siren(
        3,
        1,
        settings["width"],
        settings["depth"],
        first=settings["frequency"],
        frequency=settings["frequency"],
        key=jax.random.key(1),
    )
    family = sdf.fit_family(
        [part.shape for part in parts],
        size=settings["size"],
        network=(network, None),
        steps=settings["steps"],
        shapes_per_step=settings["shapes_per_step"],
        batch=settings["batch"],
        points=settings["points"],
        rate=settings["rate"],
        terms=sdf.Terms(normal=settings["normal"], eikonal=0.0),
        prior=settings["prior"],
        bounds=BOX,
        key=jax.random.key(0),
        callback=lambda p: sys.stderr.write(f"{p.step}/{p.steps} {p.loss:.4f} {p.seconds:.0f} s\n"),
    )
    if keep is not None:
        geoembed.save(keep, family)
    return family


def half_cloud(part: Part, measure: dict, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points with normals on the half of a surface where x > 0."""
    points = np.random.default_rng(seed).uniform(-HALF, HALF, (40 * measure["cloud"], 3))
    values, slopes = sdf.value_and_gradient(part.shape, points)
    near = (values > 0) & (values < BAND)
    feet = points[near] - values[near, None] * slopes[near]
    left, normals = sdf.value_and_gradient(part.shape, feet + 1e-6 * slopes[near])
    rows = np.flatnonzero((np.abs(left) < 1e-5) & (feet[:, 0] > 0))[: measure["cloud"]]
    return feet[rows], normals[rows]


def network_codes(family: sdf.ShapeFamily, settings: dict, parts: list[Part], clouds: list) -> Method:
    """Codes by minimisation."""
    options, keys = settings["search"], jax.random.split(jax.random.key(2), len(parts))
    whole = [family.embed(p.shape, key=k, **options) for p, k in zip(parts, keys, strict=True)]
    half = [family.embed_points(*cloud, key=k, **options) for cloud, k in zip(clouds, keys, strict=True)]
    return Method(
        np.asarray(family.codes),
        np.stack([found.code for found in whole]),
        np.stack([found.code for found in half]),
        lambda code: family.decode(jnp.asarray(code, jnp.float32)),
    )


def component_codes(config: dict, train: list[Part], parts: list[Part], clouds: list) -> Method:
    """Codes by projection, and by least squares from points."""
    shapes, size = [part.shape for part in train], config["family"]["size"]
    components = PrincipalComponents(shapes, size=size, half=HALF, **config["baseline"])
    offset = config["measure"]["offset"]
    return Method(
        components.codes,
        np.stack([components.embed(part.shape) for part in parts]),
        np.stack([components.embed_points(*cloud, offset) for cloud in clouds]),
        components.decode,
    )


def agreements(pairs: list, decode: Any, measure: dict) -> dict:
    """Overlap and distance of decoded shapes, by kind."""
    found: dict[str, list] = {}
    for part, code in pairs:
        options = {"bounds": WIDE, "cells": measure["cells"], "points": measure["points"]}
        found.setdefault(part.kind, []).append(
            sdf.agreement(part.shape, decode(code), key=jax.random.key(3), **options)
        )
    everything = list(itertools.chain(*found.values()))
    row = {kind: float(np.mean([a.iou for a in some])) for kind, some in found.items()}
    ious, chamfers = ([getattr(a, name) for a in everything] for name in ("iou", "chamfer"))
    return {
        "iou": float(np.mean(ious)),
        "worst iou": float(np.min(ious)),
        "chamfer": float(np.mean(chamfers)),
        "worst chamfer": float(np.max(chamfers)),
        "iou by kind": row,
    }


def overlaps(train: list[Part], held_out: list[Part]) -> dict[str, np.ndarray]:
    """IoU and root mean square difference of the distances of each held-out part and each part of training."""
    points = np.random.default_rng(4).uniform(-HALF, HALF, (2**15, 3)).astype(np.float32)
    values = [np.stack([sdf.evaluate(p.shape, points) for p in parts]) for parts in (held_out, train)]
    a, b = ((v < 0).astype(float) for v in values)
    both = a @ b.T
    union = a.sum(axis=1)[:, None] + b.sum(axis=1)[None] - both
    squares = [np.mean(v**2, axis=1) for v in values]
    mixed = values[0] @ values[1].T / values[0].shape[1]
    apart = np.sqrt(np.maximum(squares[0][:, None] + squares[1][None] - 2 * mixed, 0))
    return {"held out": both / union, "apart": apart}


def code_figures(method: Method, train: list[Part], held_out: list[Part], truth: dict) -> dict:
    """Retrieval, and how distances of codes follow distances of shapes."""
    gaps = np.linalg.norm(method.held_out[:, None] - method.train[None], axis=2)
    kinds = np.array([part.kind for part in train])
    own = np.array([part.kind for part in held_out])
    nearest = gaps.argmin(axis=1)
    same = own[:, None] == kinds[None]
    within = [array[same].reshape(len(own), -1) for array in (gaps, 1 - truth["held out"])]
    overlap = truth["held out"]
    rank = [int(np.sum(row > row[j])) + 1 for row, j in zip(overlap, nearest, strict=True)]
    return {
        "same kind": float(np.mean(kinds[nearest] == own)),
        "same kind, from half a surface": float(
            np.mean(
                kinds[np.linalg.norm(method.partial[:, None] - method.train[None], axis=2).argmin(axis=1)]
                == own
            )
        ),
        "iou with the nearest": float(np.mean(overlap[np.arange(len(own)), nearest])),
        "true rank of the nearest": float(np.median(rank)),
        "rank correlation with 1 - iou": correlation(gaps, 1 - overlap),
        "the same within a kind": correlation(*within),
        "rank correlation with the rms of distances": correlation(gaps, truth["apart"]),
    }


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """The mean over rows of Spearman's rank correlation."""
    return float(np.mean([spearmanr(x, y).statistic for x, y in zip(a, b, strict=True)]))


def parameter_figures(method: Method, train: list[Part], held_out: list[Part]) -> dict:
    """R² of each parameter of held-out parts, from codes by a ridge regression for each kind."""
    found = {}
    for kind in dict.fromkeys(part.kind for part in train):
        sets = [(parts, codes) for parts, codes in ((train, method.train), (held_out, method.held_out))]
        (x, y), (u, v) = (
            (
                codes[[p.kind == kind for p in parts]],
                np.array([list(p.parameters.values()) for p in parts if p.kind == kind]),
            )
            for parts, codes in sets
        )
        size = x.std(axis=0) + 1e-12
        ridge = RidgeCV(np.logspace(-4, 4, 17)).fit(x / size, (y - y.mean(axis=0)) / y.std(axis=0))
        guess = ridge.predict(u / size) * y.std(axis=0) + y.mean(axis=0)
        names = next(p.parameters for p in train if p.kind == kind)
        rest = 1 - np.mean((guess - v) ** 2, axis=0) / np.mean((v - y.mean(axis=0)) ** 2, axis=0)
        found[kind] = dict(zip(names, rest.tolist(), strict=True))
    found["mean"] = float(np.mean([value for row in found.values() for value in row.values()]))
    return found


def interpolation(method: Method, train: list[Part], count: int) -> dict:
    """Whether shapes between two codes are shapes: slopes near the surface and pieces."""
    per_kind = len(train) // 3
    same = [(k * per_kind + i, k * per_kind + i + 1) for k in range(3) for i in range(0, 2 * count, 2)]
    mixed = [(k * per_kind + i, (k + 1) % 3 * per_kind + i) for k in range(3) for i in range(12, 12 + count)]
    ends = [validity(method.decode(method.train[i])) for i, _ in same]
    row = {"at the ends": summary(ends)}
    for name, pairs in (("of one kind", same), ("of two kinds", mixed)):
        between = [
            validity(method.decode((1 - t) * method.train[i] + t * method.train[j]))
            for i, j in pairs
            for t in (0.25, 0.5, 0.75)
        ]
        row[name] = summary(between)
    return row


def validity(shape: Any) -> tuple[float, int, float]:
    """Mean deviation of |∇f| from 1 near the surface, pieces, and the share of the largest one."""
    random = np.random.default_rng(5)
    points = random.uniform(-HALF, HALF, (2**14, 3)).astype(np.float32)
    near = points[np.abs(sdf.evaluate(shape, points)) < BAND]
    padded = np.resize(near, (2**12, 3)) if len(near) else points[: 2**12]
    slopes = sdf.evaluate(Slope(shape), padded)
    axis = np.linspace(-HALF, HALF, 40, dtype=np.float32)
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    inside = (sdf.evaluate(shape, grid) < 0).reshape(40, 40, 40)
    labels, _ = ndimage.label(inside)
    sizes = np.bincount(labels.ravel())[1:]
    total = max(sizes.sum(), 1)
    largest = float(sizes.max(initial=0) / total)
    return float(np.mean(np.abs(slopes - 1))), int(np.sum(sizes > CRUMB * total)), largest


class Slope(eqx.Module):
    """The length of the gradient of a shape."""

    shape: Any

    def __call__(self, x):
        """The length at one point."""
        return core.norm(jax.grad(self.shape)(x))


def summary(found: list[tuple[float, int, float]]) -> dict:
    """Means over shapes, and how many are in one piece."""
    slopes, pieces, largest = zip(*found, strict=True)
    return {
        "mean deviation of the slope": float(np.mean(slopes)),
        "in one piece": float(np.mean(np.array(pieces) == 1)),
        "share of the largest piece": float(np.mean(largest)),
        "smallest such share": float(np.min(largest)),
        "shapes": len(found),
    }
