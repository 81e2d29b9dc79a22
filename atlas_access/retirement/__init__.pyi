from . import (
    env_example as env_example,
    observe_bindings as observe_bindings,
    observe_logins as observe_logins,
    write_local_file as write_local_file,
)
from .bindings import LegacyNames as LegacyNames
from .consumers import refuse_while_consumed as refuse_while_consumed
from .inventory import legacy_inventory as legacy_inventory
from .journal import Stage as Stage
from .model import (
    Condition as Condition,
    met as met,
    open_ones as open_ones,
    unknown as unknown,
    unmet as unmet,
)
from .observe_inventory import observe_legacy as observe_legacy
from .observe_status import baseline_captured as baseline_captured, facts as facts
from .observe_undo import consumed as consumed, retirement_journal as retirement_journal
from .observed import (
    BoundRevision as BoundRevision,
    ObservedAccount as ObservedAccount,
    SoakLogins as SoakLogins,
)
from .report import RetirementRefused as RetirementRefused
from .report_inventory import inventory_report as inventory_report
from .report_status import status_report as status_report
from .scope import scope_of as scope_of, secrets_to_let_go as secrets_to_let_go
from .status import Fact as Fact, State as State, Step as Step, migration as migration
from .status_facts import StatusOrder as StatusOrder
from .undo import (
    Recipe as Recipe,
    UndoPhase as UndoPhase,
    deleted as deleted,
    recipe as recipe,
    untouched as untouched,
)
from .wiring import leave as leave, restore as restore, retire as retire, show_gate as show_gate
