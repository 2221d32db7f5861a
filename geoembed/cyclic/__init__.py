"""Cyclic quantities (hours, angles, phases) as points on a circle or a torus, exactly periodic."""

from ._circle import Decoded as Decoded
from ._circle import Mean as Mean
from ._circle import decode as decode
from ._circle import difference as difference
from ._circle import distance as distance
from ._circle import encode as encode
from ._circle import interpolate as interpolate
from ._circle import mean as mean
from ._cyclic import Cyclic as Cyclic
from ._cyclic_spline import CyclicSpline as CyclicSpline
from ._fold import fold as fold
from ._harmonics import harmonics as harmonics
from ._kernels import VonMises as VonMises
from ._kernels import WrappedGaussian as WrappedGaussian
from ._kernels import von_mises as von_mises
from ._kernels import wrapped_gaussian as wrapped_gaussian
from ._periodic_layer import PeriodicLayer as PeriodicLayer
from ._random_features import CircleFeatures as CircleFeatures
from ._sine import cos_turns as cos_turns
from ._sine import sin_turns as sin_turns
from ._spline import spline_basis as spline_basis
from ._time2vec import Time2Vec as Time2Vec
from ._torus import Torus as Torus
