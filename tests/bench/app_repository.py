"""The git repository that is measured with: N job files, and the commits that change one of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

# Distinct from what anybody would call a job of theirs: these are purged from the Nomad that is measured.
PREFIX = "loop-bench-"
BRANCH = "main"

# A mock task costs a Nomad next to nothing, and disabled logs save it one process a task.
_JOB = """\
job "{name}" {{
  datacenters = ["*"]

  update {{
    min_healthy_time  = "1s"
    healthy_deadline  = "20s"
    progress_deadline = "60s"
  }}

  group "main" {{
    ephemeral_disk {{
      size = 10
    }}

    task "main" {{
      driver = "{driver}"

      config {{
{config}
      }}

      env {{
        REVISION = "{revision}"
      }}

      logs {{
        disabled      = true
        max_files     = 1
        max_file_size = 1
      }}

      resources {{
        cpu    = 10
        memory = 10
      }}
    }}
  }}
}}
"""

_CONFIG = {
    "mock_driver": '        run_for = "24h"',
    "raw_exec": '        command = "/bin/sleep"\n        args    = ["86400"]',
}
DRIVERS = tuple(_CONFIG)


class AppRepository:
    """A working copy in `folder`; the daemon follows it as a git URL. `driver` runs the tasks."""

    def __init__(self, *, folder: Path, apps: int, driver: str) -> None:
        self._folder = folder
        self._driver = driver
        self.apps = apps
        (folder / "apps").mkdir(parents=True)
        self._git("init", "-q", "-b", BRANCH)
        self._git("config", "user.name", "bench")
        self._git("config", "user.email", "bench@example.invalid")
        for number in range(apps):
            self._write(number, "0")
        self._git("add", "apps")
        self._git("commit", "-q", "-m", f"{apps} apps")

    @property
    def url(self) -> str:
        return self._folder.absolute().as_uri()

    def change(self, number: int, revision: str) -> str:
        """Commit a change of one app; its name."""
        path = self._write(number, revision)
        self._git("add", str(path))
        self._git("commit", "-q", "-m", f"{path.name} to {revision}")
        return name(number)

    def _write(self, number: int, revision: str) -> Path:
        path = self._folder / "apps" / f"{name(number)}.nomad.hcl"
        config = _CONFIG[self._driver]
        path.write_text(_JOB.format(name=name(number), driver=self._driver, config=config, revision=revision))
        return path

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", "-C", str(self._folder), *arguments], check=True, stdout=subprocess.DEVNULL)


def name(number: int) -> str:
    return f"{PREFIX}{number:05d}"
