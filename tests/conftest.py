"""What every test shares: measurements are said at the end, and no example is judged by its time.

A test that measured something says it at the end, also when workers ran it. Machines are noisy: hypothesis sets no
deadline. `make unit` takes the profile `quick`, fewer examples of each; `make test` all of them.
"""

from typing import Any

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=20)
settings.load_profile("untimed")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print each line that a test recorded under `says`; workers hand recorded properties to the session's end."""
    reports = [each for kind in ("passed", "failed") for each in terminalreporter.stats.get(kind, ())]
    for line in (text for each in reports for name, text in each.user_properties if name == "says"):
        terminalreporter.write_line(str(line))
