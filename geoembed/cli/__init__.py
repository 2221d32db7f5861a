"""The command line: the only place that prints or draws progress."""

from ._app import main as main
from ._formula import Formula as Formula
from ._formula import Formulas as Formulas
