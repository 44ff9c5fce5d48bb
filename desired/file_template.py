"""Files in the container: each a template of Nomad's that is mounted where the app looks for it.

What comes from Vault or a Nomad variable is kept in the task's secrets, which are in memory only.
"""

from __future__ import annotations

from collections.abc import Mapping

from desired.env_template import looked_up
from desired.job.spec import Template
from desired.manifest import File

# A text that is to be taken as it is must not open any of these.
_DELIMITERS = (("{{", "}}"), ("[[", "]]"), ("<<<", ">>>"), ("[%[", "]%]"))


def file_templates(files: Mapping[str, File]) -> tuple[Template, ...]:
    """One a file, in their order."""
    return tuple(_template(path, file) for path, file in files.items())


def file_mounts(files: Mapping[str, File]) -> list[str]:
    """As Docker's `volumes` has them: what is below the task's own folder may be mounted on any node."""
    return [f"{_place(path, file)}:{path}:ro" for path, file in files.items()]


def _place(path: str, file: File) -> str:
    secret = file.vault is not None or file.nomad is not None
    return f"{'secrets' if secret else 'local'}/files{path}"


def _template(path: str, file: File) -> Template:
    destination = _place(path, file)
    if file.content is None:
        data = file.template if file.template is not None else looked_up(file)
        return Template(data=data, destination=destination, perms=file.mode, error_on_missing_key=True)
    left, right = _unused(file.content)
    custom = left != _DELIMITERS[0][0]
    return Template(
        data=file.content,
        destination=destination,
        perms=file.mode,
        left_delimiter=left if custom else None,
        right_delimiter=right if custom else None,
    )


def _unused(text: str) -> tuple[str, str]:
    """Delimiters of which the left one is not in the text: what opens nothing is closed by nothing."""
    for left, right in _DELIMITERS:
        if left not in text:
            return left, right
    length = 4
    while "<" * length in text:
        length += 1
    return "<" * length, ">" * length
