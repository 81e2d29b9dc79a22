"""The only code that opens a socket: MongoDB, Atlas, AWS, GitHub and HTTP."""
