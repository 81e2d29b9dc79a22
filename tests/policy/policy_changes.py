"""Changes to a resource of the policy tests, and to the shipped law, by path."""

import copy
import json
import re
from dataclasses import replace

from policy_world import LAW_TEXT, ROOT

from policy.law_file import parse_law
from policy.values import UNKNOWN


def put(value, path, new):
    """Set what is at a path such as `roles[0].roleName`; `[+]` appends to a list."""
    *way, last = re.findall(r"[^.\[\]]+", path)
    for key in way:
        value = value[int(key)] if isinstance(value, list) else value.setdefault(key, {})
    if last == "+":
        value.append(new)
    elif isinstance(value, list):
        value[int(last)] = new
    elif new is None:
        del value[last]
    else:
        value[last] = new


def changed(resource, changes, options=None):
    """A copy of a resource with values set by path, None taking one away."""
    props = copy.deepcopy(dict(resource.props))
    for path, new in changes.items():
        put(props, path, UNKNOWN if new == "<unknown>" else new)
    return replace(resource, props=props, **(options or {}))


def changed_law(changes):
    """The shipped law with values set by path (`common/users/app_read`)."""
    raw = json.loads(LAW_TEXT)
    for path, new in changes.items():
        *way, last = path.split("/")
        place = raw
        for key in way:
            place = place.setdefault(key, {})
        if new is None:
            del place[last]
        else:
            place[last] = new
    return parse_law(json.dumps(raw), ROOT)
