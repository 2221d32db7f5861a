"""The report of a part as a page for a person."""

from typing import Any

from ._elastic_report import readable
from ._inverse_report import LEVEL, unit_of
from ._report import estimate_line, percent, verdict_line
from ._shape_change import shape_section

ADVICE = {
    "cell limit": "the grid needs more cells. Raise solve.cells.",
    "time limit": "the time was too short. Raise solve.time_limit.",
    "diverged": "do not use the field.",
}
_FORMULA = {
    "steady_heat": "∇·(k ∇T) + q = 0",
    "steady_elasticity": "−∇·σ = f, σ = λ (∇·u) I + μ (∇u + ∇uᵀ)",  # noqa: RUF001
}


def part_page(report: dict[str, Any], files: list[str]) -> str:
    """Returns the report as a page in Markdown.

    Args:
        report: The report of heat in a part or of an elastic part.
        files: The names of the files beside it.
    """
    elastic = "forces_N" in report
    config = report["config"]
    kind = config["physics"]["kind"]
    title = "elastic part" if elastic else "steady heat conduction"
    parts = [f"# {report['part']}: {title}", f"`{_FORMULA[kind]}`"]
    if report["status"] != "converged":
        advice = ADVICE.get(report["status"], "do not rely on the field.")
        parts.append(f"**Not converged** ({report['status']}): {advice}")
    if "identified" in report:
        parts.append(_found(report["identified"]))
    parts += [
        markdown_table([("", ""), *_rows(report, elastic)]),
        "![The part](displacement.png)" if elastic else "![The part](temperature.png)",
        "![Three sections](slices.png)",
        _forces(report) if elastic else _heat(report),
        *([shape_section(report["shape"])] if "shape" in report else []),
        "## Given\n\n" + "\n".join(given(config)),
        "## How the solution came about\n\n![Energy and estimated error by steps](convergence.png)",
        "## Files\n\n" + "\n".join(f"- `{name}`" for name in files),
    ]
    return "\n\n".join(parts) + "\n"


def _rows(report: dict[str, Any], elastic: bool) -> list[tuple[str, str]]:
    of = "the displacement's size" if elastic else "the temperature's spread"
    rows = [
        ("status", report["status"]),
        ("estimated error", estimate_line(report, of)),
        ("against finite elements", verdict_line(report)),
    ]
    if elastic:
        moved, stress = report["displacement_m"], report["von_mises_Pa"]
        at = ", ".join(f"{x:.4g}" for x in moved["at"])
        rows += [
            ("sum of all forces", f"{percent(report['energy_balance'])} of their sizes"),
            ("largest displacement", f"{readable(moved['largest'], 'm')} at ({at}) {report['unit']}"),
            (
                f"von Mises stress on {100 * stress['share_below']:g} % of the surface",
                f"below {readable(stress['value'], 'Pa')}",
            ),
        ]
    else:
        surface = report["surface_temperature_K"]
        rows += [
            ("heat that enters and does not leave", percent(report["energy_balance"])),
            ("surface temperature", f"{surface['lowest']:.2f} … {surface['highest']:.2f} K"),
        ]
    return [*rows, ("time", f"{report['seconds']:.0f} s"), ("seed", str(report["seed"]))]


def _found(found: dict[str, Any]) -> str:
    """The unknown numbers."""
    head = ("number", "unit", "estimate", f"{100 * LEVEL:g} % interval", "first guess")
    rows = [head]
    for name, row in found["numbers"].items():
        ends = [end if end is None else f"{end:.5g}" for end in row["interval"]]
        interval = "not determined" if not row["identified"] else " … ".join(end or "∞" for end in ends)
        value = f"{row['value']:.5g}" if row["identified"] else "—"
        rows.append((f"`{name}`", unit_of(name), value, interval, f"{row['first_guess']:.5g}"))
    noise = "stated" if found["noise_given"] else "estimated from the residuals"
    p = (
        ""
        if found["p_value"] is None
        else f"; residuals so large or larger: probability {found['p_value']:.2g}"
    )
    words = (
        f"{found['sensors']} sensors; residuals {found['residual_K']:.3g} K,"
        f" noise {found['sigma_K']:.3g} K ({noise}){p}."
    )
    said = "".join(f"\n- **Note:** {one}." for one in found["advice"])
    text = f"## Found from the sensors\n\n{markdown_table(rows)}\n\n{words}\n" + said
    return (
        text.rstrip()
        + "\n\n![Readings against the model, and the numbers](sensors.png)\n\nWhat follows is the "
        "temperature with these numbers."
    )


def _heat(report: dict[str, Any]) -> str:
    rows = [(name, f"{watts:+.4g}") for name, watts in report["heat_W"].items()]
    return "## Heat into the part\n\n" + markdown_table([("patch", "W"), *rows])


def _forces(report: dict[str, Any]) -> str:
    rows = [(name, *(f"{part:+.4g}" for part in force)) for name, force in report["forces_N"].items()]
    note = (
        "The stress is infinite at re-entrant edges and at the rims of held patches; what a grid shows there means "
        "nothing."
    )
    return (
        "## Forces on the part\n\n"
        + markdown_table([("through", "x / N", "y / N", "z / N"), *rows])
        + f"\n\n{note}"
    )


def given(config: dict[str, Any]) -> list[str]:
    """The material and the conditions as lines."""
    conditions = [f"- `{table['patch']}`: {_words(table, 'patch')}" for table in config["conditions"]]
    return [f"- {_words(config['physics'], 'kind')}", *conditions]


def _words(table: dict[str, Any], without: str) -> str:
    """The keys of a table that were given."""
    said = {name: value for name, value in table.items() if name != without and value is not None}
    return ", ".join(f"{name} = {_value(value)}" for name, value in said.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + _words(value, "") + " }"
    if isinstance(value, list):
        return "[" + ", ".join("free" if part is None else _value(part) for part in value) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def markdown_table(rows: list[tuple[str, ...]]) -> str:
    """A table in Markdown; the first row is its head."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines)
