"""Pictures of parts and fields, on figures of their own: pyplot and its backend are left alone."""

from ._convergence import convergence_figure as convergence_figure
from ._field import field_figure as field_figure
from ._field import save_field as save_field
from ._field_samples import FieldGrid as FieldGrid
from ._field_samples import field_grid as field_grid
from ._shapes import shape_figure as shape_figure
from ._temperature import save_temperature as save_temperature
from ._temperature import temperature_figure as temperature_figure
