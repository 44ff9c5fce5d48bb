"""Another text in a heredoc: only the lines that differ are written anew, each with the margin that the heredoc has."""

from __future__ import annotations

import difflib

from desired.job.hcl_nodes import Node, Template
from desired.operations.hcl_file import HclFile
from desired.operations.splice import Splice


def kept_heredoc(file: HclFile, node: Node, new: str) -> list[Splice]:
    """Empty where the value is no heredoc, or where one cannot hold the text."""
    raw = file.piece(node.place)
    if not isinstance(node, Template) or not raw.startswith("<<"):
        return []
    opening, *lines, closing = raw.split("\n")
    end = "\r" if opening.endswith("\r") else ""
    text = new.replace("\r\n", "\n") if end else new
    if not text.endswith("\n") or "\r" in text:
        return []
    margin = _margin(lines) if opening.startswith("<<-") else ""
    escaped = "$${" if "$${" in raw else "${"
    wanted = [
        f"{margin}{one}{end}" if one else end
        for one in text.replace("${", escaped).replace("%{", "%%{").removesuffix("\n").split("\n")
    ]
    if closing.strip() in (one.strip() for one in wanted):
        return []
    made: list[str] = []
    for tag, i, i_end, j, j_end in difflib.SequenceMatcher(a=lines, b=wanted, autojunk=False).get_opcodes():
        made += lines[i:i_end] if tag == "equal" else wanted[j:j_end]
    return [Splice(*node.place, "\n".join([opening, *made, closing]))]


def _margin(lines: list[str]) -> str:
    """The least that a line of the text begins with; the closing mark's own does not count."""
    told = [one[: len(one) - len(one.lstrip(" \t"))] for one in lines if one.strip()]
    return min(told, key=len, default="")
