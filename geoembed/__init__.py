"""Differentiable physics and geometry embeddings in JAX.

Sub-packages load on first use, so `import geoembed` stays light.
"""

import importlib
from typing import Any

from .core import (
    ArtefactError as ArtefactError,
)
from .core import (
    GeoembedError as GeoembedError,
)
from .core import (
    InputError as InputError,
)
from .core import (
    load as load,
)
from .core import (
    save as save,
)

__version__ = "0.1.0.dev0"

_SUBPACKAGES = (
    "atoms", "check", "cli", "core", "cyclic", "interop", "pinn", "plot", "quasicrystal", "sdf", "train"
)  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _SUBPACKAGES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBPACKAGES})
