"""News as text: short, in the receiver's form, and unable to do anything there but be read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nomad_operator.news.notice import MEANINGS, Kind, Notice, Topic
from nomad_operator.news.target import Form, targets
from nomad_operator.news.words import DEFAULT, TemplateProblem, Words, body, read_template

AT = datetime(2026, 1, 1, tzinfo=UTC)


def notice(text: str = "1 of 2 allocations running", app: str = "default/web", kind: Kind = Kind.UNREADY) -> Notice:
    return Notice(kind, Topic(app, "ready"), "False", AT, f"{app} is not ready: NoProgress", text,
                  (f"nomad-operator explain {app}",))  # fmt: skip


def test_one_notice_is_what_happened_and_what_to_type() -> None:
    assert Words(form=Form.SLACK).text([notice()]) == (
        "default/web is not ready: NoProgress: 1 of 2 allocations running\n"
        "    `nomad-operator explain default/web`"
    )  # fmt: skip


def test_a_storm_is_a_digest() -> None:
    storm = [notice(app=f"default/app-{number:04}") for number in range(1000)]
    storm[500] = notice(app="default/asks", kind=Kind.APPROVAL_NEEDED)
    text = Words(form=Form.MATTERMOST).text(sorted(storm, key=lambda one: list(Kind).index(one.kind)))
    assert text.startswith("1000 things to tell: 1 approval_needed, 999 unready\ndefault/asks")
    assert text.endswith("and 985 more: `nomad-operator status` lists them")
    assert len(text.splitlines()) < 40


EVIL = "@channel @everyone <!here> <@U123> <https://evil|click> ![x](http://evil/x.png) [a](b) `code` & \x1b[2J\x07 a\n"


@pytest.mark.parametrize("form", Form)
def test_what_an_app_says_stays_on_its_line_and_without_control_characters(form: Form) -> None:
    text = Words(form=form).text([notice(EVIL)])
    assert len(text.splitlines()) == 2
    assert all(character.isprintable() or character in "\n\u200b" for character in text)


def test_slack_reads_no_markup_out_of_what_an_app_says() -> None:
    text = Words(form=Form.SLACK).text([notice(EVIL)])
    assert "<" not in text and ">" not in text
    assert "&lt;!here&gt;" in text and " &amp; " in text


@pytest.mark.parametrize("form", [Form.MATTERMOST, Form.DISCORD])
def test_nobody_is_called_and_nothing_is_loaded_by_what_an_app_says(form: Form) -> None:
    text = Words(form=form).text([notice(EVIL)])
    for calls in ("@channel", "@everyone", "<@", "<!", "://", "`code`"):
        assert calls not in text, calls
    assert "\\[x\\](" in text, "a bracket that is escaped begins no link"
    assert body(Form.DISCORD, text, [])["allowed_mentions"] == {"parse": []}


@given(text=st.text(st.characters()), form=st.sampled_from(Form))
def test_any_words_make_a_message_that_the_receiver_takes(text: str, form: Form) -> None:
    many = [notice(text * 50, app=f"default/{number}") for number in range(30)]
    made = Words(form=form).text(many)
    assert 0 < len(made) <= {Form.DISCORD: 2000, Form.MATTERMOST: 16_000}.get(form, 100_000)
    json.dumps(body(form, made, many), ensure_ascii=False).encode()


@pytest.mark.parametrize("form", Form)
def test_half_a_character_does_not_keep_a_message_from_being_sent(form: Form) -> None:
    news = [notice("said \ud800 twice \udfff")]
    json.dumps(body(form, Words(form=form).text(news), news), ensure_ascii=False).encode()


def test_json_holds_everything_as_values() -> None:
    told = body(Form.JSON, "words", [notice()])
    assert told == {
        "version": 1, "text": "words", "total": 1,
        "notices": [{
            "kind": "unready", "app": "default/web", "at": "2026-01-01T00:00:00Z",
            "title": "default/web is not ready: NoProgress", "text": "1 of 2 allocations running",
            "commands": ["nomad-operator explain default/web"],
        }],
    }  # fmt: skip


def test_a_template_of_ones_own_is_used(tmp_path: Path) -> None:
    file = tmp_path / "news.j2"
    file.write_text("prod: {% for one in shown %}<{{ one.kind }}|{{ one.text }}>{% endfor %} {{ total }}")
    assert Words(form=Form.SLACK, template=read_template(file)).text([notice("a < b")]) == "prod: <unready|a &lt; b> 1"


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{% for %}", "line 1: "),
        ("\n{{ oops }}", "'oops' is undefined"),
        ("{{ shown[0].secret }}", "has no attribute 'secret'"),
        ("{{ shown[7].title }}", "shown|object"),
        ("{{ shown.__class__.__mro__ }}", "unsafe"),
        ("{{ shown[0].title.format.__globals__ }}", "unsafe"),
        ("{{ shown.append(1) }}", "unsafe"),
        ("{% for a in range(10000000) %}x{% endfor %}", "[Rr]ange"),
        ("{% for a in range(99999) %}{{ 'x' * 400 }}{% endfor %}", "more text than anybody reads"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ total + 'x' }}", "TypeError"),
        ("{% include '/etc/passwd' %}", "loader"),
        ("{% if total > 5 %}{{ oops }}{% endif %}", "'oops' is undefined"),
    ],
)
def test_a_template_that_cannot_be_used_is_told_before_anything_happens(template: str, told: str) -> None:
    with pytest.raises(TemplateProblem, match=told):
        Words(form=Form.JSON, template=template)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    assert read_template(None) == DEFAULT
    with pytest.raises(TemplateProblem, match="cannot be read"):
        read_template(tmp_path / "none")


def test_every_kind_of_news_has_a_meaning() -> None:
    assert set(MEANINGS) == set(Kind)


def test_addresses_say_who_is_told_and_how() -> None:
    found = targets(
        "https://x.example/hook, slack+https://hooks.slack.com/services/T/B/abc\n"
        "mattermost+http://chat.internal:8065/hooks/abc,discord+https://user:pw@discord.com/api/webhooks/1/abc"
    )
    assert [(one.form, one.name) for one in found] == [
        (Form.JSON, "json (x.example)"), (Form.SLACK, "slack (hooks.slack.com)"),
        (Form.MATTERMOST, "mattermost (chat.internal)"), (Form.DISCORD, "discord (discord.com)"),
    ]  # fmt: skip
    assert found[1].url == "https://hooks.slack.com/services/T/B/abc"
    assert "abc" not in repr(found)


@pytest.mark.parametrize(
    "told",
    ["hush", "ftp://hush", "teams+https://hush", "slack+ftp://hush", "https://", "https://hush:99999", "slack://hush"],
)
def test_an_address_that_cannot_be_one_is_told_by_its_place_alone(told: str) -> None:
    with pytest.raises(ValueError, match="entry 2") as caught:
        targets(f"https://good.example {told}")
    assert "hush" not in str(caught.value)
