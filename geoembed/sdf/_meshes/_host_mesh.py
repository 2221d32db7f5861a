"""What the host keeps of a mesh beside the device's tables."""

import hashlib
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64, Int32

from ...core import register
from .._quality import MeshQuality

register(MeshQuality)  # a saved mesh carries its report


@register
@dataclass(frozen=True, eq=False)
class HostMesh:
    """The mended mesh in float64, and what is known about it.

    It is compared and hashed by its fingerprint and unit, so a jitted function may hold it as a static value.

    Args:
        vertices: Vertices, in `unit`.
        faces: The vertex numbers of each face.
        origin: Which face of the mesh as given each face is, or is a piece of.
        normals: The outward unit normal of each face.
        areas: The area of each face, in `unit` squared.
        unit: The unit of length.
        source: The file's name, for messages.
        quality: The report on the mesh as given.
        notes: What the reader noticed and what was mended.
        closed: Whether the surface has an inside, so that signs can be trusted.
        fingerprint: SHA-256 of vertices and faces.
    """

    vertices: Float64[np.ndarray, "v 3"]
    faces: Int32[np.ndarray, "f 3"]
    origin: Int32[np.ndarray, " f"]
    normals: Float64[np.ndarray, "f 3"]
    areas: Float64[np.ndarray, " f"]
    unit: str
    source: str
    quality: MeshQuality
    notes: tuple[str, ...]
    closed: bool
    fingerprint: str = field(default="")

    def __post_init__(self) -> None:
        for array in (self.vertices, self.faces, self.origin, self.normals, self.areas):
            array.setflags(write=False)
        digest = self.fingerprint or fingerprint(self.vertices, self.faces)
        object.__setattr__(self, "fingerprint", digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HostMesh) and (self.fingerprint, self.unit) == (
            other.fingerprint,
            other.unit,
        )

    def __hash__(self) -> int:
        return hash((self.fingerprint, self.unit))


def fingerprint(vertices: Float64[np.ndarray, "v 3"], faces: np.ndarray) -> str:
    """Returns the SHA-256 of a mesh."""
    shape = np.array([len(vertices), len(faces)], np.int64)
    return hashlib.sha256(shape.tobytes() + vertices.tobytes() + faces.astype(np.int64).tobytes()).hexdigest()
