from . import observe as observe
from .compare_tasks import reference as reference
from .finding import Difference as Difference, Drift as Drift, Identity as Identity, Kind as Kind
from .issue import LABEL as LABEL, decide as decide
from .messages import counted as counted, listed as listed, moment as moment
from .model import BoundVariable as BoundVariable, ObservedSecret as ObservedSecret
from .observe import observe_stack as observe_stack
from .report import drift_report as drift_report
from .wanted import Wanted as Wanted
