"""`geoembed quasicrystal refine`: from a model and measured intensities to refined numbers with errors."""

import csv
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import typer

from .. import quasicrystal as qc
from ..core import InputError
from ._quasicrystal_refine_config import RefineConfig, SurfaceTable
from ._read_config import place_of, read_toml
from ._report import finite, sha256, versions, write_report
from ._run import make_folder


def run_refinement(file: Path, out: Path, *, seed: int, quiet: bool) -> dict[str, Any]:
    """Refines what a configuration file describes, in float64, and writes the results.

    Args:
        file: The configuration.
        out: The folder for report.json and refined.csv.
        seed: Decides the random starts.
        quiet: Say nothing on stderr.

    Returns:
        The report.

    Raises:
        InputError: The configuration or the reflections cannot be used.
    """
    config = read_toml(file, RefineConfig)
    with jax.enable_x64(True):
        base = getattr(qc, config.model)(config.constant)
        _check_shapes(file, config, base.lattice.dimensions)
        data = file.parent / config.reflections
        measured = read_reflections(data, sum(base.lattice.dimensions))
        start, spread = _start(config, base.lattice.dimensions)
        make_folder(out)

        def say(number: int, chi_square: float) -> None:
            if not quiet:
                typer.echo(
                    f"geoembed: start {number + 1} of {config.starts}: χ² = {chi_square:.6g}", err=True
                )

        found = qc.refine(
            lambda p: _build(config, base, p),
            start,
            measured,
            key=jax.random.key(seed),
            starts=config.starts,
            spread=spread,
            steps=config.steps,
            callback=say,
        )
    numbers = np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(found.parameters)])
    errors = np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(found.errors)])
    report = {
        "status": "converged" if found.converged[np.argmin(found.chi_squares)] else "not converged",
        "reflections": len(measured.intensities),
        "r_factor": found.r_factor,
        "weighted_r": found.weighted_r,
        "goodness": found.goodness,
        "scale": found.scale,
        "numbers": {
            name: {"value": float(value), "error": finite(float(error))}
            for name, value, error in zip(found.names, numbers, errors, strict=False)
        },
        "success_rate": found.success_rate,
        "chi_squares": [finite(float(x)) for x in found.chi_squares],
        "seed": seed,
        "input_sha256": {"config": sha256(file), "reflections": sha256(data)},
        "versions": versions(),
        "config": config.model_dump(mode="json"),
    }
    write_report(out / "report.json", report)
    _write_table(out / "refined.csv", measured, found.calculated)
    return report


def refinement_lines(report: dict[str, Any], folder: Path) -> list[str]:
    """The report in a few lines for a person."""
    lines = [
        f"{report['status']}: R = {100 * report['r_factor']:.2f} %, wR = {100 * report['weighted_r']:.2f} %, "
        f"S = {report['goodness']:.2f}, {report['reflections']} reflections",
        f"  starts that end in this minimum: {100 * report['success_rate']:.0f} % of {len(report['chi_squares'])}",
    ]
    for name, row in report["numbers"].items():
        error = "not determined" if row["error"] is None else f"± {row['error']:.2g}"
        lines.append(f"  {name + ':':<28}{row['value']:.6g} {error}")
    return [*lines, f"  in {folder}: report.json, refined.csv"]


def read_reflections(file: Path, dimension: int) -> qc.Reflections:
    """Reads h1, …, hD, intensity, sigma from a CSV file with a heading.

    Raises:
        InputError: The file cannot be read, or a line or column is wrong.
    """
    names = [*(f"h{axis + 1}" for axis in range(dimension)), "intensity", "sigma"]
    hint = f"Give the columns {', '.join(names)}"
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(file, "", f"cannot be read: {error}", hint) from error
    lines = list(csv.reader(text.splitlines()))
    heading = [name.strip() for name in lines[0]] if lines else []
    if sorted(heading) != sorted(names):
        raise InputError(file, "line 1", f"the columns are {', '.join(heading) or 'missing'}", hint)
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if not line:
            continue
        try:
            rows.append(dict(zip(heading, map(float, line), strict=True)))
        except ValueError:
            raise InputError(
                file, f"line {number}", f"not {len(names)} numbers: {','.join(line)}", hint
            ) from None
        if not all(np.isfinite(list(rows[-1].values()))) or rows[-1]["sigma"] <= 0:
            raise InputError(
                file, f"line {number}", "a number is not finite or sigma not positive", "Leave the line out"
            )
    table = np.array([[row[name] for name in names] for row in rows]).reshape(-1, len(names))
    return qc.Reflections(table[:, :dimension], table[:, -2], table[:, -1])


def _check_shapes(file: Path, config: RefineConfig, dimensions: tuple[int, int]) -> None:
    d, m = dimensions
    for number, surface in enumerate(config.surfaces):
        if surface.position is not None and len(surface.position) != d + m:
            place = place_of(file, ("surfaces", number, "position"))
            raise InputError(file, place, f"it has {len(surface.position)} numbers", f"Give {d + m} of them")
    strain = config.phason_strain.value
    if strain is not None and (len(strain) != m or any(len(row) != d for row in strain)):
        place = place_of(file, ("phason_strain", "value"))
        raise InputError(file, place, "it has another shape", f"Give {m} lists of {d} numbers")


def _start(config: RefineConfig, dimensions: tuple[int, int]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The numbers that are refined, by the name of their surface, and their spread."""
    d, m = dimensions
    start: dict[str, Any] = {}
    spread: dict[str, Any] = {}
    for number, surface in enumerate(config.surfaces, start=1):
        values, widths = {}, {}
        for name in surface.refine:
            value = np.asarray(_value(surface, name, d + m), np.float64)
            width = getattr(config.spread, name) * (abs(value) if name in ("size", "amplitude") else 1.0)
            values[name], widths[name] = jnp.asarray(value), jnp.asarray(np.broadcast_to(width, value.shape))
        if values:
            start[f"surface {number}"], spread[f"surface {number}"] = values, widths
    if config.phason_strain.refine:
        start["phason_strain"] = jnp.asarray(_strain(config, d, m))
        spread["phason_strain"] = jnp.full((m, d), config.spread.phason_strain)
    return start, spread


def _build(config: RefineConfig, base: qc.Model, p: dict[str, Any]) -> tuple[qc.Model, qc.Scatterers]:
    """The model with these numbers in the place of those of the configuration."""
    d, m = base.lattice.dimensions
    old = base.lattice
    strain = p.get("phason_strain", jnp.asarray(_strain(config, d, m)))
    lattice = qc.Lattice(old.parallel, old.perpendicular, old.scale, phason_strain=strain, name=old.name)
    surfaces, rows, forms = [], [], []
    for number, table in enumerate(config.surfaces, start=1):
        own = p.get(f"surface {number}", {})
        size, position, *row = (
            own.get(name, jnp.asarray(_value(table, name, d + m), jnp.float64))
            for name in ("size", "position", "amplitude", "b_parallel", "b_perp")
        )
        cube = base.surfaces[0].window
        assert isinstance(cube, qc.Zonotope)
        window = qc.Zonotope(size * cube.generators) if table.window == "cube" else qc.Ball(size, m)
        surfaces.append(qc.Surface(window, position, species=number - 1))
        rows.append(jnp.stack(row))
        forms.append(_form(table))
    amplitudes, b, b_perp = jnp.stack(rows, axis=1)
    return qc.Model(lattice, surfaces, base.shift), qc.Scatterers(amplitudes, b, b_perp, forms)


def _form(table: SurfaceTable) -> qc.FormFactor | None:
    form = table.form_factor
    if form is None:
        return None
    a, b, c = (jnp.asarray(x, jnp.float64) for x in (form.a, form.b, form.c))
    return qc.FormFactor(a, b, c)


def _value(surface: SurfaceTable, name: str, dimension: int) -> Any:
    value = getattr(surface, name)
    return [0.0] * dimension if value is None else value


def _strain(config: RefineConfig, d: int, m: int) -> np.ndarray:
    value = config.phason_strain.value
    return np.zeros((m, d)) if value is None else np.array(value)


def _write_table(file: Path, measured: qc.Reflections, calculated: np.ndarray) -> None:
    with file.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        dimension = measured.indices.shape[1]
        writer.writerow(
            [*(f"h{axis + 1}" for axis in range(dimension)), "intensity", "sigma", "calculated", "residual"]
        )
        for h, *rest in zip(*measured[:3], calculated, strict=True):
            writer.writerow([*(f"{x:g}" for x in h), *(f"{x:.8g}" for x in (*rest, rest[0] - rest[2]))])
