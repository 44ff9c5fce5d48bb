"""What is wrong with a template of Nomad's by its text alone: what its client would refuse when the task starts. Pure.

Nothing is run, and only what Go's parser refuses without a doubt is told; what a newer one may have learned is not.
Source: Go's text/template/parse, parse.go; consul-template v0.42.1. Messages are in their words: those are what a
person would read on the task, and what the failure is known by.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from desired.template_functions import FUNCTIONS
from desired.template_tokens import Action, Word, actions

_OPENERS = ("if", "range", "with", "define", "block")
_CONSTANTS = frozenset({"true", "false", "nil"})
# Delimiters that people write where the template has others.
_OTHERS = (("{{", "}}"), ("[[", "]]"))
_READS = r"(?:with\s+|range\s+|if\s+)?(?:secret|key|keyOrDefault|nomadVar|service|nomadService|env)\s+[\"`]"


@dataclass(frozen=True, slots=True)
class Mistake:
    """`line` counts from 1 within the template; `function` is the one that is not defined. Where it is not `sure`, the
    template does something else than it seems to."""

    line: int
    message: str
    hint: str = ""
    function: str = ""
    sure: bool = True


@dataclass(slots=True)
class _Block:
    """One that is open, with the variables that it brings."""

    word: str
    line: int
    variables: set[str] = field(default_factory=set)
    left: bool = False  # its `else` is behind


def mistakes(text: str, *, left: str = "{{", right: str = "}}") -> tuple[Mistake, ...]:
    """The first, in the order of the text, of those that end reading it; all functions that are not defined."""
    found: list[Mistake] = []
    open_blocks = [_Block("", 0, {"$"})]
    for action in actions(text, left=left, right=right):
        for one in _of_action(action, open_blocks):
            found.append(one)
            if not one.function:
                return tuple(found)
    if len(open_blocks) > 1:
        last = open_blocks[-1]
        found.append(Mistake(last.line, "unexpected EOF", f"the {{{{ {last.word} }}}} of this line is not closed"))
    return (*found, *_other_delimiters(text, left, right))


def _of_action(action: Action, blocks: list[_Block]) -> Iterator[Mistake]:
    words, line = action.words, action.line
    if action.problem:
        yield Mistake(line, action.problem, "the action that begins here has no end that fits")
        return
    if not words:
        yield Mistake(line, "missing value for command", "nothing stands between the delimiters")
        return
    word = words[0].text if words[0].kind == "name" else ""
    if word == "end":
        yield from _end(words, blocks)
    elif word == "else":
        yield from _else(words, blocks)
    elif word in ("break", "continue") and len(words) == 1:
        if not any(block.word == "range" for block in blocks):
            yield Mistake(line, f"{{{{{word}}}}} outside {{{{range}}}}")
    elif word == "template":
        yield from _expression(words[2:], blocks)
    elif word in _OPENERS:
        inside = words[2:] if word in ("define", "block") else words[1:]
        # A template of its own knows no variable of what is around it.
        blocks.append(_Block(word, line))
        if word != "define":
            yield from _expression(inside, blocks, of_range=word == "range", what=word)
    else:
        yield from _expression(words, blocks)


def _end(words: Sequence[Word], blocks: list[_Block]) -> Iterator[Mistake]:
    if len(blocks) == 1:
        yield Mistake(words[0].line, "unexpected {{end}}", "no block is open here: leave it out")
    elif len(words) > 1:
        yield Mistake(words[0].line, f"unexpected {words[1].text} in end", "nothing else stands in an end")
    else:
        blocks.pop()


def _else(words: Sequence[Word], blocks: list[_Block]) -> Iterator[Mistake]:
    block = blocks[-1]
    if block.word not in ("if", "range", "with") or block.left:
        yield Mistake(words[0].line, "unexpected {{else}}", "no if, with or range is open here")
    elif len(words) == 1:
        block.left = True
    elif words[1].text in ("if", "with") and words[1].kind == "name":
        yield from _expression(words[2:], blocks, what=f"else {words[1].text}")
    else:
        yield Mistake(words[0].line, f"unexpected {words[1].text} in else", "`else` alone, or `else if`")


def _expression(
    words: Sequence[Word], blocks: list[_Block], *, of_range: bool = False, what: str = "command"
) -> Iterator[Mistake]:
    if not words:
        yield Mistake(blocks[-1].line, f"missing value for {what}", f"write what {what} is to look at")
        return
    yield from _parentheses(words)
    for before, word, after in zip([None, *words[:-1]], words, [*words[1:], None], strict=True):
        if word.kind == "variable":
            declared = after is not None and (after.text in (":=", "=") or (of_range and after.text == ","))
            if declared or (of_range and before is not None and before.text == "," and word.text != "$"):
                blocks[-1].variables.add(word.text)
            elif not any(word.text in block.variables for block in blocks):
                yield Mistake(word.line, f'undefined variable "{word.text}"', "it is set in another block, or nowhere")
                return
        elif word.kind == "name" and word.text not in FUNCTIONS | _CONSTANTS:
            message = f'function "{word.text}" not defined'
            yield Mistake(word.line, message, "", word.text)
        elif word.text == "|" and before is None:
            yield Mistake(word.line, "missing value for command", "a value stands before a |")
            return


def _parentheses(words: Sequence[Word]) -> Iterator[Mistake]:
    depth = 0
    for word in words:
        depth += (word.text == "(" and word.kind == "sign") - (word.text == ")" and word.kind == "sign")
        if depth < 0:
            yield Mistake(word.line, "unexpected right paren", "no parenthesis is open here")
            return
    if depth:
        yield Mistake(words[0].line, "unclosed left paren", "a parenthesis is not closed")


def _other_delimiters(text: str, left: str, right: str) -> Iterator[Mistake]:
    """Nothing of it is a template, and between other delimiters stands what Nomad would have to look up."""
    if left in text:
        return
    for other, closing in _OTHERS:
        found = re.search(rf"{re.escape(other)}-?\s*{_READS}", text)
        if found and closing in text[found.end() :] and other != left:
            line = text.count("\n", 0, found.start()) + 1
            told = f"what stands between {other} and {closing} is left as it is: the delimiters are {left} and {right}"
            yield Mistake(
                line, told, f"write {left} and {right}, or set left_delimiter and right_delimiter", sure=False
            )
            return
