"""What long computations share: resumable solvers, logs, requests to stop."""

from ._conjugate_gradient import CGState as CGState
from ._conjugate_gradient import ConjugateGradient as ConjugateGradient
from ._descend import Descent as Descent
from ._descend import DescentProgress as DescentProgress
from ._descend import descend as descend
from ._interrupt import StopRequest as StopRequest
from ._log import JsonLines as JsonLines
