"""The answer to who-can, in sentences: first the answer, then by which role and through which variable."""

from __future__ import annotations

from collections.abc import Iterator

from atlas_access.review.matrix_text import accepted_lines, used_as
from atlas_access.review.who_can import Answer, Holder


def render(answer: Answer) -> str:
    """The answer as plain lines; nobody is an answer too."""
    return "\n".join(_lines(answer)) + "\n"


def _lines(answer: Answer) -> Iterator[str]:
    names = list(dict.fromkeys(holder.user for holder in answer.holders))
    yield f"{', '.join(names) or 'Nobody'} can {answer.action} on {answer.place}."
    for holder in answer.holders:
        yield f"  {_sentence(holder)}"
    yield from accepted_lines(answer.accepted)


def _sentence(holder: Holder) -> str:
    uses = dict.fromkeys(used_as(use, holder.environment) for use in holder.uses if use.consumer != "local")
    mark = f" ⚠{','.join(holder.waivers)}" if holder.waivers else ""
    carried = f"; carried by {', '.join(uses)}" if uses else ""
    return f"{holder.user} on {holder.environment}, by {holder.role}{carried}{mark}"
