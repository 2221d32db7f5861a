"""The command line: the only place that prints or draws progress."""

from ._app import main as main
