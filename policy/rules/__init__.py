"""The rules, by what they are about. A rule decides what is never allowed; it changes, looks up and prints nothing."""

from __future__ import annotations

from typing import Final

from policy.model import Rule
from policy.rules.boundaries import ACCOUNTS_BY_LAW, NO_CLUSTER_CHANGES, PROJECT_ISOLATION
from policy.rules.forms import WELL_FORMED
from policy.rules.phases import ADDITIVE_PROVISION, RETIRE_GATED
from policy.rules.proof import PROOF_BEFORE_BIND
from policy.rules.readers import READER_ROLES, SECRET_READERS
from policy.rules.roles import AUDIT_LOG_APPEND_ONLY, ROLES_BY_LAW
from policy.rules.secret import PROTECTED_RESOURCES, SECRET_SETTINGS, SECRET_VALUE
from policy.rules.services import OTHER_READERS, SERVICES_BY_LAW
from policy.rules.tasks import BINDINGS_BY_LAW, DEPRECATED_ENV_VARS, SECRETS_BY_ARN_AND_VERSION, TASKS_BY_LAW
from policy.rules.texts import NO_PLAINTEXT_URI
from policy.rules.users import PASSWORD_STRENGTH, USER_CAP, USERS_BY_LAW

RULES: Final[tuple[Rule, ...]] = (
    *(WELL_FORMED, NO_CLUSTER_CHANGES, PROJECT_ISOLATION, ACCOUNTS_BY_LAW),
    *(ROLES_BY_LAW, USERS_BY_LAW, AUDIT_LOG_APPEND_ONLY, USER_CAP, PASSWORD_STRENGTH, PROTECTED_RESOURCES),
    *(SECRET_SETTINGS, SECRET_VALUE, NO_PLAINTEXT_URI),
    *(BINDINGS_BY_LAW, DEPRECATED_ENV_VARS, SECRETS_BY_ARN_AND_VERSION, TASKS_BY_LAW),
    *(SERVICES_BY_LAW, OTHER_READERS, SECRET_READERS, READER_ROLES),
    *(ADDITIVE_PROVISION, RETIRE_GATED, PROOF_BEFORE_BIND),
)
