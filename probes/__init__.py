"""Observe live systems: what a credential can really do, what answers, what runs.

Decisions are made by `atlas_access` from frozen records; this package only asks and records. A proof leaves nothing
behind, even where it is wrongly allowed.
"""
