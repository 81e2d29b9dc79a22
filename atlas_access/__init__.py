"""MongoDB Atlas credentials for services on AWS ECS: declared, proven, moved, watched and retired.

A folder is a word of the domain and holds everything about it; docs/architecture.md shows which may import which.
"""
