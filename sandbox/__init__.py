"""A local environment on loopback: `mongod` replica sets, an Atlas Admin API emulator, AWS by moto, and an engine."""
