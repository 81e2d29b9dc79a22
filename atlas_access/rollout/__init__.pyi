from .alarms import alarm_names as alarm_names
from .closing import close as close, ungated as ungated
from .deployment_kind import unsupported as unsupported
from .gates import (
    UNGATED as UNGATED,
    Gates as Gates,
    baseline_digest as baseline_digest,
    baseline_file as baseline_file,
)
from .loop import SILENT_SECONDS as SILENT_SECONDS, StepLoop as StepLoop
from .model import ServiceState as ServiceState, short as short
from .observe_soak import Preceding as Preceding, observed as observed
from .repair import spent_by as spent_by, spent_finding as spent_finding, tagged as tagged
from .report import RolloutFailed as RolloutFailed
from .rollback import RollbackRefused as RollbackRefused, roll_back as roll_back
from .service import Service as Service, ServiceMissing as ServiceMissing
from .service_tags import (
    LONGEST as LONGEST,
    PREFIX as PREFIX,
    ServiceTags as ServiceTags,
    TagUnwritable as TagUnwritable,
    clean as clean,
    read_service_tags as read_service_tags,
)
from .soak import ObservedSoak as ObservedSoak, named as named, refusals as refusals, released as released
from .stack import (
    PROJECT_FOLDER as PROJECT_FOLDER,
    own_settings as own_settings,
    say as say,
    service_of as service_of,
    settings_of as settings_of,
)
from .version_labels import definitions as definitions, pinned as pinned, unlabelled as unlabelled
from .watch_soak import watch_soak as watch_soak
from .wiring import (
    gates_for as gates_for,
    record_prior as record_prior,
    roll_out as roll_out,
    settle_lease as settle_lease,
    undo_rollout as undo_rollout,
)
