"""What long computations share: resumable solvers, logs, requests to stop."""

from ._conjugate_gradient import CGState as CGState
from ._conjugate_gradient import ConjugateGradient as ConjugateGradient
from ._interrupt import StopRequest as StopRequest
from ._log import JsonLines as JsonLines
