"""What everything else stands on: errors, artefacts, declared properties, operations with safe gradients."""

from ._artefact import load as load
from ._artefact import load_meta as load_meta
from ._artefact import save as save
from ._errors import (
    ArtefactError as ArtefactError,
)
from ._errors import (
    GeoembedError as GeoembedError,
)
from ._errors import (
    InputError as InputError,
)
from ._networks._fourier import FourierFeatures as FourierFeatures
from ._networks._hash_grid import HashGrid as HashGrid
from ._networks._mlp import MLP as MLP
from ._networks._modified_mlp import ModifiedMLP as ModifiedMLP
from ._networks._pirate_net import PirateNet as PirateNet
from ._networks._separable import Separable as Separable
from ._networks._siren import Siren as Siren
from ._parameters import is_parameter as is_parameter
from ._points import one_point as one_point
from ._properties import Property as Property
from ._random import host_generator as host_generator
from ._random import on_device as on_device
from ._random import rows_on_device as rows_on_device
from ._registry import register as register
from ._safe import arccos as arccos
from ._safe import norm as norm
from ._safe import sinc as sinc
from ._safe import sqrt as sqrt
