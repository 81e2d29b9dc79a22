from . import (
    allowances as allowances,
    docs_sync as docs_sync,
    env_var_coverage as env_var_coverage,
    local_values as local_values,
    no_uri_in_git as no_uri_in_git,
    reference_collections as reference_collections,
    replacements as replacements,
    silent_fall_back as silent_fall_back,
    validate_secrets as validate_secrets,
)
from .finding import (
    Guard as Guard,
    Report as Report,
    noted as noted,
    report as report,
)
from .git import (
    GitUnread as GitUnread,
    history_lines as history_lines,
    ignored as ignored,
    is_shallow as is_shallow,
    tracked_files as tracked_files,
)
from .local_values import value_problems as value_problems
from .report_guards import guards_report as guards_report
from .source import Tree as Tree, read_tree as read_tree
from .terraform_ownership import declared_secrets as declared_secrets, judge_directory as judge_directory
from .tracked import as_tracked as as_tracked, left_out as left_out
from .validate_secrets import Cluster as Cluster
