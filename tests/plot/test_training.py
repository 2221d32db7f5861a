"""Pictures of training: what they say is what the numbers are."""

import numpy as np
import pytest

from geoembed.atoms import Errors, Evaluation
from geoembed.atoms._training._deviation import deviation
from geoembed.plot import learning_figure, parity_figure


def evaluation(structures, *, stress=False):
    """Labels with errors of known size."""
    draw = np.random.default_rng(0)

    def pairs(count, size, error):
        label = draw.normal(0, size, count)
        return np.stack([label, label + draw.normal(0, error, count)], axis=1)

    energy, forces = pairs(structures, 0.05, 0.002), pairs(60 * structures, 1.0, 0.03)
    tension = pairs(9 * structures, 0.02, 1e-3) if stress else np.full((9 * structures, 2), np.nan)
    errors = Errors(deviation(energy), deviation(forces), deviation(tension))
    return Evaluation(errors, {}, {}, energy, forces, tension)


@pytest.mark.parametrize(("structures", "stress"), [(40, False), (200, True)])
def test_parity_shows_what_there_is(structures, stress):
    found = evaluation(structures, stress=stress)
    figure = parity_figure(found)
    names = [axes.get_label() for axes in figure.axes]
    kinds = ["energy", "forces"] + (["stress"] if stress else [])
    assert names == [name for kind in kinds for name in (kind, f"{kind} error")]
    above, below = figure.axes[2:4]
    assert f"RMSE {1e3 * found.errors.forces.rmse:.3g} meV/Å" in above.get_title(loc="left")
    largest = 1e3 * np.abs(found.forces[:, 1] - found.forces[:, 0]).max()
    assert below.get_ylim()[1] == pytest.approx(1.1 * largest)
    assert bool(above.collections) == (structures == 200)  # 12 000 forces are shown by their density


def test_learning_shows_every_validation():
    history = [
        {
            "epoch": epoch,
            "loss": 1 / epoch,
            "score": 2 / epoch,
            "energy_rmse": 0.1 / epoch,
            "forces_rmse": 1 / epoch,
        }
        for epoch in range(1, 31)
    ]
    figure = learning_figure(history, best=30)
    loss, errors = figure.axes
    assert [line.get_label() for line in loss.lines[:2]] == [
        "training, mean of the epoch",
        "validation, weights of the last stage",
    ]
    assert np.allclose(loss.lines[1].get_ydata(), [record["score"] for record in history])
    assert [line.get_label() for line in errors.lines[:2]] == ["energy, eV/atom", "forces, eV/Å"]
    assert learning_figure([]).axes[0].texts[0].get_text() == "no epoch was finished"
