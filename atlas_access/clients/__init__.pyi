from .alarms import Alarm as Alarm, alarms_now as alarms_now
from .atlas import (
    HISTORY as HISTORY,
    MOST_LOGINS as MOST_LOGINS,
    Atlas as Atlas,
)
from .atlas_sign_in import (
    DEPLOYER as DEPLOYER,
    READ_ONLY_ACCOUNT as READ_ONLY_ACCOUNT,
    READ_ONLY_KEY as READ_ONLY_KEY,
    SOAK_ACCOUNT as SOAK_ACCOUNT,
    SOAK_KEY as SOAK_KEY,
    CredentialsMissing as CredentialsMissing,
    SignIn as SignIn,
    sign_in_from as sign_in_from,
)
from .aws import (
    account_id as account_id,
    caller_arn as caller_arn,
    client as client,
    items as items,
    new_session as new_session,
    pages as pages,
)
from .balanced import failed_requests as failed_requests
from .calls import show_calls as show_calls
from .cluster_state import await_applied as await_applied, cluster_addresses as cluster_addresses
from .ecs import (
    RunningRevision as RunningRevision,
    clusters as clusters,
    describe_definition as describe_definition,
    describe_service as describe_service,
    latest_revision as latest_revision,
    log_groups as log_groups,
    running_definitions as running_definitions,
    running_revision as running_revision,
    tags_of as tags_of,
)
from .errors import (
    AtlasUnread as AtlasUnread,
    AwsUnavailable as AwsUnavailable,
    GitHubUnavailable as GitHubUnavailable,
    ServiceError as ServiceError,
    read_or_unread as read_or_unread,
)
from .github import GitHub as GitHub
from .http import session as session
from .issues import Change as Change, Issue as Issue, Write as Write
from .logs import Logs as Logs, mail_event as mail_event, shown as shown, stream_lines as stream_lines
from .lookups import (
    CURRENT as CURRENT,
    MADE_HERE as MADE_HERE,
    CurrentSecret as CurrentSecret,
    StoredSecret as StoredSecret,
    current_of as current_of,
    current_secret as current_secret,
    every_version as every_version,
    key_behind as key_behind,
    read_connection_string as read_connection_string,
    read_value as read_value,
    restore_secret as restore_secret,
    stages_of as stages_of,
    stored_secret as stored_secret,
)
from .model import (
    MADE_LABEL as MADE_LABEL,
    PASSWORD as PASSWORD,
    USABLE as USABLE,
    ObservedCluster as ObservedCluster,
    ObservedCredentials as ObservedCredentials,
    ObservedEvent as ObservedEvent,
    ObservedKey as ObservedKey,
    ObservedLogins as ObservedLogins,
    ObservedRole as ObservedRole,
    ObservedUser as ObservedUser,
    Place as Place,
    Scope as Scope,
)
from .mongo import Reply as Reply, Server as Server, ServerUnusable as ServerUnusable
from .mongo_answers import (
    ATLAS_BAD_LOGIN as ATLAS_BAD_LOGIN,
    ATLAS_ERROR as ATLAS_ERROR,
    AUTHENTICATION_FAILED as AUTHENTICATION_FAILED,
    Answer as Answer,
    Failure as Failure,
    Login as Login,
    judge_login as judge_login,
)
from .other_account import (
    AccountTarget as AccountTarget,
    account_unread as account_unread,
    role_arn as role_arn,
    server_time as server_time,
    session_in as session_in,
    taken_on as taken_on,
    wrong_account as wrong_account,
)
from .pipeline import Sending as Sending
from .retry import HttpReply as HttpReply, Retry as Retry, Unanswered as Unanswered
