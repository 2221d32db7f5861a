"""The models behind the encodings: functions (features, target, seed) → predictor."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import RidgeCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Fit = Callable[[np.ndarray, np.ndarray, int], Any]


def linear(penalties: list[float]) -> Fit:
    """Ridge regression; leave-one-out chooses the penalty."""

    def fit(features: np.ndarray, target: np.ndarray, _: int) -> Any:
        return RidgeCV(len(features) * np.array(penalties)).fit(features, target)

    return fit


def neighbours(count: int) -> Fit:
    """The mean of the nearest rows."""
    return lambda features, target, _: KNeighborsRegressor(count).fit(features, target)


def network(hidden: list[int], epochs: int) -> Fit:
    """A small network of tanh units, trained for a fixed number of epochs."""

    def fit(features: np.ndarray, target: np.ndarray, seed: int) -> Any:
        inner = MLPRegressor(
            hidden_layer_sizes=tuple(hidden),
            activation="tanh",
            learning_rate_init=3e-3,
            max_iter=epochs,
            random_state=seed,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # that many epochs, and no more
            return make_pipeline(StandardScaler(), inner).fit(features, target)

    return fit


def trees(features: np.ndarray, target: np.ndarray, _: int) -> Any:
    """Boosted trees, which do not care for any monotone change of a column."""
    return HistGradientBoostingRegressor(max_iter=300, early_stopping=False).fit(features, target)
