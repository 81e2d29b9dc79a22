from .atlas import PAGE_SIZE as PAGE_SIZE, Atlas as Atlas, AtlasUnread as AtlasUnread
from .atlas_sign_in import (
    READ_ONLY_ACCOUNT as READ_ONLY_ACCOUNT,
    READ_ONLY_KEY as READ_ONLY_KEY,
    CredentialsMissing as CredentialsMissing,
    SignIn as SignIn,
    sign_in_from as sign_in_from,
)
from .aws import (
    CURRENT as CURRENT,
    AwsUnavailable as AwsUnavailable,
    RunningRevision as RunningRevision,
    account_id as account_id,
    ask as ask,
    client as client,
    current_version as current_version,
    latest_revision as latest_revision,
    new_session as new_session,
    read_connection_string as read_connection_string,
    running_revision as running_revision,
    session_by as session_by,
)
from .balanced import failed_requests as failed_requests
from .cluster_state import await_applied as await_applied, cluster_addresses as cluster_addresses
from .github import GitHub as GitHub, GitHubUnavailable as GitHubUnavailable
from .http import session as session
from .issues import Change as Change, Issue as Issue, Write as Write
from .logs import Logs as Logs, says_sent as says_sent, shown as shown
from .lookups import (
    CurrentSecret as CurrentSecret,
    current_secret as current_secret,
    key_arn as key_arn,
    key_behind as key_behind,
)
from .model import (
    PASSWORD as PASSWORD,
    USABLE as USABLE,
    Place as Place,
    Scope as Scope,
    SeenCluster as SeenCluster,
    SeenEvent as SeenEvent,
    SeenKey as SeenKey,
    SeenLogins as SeenLogins,
    SeenRole as SeenRole,
    SeenUser as SeenUser,
)
from .mongo import Reply as Reply, Server as Server
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
    AccountPlace as AccountPlace,
    server_time as server_time,
    session_in as session_in,
    taken_on as taken_on,
)
from .pipeline import Sending as Sending
from .retry import HttpReply as HttpReply, Patience as Patience, Unanswered as Unanswered
