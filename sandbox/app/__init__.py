"""The demonstration's application: eligibility, plans, coverage checks and the agents' waiting list, in one process.

It stands for the code that a migration must not break, so it comes in several builds. It must never write a
connection string, a password or a person's address into its log or into an answer.
"""
