"""`geoembed describe` from a model and structures to numbers."""

import json

import jax
import numpy as np
import pytest

from geoembed import save, sdf
from geoembed.atoms import (
    Descriptors,
    ElementEmbedding,
    GaussianBasis,
    Mace,
    MacePotential,
    SoapPowerSpectrum,
    pack,
)
from geoembed.cli._atoms_describe import read_descriptor
from tests.atoms.structures import random_frames
from tests.atoms.toy_potential import write_xyz

SOAP = SoapPowerSpectrum((1, 6, 8), GaussianBasis(2.5, 2), max_ell=1)


@pytest.fixture
def case(tmp_path):
    """A descriptor and structures of several sizes, some in cells, in files."""
    frames = [*random_frames(1, [2, 5, 3]), *random_frames(2, [4], periodic=False)]
    save(tmp_path / "soap", SOAP)
    write_xyz(tmp_path / "all.xyz", frames)
    return tmp_path, frames


def test_rows_come_in_the_order_of_the_file(case, geoembed):
    folder, frames = case
    outcome = geoembed(
        "describe",
        folder / "soap",
        folder / "all.xyz",
        folder / "out.npz",
        "--batch",
        "3",
        "--reduce",
        "sum",
        "--json",
    )
    assert outcome.code == 0, outcome.err
    report = json.loads(outcome.out)
    assert (report["structures"], report["atoms"], report["features"]) == (4, 14, 42)
    assert report["descriptor"] == "SoapPowerSpectrum"
    with np.load(folder / "out.npz", allow_pickle=False) as found:
        found = dict(found)
    batch = pack(frames, SOAP.cutoff)
    np.testing.assert_allclose(found["atoms"], jax.jit(SOAP.of_atoms)(batch), rtol=1e-4, atol=1e-5)
    assert found["counts"].tolist() == [2, 5, 3, 4]
    assert found["numbers"].tolist() == np.concatenate([frame.numbers for frame in frames]).tolist()
    ends = np.cumsum(found["counts"])[:-1]
    sums = [rows.sum(axis=0) for rows in np.split(found["atoms"], ends)]
    np.testing.assert_allclose(found["structures"], sums, rtol=1e-5, atol=1e-5)
    assert np.ptp(found["structures"], axis=0).max() > 0.1, "structures differ"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere", "all.xyz", "out.npz"), ["nowhere", "there is no such folder"]),
        (("box", "all.xyz", "out.npz"), ["holds Box, which describes no atoms"]),
        (("soap", "no.xyz", "out.npz"), ["no.xyz"]),
        (
            ("soap", "strange.xyz", "out.npz"),
            ["strange.xyz", "frame 0", "does not know the element Kr", "H, C, O"],
        ),
        (("soap", "all.xyz", "out.csv"), ["out.csv", "ends in .npz"]),
        (("soap", "all.xyz", "none/out.npz"), ["there is no folder"]),
        (("soap", "all.xyz", "out.npz", "--reduce", "median"), ["'--reduce'", "median", "mean or sum"]),
        (("soap", "on.npz", "on.npz"), ["would replace the structures"]),
    ],
)
def test_a_mistake_is_one_message(case, geoembed, arguments, words):
    folder, _ = case
    save(folder / "box", sdf.Box((1.0, 1.0, 1.0)))
    write_xyz(folder / "strange.xyz", random_frames(3, [2], elements=(36,)))
    (folder / "on.npz").write_bytes(b"")
    message = geoembed("describe", *(folder / name for name in arguments[:3]), *arguments[3:]).message
    for word in words:
        assert word in message or word.strip("'") in message
    assert not (folder / "out.npz").exists()


@pytest.mark.slow
def test_a_potential_is_described_by_its_encoder(tmp_path):
    elements = ElementEmbedding.one_hot([1, 8])
    encoder = Mace(elements, channels=2, max_ell=1, correlation=1, num_interactions=1, key=jax.random.key(0))
    for name, model in (("potential", MacePotential(encoder, key=jax.random.key(1))), ("encoder", encoder)):
        save(tmp_path / name, model)
        found = read_descriptor(tmp_path / name)
        assert isinstance(found, Descriptors)
        assert np.array_equal(found.encoder.embed, encoder.embed)
