from .actions import (
    ATLAS_ACTIONS as ATLAS_ACTIONS,
    ActionScope as ActionScope,
    atlas_name as atlas_name,
    display_name as display_name,
    mongo_actions as mongo_actions,
    version_numbers as version_numbers,
)
from .builtin_roles import (
    BUILTIN_ROLES as BUILTIN_ROLES,
    Effect as Effect,
    effect_of as effect_of,
    is_documented as is_documented,
    major_of as major_of,
    version_warning as version_warning,
)
from .excess import Excess as Excess, excess as excess
from .identity import (
    IDENTITY_COMMAND as IDENTITY_COMMAND,
    Identity as Identity,
    read_identity as read_identity,
)
from .model import (
    DEFAULT_MAJOR as DEFAULT_MAJOR,
    Privilege as Privilege,
    Privileges as Privileges,
    Scope as Scope,
    actions_on as actions_on,
    builtin_privileges as builtin_privileges,
    excess_sentence as excess_sentence,
    missing_sentence as missing_sentence,
    patch_privileges as patch_privileges,
    sentences_of as sentences_of,
)
