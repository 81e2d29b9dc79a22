"""Pure decisions: who may do what in MongoDB, which task receives which credential, and what that means.

For: the manifest and its errors, privileges and the actions they grant, connection strings, redaction, the overlay of
outgoing addresses, and everything that can be decided from frozen records alone.

Never: reads a file, opens a socket, starts a process, or imports pulumi, boto3, pymongo or requests. Whoever needs an
effect passes in what was read and carries out what was decided.
"""
