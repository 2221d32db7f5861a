"""Atomic structures: strict files in, neighbourhoods and models of them."""

from ._elements import SYMBOLS as SYMBOLS
from ._elements import atomic_number as atomic_number
from ._extxyz import Frame as Frame
from ._extxyz import read_extxyz as read_extxyz
from ._inspect import inspect_frames as inspect_frames
from ._inspect import minimum_distance as minimum_distance
