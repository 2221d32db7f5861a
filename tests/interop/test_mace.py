"""Models of mace-torch become potentials that say the same, and go back. Needs the extra mace; random weights."""

import dataclasses
import json

import equinox as eqx
import jax
import numpy as np
import pytest

from geoembed.atoms import HeadsPotential, add_element, compress, load_mace, pack, predict
from geoembed.cli import main
from geoembed.core import InputError, load
from tests.interop import mace_variants as variants

pytest.importorskip("torch", reason="needs torch and mace-torch: install geoembed[mace]")
pytest.importorskip("mace", reason="needs torch and mace-torch: install geoembed[mace]")
pytestmark = [
    pytest.mark.slow,  # each variant compiles a model
    pytest.mark.filterwarnings("ignore"),  # torch and e3nn warn of their own ways
]

FRAMES = variants.structures()
GATE = 1e-10  # eV, eV/Å, eV/Å³
NAMES = ("energy", "atom_energies", "forces", "stress")


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="module")
def interop():
    from geoembed.interop import mace

    mace.imported("mace.modules")
    return mace


def said_by(potential, forces=True):
    batch = pack(FRAMES, potential.cutoff, atoms=13)
    said = eqx.filter_jit(predict)(potential, batch, forces=forces, stress=forces)
    counts = {"atom_energies": 11, "forces": 11}
    return {
        name: np.asarray(getattr(said, name))[: counts.get(name)] for name in (NAMES if forces else NAMES[:2])
    }


def assert_same(first, second, names=NAMES):
    for name in names:
        assert np.abs(first[name] - second[name]).max() < GATE, name


@pytest.mark.parametrize("name", variants.VARIANTS)
def test_energy_forces_and_stress_are_those_of_mace_torch(name, interop):
    model = variants.build(**variants.VARIANTS[name])
    head = len(model.heads) - 1
    potential = interop.from_torch(model)
    if head:
        potential = potential.select(model.heads[head])
    there = variants.answers(model, FRAMES, head)
    # mace-torch does not differentiate its Chebyshev polynomials: its forces are not −∇E.
    names = NAMES[:2] if name == "chebyshev" else NAMES
    assert_same(said_by(potential), there, names)
    assert np.abs(there["forces"]).max() > 1e-3


@pytest.mark.parametrize("name", variants.VARIANTS)
def test_a_model_comes_back_from_an_artefact(name, interop, tmp_path):
    import torch

    model = variants.build(**variants.VARIANTS[name])
    torch.save(model, tmp_path / "there.model")
    interop.convert(tmp_path / "there.model", tmp_path / "here")
    interop.export(tmp_path / "here", tmp_path / "back.model")
    back = interop.read_model(tmp_path / "back.model")
    assert list(back.heads) == list(model.heads)
    for head in range(len(model.heads)):
        assert_same(variants.answers(back, FRAMES, head), variants.answers(model, FRAMES, head))


def test_the_forces_of_a_chebyshev_model_are_slopes_of_its_energy(interop):
    potential = interop.from_torch(variants.build(**variants.VARIANTS["chebyshev"]))
    batch = pack(FRAMES, potential.cutoff)
    energy = eqx.filter_jit(lambda b: predict(potential, b, forces=False).energy.sum())
    along = np.random.default_rng(0).normal(size=batch.positions.shape)
    step = 1e-4
    up, down = (
        eqx.tree_at(lambda b: b.positions, batch, batch.positions + sign * step * along) for sign in (1, -1)
    )
    slope = float(energy(up) - energy(down)) / (2 * step)
    forces = np.asarray(eqx.filter_jit(predict)(potential, batch).forces)
    assert -np.sum(forces * along) == pytest.approx(slope, rel=1e-5)


def test_single_precision_models_keep_their_precision(interop):
    model = variants.build(**variants.VARIANTS["density"]).float()
    potential = interop.from_torch(model)
    assert potential.encoder.embed.dtype == np.float32
    there = variants.answers(model, FRAMES)
    batch = pack(FRAMES, potential.cutoff, dtype="float32")
    said = eqx.filter_jit(predict)(potential, batch)
    assert said.forces is not None
    np.testing.assert_allclose(said.energy, there["energy"], rtol=0, atol=2e-5)
    np.testing.assert_allclose(said.forces, there["forces"], rtol=0, atol=2e-5)


def test_a_model_in_single_precision_converted_to_double_keeps_its_constants(interop):
    """Couplings and the prefactor of the radial functions are rounded there and exact here; the rest is the same."""
    model = variants.build(**variants.VARIANTS["density"]).float().double()
    here, there = said_by(interop.from_torch(model), False), variants.answers(model, FRAMES)
    for name in NAMES[:2]:
        np.testing.assert_allclose(here[name], there[name], rtol=0, atol=1e-7)


def test_gradients_by_the_weights_are_those_of_torch(interop):
    """Energies are linear in the gradient, so a model whose weights are torch's gradients is converted too."""
    import torch

    model = variants.build(**variants.VARIANTS["density"])
    batch = variants.batch_of(model, FRAMES, 0)
    with variants.precision_of(model):
        model(batch, compute_force=False)["energy"].sum().backward()
    slopes = variants.copied(model)
    with torch.no_grad():
        for parameter, own in zip(slopes.parameters(), model.parameters(), strict=True):
            parameter.copy_(torch.zeros_like(own) if own.grad is None else own.grad)
    expected, elements = interop.from_torch(slopes), len(variants.NUMBERS)
    potential = interop.from_torch(model)
    ours = eqx.filter_jit(eqx.filter_grad(lambda p, b: predict(p, b, forces=False).energy.sum()))(
        potential, pack(FRAMES, potential.cutoff)
    )
    pairs = {
        # weights by element were divided by √Z on the way here, so their gradients are multiplied by it
        "embed": (ours.encoder.embed, elements * expected.encoder.embed),
        **{
            f"skip {i}": (a, elements * b)
            for i in range(2)
            for a, b in zip(
                ours.encoder.interactions[i].skip, expected.encoder.interactions[i].skip, strict=True
            )
        },
    }
    for i in range(2):
        for name in ("up", "radial", "down", "density"):
            both = [jax.tree.leaves(getattr(e.encoder.interactions[i], name)) for e in (ours, expected)]
            pairs |= {f"{name} {i} {k}": pair for k, pair in enumerate(zip(*both, strict=True))}
        both = [jax.tree.leaves(e.encoder.products[i]) for e in (ours, expected)]
        pairs |= {f"product {i} {k}": pair for k, pair in enumerate(zip(*both, strict=True))}
    both = [jax.tree.leaves(e.readouts) for e in (ours, expected)]
    pairs |= {f"readout {k}": pair for k, pair in enumerate(zip(*both, strict=True))}
    assert len(pairs) > 30
    for name, (here, there) in pairs.items():
        assert np.abs(here - there).max() < GATE * max(1.0, np.abs(there).max()), name
        assert np.all(np.isfinite(here)), name
    assert max(float(np.abs(here).max()) for here, _ in pairs.values()) > 0.1


def test_a_step_of_training_goes_back(interop, tmp_path):
    potential = interop.from_torch(variants.build(**variants.VARIANTS["linear"]))

    def loss(trained, batch):
        return (predict(trained, batch, forces=False).energy ** 2).sum()

    slope = eqx.filter_grad(loss)(potential, pack(FRAMES, potential.cutoff))
    moved = eqx.apply_updates(potential, jax.tree.map(lambda g: -1e-4 * g, slope))
    here = said_by(moved)
    assert np.abs(here["energy"] - said_by(potential)["energy"]).max() > 1e-3
    assert_same(variants.answers(interop.to_torch(moved), FRAMES), here)


def test_another_element_goes_back(interop):
    """Germanium, with weights of its own or without, in both heads; the repulsion knows its nucleus."""
    model = variants.build(
        num_interactions=1,
        max_ell=1,
        correlation=2,
        pair_repulsion=True,
        transform="Agnesi",
        heads=["ours", "theirs"],
    )
    potential = interop.from_torch(model)
    e0 = {"ours": -5.0, "theirs": 2.0}
    grown, wide = (add_element(potential, "Ge", vector="properties", e0=e0, wide=w) for w in (False, True))
    frames = [dataclasses.replace(f, numbers=np.where(f.numbers == 14, 32, f.numbers)) for f in FRAMES]
    batch = pack(frames, potential.cutoff, atoms=13)
    said = eqx.filter_jit(predict)(grown.select("theirs"), batch, stress=True)
    here = {name: np.asarray(getattr(said, name)) for name in NAMES}
    here |= {name: here[name][:11] for name in ("atom_energies", "forces")}
    for one in (grown, wide):
        back = interop.to_torch(one)
        assert_same(variants.answers(back, frames, 1), here)
        assert_same(variants.answers(back, FRAMES, 1), variants.answers(model, FRAMES, 1))
    assert np.abs(here["forces"] - variants.answers(model, FRAMES, 1)["forces"]).max() > 1e-4


def test_compressed_tables_go_back(interop):
    model = variants.build(**variants.VARIANTS["linear"])
    small, report = compress(interop.from_torch(model))
    assert report.error < 1e-14
    assert_same(variants.answers(interop.to_torch(small), FRAMES), variants.answers(model, FRAMES))


REFUSED = {
    "use_so3": {"use_so3": True},
    "apply_cutoff": {"apply_cutoff": False},
    "use_agnostic_product": {"use_agnostic_product": True},
    "interactions.0": {
        "first": "RealAgnosticResidualNonLinearInteractionBlock",
        "block": "RealAgnosticResidualNonLinearInteractionBlock",
    },
}


@pytest.mark.parametrize("name", REFUSED)
def test_unknown_features_are_refused_by_their_names(name, interop):
    with pytest.raises(InputError) as refused:
        interop.extract(variants.build(**REFUSED[name]))
    assert refused.value.where == name


def test_changed_models_are_refused(interop):
    import torch

    model = variants.build()
    wrong = variants.copied(model)
    wrong.new_feature = True
    with pytest.raises(InputError, match="new_feature"):
        interop.extract(wrong)
    wrong = variants.copied(model)
    wrong.extra = torch.nn.Linear(2, 2)
    with pytest.raises(InputError, match="extra"):
        interop.extract(wrong)
    wrong = variants.copied(model)
    wrong.readouts[0].bias = torch.nn.Parameter(torch.ones(1))
    with pytest.raises(InputError, match=r"readouts\.0\.bias"):
        interop.extract(wrong)
    wrong = variants.copied(model)
    wrong.readouts[1].non_linearity.acts[0].f = torch.tanh
    with pytest.raises(InputError, match="SiLU"):
        interop.extract(wrong)
    with pytest.raises(InputError, match="Linear"):
        interop.extract(torch.nn.Linear(2, 2))


def test_files_that_hold_no_model_are_refused(interop, tmp_path):
    import torch

    torch.save({"model": {}}, tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match="holds a dict"):
        interop.read_model(tmp_path / "checkpoint.pt")
    (tmp_path / "text.model").write_text("no pickle")
    with pytest.raises(InputError, match="unpickled"):
        interop.read_model(tmp_path / "text.model")


def test_the_command_converts_there_and_back(interop, tmp_path, capsys, monkeypatch):
    import torch

    model = variants.build(**variants.VARIANTS["heads"])
    torch.save(model, tmp_path / "there.model")

    def run(*words):
        monkeypatch.setattr("sys.argv", ["geoembed", "convert", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            main()
        assert not stopped.value.code
        return capsys.readouterr()

    printed = run(tmp_path / "there.model", tmp_path / "here", "--json")
    assert "unpickled" in printed.err
    report = json.loads(printed.out)
    assert report["elements"] == ["H", "O", "Si"]
    assert report["heads"] == ["ours", "theirs", "old"]
    printed = run(tmp_path / "here", tmp_path / "back.model", "--to", "mace-torch", "--json")
    assert printed.err == ""
    back = interop.read_model(tmp_path / "back.model")
    assert_same(variants.answers(back, FRAMES, 2), variants.answers(model, FRAMES, 2))
    assert isinstance(load(tmp_path / "here"), HeadsPotential)
    with pytest.raises(InputError, match="several heads"):
        load_mace(tmp_path / "here")
    assert_same(
        said_by(load_mace(tmp_path / "here", head="old"), False),
        variants.answers(model, FRAMES, 2),
        NAMES[:2],
    )
