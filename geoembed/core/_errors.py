"""The library's typed errors."""

from pathlib import Path


class GeoembedError(Exception):
    """Base class of every error that geoembed raises on purpose."""


class _PlacedError(GeoembedError):
    """An error with a place: file, where in it, what is wrong, how to mend it."""

    def __init__(self, file: str | Path, where: str, reason: str, hint: str):
        self.file = str(file)
        self.where = where
        self.reason = reason
        self.hint = hint
        super().__init__(self.file, where, reason, hint)

    def __str__(self) -> str:
        place = f"{self.file}: {self.where}" if self.where else self.file
        return f"{place}: {self.reason}. {self.hint}."


class InputError(_PlacedError, ValueError):
    """Input from outside (a file, a configuration, an argument) cannot be used.

    Args:
        file: The file the input came from, or a short name of the input when there is no file.
        where: The place inside it: "line 12", "byte 84", "facet 3", "[patches.base]".
        reason: What is wrong, in one sentence without a full stop.
        hint: How to mend it, in one sentence without a full stop.
    """


class ArtefactError(_PlacedError):
    """A saved artefact is damaged, foreign, or does not fit the class it claims to be.

    Args:
        file: The artefact's folder.
        where: The file and the name inside it: "manifest.json", "arrays.npz, vertices".
        reason: What is wrong, in one sentence without a full stop.
        hint: How to mend it, in one sentence without a full stop.
    """
