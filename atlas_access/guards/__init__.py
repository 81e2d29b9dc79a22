"""Static checks of a source tree and of stored values: what a pull request must not bring in.

Each guard is a pure function over what `source`, `git` and `validate_secrets` read. They change no file and print no
secret; what could not be read is unknown.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
