"""The world on one machine: real `mongod`s, the Atlas Admin API, AWS, providers and an engine, on loopback.

It exists so that the whole job can be watched and tested without an account. It must never open a connection
to a host that is not loopback, and nothing but `atlas_access/cli/sandbox.py` and `tests/` may import it.
"""
