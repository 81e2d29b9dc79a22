from .labels import CREATED as CREATED, first_generation as first_generation, generation_in as generation_in
from .legal import Pending as Pending, refusals as refusals
from .observe import pending as pending
from .plan import Change as Change, RotationRefused as RotationRefused, Verb as Verb, plan as plan
from .run import (
    keep_way_back as keep_way_back,
    make_current as make_current,
    refuse_leaving as refuse_leaving,
)
from .write import uncommitted as uncommitted, with_settings as with_settings
