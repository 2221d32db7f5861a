"""`geoembed solve` of an elastic part and of unknown numbers, against closed forms."""

import csv
import json

import meshio
import numpy as np
import pytest
from matplotlib import image

import geoembed as library
from geoembed.cli._inverse_report import advice_on, inverse_lines
from geoembed.cli._part_page import part_page
from geoembed.cli._run import run
from geoembed.cli._summary import summary
from tests.cli.part_mistakes import ELASTIC, INVERSE
from tests.cli.test_part_config import written

SIGMA, YOUNG, POISSON = 1e6, 210e9, 0.3
SMOOTH = """\
[patches.floor]
facing = [0, 0, -1]
[patches.side]
facing = [0, -1, 0]
[patches.end]
facing = [1, 0, 0]
[[conditions]]
patch = "floor"
displacement = ["free", "free", 0]
[[conditions]]
patch = "side"
displacement = ["free", 0, "free"]
[[conditions]]
patch = "end"
traction = [1e6, 0, 0]
[output.slices]
x = 10.0
[solve]"""
PULLED = (
    ("displacement = [0, 0, 0]", 'displacement = [0, "free", "free"]'),
    ("traction = [0, 0, -1e6]", "traction = [0, 0, 0]"),
    ("[solve]", SMOOTH),
)
CONDUCTIVITY, H, FLUX, AMBIENT = 2.0, 25.0, 4000.0, 300.0

FOUND = {
    "status": "cell limit",
    "level": 0.9,
    "numbers": {
        "conductivity": {
            "value": 2.0, "interval": [1.9, 2.1], "identified": True, "first_guess": 5.0, "prior": None,
            "bounds": [1.0, 1.5], "within_bounds": False,
        },
        "right.h": {
            "value": 30.0, "interval": [0.0, None], "identified": False, "first_guess": 10.0, "prior": None,
            "bounds": None, "within_bounds": True,
        },
    },
    "not_identified": ["right.h times t"], "sigma_K": 0.5, "noise_given": True, "residual_K": 2.0, "p_value": 1e-9,
    "model_error_K": None, "sensors": 12, "consistent": False,
}  # fmt: skip


def test_advice_names_every_fault():
    one_grid, hidden, misfit, outside = advice_on(FOUND)
    assert "only one grid" in one_grid
    assert "right.h times t" in hidden
    assert "larger than the stated noise" in misfit
    assert "conductivity = 2 lies outside the bounds 1 to 1.5" in outside
    good = FOUND | {"status": "converged", "not_identified": [], "consistent": True, "numbers": {}}
    assert advice_on(good) == []
    assert (
        "not small against the noise" in advice_on(good | {"status": "cell limit", "model_error_K": 0.1})[0]
    )


def test_lines_and_page_say_what_was_found():
    found = FOUND | {"advice": advice_on(FOUND)}
    lines = "\n".join(inverse_lines(found))
    assert "2 W/(m K), 90 % interval 1.9 … 2.1" in lines
    assert "not determined (the fit stands at 30 W/(m² K))" in lines
    report = {
        "part": "box.stl", "status": "cell limit", "estimated_error": None, "tolerance": 5e-3, "fem": None,
        "relative_error_fem": None, "energy_balance": 1e-3, "heat_W": {"left": 3.6}, "seconds": 1.0, "seed": 0,
        "surface_temperature_K": {"lowest": 300.0, "highest": 350.0}, "identified": found,
        "config": {
            "physics": {"kind": "steady_heat", "conductivity": 5.0},
            "conditions": [{"patch": "left", "flux": 4000.0, "convection": None}],
        },
    }  # fmt: skip
    page = part_page(report, ["temperature.png"])
    assert "| `conductivity` | W/(m K) | 2 | 1.9 … 2.1 | 5 |" in page
    assert "| `right.h` | W/(m² K) | — | not determined | 10 |" in page
    assert "**Not converged** (cell limit)" in page
    assert "unknown, one grid only (asked for: 0.5 %)" in page
    assert "- `left`: flux = 4000" in page


@pytest.fixture(scope="module")
def pulled(tmp_path_factory):
    """A box on three smooth planes, pulled along x: u = σ/E (x, −ν y, −ν z)."""
    folder = tmp_path_factory.mktemp("pulled")
    return folder / "out", run(
        written(folder, ELASTIC, *PULLED), folder / "out", seed=None, resume=False, quiet=True
    )


@pytest.mark.slow
def test_a_pulled_bar_is_reported(pulled):
    folder, report = pulled
    assert report == json.loads((folder / "report.json").read_text())
    corner = np.array([30.0, 20.0, 10.0])
    stretch = SIGMA / YOUNG * np.array([1, -POISSON, -POISSON])
    expected = 1e-3 * np.linalg.norm(stretch * corner)
    assert report["displacement_m"]["largest"] == pytest.approx(expected, rel=1e-2)
    np.testing.assert_allclose(report["displacement_m"]["at"], corner, atol=5.0)  # one coarse grid
    assert report["von_mises_Pa"]["value"] == pytest.approx(SIGMA, rel=0.1)
    np.testing.assert_allclose(report["forces_N"]["end"], [200.0, 0, 0], atol=0.05)
    np.testing.assert_allclose(report["forces_N"]["wall"], [-200.0, 0, 0], atol=4.0)
    assert report["energy_balance"] < 1e-2
    page = (folder / "report.md").read_text(encoding="utf-8")
    assert '- `side`: displacement = [free, 0, free]' in page  # fmt: skip
    for name in page[page.index("## Files") :].split("`")[1::2]:
        assert (folder / name).exists(), name
    assert "force at end:" in summary(report, folder)
    assert "up to" in summary(report, folder)


@pytest.mark.slow
def test_a_pulled_bar_is_drawn_and_written(pulled):
    folder, _ = pulled
    for name in ("displacement.png", "slices.png", "convergence.png"):
        assert min(image.imread(folder / name).shape[:2]) > 300
    grid = meshio.read(folder / "displacement.vtu")
    stretch = SIGMA / YOUNG * np.array([1, -POISSON, -POISSON])
    size = 1e-3 * np.linalg.norm(stretch * [30, 20, 10])
    off = np.abs(grid.point_data["displacement"] - 1e-3 * stretch * grid.points).max(axis=1)
    assert np.quantile(off, 0.9) < 0.02 * size  # edges of a coarse grid are worse
    np.testing.assert_allclose(
        grid.cell_data["stress"][0] / SIGMA, [[1, 0, 0, 0, 0, 0]] * len(grid.cells[0]), atol=0.1
    )
    surface = meshio.read(folder / "surface.vtu")
    assert set(surface.cell_data["patch"][0].tolist()) == {0, 1, 2, 3, 4, 5}
    assert np.median(surface.point_data["von_mises"]) == pytest.approx(SIGMA, rel=0.1)
    assert library.load(folder / "solution").forces[0][0] == "wall"


@pytest.fixture(scope="module")
def identified(tmp_path_factory):
    """The box as a bar along x: T = ambient + q/h + q (L − x)/k, read with a little noise."""
    folder = tmp_path_factory.mktemp("identified")
    rng = np.random.default_rng(3)
    points = rng.uniform([0, 0, 0], [30, 20, 10], (12, 3))
    true = AMBIENT + FLUX / H + FLUX * (30 - points[:, 0]) * 1e-3 / CONDUCTIVITY
    read = true + 0.5 * rng.normal(size=12)
    config = written(folder, INVERSE)
    table = np.column_stack([points, read])
    np.savetxt(folder / "sensors.csv", table, delimiter=",", header="x,y,z,temperature", comments="")
    return folder / "out", run(config, folder / "out", seed=None, resume=False, quiet=True), true - read


@pytest.mark.slow
def test_numbers_are_found_and_reported(identified):
    folder, report, _ = identified
    assert report == json.loads((folder / "report.json").read_text())
    numbers = report["identified"]["numbers"]
    for name, truth in (("conductivity", CONDUCTIVITY), ("right.h", H)):
        low, high = numbers[name]["interval"]
        assert low < numbers[name]["value"] < high
        assert abs(numbers[name]["value"] - truth) < 2 * (high - low)
    assert numbers["conductivity"]["first_guess"] == 5.0
    assert not numbers["conductivity"]["within_bounds"]  # 2 is not within 1 … 1.5
    assert any("outside the bounds" in said for said in report["identified"]["advice"])
    assert report["identified"]["sensors"] == 12
    assert len(report["input_sha256"]["sensors"]) == 64
    # the temperature that follows is that of the numbers that were found
    assert report["surface_temperature_K"]["highest"] == pytest.approx(
        AMBIENT + FLUX / H + FLUX * 0.03 / 2, abs=1
    )
    assert "90 % interval" in summary(report, folder)


@pytest.mark.slow
def test_residuals_are_written_and_drawn(identified):
    folder, _, noise = identified
    with (folder / "residuals.csv").open(newline="") as file:
        head, *rows = list(csv.reader(file))
    assert head == ["x", "y", "z", "temperature", "sigma", "model", "residual"]
    table = np.array(rows, float)
    np.testing.assert_allclose(table[:, 3] - table[:, 5], table[:, 6], atol=1e-9)
    np.testing.assert_allclose(table[:, 6], -noise, atol=1.0)
    for name in ("sensors.png", "temperature.png", "slices.png"):
        assert min(image.imread(folder / name).shape[:2]) > 300
    assert "![Readings" in (folder / "report.md").read_text()
