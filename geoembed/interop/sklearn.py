"""Cyclic encodings as a scikit-learn transformer."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from ..core import InputError
from ._cyclic_columns import decoded, folded, harmonic_features, one_for_each, spline_features

try:
    from sklearn.base import BaseEstimator, TransformerMixin
    from sklearn.utils.metaestimators import available_if
    from sklearn.utils.validation import _check_feature_names_in, check_array, check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        "geoembed.interop.sklearn needs scikit-learn 1.6 or later: pip install 'scikit-learn>=1.6'"
    ) from error

_NAME = "CyclicEncoder"
_CHOICES = {"kind": ("harmonics", "spline"), "missing": ("propagate", "centre", "error")}


def _of_harmonics(encoder: Any) -> bool:
    return encoder.kind == "harmonics"


class CyclicEncoder(TransformerMixin, BaseEstimator):
    """Hours, angles, months and times as features of a circle: a scikit-learn transformer.

    Each column is folded, u = (x − origin) / period mod 1 (`geoembed.cyclic.fold`), and encoded:

    - "harmonics": sin 2πku, cos 2πku for k = 1 … harmonics. A linear model of them is a Fourier series.
    - "spline": uniform periodic B-splines (`geoembed.cyclic.spline_basis`). They sum to 1, so next to an
      intercept, or to a second column, they are collinear: regularise, as `Ridge` does.

    The first and the last minute of a day come out as near to each other as any two neighbours. Folding is
    exact, and the features are computed in float64 (in a scoped x64 context: jax's configuration stays as it
    is) to 1e-15, then rounded to float32 when the input is float32.

    Columns may be numbers, or in a pandas DataFrame also datetimes (with a time zone: local civil time) and
    timedeltas.

    Args:
        period: One turn, for all columns, or one for each in a sequence, or a dictionary from columns (their
            positions where they have no names). For numbers a number; for datetimes and timedeltas a timedelta or
            "minute", "hour", "day", "week"; for datetimes also "month" and "year". It must be given.
        kind: "harmonics" or "spline".
        harmonics: Number of harmonics, for the kind "harmonics".
        knots: Number of B-splines of each column, for the kind "spline".
        degree: Degree of the B-splines, 0 to 5.
        origin: The value at which u = 0; for all, a sequence or a dictionary, as `period`.
        missing: What becomes of nan, NaT and NA. "propagate": nan in all features. "centre": the mean of the
            features over the whole circle, so that a linear model answers with its mean: 0 for harmonics (the
            centre of the circle), 1/knots for splines. "error": refused.
        dtype: Of the features: numpy.float32 or numpy.float64; None for float32 where all columns are float32 or
            smaller floats, and float64 for everything else.

    Attributes:
        periods_: The period of each column.
        origins_: The origin of each column.
        n_features_in_: Number of columns.
        feature_names_in_: Their names, where they have some.

    Example:
        >>> import numpy as np
        >>> hours = np.array([[0.0], [6.0], [23.0], [24.0]])
        >>> encoder = CyclicEncoder(period=24)
        >>> encoder.fit_transform(hours).round(3)
        array([[ 0.   ,  1.   ],
               [ 1.   ,  0.   ],
               [-0.259,  0.966],
               [ 0.   ,  1.   ]])
        >>> encoder.get_feature_names_out(["hour"])
        array(['hour_sin_1', 'hour_cos_1'], dtype=object)

        Two cycles of the same times:

        >>> from sklearn.compose import make_column_transformer
        >>> day, year = CyclicEncoder("day", harmonics=2), CyclicEncoder("year", kind="spline")
        >>> both = make_column_transformer((day, ["time"]), (year, ["time"]))

    References:
        T. Hastie, R. Tibshirani, J. Friedman, The Elements of Statistical Learning, 2nd edition 2009, chapter 5
        (basis expansions).
    """

    def __init__(
        self,
        period: Any = None,
        *,
        kind: Any = "harmonics",
        harmonics: Any = 1,
        knots: Any = 12,
        degree: Any = 3,
        origin: Any = 0,
        missing: Any = "propagate",
        dtype: Any = None,
    ):
        # scikit-learn sets anything, also numpy's integers of a grid search, and has it refused in `fit` only
        self.period = period
        self.kind = kind
        self.harmonics = harmonics
        self.knots = knots
        self.degree = degree
        self.origin = origin
        self.missing = missing
        self.dtype = dtype

    def fit(self, X: Any, y: Any = None) -> "CyclicEncoder":
        """Checks that columns and periods fit. Nothing is learned from the values.

        Args:
            X: Table, [n_samples, n_columns].
            y: Ignored.

        Returns:
            The encoder.

        Raises:
            InputError: No period is given, it does not fit its column, or another argument is out of its range.
        """
        self._check_arguments()
        columns, _ = self._columns(X, reset=True)
        names = self._names()
        keys = list(getattr(self, "feature_names_in_", range(len(columns))))
        periods = one_for_each(self.period, "period", names, keys)
        origins = one_for_each(self.origin, "origin", names, keys)
        folded(columns, names, periods, origins, self.missing)
        self.periods_, self.origins_ = periods, origins
        return self

    def transform(self, X: Any) -> Float[np.ndarray, "n_samples n_features"]:
        """Returns the features: all of the first column, then those of the second.

        Args:
            X: Table with the columns of `fit`.

        Raises:
            InputError: A value does not fit its period, or is missing under missing="error".
        """
        check_is_fitted(self, "periods_")
        columns, narrow = self._columns(X, reset=False)
        names = self._names()
        turns = folded(columns, names, self.periods_, self.origins_, self.missing)
        if self.kind == "harmonics":
            features = harmonic_features(turns, int(self.harmonics))
        else:
            features = spline_features(turns, int(self.knots), int(self.degree))
        centre = 0.0 if self.kind == "harmonics" else 1.0 / self.knots
        features[np.isnan(turns).repeat(self._width, axis=1)] = centre if self.missing == "centre" else np.nan
        dtype = (np.float32 if narrow else np.float64) if self.dtype is None else self.dtype
        return features.astype(dtype, copy=False)

    @available_if(_of_harmonics)
    def inverse_transform(self, X: Any) -> Float[np.ndarray, "n_samples n_columns"]:
        """Returns the numbers in [origin, origin + period) whose first harmonic points in the same direction.

        Args:
            X: Harmonics as `transform` returns them; averages of several work too.

        Returns:
            One number for each column; nan where sine and cosine are both 0, which is no direction.

        Raises:
            InputError: A column held times: the phase of a day does not say which day.
            AttributeError: The features are splines.
        """
        check_is_fitted(self, "periods_")
        if not all(_is_number(period) for period in self.periods_):
            reason = "the phase of a time in its cycle does not say which cycle it was"
            raise InputError(_NAME, "inverse_transform", reason, "Use geoembed.cyclic.decode for its turns")
        checks: dict[str, Any] = {"dtype": [np.float64, np.float32], "ensure_all_finite": "allow-nan"}
        table = check_array(X, **checks)
        expected = len(self.periods_) * self._width
        if table.shape[1] != expected:
            raise ValueError(f"X has {table.shape[1]} features, but {_NAME} makes {expected}")
        pairs = table.reshape(len(table), len(self.periods_), self._width)[:, :, :2]
        turns = decoded(np.ascontiguousarray(pairs, np.float64))
        periods, origins = (np.array(row, np.float64) for row in (self.periods_, self.origins_))
        x = (origins + periods * turns).astype(table.dtype)
        return np.where(x >= (origins + periods).astype(table.dtype), origins.astype(table.dtype), x)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Returns the names of the features: "hour_sin_1", "hour_cos_1", …, or "hour_spline_0", ….

        Args:
            input_features: Names of the columns; None for those seen in `fit`, or x0, x1, ….
        """
        check_is_fitted(self, "periods_")
        return np.array(
            [f"{name}_{end}" for name in self._names(input_features) for end in self._endings], dtype=object
        )

    def _check_arguments(self) -> None:
        if self.period is None:
            reason = "no period is given, and it is never guessed: the largest of the hours 0 … 23 is 23, and with "
            reason += "this period 23 would be the same as 0"
            hint = 'Pass the length of one turn in the unit of the column, such as 24 for hours, or "day" for datetimes'
            raise InputError(_NAME, "period", reason, hint)
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if not isinstance(value, str) or value not in choices:
                hint = f"Pass one of {', '.join(map(repr, choices))}"
                raise InputError(_NAME, name, f"{value!r} is no {name}", hint)
        if self.dtype is not None and np.dtype(self.dtype) not in (np.float32, np.float64):
            raise InputError(
                _NAME, "dtype", f"{self.dtype!r} is not supported", "Pass numpy.float32 or float64"
            )
        _require_integer("harmonics", self.harmonics, 1)
        _require_integer("degree", self.degree, 0, 5)
        if self.kind == "spline":
            _require_integer("knots", self.knots, self.degree + 1)

    def _columns(self, X: Any, *, reset: bool) -> tuple[list[Any], bool]:
        """The columns, each for itself, and whether all of them are float32 or narrower."""
        if _has_columns_of_its_own(X):
            validate_data(self, X, reset=reset, skip_check_array=True)
            if 0 in X.shape:
                raise ValueError(f"{_NAME} needs at least one row and one column, received shape {X.shape}")
            columns = [X.iloc[:, j] for j in range(X.shape[1])] if hasattr(X, "iloc") else list(X.T)
        else:
            finite = True if self.missing == "error" else "allow-nan"
            X = validate_data(self, X, reset=reset, dtype="numeric", ensure_all_finite=finite)
            columns = list(X.T)
        return columns, all(_is_narrow(column.dtype) for column in columns)

    def _names(self, given: Any = None) -> list[str]:
        """Names of the columns; x0, x1, … where they have none."""
        names: Any = _check_feature_names_in(self, given)
        return list(names)

    @property
    def _endings(self) -> Sequence[str]:
        if self.kind == "spline":
            return [f"spline_{i}" for i in range(self.knots)]
        return [f"{wave}_{k}" for k in range(1, self.harmonics + 1) for wave in ("sin", "cos")]

    @property
    def _width(self) -> int:
        return len(self._endings)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.missing != "error"
        tags.transformer_tags.preserves_dtype = ["float64", "float32"] if self.dtype is None else []
        return tags


def _has_columns_of_its_own(X: Any) -> bool:
    """Whether it is a pandas DataFrame, or an array of times, which numpy cannot mix with numbers."""
    frame = hasattr(X, "iloc") and hasattr(X, "columns")
    times = isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind in "mM"
    return frame or times


def _is_narrow(dtype: Any) -> bool:
    """Whether a column is float32 or a smaller float, in numpy's or pandas' notation."""
    return getattr(dtype, "kind", "O") == "f" and getattr(dtype, "itemsize", 8) <= 4


def _is_number(period: Any) -> bool:
    return isinstance(period, int | float | np.integer | np.floating) and not isinstance(
        period, np.timedelta64
    )


def _require_integer(name: str, value: Any, least: int, most: float = np.inf) -> None:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool | np.timedelta64)
    if not whole or not least <= value <= most:
        limit = f"at least {least}" if most == np.inf else f"from {least} to {most:.0f}"
        raise InputError(_NAME, name, f"{value!r} is out of its range", f"Pass an integer, {limit}")
