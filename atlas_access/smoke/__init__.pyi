from .baseline import (
    Baseline as Baseline,
    BaselineRefused as BaselineRefused,
    read_baseline as read_baseline,
    renewal as renewal,
)
from .browser_found import MISSING as MISSING, find_chromium as find_chromium
from .browser_kept import letting_go as letting_go
from .file import SmokeInvalid as SmokeInvalid, load_smoke as load_smoke
from .gates import Gate as Gate, GateReport as GateReport, GateResult as GateResult, Standing as Standing
from .judge import (
    Contract as Contract,
    judge_drug as judge_drug,
    judge_eligibility as judge_eligibility,
    judge_plans as judge_plans,
    judge_provider as judge_provider,
    plan_ids as plan_ids,
)
from .model import Smoke as Smoke
from .replies import Reply as Reply
from .report import gates_report as gates_report, result_line as result_line
from .run import (
    BaselineNotGreen as BaselineNotGreen,
    SmokeOrder as SmokeOrder,
    capture as capture,
    first_answers as first_answers,
    one_round as one_round,
    run as run,
)
from .task_secrets import Place as Place
from .waitlist import MAIL_VARIABLE as MAIL_VARIABLE, SignUp as SignUp
