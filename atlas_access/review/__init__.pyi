from . import (
    deployment_json as deployment_json,
    matrix_html as matrix_html,
    policy_explained as policy_explained,
)
from .agreement import agreement_report as agreement_report
from .declaration import Declaration as Declaration, Effect as Effect, Part as Part
from .deployment import (
    Change as Change,
    Deployment as Deployment,
    Moment as Moment,
    Operation as Operation,
    Progress as Progress,
    Proof as Proof,
    Step as Step,
    Swap as Swap,
)
from .deployment_text import (
    doing as doing,
    failure_lines as failure_lines,
    plan_lines as plan_lines,
    progress_line as progress_line,
    summary_line as summary_line,
)
from .documents import documents as documents
from .evidence import EvidenceInvalid as EvidenceInvalid, observations as observations
from .evidence_folder import Context as Context, evidence_files as evidence_files
from .from_git import BaseUnread as BaseUnread, base_of as base_of, commit_of as commit_of
from .markdown import code as code, escape as escape
from .matrix import (
    AcceptedFinding as AcceptedFinding,
    Matrix as Matrix,
    Observation as Observation,
    build as build,
)
from .matrix_report import matrix_report as matrix_report
from .policy import (
    advice_lines as advice_lines,
    policy_report as policy_report,
    refusal_lines as refusal_lines,
    said_by_pack as said_by_pack,
)
from .policy_places import line_of as line_of
from .pulumi_plan import PlanUnread as PlanUnread, access_of_plan as access_of_plan
from .read_declaration import of_commit as of_commit, of_folder as of_folder
from .review_report import Reviewed as Reviewed, review as review, review_report as review_report
from .who_can import Answer as Answer, QuestionInvalid as QuestionInvalid, who_can as who_can
from .who_can_report import declared_report as declared_report, live_report as live_report
