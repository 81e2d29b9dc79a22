"""What may never be: the policy pack of ADR 0001, 0002 and 0006.

Judges resources as an engine registers them, and deployments as they were exported, whoever wrote the program.
It must never import any other package of this repository, change anything, or put a secret's value in a message.
"""
