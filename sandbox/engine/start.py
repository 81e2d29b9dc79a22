"""`python -m sandbox.engine.start MODULE [ARGUMENT...]`: runs a host of Pulumi's SDK with a patient garbage collector.

Importing the SDKs makes many objects that all stay, and looking through them again and again is a quarter of a host's
start. Must never change anything else about how the module runs.
"""

import gc
import runpy
import sys


def patient() -> None:
    """Looks for garbage rarely; there is little of it in a process that lives for one run."""
    gc.set_threshold(50_000, 20, 100)


if __name__ == "__main__":
    patient()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
