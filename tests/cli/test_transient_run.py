"""`geoembed solve` of heat in a part in time, against the balance of a part that is one temperature."""

import json
import xml.etree.ElementTree as ET

import meshio
import numpy as np
import pytest
from matplotlib import image
from scipy.integrate import solve_ivp

import geoembed as library
from geoembed.cli._run import run
from geoembed.cli._summary import summary
from geoembed.pinn import _solve_transient
from geoembed.sdf import evaluate
from tests.cli.test_part_config import written
from tests.cli.transient_mistakes import TRANSIENT

AREA, VOLUME = 600e-6, 6e-6  # of the base, m²; of the box, m³
CAPACITY, H = 2.4e6, 50.0
OUTPUT = ("[solve]", "[output]\ntimes = [10, 60]\nmoments = 2\n[solve]")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def warmed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("warmed")
    config = written(folder, TRANSIENT, OUTPUT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_solve_transient, "_HEAT_POINTS", 16_384)
        return folder / "out", run(config, folder / "out", seed=None, resume=False, quiet=True)


def test_the_report_is_that_of_a_part_of_one_temperature(warmed):
    """The Biot number is 0.0025: ρcV dT/dt = q A − h A (T − ambient), up to a fraction of a kelvin."""
    folder, report = warmed
    assert report == json.loads((folder / "report.json").read_text())
    assert report["status"] == "cell limit"  # one grid
    outer = 2200e-6 - AREA

    def rate(t, level):
        flux = np.interp(t, [0, 20, 60], [0, 4000, 4000])
        return (flux * AREA - H * outer * (level - 300 - 5 * np.sin(np.pi * t / 60))) / (CAPACITY * VOLUME)

    table = np.loadtxt(folder / "history.csv", delimiter=",", skiprows=1)
    wanted = solve_ivp(rate, (0, 60), [300.0], t_eval=table[:, 0], rtol=1e-8, max_step=1.0).y[0]
    np.testing.assert_allclose(table[:, 2], wanted, atol=0.02 * np.ptp(wanted))
    assert np.all(np.diff(table[:, 1:4], axis=1) >= 0)  # lowest, mean, highest
    heat = report["heat_J"]
    assert heat["base"] == pytest.approx(4000 * 50 * AREA, rel=1e-3)
    assert heat["stored"] == pytest.approx(CAPACITY * VOLUME * (wanted[-1] - 300), rel=2e-2)
    assert heat["base"] + heat["rest"] == pytest.approx(heat["stored"], abs=5e-3 * heat["base"])
    assert report["energy_balance"] < 5e-3
    hottest = report["temperature_K"]["highest"]
    assert (hottest["value"], hottest["time_s"]) == (table[:, 3].max(), 60.0)
    assert hottest["at"][2] == pytest.approx(0.0, abs=1e-6)  # on the heated base


def test_the_page_names_its_files(warmed):
    folder, report = warmed
    page = (folder / "report.md").read_text(encoding="utf-8")
    assert "- `base`: flux = [[0, 0], [20, 4000], [60, 4000]]" in page
    assert "ambient = 300 + 5*sin(pi*t/60)" in page
    assert "- at 0 s: temperature = 300" in page
    for name in page[page.index("## Files") :].split("`")[1::2]:
        assert (folder / name).exists(), name
    assert not (folder / "checkpoint").exists()
    said = summary(report, folder)
    assert "into base:" in said
    assert "history.csv" in said


def test_the_field_is_drawn_and_written(warmed):
    folder, report = warmed
    for name in ("temperature.png", "history.png", "slices.png", "convergence.png"):
        assert min(image.imread(folder / name).shape[:2]) > 300
    entries = list(ET.parse(folder / "temperature.pvd").getroot().iter("DataSet"))
    assert [float(entry.attrib["timestep"]) for entry in entries] == [0.0, 60.0]
    grids = [meshio.read(folder / entry.attrib["file"]) for entry in entries]
    np.testing.assert_allclose(grids[0].point_data["temperature"], 300.0, atol=1e-6)
    end, last = report["temperature_K"]["at_end"], grids[1].point_data["temperature"]
    assert end["lowest"] - 0.05 < last.min() < last.max() < end["highest"] + 0.05
    field = library.load(folder / "solution").field
    (inside,) = evaluate(field.at(60.0), np.array([[15.0, 10.0, 5.0]]))
    assert end["lowest"] < inside < end["highest"]
