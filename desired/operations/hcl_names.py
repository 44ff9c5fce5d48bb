"""Follows a name of the job file's own to what gives it its value: a variable's default, a local.

Whether others use the name as well, or a value beside the file overrides the default, is for whoever reads the edited
file to see.
"""

from __future__ import annotations

from desired.job.hcl_nodes import Node, Parentheses, TemplateWrap, Traversal
from desired.operations.hcl_file import HclFile


def own_value(file: HclFile, node: Node) -> Node | None:
    """The expression that the name stands for; None for anything but `var.NAME` and `local.NAME`."""
    while isinstance(node, Parentheses | TemplateWrap):
        node = node.inner
    if not isinstance(node, Traversal) or len(node.steps) != 1 or not node.steps[0].attribute:
        return None
    name = str(node.steps[0].key)
    if node.source == "var":
        blocks = [one for one in file.body.blocks if one.type == "variable" and one.labels == [name]]
        found = [one.body.attributes.get("default") for one in blocks]
    elif node.source == "local":
        found = [one.body.attributes.get(name) for one in file.body.blocks if one.type == "locals"]
    else:
        return None
    return next((one.value for one in found if one is not None), None)
