"""News as text: by a template that people may replace, with every value made harmless for the receiver.

What stands in a notice may come out of an app's log. It must not ring everybody's bell in a chat, load an image from
somewhere, or look like a line of its own. Text of the template itself goes out as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from nomad_operator.news.notice import Kind, Notice, Topic
from nomad_operator.news.target import Form

_SHOWN = 15
_LONGEST_VALUE = 500
# Sources: Discord's API docs, "Create message"; Mattermost docs, MaxPostSize; Slack docs, "Truncating content".
_LONGEST = {Form.DISCORD: 2000, Form.MATTERMOST: 16_000, Form.SLACK: 39_000, Form.JSON: 100_000}
_MOST_RENDERED = 200_000

DEFAULT = """\
{% if total > shown|length %}{{ total }} things to tell:\
{% for kind, number in counts.items() %} {{ number }} {{ kind }}{{ "," if not loop.last }}{% endfor %}

{% endif %}
{% for notice in shown %}
{{ notice.title }}{% if notice.text %}: {{ notice.text }}{% endif %}

{% for command in notice.commands %}
    `{{ command }}`
{% endfor %}
{% endfor %}
{% if total > shown|length %}
and {{ total - shown|length }} more: `nomad-operator status` lists them
{% endif %}
"""

# Whoever is called by name in a chat is called: a character without width between keeps it a word.
_BREAK = "\u200b"
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


class TemplateProblem(Exception):
    """The template cannot be used; the words are for the person who wrote it."""


class Words:
    """One template, for one form."""

    def __init__(self, *, form: Form, template: str = DEFAULT) -> None:
        """TemplateProblem for one that cannot be used, tried on made-up news."""
        self._form = form
        # The sandbox lets a template see what it is given and nothing behind it; it cannot change that either.
        environment = ImmutableSandboxedEnvironment(
            undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False, finalize=self._harmless
        )
        try:
            self._template = environment.from_string(template)
        except TemplateError as error:
            raise TemplateProblem(_where(error)) from error
        for made_up in (_EXAMPLE, _EXAMPLE * (_SHOWN + 1)):
            self._render(made_up)

    def text(self, news: Sequence[Notice]) -> str:
        """What is sent: never longer than the receiver takes. TemplateProblem if the template fails on this."""
        text = self._render(news)
        most = _LONGEST[self._form]
        return text if len(text) <= most else f"{text[: most - 2].rpartition(chr(10))[0] or text[: most - 2]}\n…"

    def _render(self, news: Sequence[Notice]) -> str:
        shown = list(news[:_SHOWN])
        counts = {kind.value: number for kind in Kind if (number := sum(1 for one in news if one.kind is kind))}
        size, parts = 0, []
        try:
            for part in self._template.generate(shown=shown, total=len(news), counts=counts):
                size += len(part)
                parts.append(part)
                if size > _MOST_RENDERED:
                    raise TemplateProblem("it makes more text than anybody reads")
        except TemplateError as error:
            raise TemplateProblem(_where(error)) from error
        except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError) as error:
            # Whatever an expression of a person's template may do with a value.
            raise TemplateProblem(f"{type(error).__name__}: {error}") from error
        return "".join(parts).strip()

    def _harmless(self, value: Any) -> Any:
        if isinstance(value, bool | int | float):
            return value
        text = _whole(_CONTROLS.sub(" ", str(value)))
        if len(text) > _LONGEST_VALUE:
            text = text[: _LONGEST_VALUE - 1] + "…"
        match self._form:
            case Form.SLACK:
                # Source: Slack docs, "Formatting text": the three characters that have to be escaped.
                text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("`", "ˋ")
            case Form.MATTERMOST | Form.DISCORD:
                text = re.sub(r"[\[\]]", lambda match: f"\\{match[0]}", text.replace("`", "ˋ"))
                text = re.sub(r"(@|<(?=[@#!&:/])|:(?=//))", rf"\1{_BREAK}", text)
            case Form.JSON:
                pass
        return text


def read_template(path: Path | None) -> str:
    """The template of a file, or ours. TemplateProblem where it cannot be read."""
    if path is None:
        return DEFAULT
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateProblem(f"cannot be read: {error}") from error


def body(form: Form, text: str, news: Sequence[Notice]) -> Mapping[str, Any]:
    """What is posted."""
    match form:
        case Form.SLACK | Form.MATTERMOST:
            return {"text": text}
        case Form.DISCORD:
            return {"content": text, "allowed_mentions": {"parse": []}}
        case Form.JSON:
            return {"version": 1, "text": text, "total": len(news), "notices": [_plain(one) for one in news[:1000]]}


def _plain(notice: Notice) -> dict[str, Any]:
    return {
        "kind": notice.kind.value,
        "app": notice.app or None,
        "at": notice.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "title": _whole(notice.title),
        "text": _whole(notice.text),
        "commands": list(notice.commands),
    }


def _whole(text: str) -> str:
    """Half a character cannot be sent, and some receivers refuse the whole message for it."""
    return text.encode("utf-8", "replace").decode()


def _where(error: TemplateError) -> str:
    line = getattr(error, "lineno", None)
    return f"{f'line {line}: ' if line else ''}{error.message or type(error).__name__}"


_EXAMPLE = (
    Notice(
        Kind.APPROVAL_NEEDED, Topic("default/web", "approval"), "0123abcd", datetime(2026, 1, 1, tzinfo=UTC),
        "a repair of default/web waits for approval", "port_conflict: port of web/http: 8080 → dynamic",
        ("nomad-operator repairs approve default/web --proposal 0123abcd",),
    ),
)  # fmt: skip
