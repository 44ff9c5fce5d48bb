"""Which files of a codebase are nobody's app, by their names: what tools made, what was vendored, what is a copy."""

from __future__ import annotations

# Folders that hold no code of the app, wherever they stand.
FOLDERS = frozenset(
    {
        ".git", ".hg", ".svn", ".github", ".circleci", ".devcontainer",
        ".idea", ".vscode", ".venv", "venv", "virtualenv", "node_modules", "bower_components",
        "vendor", "third_party", "__pycache__", ".cache", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox", ".nox",
        ".gradle", ".m2", ".next", ".nuxt", ".terraform", ".eggs", ".yarn", ".pnpm-store", "site-packages", "backup",
        "backups", ".backup", "docs", "doc", "coverage", "htmlcov",
    }
)  # fmt: skip
_BACKUP_ENDS = ("~", ".bak", ".orig", ".old", ".swp", ".tmp")


def hidden_folder(name: str) -> bool:
    """Whether nothing below a folder of this name is looked at."""
    return name in FOLDERS or name.endswith((".egg-info", ".bak"))


def hidden(path: str) -> bool:
    """Whether a path is below a hidden folder, or a hidden file."""
    *folders, name = path.split("/")
    return hidden_file(name) or any(hidden_folder(folder) for folder in folders)


def nothing_kept(mount: str) -> bool:
    """Whether a place in a container is for the moment, or what a tool installs: `/tmp`, `/app/node_modules`."""
    return mount.rstrip("/") in ("/tmp", "/var/tmp", "/run", "/var/run") or hidden_folder(mount.rpartition("/")[2])


def hidden_file(name: str) -> bool:
    """Whether a file of this name is a copy that an editor or a person left."""
    return name.endswith(_BACKUP_ENDS)
