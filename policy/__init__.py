"""The policy pack of ADR 0001, 0002 and 0006: rejects configurations that are never allowed.

It judges resources as an engine registers them, and exported deployments. It must never import another package of
this repository, change anything, or put a secret's value in a message.
"""
