"""Quasicrystals: the periodic crystal in higher dimensions of which they are a slice."""

from ._approximant import Approximant as Approximant
from ._approximant import approximant as approximant
from ._approximant import icosahedral_periods as icosahedral_periods
from ._approximant import minimum_distance as minimum_distance
from ._ball_points import ball_points as ball_points
from ._integral_formalism import StraightDislocation as StraightDislocation
from ._integral_formalism import peach_koehler as peach_koehler
from ._integral_formalism import straight_dislocation as straight_dislocation
from ._invariants import ElasticInvariants as ElasticInvariants
from ._invariants import InvariantBlock as InvariantBlock
from ._invariants import InvariantCounts as InvariantCounts
from ._invariants import count_invariants as count_invariants
from ._invariants import distortion_basis as distortion_basis
from ._invariants import elastic_constants_of as elastic_constants_of
from ._invariants import elastic_invariants as elastic_invariants
from ._invariants import elastic_tensor as elastic_tensor
from ._point_group import PointGroup as PointGroup
from ._point_group import point_group as point_group
from ._stability import stability_limits as stability_limits
from ._stability import stability_margin as stability_margin
from ._stability import strain_form as strain_form
