"""Sizes and colours that all pictures share."""

from matplotlib.axes import Axes

TITLE, LABEL, TICK = 14, 11, 9.5  # points
INK, FAINT, WARNING = "#222222", "#8a8a8a", "#a3241b"
MAP = "plasma"  # perceptually uniform, and light enough at its dark end to show shading
STEPS = [1, 2, 2.5, 5, 10]  # between ticks
NOT_KNOWN = (0.6, 0.6, 0.6, 1.0)  # where the field has no value


def tidy(axes: Axes) -> None:
    """Gives plain axes the common look."""
    axes.tick_params(labelsize=TICK, colors=INK)
    axes.xaxis.label.set(size=LABEL, color=INK)
    axes.yaxis.label.set(size=LABEL, color=INK)
    for spine in axes.spines.values():
        spine.set_color(FAINT)
