"""The only code that moves an ECS service or retires legacy access.

Plans are pure (`plan`), effects are named and thin (`service`), and the dynamic resources are shells around both.
Nothing here swaps a task that has not been proven, and nothing leaves a service between two revisions: a rollout
ends on the revision it was asked for, or on the one that ran before.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
