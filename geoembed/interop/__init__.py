"""Other programs' formats and frameworks."""

from ._vtk import write_surface_vtu as write_surface_vtu
from ._vtk import write_vtu as write_vtu
