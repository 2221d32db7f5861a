"""What is said about numbers that were found from sensors."""

from typing import Any

LEVEL = 0.9  # with which the intervals cover the truth

UNITS = {
    "conductivity": "W/(m K)",
    "source": "W/m³",
    "h": "W/(m² K)",
    "ambient": "K",
    "flux": "W/m²",
    "temperature": "K",
}


def unit_of(name: str) -> str:
    """The SI unit of a number by its name."""
    return UNITS[name.rpartition(".")[2]]


def advice_on(found: dict[str, Any]) -> list[str]:
    """What is wrong with the findings and how to mend it, a sentence each; nothing if all is well.

    Args:
        found: The report of the numbers.
    """
    said = []
    if found["status"] == "diverged":
        said.append("the search found no minimum: start nearer to the truth, or look for a wrong reading")
    if found["status"] == "cell limit" and found["model_error_K"] is None:
        said.append("only one grid was solved, and its error is not in the intervals: raise solve.cells")
    elif found["status"] == "cell limit":
        said.append(
            "the grid's error is not small against the noise: raise solve.cells for narrower intervals"
        )
    said += [
        f"the sensors do not determine {words} (no temperature changes): give a prior, a known flux or source, "
        "or take one of these numbers as known"
        for words in found["not_identified"]
    ]
    if found["consistent"] is False:
        size = "larger" if found["p_value"] < 0.5 else "smaller"
        said.append(
            f"the residuals are {size} than the stated noise allows (p = {found['p_value']:.1g}): the noise is not "
            "what was stated, or the model is wrong, for instance a patch that is not insulated; look at sensors.png"
        )
    for name, row in found["numbers"].items():
        if not row["within_bounds"]:
            low, high = row["bounds"]
            said.append(
                f"{name} = {row['value']:.4g} lies outside the bounds {low:g} to {high:g}: a reading, the noise or the "
                "model is wrong, or the bounds are"
            )
    return said


def inverse_lines(found: dict[str, Any]) -> list[str]:
    """The findings in a few lines for a person."""
    lines = [f"  {name + ':':<22}{number_words(name, row)}" for name, row in found["numbers"].items()]
    noise = "stated" if found["noise_given"] else "estimated from the residuals"
    lines.append(
        f"  sensors               {found['sensors']}, residual {found['residual_K']:.3g} K,"
        f" noise {found['sigma_K']:.3g} K ({noise})"
    )
    return lines + [f"  note: {words}" for words in found["advice"]]


def number_words(name: str, row: dict[str, Any]) -> str:
    """An estimate with its unit and interval."""
    if not row["identified"]:
        return f"not determined (the fit stands at {row['value']:.4g} {unit_of(name)})"
    low, high = row["interval"]
    return f"{row['value']:.5g} {unit_of(name)}, {100 * LEVEL:g} % interval {low:.5g} … {high:.5g}"
