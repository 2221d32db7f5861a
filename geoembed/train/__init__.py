"""What long computations share: resumable solvers, what of a model is trained, logs, requests to stop."""

from ._change import Changes as Changes
from ._conjugate_gradient import CGState as CGState
from ._conjugate_gradient import ConjugateGradient as ConjugateGradient
from ._descend import Descent as Descent
from ._descend import DescentProgress as DescentProgress
from ._descend import descend as descend
from ._interrupt import StopRequest as StopRequest
from ._least_squares import LevenbergMarquardt as LevenbergMarquardt
from ._least_squares import LMState as LMState
from ._log import JsonLines as JsonLines
from ._quasi_newton import QNState as QNState
from ._quasi_newton import QuasiNewton as QuasiNewton
from ._residuals import Rows as Rows
from ._rule import Train as Train
from ._soap import scale_by_soap as scale_by_soap
from ._soap import soap as soap
from ._trainable import trainable as trainable
from ._trained import Trainable as Trainable
from ._trained import Trained as Trained
