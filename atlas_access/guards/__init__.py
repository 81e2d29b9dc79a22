"""Static checks of a source tree and of stored values: what a pull request must not bring in.

Each guard is a pure function over what was read (`atlas_access/guards/source.py`, `atlas_access/guards/git.py`,
`guards/stored.py` read). It must never change a file, print a secret, or take what it could not read for clean.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
