from .acknowledged import (
    OLD_NAMES as OLD_NAMES,
    What as What,
)
from .addresses import (
    Address as Address,
    AddressForm as AddressForm,
    AddressMissing as AddressMissing,
    ClusterAddresses as ClusterAddresses,
    PrivateEndpoint as PrivateEndpoint,
)
from .clock import (
    Clock as Clock,
    ClockRefused as ClockRefused,
    advance as advance,
    advanced as advanced,
    clock_for as clock_for,
    seconds_of as seconds_of,
)
from .connection import (
    ConnectionInvalid as ConnectionInvalid,
    ConnectionString as ConnectionString,
    Secret as Secret,
    compose as compose,
)
from .connection_options import judge_options as judge_options
from .endpoints import EndpointRefused as EndpointRefused, Endpoints as Endpoints, is_loopback as is_loopback
from .env_file import Entry as Entry, LocalText as LocalText, ValueUnwritable as ValueUnwritable
from .finding import Finding as Finding, Location as Location, Status as Status, worst as worst
from .formats import Format as Format, render as render
from .generations import Generations as Generations, both_logins as both_logins, login_of as login_of
from .github_text import plain as plain
from .observed import REVOKED as REVOKED, HeldRole as HeldRole, Unread as Unread
from .phases import (
    VERIFIED_HOURS as VERIFIED_HOURS,
    Phase as Phase,
    RotationStep as RotationStep,
    Step as Step,
    confirmation_for as confirmation_for,
)
from .redaction import Redactor as Redactor, one_line as one_line, redact as redact
from .redaction_forms import encoded_forms as encoded_forms
from .render_json import finding_document as finding_document
from .render_markdown import finding_lines as finding_lines
from .render_text import printable as printable
from .report import Report as Report, Rule as Rule, Section as Section, Table as Table
from .settings import (
    PROJECT as PROJECT,
    Settings as Settings,
    SettingsInvalid as SettingsInvalid,
    check_settings as check_settings,
    stack_files as stack_files,
)
from .task_definition import (
    REGISTRATION_FACTS as REGISTRATION_FACTS,
    BoundSecret as BoundSecret,
    DefinitionUnusable as DefinitionUnusable,
    MongoVariables as MongoVariables,
    SecretReference as SecretReference,
    bind as bind,
    canonical_containers as canonical_containers,
    changed_versions as changed_versions,
    registrable as registrable,
    same_definition as same_definition,
    secret_references as secret_references,
    with_secrets as with_secrets,
)
from .yaml_errors import (
    ManifestError as ManifestError,
    ManifestInvalid as ManifestInvalid,
    character as character,
    shown as shown,
    suggestion as suggestion,
)
from .yaml_reader import (
    SIZE_LIMIT as SIZE_LIMIT,
    Document as Document,
    Path as Path,
    Plain as Plain,
    dotted as dotted,
    read_yaml as read_yaml,
)
