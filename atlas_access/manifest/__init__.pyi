from .forms import CollectionName as CollectionName, VariableName as VariableName
from .inputs import InputsInvalid as InputsInvalid, judged as judged
from .known_users import KnownKind as KnownKind, KnownUser as KnownUser, load_known_users as load_known_users
from .load import load_manifest as load_manifest
from .model import Manifest as Manifest
from .privileges import (
    declared_privileges as declared_privileges,
    tolerated_privileges as tolerated_privileges,
    users_who_can as users_who_can,
)
from .records import (
    ADMIN_DATABASE as ADMIN_DATABASE,
    LOCAL as LOCAL,
    Binding as Binding,
    Collection as Collection,
    Consumer as Consumer,
    CustomRole as CustomRole,
    DataClass as DataClass,
    LegacyUser as LegacyUser,
    Retention as Retention,
    RoleRef as RoleRef,
    User as User,
    ViewFamily as ViewFamily,
    Waiver as Waiver,
)
from .shape import (
    Mistake as Mistake,
    Version as Version,
    check_shape as check_shape,
    form as form,
    report as report,
    wrong as wrong,
)
from .waivers import AUDIT as AUDIT, AUDIT_ACTIONS as AUDIT_ACTIONS
