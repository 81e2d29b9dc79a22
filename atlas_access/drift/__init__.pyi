from . import (
    observe as observe,
    report as report,
    report_markdown as report_markdown,
    report_text as report_text,
)
from .compare import Wanted as Wanted
from .compare_tasks import reference as reference
from .finding import Answer as Answer, Drift as Drift, Finding as Finding, Kind as Kind
from .issue import LABEL as LABEL, decide as decide
from .model import BoundVariable as BoundVariable, SeenSecret as SeenSecret
from .observe import look as look
from .report import counted as counted, moment as moment
from .words import listed as listed
