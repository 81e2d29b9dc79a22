"""The required check `review`: green where nothing widens, or where the approving role has approved this commit."""

from __future__ import annotations

from atlas_access.base import Report, Status


def required_check(answer: str, approval: str) -> Report:
    """`answer` is the review's exit code, `approval` how the job in the approvers' environment ended."""
    name = "required check review"
    if answer == "0":
        return Report(name, Status.GOOD, "PASSED", "nobody gains access; no approval is needed")
    if answer == "1" and approval == "success":
        return Report(
            name, Status.GOOD, "APPROVED", "the change widens access and was approved for this commit"
        )
    if answer == "1":
        what = "the change widens access and was not approved for this commit"
        return Report(
            name, Status.BAD, "NOT APPROVED", what, remedy="Approve the job `approval` of this run."
        )
    what = f"the review gave no answer (exit {answer or 'unknown'})"
    return Report(name, Status.UNKNOWN, "UNKNOWN", what, remedy="See the job `compare` of this run.")
