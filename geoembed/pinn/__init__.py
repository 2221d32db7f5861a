"""Physics in real parts: problems on signed distances, solved by networks, with the evidence beside the answer."""

from ._certificate import Certificate as Certificate
from ._certificate import certify as certify
from ._certificate import judge as judge
from ._certificate import require_fem as require_fem
from ._conditions import Convection as Convection
from ._conditions import FaceConditions as FaceConditions
from ._conditions import HeatFlux as HeatFlux
from ._conditions import Temperature as Temperature
from ._equations import SteadyHeat as SteadyHeat
from ._fem_reference import FemReference as FemReference
from ._fem_reference import fem_reference as fem_reference
from ._field import SplineField as SplineField
from ._problem import Problem as Problem
from ._result import Result as Result
from ._solve import Progress as Progress
from ._solve import solve as solve
