"""`geoembed quasicrystal`: what is written is the quasicrystal; what is wrong is said in one message."""

import csv
import json

import ase.io
import matplotlib.image
import meshio
import numpy as np
import pytest

TAU = (1 + 5**0.5) / 2


@pytest.fixture(autouse=True)
def quickly(compiled_quickly):
    """Few sites."""


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def run(geoembed, *arguments):
    outcome = geoembed("quasicrystal", *arguments, "--json")
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


def picture(path):
    """That something is drawn: pixels that are not white."""
    return 1 - (matplotlib.image.imread(path)[..., :3] == 1).all(axis=-1).mean()


def test_a_chain(geoembed, tmp_path):
    report = run(geoembed, "cut", "fibonacci", tmp_path / "a.csv", tmp_path / "a.png", "--box", "40")
    found = table(tmp_path / "a.csv")
    gaps = np.diff(np.sort(found["x"]))
    assert report["sites"] == len(found["x"])
    np.testing.assert_allclose(np.unique(np.round(gaps, 9)), [1.0, TAU], rtol=1e-8)
    np.testing.assert_allclose(found["x"], found["lattice_1"] * TAU + found["lattice_2"], atol=1e-12)
    assert report["density_of_the_quasicrystal"] == pytest.approx(TAU / 5**0.5)
    assert picture(tmp_path / "a.png") > 0.02


def test_a_tiling_in_every_form(geoembed, tmp_path):
    names = [tmp_path / f"a.{ending}" for ending in ("csv", "extxyz", "vtu", "png")]
    report = run(
        geoembed, "cut", "penrose", *names, "--radius", "12", "--scale", "2.5", "--element", "Al,Mn,Pd,Zn"
    )
    assert report["by_kind"].keys() == {"1", "2", "3", "4"}
    assert not report["singular"]
    found = table(names[0])
    atoms = ase.io.read(names[1])
    np.testing.assert_allclose(atoms.positions[:, :2], np.stack([found["x"], found["y"]], 1), atol=1e-7)
    assert atoms.get_chemical_symbols().count("Mn") == report["by_kind"]["2"]
    np.testing.assert_allclose(atoms.arrays["perp"][:, 0], found["perp_1"], atol=1e-7)
    grid = meshio.read(names[2])
    edges = grid.points[grid.cells_dict["line"]]
    np.testing.assert_allclose(np.linalg.norm(edges[:, 0] - edges[:, 1], axis=1), 2.5, rtol=1e-9)
    assert len(edges) > 1.5 * report["sites"]
    assert picture(names[3]) > 0.02


@pytest.mark.slow
def test_an_icosahedral_cut(geoembed, tmp_path):
    out = tmp_path / "a.png"
    report = run(geoembed, "cut", "icosahedral", out, "--radius", "2", "--centering", "F", "--axis", "3")
    assert report["density_of_the_quasicrystal"] == pytest.approx(4.352501798965641 / 2)
    assert picture(out) > 0.01


def test_reflections(geoembed, tmp_path):
    options = ("--q-max", "13", "--q-perp-max", "3.2", "--least", "0.01")
    report = run(geoembed, "diffract", "icosahedral", tmp_path / "a.csv", tmp_path / "a.png", *options)
    found = table(tmp_path / "a.csv")
    assert report["reflections"] == len(found["intensity"])
    assert found["intensity"][0] == pytest.approx(1)
    assert np.all(np.diff(found["intensity"]) < 1e-6)
    eight = (found["cahn_N"] == 8) & (found["cahn_M"] == 12)
    assert eight.sum() == 30
    np.testing.assert_allclose(found["intensity"][eight], 0.134874, atol=6e-7)
    np.testing.assert_allclose(found["intensity"], found["real"] ** 2 + found["imaginary"] ** 2, rtol=1e-12)
    assert picture(tmp_path / "a.png") > 0.002


def test_an_approximant(geoembed, tmp_path):
    names = [tmp_path / f"a.{ending}" for ending in ("cif", "extxyz", "csv", "vtu")]
    report = run(
        geoembed,
        "approximant",
        "icosahedral",
        "2/1",
        *names,
        "--cell",
        "22.412",
        "--element",
        "Zn",
        "--symmetric",
    )
    assert (report["sites"], report["point_group_order"]) == (136, 24)
    assert report["smallest_distance"] == pytest.approx(0.562777 / 4.454065457646427 * 22.412, rel=1e-6)
    crystal = ase.io.read(names[0])
    np.testing.assert_allclose(crystal.cell.cellpar(), [22.412] * 3 + [90] * 3, rtol=1e-6)
    assert crystal.get_chemical_formula() == "Zn136"
    other = ase.io.read(names[1])
    np.testing.assert_allclose(other.cell, 22.412 * np.eye(3), atol=1e-7)
    assert len(table(names[2])["perp_3"]) == len(meshio.read(names[3]).points) == 136


def test_an_approximant_in_the_plane(geoembed, tmp_path):
    report = run(geoembed, "approximant", "ammann-beenker", "3,2,0,-2;0,2,3,2", tmp_path / "a.csv")
    np.testing.assert_allclose(report["cell"], (3 + 8**0.5) * np.eye(2), atol=1e-12)
    assert report["smallest_distance"] == pytest.approx(2 * np.sin(np.pi / 8))


def test_its_space_group(geoembed, tmp_path):
    pytest.importorskip("spglib", reason="needs spglib: install geoembed[spglib]")
    report = run(
        geoembed,
        "approximant",
        "icosahedral",
        "1/1",
        tmp_path / "a.cif",
        "--space-group",
        "--symmetric",
        "--open",
    )
    assert report["space_group"]["symbol"] == "Im-3"


@pytest.mark.slow
def test_a_dislocation_and_its_cut(geoembed, tmp_path):
    """Cut at two places it is the same set of sites, with half the Burgers vector it is not."""
    cuts = {}
    for burgers in ("0,1,0,1", "0,1/2,0,1/2"):
        for branch in ("-180", "50"):
            out = tmp_path / f"{len(cuts)}.csv"
            options = ("--radius", "7", "--core", "1", "--branch", branch)
            report = run(geoembed, "dislocation", "ammann_beenker", out, "--burgers", burgers, *options)
            found = table(out)
            places = np.round(np.stack([found["x"], found["y"]], 1), 7) + 0.0
            cuts[burgers, branch] = set(map(tuple, places.tolist()))
            assert report["of_the_lattice"] == ("/" not in burgers)
    whole, half = ([cuts[b, c] for c in ("-180", "50")] for b in ("0,1,0,1", "0,1/2,0,1/2"))
    assert whole[0] == whole[1]
    assert len(half[0] ^ half[1]) > 20


@pytest.mark.slow
def test_an_elastic_dislocation_in_space(geoembed, tmp_path):
    """Without coupling the energy is that of an edge dislocation and of three Laplace problems for the phasons."""
    names = [tmp_path / f"a.{ending}" for ending in ("extxyz", "vtu", "png")]
    constants = ("--phonon", "1.37,0.47", "--phason", "0.2,0")
    options = ("--burgers", "1,-1,0,0,0,0", "--line", "0,0,1", "--radius", "3", "--scale", "1.5", *constants)
    report = run(geoembed, "dislocation", "icosahedral", *names, *options)
    physical, perp = (np.array(report[f"burgers_{space}"]) for space in ("physical", "perpendicular"))
    mu, poisson = 0.45, 0.47 / (2 * (0.47 + 0.45))
    expected = mu / (1 - poisson) * physical @ physical + 0.2 * 1.5**2 * perp @ perp
    assert report["energy_factor"] == pytest.approx(expected / (4 * np.pi), rel=1e-9)
    assert report["displacement"] == "elastic"
    assert len(ase.io.read(names[0])) == report["sites"] > 50
    assert len(meshio.read(names[1]).cells_dict["line"]) > report["sites"]
    assert picture(names[2]) > 0.02


def test_a_dislocation_of_several_windows(geoembed, tmp_path):
    """A star vector of Penrose's tiling is none of its translations; sites have their species."""
    options = ("--radius", "4", "--core", "1", "--burgers")
    for burgers, whole in (("1,-1,0,0", True), ("1,0,0,0", False)):
        report = run(geoembed, "dislocation", "penrose", tmp_path / "a.csv", *options, burgers)
        assert report["of_the_lattice"] is whole
        assert set(table(tmp_path / "a.csv")["species"]) == {1, 2, 3, 4}


CUT = ("cut", "icosahedral", "a.csv", "--radius", "2")
MISTAKES = [
    (("cut", "icosahedra", "a.csv", "--radius", "2"), ["icosahedra", "Did you mean icosahedral?"]),
    (("cut", "penrose", "a.csv"), ["--radius, --box", "neither is given"]),
    ((*CUT, "--box", "2"), ["both are given"]),
    (("cut", "penrose", "a.csv", "--radius", "-1"), ["--radius: -1", "not positive"]),
    (("cut", "penrose", "a.csv", "--radius", "1e5"), ["would be 3.9e+10 sites", "Take at most 1.14e+03"]),
    (("cut", "penrose", "a.cif", "--radius", "2"), ["the ending '.cif'", ".vtu or .png"]),
    (("cut", "penrose", "none/a.csv", "--radius", "2"), ["there is no folder"]),
    (("cut", "penrose", "a.csv", "a.csv", "--radius", "2"), ["named twice"]),
    (("cut", "penrose", "a.csv", "--radius", "2", "--scale", "0"), ["--scale: 0", "not positive"]),
    (("cut", "penrose", "a.csv", "--radius", "2", "--shift", "0.1"), ["there are 1 numbers, 2 are needed"]),
    (("cut", "penrose", "a.csv", "--radius", "2", "--shift", "a,b"), ["'a' is no number"]),
    (("cut", "penrose", "a.csv", "--radius", "2", "--centering", "F"), ["penrose has no other lattice"]),
    ((*CUT, "--centering", "C"), ["Choose P, F or I"]),
    (("cut", "penrose", "a.xyz", "--radius", "5", "--element", "Al,Mn"), ["2 symbols for 4 kinds"]),
    (("cut", "penrose", "a.xyz", "--radius", "5", "--element", "Zz"), ["'Zz' is no element"]),
    (("cut", "icosahedral", "a.png", "--radius", "1", "--axis", "4"), ["--axis: 4", "Choose 2, 3 or 5"]),
    (("cut", "fibonacci", "a.csv", "--radius", "1e-3", "--shift", "3"), ["no site in it"]),
    (("diffract", "fibonacci", "a.png"), ["Write a .csv file"]),
    (("diffract", "penrose", "a.csv", "--least", "2"), ["--least: 2"]),
    (("diffract", "icosahedral", "a.csv", "--q-max", "500"), ["reflections to look at", "Take smaller ones"]),
    (("approximant", "icosahedral", "2:1", "a.cif"), ["neither p/q nor lattice vectors", "0,0,0,0,0,0;"]),
    (("approximant", "icosahedral", "0/1", "a.cif"), ["p and q are positive"]),
    (("approximant", "ammann_beenker", "2/1", "a.csv"), ["p/q means nothing for ammann_beenker"]),
    (("approximant", "ammann_beenker", "3,2,0,-2;0,2,3,2", "a.cif"), ["'.cif'", ".csv or .vtu"]),
    (("approximant", "ammann_beenker", "3,2,0,-2", "a.csv"), ["there are 1 lattice vectors, 2 are needed"]),
    (("approximant", "ammann_beenker", "3,2,0,-2;1/2,2,3,2", "a.csv"), ["no whole number"]),
    (("approximant", "ammann_beenker", "3,2,0,-2;3,2,0,-2", "a.csv"), ["do not span it"]),
    (("approximant", "penrose", "1/1", "a.csv"), ["shadow of the unit cube"]),
    (("approximant", "icosahedral", "55/34", "a.cif"), ["the cell would have", "shorter periods"]),
    (("approximant", "icosahedral", "1/1", "a.cif", "--cell", "0"), ["--cell: 0"]),
    (("approximant", "icosahedral", "1/1", "a.cif", "--shift", "0,0,0", "--symmetric"), ["both are given"]),
    (("approximant", "icosahedral", "1/1", "a.cif", "--symmetric"), ["--symmetric: 1/1", "Add --open"]),
    (("dislocation", "fibonacci", "a.csv", "--burgers", "1,0"), ["a chain has no lines"]),
    (("dislocation", "icosahedral", "a.csv", "--burgers", "1,0"), ["2 numbers, 6 are needed"]),
    (("dislocation", "icosahedral", "a.csv", "--burgers", "0,0,0,0,0,0"), ["--burgers", "it is 0"]),
    (("dislocation", "icosahedral", "a.csv", "--burgers", "1,0,0,0,0,0"), ["--line: it is missing"]),
    (
        ("dislocation", "ammann_beenker", "a.csv", "--burgers", "1,0,0,0", "--line", "0,0,1"),
        ["Leave --line out"],
    ),
    (("dislocation", "ammann_beenker", "a.csv", "--burgers", "1,0,0,0", "--core", "9"), ["the core fills"]),
    (
        ("dislocation", "ammann_beenker", "a.csv", "--burgers", "1,0,0,0", "--core", "0.1"),
        ["take a core of at least"],
    ),
    (
        ("dislocation", "ammann_beenker", "a.csv", "--burgers", "1,0,0,0", "--radius", "1e4"),
        ["would be 4e+08 sites"],
    ),
    (
        ("dislocation", "ammann_beenker", "a.csv", "--burgers", "1,0,0,0", "--phonon", "1,1"),
        ["--phason: it is missing"],
    ),
]


@pytest.mark.parametrize(("arguments", "words"), MISTAKES, ids=lambda part: " ".join(part[:3]))
def test_a_mistake_is_one_message(geoembed, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    message = geoembed("quasicrystal", *arguments).message
    for word in words:
        assert word in message, message
    assert not list(tmp_path.iterdir())


def test_what_elastic_constants_are_asked_for(geoembed, tmp_path):
    start = ("quasicrystal", "dislocation", "icosahedral", tmp_path / "a.csv", "--burgers", "1,0,0,0,0,0")
    start = (*start, "--line", "0,0,1")
    message = geoembed(*start, "--phonon", "1,2,3", "--phason", "1,1").message
    assert "there are 3 constants, the point group has 2. Give the components C1111, C1122" in message
    message = geoembed(*start, "--phonon", "1.37,0.47", "--phason", "0.2,0", "--coupling", "9").message
    assert "the elastic tensor is not stable" in message
