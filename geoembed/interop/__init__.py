"""Other programs' formats and frameworks.

The submodules `ase`, `flax_linen`, `flax_nnx`, `mace` and `sklearn` load with their framework on first use.
"""

import importlib
from typing import Any

from ._field_vtk import write_field_series as write_field_series
from ._field_vtk import write_field_vtu as write_field_vtu
from ._sites_vtk import write_sites_vtu as write_sites_vtu
from ._vtk import write_surface_vtu as write_surface_vtu
from ._vtk import write_vtu as write_vtu

_SUBMODULES = ("ase", "flax_linen", "flax_nnx", "mace", "sklearn")


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBMODULES})
