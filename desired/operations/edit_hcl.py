"""Writes operations into a job file that a person wrote: only the changed literals, comments and layout stay.

An edited text always reads as the job with the operations applied; where no edit does, NotLiteral says why, and the
text is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from desired.errors import InvalidDesired
from desired.job.hcl_json import is_json
from desired.job.hcl_read import read_job
from desired.job.hcl_text import quoted_text
from desired.operations import words
from desired.operations.apply import apply
from desired.operations.edit_json import edit_json
from desired.operations.hcl_file import HclFile
from desired.operations.hcl_follow import follow
from desired.operations.hcl_fragment import fragment_candidates, refused_fragment
from desired.operations.hcl_operation_edit import place_of, splices
from desired.operations.hcl_value_edit import set_attribute
from desired.operations.not_literal import NotLiteral
from desired.operations.operation import Kind, Operation
from desired.operations.place import every
from desired.operations.same_job import same_job
from desired.operations.table import How, row
from desired.state import JobBody


def edit(text: str, operations: Iterable[Operation], *, variables: str = "") -> str:
    """The job file with the operations written into it, one after the other; `variables` are those beside it.

    Raises NotLiteral, PreconditionGone, and InvalidDesired for a text that is no job.
    """
    for operation in operations:
        text = edit_json(text, operation) if is_json(text) else _edited(text, operation, variables)
    return text


def patch(text: str, operations: Iterable[Operation], *, variables: str = "") -> str:
    """What the operations come to, as a diff of the job as HCL without secrets: for a person to write by hand."""
    return words.diff(read_job(text, variables), tuple(operations))


def _edited(text: str, operation: Operation, variables: str) -> str:
    body = read_job(text, variables)
    wanted = apply(body, (operation,))
    for candidate in _candidates(text, body, operation):
        try:
            if same_job(read_job(candidate, variables), wanted):
                return candidate
        except InvalidDesired:
            continue
    if row(operation.kind).how is How.FRAGMENT:
        file = HclFile.of(text)
        block = follow(file, operation, body, place_of(body, operation).steps)
        raise refused_fragment(file, operation, block)
    raise NotLiteral(operation, "what is written around it makes something else of the change")


def _candidates(text: str, body: JobBody, operation: Operation) -> Iterator[str]:
    file = HclFile.of(text)
    if row(operation.kind).how is How.FRAGMENT:
        for place in every(body, row(operation.kind), operation.at):
            block = follow(file, operation, body, place.steps)
            for pieces in fragment_candidates(file, operation, block):
                yield file.spliced(pieces)
    elif operation.kind is Kind.TEMPLATE_DELIMITERS:
        block = follow(file, operation, body, place_of(body, operation).steps)
        left, _, right = str(operation.new).partition(" ")
        once = HclFile.of(
            file.spliced(set_attribute(file, operation, block, "left_delimiter", None, quoted_text(left)))
        )
        block = follow(once, operation, body, place_of(body, operation).steps)
        yield once.spliced(set_attribute(once, operation, block, "right_delimiter", None, quoted_text(right)))
    else:
        yield file.spliced(splices(file, body, operation))
        # A variable may be used, or set, elsewhere too: then why the place itself cannot be written is to be told.
        plain = HclFile.of(text, here=True)
        yield plain.spliced(splices(plain, body, operation))
