"""Pictures of parts and fields, on figures of their own: pyplot and its backend are left alone."""

from ._convergence import convergence_figure as convergence_figure
from ._displacement import displacement_figure as displacement_figure
from ._displacement import save_displacement as save_displacement
from ._element_map import element_map_figure as element_map_figure
from ._field import field_figure as field_figure
from ._field import save_field as save_field
from ._field_samples import FieldGrid as FieldGrid
from ._field_samples import field_grid as field_grid
from ._identified import identified_figure as identified_figure
from ._learning import learning_figure as learning_figure
from ._parity import parity_figure as parity_figure
from ._periodic_table import periodic_table_figure as periodic_table_figure
from ._quasicrystal import diffraction_figure as diffraction_figure
from ._quasicrystal import tiling_figure as tiling_figure
from ._quasicrystal_chain import chain_figure as chain_figure
from ._quasicrystal_sites import dislocation_figure as dislocation_figure
from ._quasicrystal_sites import sites_figure as sites_figure
from ._shapes import shape_figure as shape_figure
from ._slices import save_slices as save_slices
from ._slices import slices_figure as slices_figure
from ._temperature import save_temperature as save_temperature
from ._temperature import temperature_figure as temperature_figure
from ._temperature_in_time import history_figure as history_figure
from ._temperature_in_time import shown_moments as shown_moments
from ._temperature_in_time import transient_figure as transient_figure
from ._tiles import tiles_figure as tiles_figure
