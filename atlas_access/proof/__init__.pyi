from .code_digest import code_digest as code_digest
from .evidence import Proof as Proof, Subject as Subject
from .expectations import Expectations as Expectations, expectations as expectations
from .live_access import LiveHolder as LiveHolder, live_holders as live_holders
from .proof_report import proof_report as proof_report
from .proof_task import HERE as HERE, RUNNERS as RUNNERS, TASK as TASK, ProofTask as ProofTask
from .renewal import renewed as renewed, reread as reread
from .report import (
    ProofReport as ProofReport,
    Proven as Proven,
    Standing as Standing,
    declared_proven as declared_proven,
)
from .request import ProofRequest as ProofRequest
from .run_spot import SpotOrder as SpotOrder, spot_proof as spot_proof
from .run_stack import (
    candidates as candidates,
    prove_candidates as prove_candidates,
    runbook_candidates as runbook_candidates,
    write_row as write_row,
)
from .runbook import probe_set as probe_set
from .runners import Made as Made, make_all as make_all
from .spot import SpotInvalid as SpotInvalid
from .stack_secrets import Stack as Stack
from .verdict import Verdict as Verdict
