"""The part's surface in space, coloured by a field and lightly shaded."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator
from mpl_toolkits.mplot3d import Axes3D

from ._skin import Drawn
from ._style import FAINT, INK, LABEL, NOT_KNOWN, STEPS, TICK
from ._view import Picture, Projection, best_angles, look

_PIXELS = 1000
_FILL = 0.76  # of the panel's width and height: leaves room for the axes' numbers
_SHADE = 0.3  # how much darker a face is that looks away from the light
_SHARP = np.cos(np.radians(35.0))  # faces that meet at a larger angle get a line between them
_LINE = 0.55  # brightness of these lines


@dataclass(frozen=True)
class Surface:
    """A part's surface as seen from a direction.

    Args:
        axes: The axes in space that it belongs to.
        projection: From where.
        picture: The face and the point at each pixel.
    """

    axes: Axes3D
    projection: Projection
    picture: Picture


def surface_panel(
    figure: Figure,
    place: tuple[float, float, float, float],
    domain: Drawn,
    label: str = "surface",
    pixels: int = _PIXELS,
) -> Surface:
    """Makes axes in space with equal scales, and finds what is seen of the part.

    Args:
        figure: The figure.
        place: Left, bottom, width and height, in shares of the figure.
        domain: The part.
        label: The name of the axes.
        pixels: Of the longer side of the picture.

    Returns:
        The surface, to be coloured by `paint`.
    """
    axes = figure.add_axes(place, projection="3d", proj_type="ortho", label=label)
    lower, upper = domain.bounds
    extents = np.maximum(upper - lower, 1e-6 * (upper - lower).max())
    elevation, azimuth = best_angles(domain)
    axes.view_init(elevation, azimuth)  # pyright: ignore[reportAttributeAccessIssue]
    for name, low, extent in zip("xyz", lower, extents, strict=True):
        getattr(axes, f"set_{name}lim")(low, low + extent)
        pad = 1 if name == "z" else 6
        getattr(axes, f"set_{name}label")(f"{name} / {domain.unit}", fontsize=LABEL, color=INK, labelpad=pad)
        axis = getattr(axes, f"{name}axis")
        axis.set_ticks(_ticks(float(low), float(extent), float(extents.max())))
        axis.set_pane_color((0.965, 0.965, 0.965, 1.0))
        axis.line.set_color(FAINT)
    axes.tick_params(labelsize=TICK, colors=INK, pad=1)
    axes.grid(visible=False)
    axes.set_box_aspect(extents)
    corners = np.stack(np.meshgrid(*zip(lower, upper, strict=True), indexing="ij"), axis=-1).reshape(-1, 3)
    size = np.ptp(_projection(axes, elevation, azimuth)(corners)[:, :2], axis=0)
    axes.set_box_aspect(extents, zoom=_FILL * float(np.min(_panel_size(axes) / size)))  # pyright: ignore[reportCallIssue]
    projection = _projection(axes, elevation, azimuth)
    return Surface(axes, projection, look(domain, projection, pixels))


def paint(
    surface: Surface,
    domain: Drawn,
    values: Float[np.ndarray, " n"],
    colours: ScalarMappable,
    cut: tuple[int, float] | None = None,
) -> None:
    """Draws the surface.

    Args:
        surface: The surface.
        domain: The part.
        values: The field at `surface.picture.points`.
        colours: The colour of each value.
        cut: The axis and position of a plane; a white line shows where it cuts the surface.
    """
    picture = surface.picture
    shown = picture.face >= 0
    normals = domain.normals[picture.face[shown]]
    rgba = colours.to_rgba(values)
    rgba[~np.isfinite(values)] = NOT_KNOWN
    rgba[:, :3] *= _brightness(normals, surface.projection)[:, None]
    rgba[_outline(picture, normals)[shown], :3] *= _LINE
    if cut is not None:
        axis, position = cut
        width = 1.2 * picture.pixel * np.sqrt(np.clip(1 - normals[:, axis] ** 2, 0.0, 1.0))
        on_cut = np.abs(picture.points[:, axis] - position) < width
        rgba[on_cut, :3] = 1.0
    image = np.zeros((*picture.face.shape, 4))
    image[shown] = rgba
    axes = surface.axes
    # The picture lies in the plane that the axes in space are projected to, so their lines fit it.
    artist = AxesImage(axes, extent=picture.extent, origin="lower", interpolation="antialiased", zorder=3)
    artist.set_data(image)
    artist.set_label("surface")
    axes.add_image(artist)


def _ticks(low: float, extent: float, longest: float) -> list[float]:
    """Round numbers on an axis, away from its ends where they would meet those of the other axes."""
    locator = MaxNLocator(nbins=max(1, round(6 * extent / longest)), steps=STEPS)
    values = [float(v) for v in locator.tick_values(low, low + extent) if low <= v <= low + extent]
    clear = [v for v in values if min(v - low, low + extent - v) >= 0.05 * longest]
    return clear or values[-1:]


def _panel_size(axes: Axes3D) -> Float[np.ndarray, "2"]:
    """Width and height of the panel in the plane that axes in space are projected to."""
    axes.apply_aspect()  # fixes the plane's scale
    panel = axes.get_position(original=True).transformed(axes.figure.transFigure)
    return np.abs(np.diff(axes.transData.inverted().transform(panel.get_points()), axis=0)[0])


def _projection(axes: Axes3D, elevation: float, azimuth: float) -> Projection:
    """The parallel projection that axes in space perform."""
    matrix = axes.get_proj()
    e, a = np.radians(elevation), np.radians(azimuth)
    toward = np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])
    plane = matrix[:2] / matrix[3, 3]
    return Projection(plane[:, :3], plane[:, 3], toward)


def _brightness(normals: Float[np.ndarray, "n 3"], projection: Projection) -> Float[np.ndarray, " n"]:
    """Light from the eye's upper left."""
    right, up = (row / np.linalg.norm(row) for row in projection.axes)
    light = projection.toward + 0.7 * up - 0.3 * right
    return 1 - _SHADE * (1 - np.clip(normals @ light / np.linalg.norm(light), 0.0, 1.0))


def _outline(picture: Picture, normals: Float[np.ndarray, "n 3"]) -> Bool[np.ndarray, "height width"]:
    """The pixels where a sharp edge or the rim of something nearer passes."""
    shown = picture.face >= 0
    normal, point = np.zeros((*shown.shape, 3)), np.zeros((*shown.shape, 3))
    normal[shown], point[shown] = normals, picture.points
    line = np.zeros(shown.shape, bool)
    for axis in (0, 1):
        here = (slice(None),) * axis + (slice(None, -1),)
        there = (slice(None),) * axis + (slice(1, None),)
        both = shown[here] & shown[there]
        step = np.where(both[..., None], point[there] - point[here], 0.0)
        bent = np.sum(normal[here] * normal[there], axis=-1) < _SHARP
        apart = np.abs(np.sum(step * normal[here], axis=-1)) > 4 * picture.pixel
        edge = (both & (bent | apart)) | (shown[here] ^ shown[there])
        line[here] |= edge
        line[there] |= edge
    return line
