"""Observe live systems: what a credential can really do, what answers, what runs.

For: proving credentials against the MongoDB server itself, reading secrets at the moment of use, and asking AWS and
Atlas what is there. Decisions are made by `access` from frozen records; this package only asks and records.

Never: changes anything (a proof leaves nothing behind, even where it is wrongly allowed), returns, logs, stores or
raises a connection string, sends a byte to an address that the endpoints overlay refuses, or waits without a limit.
"""
