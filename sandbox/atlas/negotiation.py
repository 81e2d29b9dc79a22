"""Negotiates headers and query parameters and encodes the answer.

Source: the Atlas Administration API (versioned media types, pagination; `envelope` and `pretty` are ignored). A dated
version is served by the newest version of the resource that is not younger; plain `application/json` is no version.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode

from sandbox.atlas.errors import AtlasError

_MEDIA = re.compile(r"application/vnd\.atlas\.(\d{4}-\d{2}-\d{2})\+json")
_DEFAULT_PAGE = 100
_MAX_PAGE = 500
_MAX_PARAMETERS = 200
PAGING = ("pageNum", "itemsPerPage", "includeCount")


def media_type(version: str) -> str:
    """Return the media type of a version."""
    return f"application/vnd.atlas.{version}+json"


def resolve(header: str, versions: Sequence[str]) -> str | None:
    """Return the version that serves the header's media type, None when there is none."""
    for offer in header.split(","):
        asked = _MEDIA.fullmatch(offer.split(";")[0].strip())
        fitting = [version for version in versions if asked and version <= asked[1]]
        if fitting:
            return max(fitting)
    return None


def agreed(header: str, versions: Sequence[str], refusal: str) -> str:
    """Return the version that serves the header's media type; raises `AtlasError` with the code given."""
    version = resolve(header, versions)
    if version is None:
        raise AtlasError(refusal, ", ".join(media_type(v) for v in versions))
    return version


@dataclass(frozen=True)
class Query:
    """The query of an address; every getter raises `AtlasError` 400 for a value of another form."""

    text: str

    def all(self, name: str) -> list[str]:
        """Return all values of a parameter, also those joined by commas."""
        try:
            values = parse_qs(self.text, keep_blank_values=True, max_num_fields=_MAX_PARAMETERS)
        except ValueError:
            raise AtlasError(
                "VALIDATION_ERROR", f"a query has at most {_MAX_PARAMETERS} parameters"
            ) from None
        return [part for value in values.get(name, []) for part in value.split(",") if part]

    def one(self, name: str, default: str = "") -> str:
        """Return the first value of a parameter."""
        return next(iter(self.all(name)), default)

    def matching(self, name: str, form: str) -> list[str]:
        """Return all values of a parameter, each of which has this form (a regular expression)."""
        values = self.all(name)
        if not all(re.fullmatch(form, value) for value in values):
            raise AtlasError("INVALID_QUERY_PARAMETER", name)
        return values

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a parameter that is true or false."""
        value = self.one(name, str(default)).lower()
        if value not in {"true", "false"}:
            raise AtlasError("INVALID_QUERY_PARAMETER", name)
        return value == "true"

    def number(self, name: str, default: int, lowest: int, highest: int = 2**53) -> int:
        """Return a whole number within bounds."""
        value = self.one(name, str(default))
        if not re.fullmatch(r"[0-9]{1,16}", value) or not lowest <= int(value) <= highest:
            raise AtlasError("INVALID_QUERY_PARAMETER", name)
        return int(value)

    def only(self, *names: str) -> None:
        """Refuse the filters of Atlas that are not offered here, as ignoring one would answer another question."""
        for name in parse_qs(self.text, keep_blank_values=True):
            if name not in {*names, "envelope", "pretty"}:
                raise AtlasError("INVALID_QUERY_PARAMETER", name)


def page(query: Query, address: str, items: Sequence[Any]) -> dict[str, Any]:
    """Return one page of a list with its links and, unless not wanted, the count of all."""
    number = query.number("pageNum", 1, 1)
    size = query.number("itemsPerPage", _DEFAULT_PAGE, 1, _MAX_PAGE)
    count = query.flag("includeCount", default=True)

    def link(rel: str, which: int) -> dict[str, str]:
        asked = {"includeCount": str(count).lower(), "pageNum": which, "itemsPerPage": size}
        return {"rel": rel, "href": f"{address}?{urlencode(asked)}"}

    links = [link("self", number)]
    if number > 1:
        links.append(link("previous", number - 1))
    if number * size < len(items):
        links.append(link("next", number + 1))
    shown = {"links": links, "results": list(items[(number - 1) * size : number * size])}
    return {**shown, "totalCount": len(items)} if count else shown


def encode(body: Any) -> bytes:
    """Write JSON without white space."""
    return json.dumps(body, separators=(",", ":")).encode()
