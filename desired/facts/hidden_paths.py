"""Which files of a codebase are nobody's app: what tools made, what was vendored, what ignore files name.

One table of names, and the rules of .gitignore files, each for its own folder.
"""

from __future__ import annotations

from collections.abc import Iterable

from pathspec import GitIgnoreSpec

# Folders that hold no code of the app, wherever they stand.
FOLDERS = frozenset(
    {
        ".git", ".hg", ".svn", ".idea", ".vscode", ".venv", "venv", "virtualenv", "node_modules", "bower_components",
        "vendor", "third_party", "__pycache__", ".cache", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox", ".nox",
        ".gradle", ".m2", ".next", ".nuxt", ".terraform", ".eggs", ".yarn", ".pnpm-store", "site-packages", "backup",
        "backups", ".backup", "docs", "doc", "coverage", "htmlcov",
    }
)  # fmt: skip
_BACKUP_ENDS = ("~", ".bak", ".orig", ".old", ".swp", ".tmp")


def hidden_folder(name: str) -> bool:
    """Whether nothing below a folder of this name is looked at."""
    return name in FOLDERS or name.endswith((".egg-info", ".bak"))


def hidden_file(name: str) -> bool:
    """Whether a file of this name is a copy that an editor or a person left."""
    return name.endswith(_BACKUP_ENDS)


class IgnoreRules:
    """The .gitignore files from the root down to one folder; a rule further down overrides those above.

    Source: gitignore(5). What is ignored as a folder is not looked into, so that nothing in it can be taken back.
    """

    def __init__(self, parts: tuple[tuple[str, GitIgnoreSpec], ...] = ()) -> None:
        self._parts = parts

    def within(self, folder: str, text: str | None) -> IgnoreRules:
        """The rules for what is in `folder` ("" for the root), whose .gitignore has this text; None if it has none."""
        if text is None:
            return self
        return IgnoreRules((*self._parts, (folder, spec(text.splitlines()))))

    def hide(self, path: str, *, folder: bool) -> bool:
        """Whether the path, relative to the root, is ignored."""
        for base, rules in reversed(self._parts):
            relative = path[len(base) + 1 :] if base else path
            found = rules.check_file(f"{relative}/" if folder else relative)
            if found.include is not None:
                return bool(found.include)
        return False


def spec(lines: Iterable[str]) -> GitIgnoreSpec:
    """A file of rules; a line that is no pattern hides nothing."""
    kept = []
    for line in lines:
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            continue
        kept.append(line)
    return GitIgnoreSpec.from_lines(kept)
