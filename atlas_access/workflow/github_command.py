"""The `gh` command, with the workflow's own token: the one way from here to GitHub."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import Any


class GitHubFailed(Exception):
    """The command failed; the message is its first line, with what was asked."""


@dataclass(frozen=True)
class GitHub:
    """One repository."""

    repository: str

    def api(self, path: str, **fields: str) -> Any:
        """A call of the REST API below the repository; with fields it writes, by `method`. Raises GitHubFailed."""
        method = fields.pop("method", "GET")
        words = ["api", f"repos/{self.repository}/{path}", "--method", method]
        for name, value in fields.items():
            words += ["--raw-field", f"{name}={value}"]
        return json.loads(self._run(*words) or "null")

    def pages(self, path: str) -> list[Any]:
        """Every entry of a list of the REST API. Raises GitHubFailed."""
        text = self._run("api", f"repos/{self.repository}/{path}", "--paginate", "--slurp")
        return [entry for page in json.loads(text) for entry in page]

    def download(self, run: str, name: str, folder: str) -> bool:
        """Whether a run's artifact of that name is there; its files are put into the folder."""
        try:
            self._run("run", "download", run, "--repo", self.repository, "--name", name, "--dir", folder)
        except GitHubFailed:
            return False
        return True

    def _run(self, *words: str) -> str:
        done = subprocess.run(["gh", *words], capture_output=True, text=True, check=False)  # noqa: S603, S607 - gh by fixed words
        if done.returncode:
            first = next(iter(done.stderr.splitlines()), "no answer")
            raise GitHubFailed(f"gh {' '.join(words[:2])}: {first}")
        return done.stdout
