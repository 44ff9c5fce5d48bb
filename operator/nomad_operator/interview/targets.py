"""Where manifests go: `apps/NAME.yaml` below the current folder, or where `--output` says. Pure but for one look."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from desired.errors import UsageError

FOLDER = "apps"
STDOUT = "-"


@dataclass(frozen=True, slots=True)
class Targets:
    """`output` is a file, a folder (with a slash at its end, or one that is there), `-`, or None."""

    output: str | None = None

    def of(self, app: str, *, apps: int) -> Path | None:
        """None is standard output. Raises UsageError where one file would have to hold several apps."""
        if self.output == STDOUT:
            return None
        if self.output is None or self._is_folder:
            return self._folder / f"{app}.yaml"
        if apps > 1:
            raise UsageError(
                f"{self.output} is one file for {apps} apps",
                hint="--app takes one of them; or name a folder, with a / at its end",
            )
        return Path(self.output)

    def kept(self, codebase: str) -> Path:
        """The file that keeps answers for a while, beside what they become."""
        if self.output not in (None, STDOUT) and not self._is_folder:
            name = Path(str(self.output)).stem
        else:
            name = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in codebase) or "code"
        return self._folder / f".{name}.answers"

    def folder_of(self, code: Path) -> str | None:
        """Where the code is in the repository that the manifests go to, with "/"; None where it is in another."""
        here, code = self._folder.resolve(), code.resolve()
        root = next((one for one in (here, *here.parents) if (one / ".git").exists()), None)
        return code.relative_to(root).as_posix() if root is not None and code.is_relative_to(root) else None

    @property
    def _is_folder(self) -> bool:
        return self.output is not None and (self.output.endswith("/") or Path(self.output).is_dir())

    @property
    def _folder(self) -> Path:
        if self.output is None:
            return Path(FOLDER)
        if self.output == STDOUT:
            return Path()
        return Path(self.output) if self._is_folder else Path(self.output).parent
