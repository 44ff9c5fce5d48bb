"""Templates that do not parse, or whose lines are no environment: the one mechanical correction."""

from __future__ import annotations

import re

from desired.operations.operation import Kind
from observers.failures.failure_class import FailureClass
from reconcilers.repair.proposal import Answer, Case
from reconcilers.repair.rules import job_parts
from reconcilers.repair.rules.near_miss import near_miss
from reconcilers.repair.rules.rule import Edit, Rule, choose, fix
from reconcilers.repair.rules.template_text import (
    FUNCTIONS,
    MEANT,
    OPENERS,
    SETS,
    Template,
    first_word,
    templates_of,
    words_called,
)

# Delimiters that people choose when `{{` means something else to what the template makes.
_OTHERS = (("[[", "]]"), ("<<", ">>"), ("((", "))"), ("{%", "%}"))
_YAML_LINE = re.compile(r"([A-Za-z_]\w*):[ \t]+(.*)")


def _templates(case: Case) -> list[Template]:
    """Of the diagnosis's task; only the one it names where it names one."""
    found = job_parts.task_of(case)
    if found is None:
        return []
    return templates_of(*found, case.diagnosis.facts.get("destination", ""))


def _function(case: Case) -> Answer:
    """A function that is not defined: misspelt, or of another language, whose braces Nomad should leave alone."""
    wrong = case.diagnosis.facts.get("function", "")
    if not wrong:
        return None
    using = [one for one in _templates(case) if any(wrong in words_called(found[1]) for found in one.actions())]
    if len(using) != 1:
        return None
    (template,) = using
    other = _other_delimiters(template)
    reason = f"the template {template.at[2]} calls {wrong}, which is no function"
    if other is not None:
        ground = f"functions of Nomad's stand between {' and '.join(other)}"
        return fix(case, reason, (Edit(Kind.TEMPLATE_DELIMITERS, template.at, " ".join(other), ground),))
    meant = near_miss(wrong, MEANT)
    if meant is None:
        return None
    edits = []
    for action in dict.fromkeys(found[0] for found in template.actions() if wrong in words_called(found[1])):
        new = re.sub(rf"(?<![\w.$\"]){re.escape(wrong)}(?!\w)", meant, action, count=1)
        ground = f"the function that is spelt almost so: {meant}"
        edits.append(Edit(Kind.TEMPLATE_SYNTAX, template.at, new, ground, old=action))
    return fix(case, reason, edits)


def _other_delimiters(template: Template) -> tuple[str, str] | None:
    """Delimiters between which every action calls only Nomad's functions, while none of the current ones does."""
    if any(first_word(found[1]) in FUNCTIONS - OPENERS - {"end", "else"} for found in template.actions()):
        return None
    fitting = []
    for left, right in _OTHERS:
        moved = Template(template.at, template.text, template.env, left, right)
        told = [found[1] for found in moved.actions()]
        if told and all(first_word(one) in FUNCTIONS for one in told):
            fitting.append((left, right))
    return fitting[0] if len(fitting) == 1 and (template.left, template.right) not in fitting else None


def _unbalanced(case: Case) -> Answer:
    """One block that is not closed is closed at the end; one `end` too many at the end is dropped."""
    problem = case.diagnosis.facts.get("problem", "")
    found = []
    for template in _templates(case):
        told = list(template.actions())
        depth = sum((first_word(one[1]) in OPENERS) - (first_word(one[1]) == "end") for one in told)
        if depth:
            found.append((template, told, depth))
    if len(found) != 1:
        return None
    template, told, depth = found[0]
    last = told[-1][0]
    if template.text.count(last) != 1:
        return None
    if depth == 1 and "unexpected EOF" in problem and not any(first_word(one[1]) == "else" for one in told):
        tail = template.text[template.text.index(last) :].rstrip("\n")
        new = f"{tail}{template.left} end {template.right}"
        reason = f"a block of the template {template.at[2]} is not closed"
        return fix(case, reason, (Edit(Kind.TEMPLATE_SYNTAX, template.at, new, "the missing `end`", old=tail),))
    if depth == -1 and "unexpected {{end}}" in problem and first_word(told[-1][1]) == "end":
        reason = f"the template {template.at[2]} has an `end` too many"
        return fix(case, reason, (Edit(Kind.TEMPLATE_SYNTAX, template.at, "", "without the last `end`", old=last),))
    return None


def _bad_line(case: Case) -> Answer:
    """A line that sets nothing: written as in YAML, a value of several lines, or no environment at all."""
    marked = [one for one in _templates(case) if one.env]
    line = case.diagnosis.facts.get("line", "")
    if len(marked) != 1 or not line.isdigit():
        return None
    (template,) = marked
    lines = template.text.split("\n")
    telling = [one for one in lines if one.strip() and not one.lstrip().startswith("#")]
    sets = [one for one in telling if SETS.match(_bare(template, one)) or not _bare(template, one).strip()]
    reason = f"line {line} of {template.at[2]} sets no variable"
    if not any(SETS.match(_bare(template, one)) for one in telling):
        if template.text.lstrip()[:1] in ("{", "[", "<") and not template.text.lstrip().startswith(template.left):
            ground = "no line of it sets a variable"
            return fix(case, reason, (Edit(Kind.TEMPLATE_ENV, template.at, False, ground),))
        return choose(reason, ("`env = false`, if it is a file", "NAME=value in each line"))
    wrong = [one for one in telling if one not in sets]
    if wrong:
        edits = []
        for one in wrong:
            told = _YAML_LINE.fullmatch(one.strip())
            if told is None or template.text.count(one) != 1:
                return choose(reason, ("NAME=value in each line", "`env = false`, if it is a file"))
            ground = "NAME=value, as an environment is written"
            edits.append(Edit(Kind.TEMPLATE_SYNTAX, template.at, f"{told[1]}={told[2]}", ground, old=one.strip()))
        return fix(case, reason, edits)
    return _several_lines(case, template, lines, int(line))


def _several_lines(case: Case, template: Template, lines: list[str], line: int) -> Answer:
    """Each line of the template is sound, so a value has several lines: the one rendered just before the bad line."""
    if not 2 <= line <= len(lines) + 1:
        return None
    before = lines[line - 2]
    told = [one for one in template.actions() if one[0] in before and SETS.match(before)]
    values = [one for one in told if first_word(one[1]) not in OPENERS | {"end", "else"}]
    reason = f"a value in {template.at[2]} has several lines"
    if len(values) != 1 or "toJSON" in values[0][1] or template.text.count(values[0][0]) != 1:
        return choose(reason, ("`| toJSON` behind the value", "`env = false`, if it is a file"))
    action = values[0][0]
    inner = values[0][1]
    new = action.replace(inner, f"{inner} | toJSON", 1)
    ground = "toJSON keeps a value of several lines in one"
    return fix(case, reason, (Edit(Kind.TEMPLATE_SYNTAX, template.at, new, ground, old=action),))


def _bare(template: Template, line: str) -> str:
    """A line without its blocks' openers and ends, which render to nothing; an action with a value stays as `x`."""

    def rendered(found: re.Match[str]) -> str:
        word = first_word(found[1].strip(" -"))
        return "" if word in OPENERS | {"end", "else"} or found[1].strip(" -").startswith("/*") else "x"

    return re.sub(re.escape(template.left) + r"(.*?)" + re.escape(template.right), rendered, line)


RULES = (
    Rule(name="template-function", classes=(FailureClass.TEMPLATE_SYNTAX,), propose=_function),
    Rule(name="template-blocks", classes=(FailureClass.TEMPLATE_SYNTAX,), propose=_unbalanced),
    Rule(name="template-environment", classes=(FailureClass.TEMPLATE_ENV_BAD,), propose=_bad_line),
)
