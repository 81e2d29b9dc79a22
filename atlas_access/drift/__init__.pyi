from . import observe as observe
from .compare import Wanted as Wanted
from .compare_tasks import reference as reference
from .finding import Difference as Difference, Drift as Drift, Identity as Identity, Kind as Kind
from .issue import LABEL as LABEL, decide as decide
from .model import BoundVariable as BoundVariable, SeenSecret as SeenSecret
from .observe import look as look
from .report import drift_report as drift_report
from .words import counted as counted, listed as listed, moment as moment
