"""Leads people through the interviews: shows, asks, keeps every answer, and writes what they agreed to.

What is asked and what an answer means is decided by the state machine; here it only meets a terminal and a disk.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

from desired.draft.answers_file import ALL, DOCKERFILE
from desired.draft.manifest_text import manifest_text
from desired.facts.analyze import Analysis
from nomad_operator.interview.asked import Asked, Option, chosen
from nomad_operator.interview.interview import answered, asked, stage_of
from nomad_operator.interview.kept import Kept
from nomad_operator.interview.knowledge import missing
from nomad_operator.interview.one_value import BACK
from nomad_operator.interview.outcome import SKIPPED, UNCHANGED, WRITTEN, Outcome
from nomad_operator.interview.output import write
from nomad_operator.interview.state import Interview, Stage
from nomad_operator.interview.summary import rows
from nomad_operator.interview.terminal import Terminal

_HELP = """Enter takes what stands in brackets. A number or a word takes one of the choices; an answer may also be typed
whole: vault: secret/data/shop/db#password, consul: shop/url, nomad: nomad/jobs/shop#key, fixed: text, none.
back undoes the last step, later leaves a question open, Ctrl-C stops: what was answered is kept."""
_OVERWRITE = Option("overwrite", "replace it")
_LEAVE = Option("leave", "leave it as it is")
_YES, _NO = Option("yes"), Option("no")


class People:
    """One conversation about one codebase. Raises EOFError and KeyboardInterrupt where people leave."""

    def __init__(self, *, terminal: Terminal, kept: Kept, out: Callable[[str], None]) -> None:
        self._terminal = terminal
        self._kept = kept
        self._out = out
        self._helped = False

    def dockerfile(self, found: Analysis) -> str | None:
        """Which Dockerfile is gone by; None for all that the codebase itself says. Even a single one is confirmed."""
        if not found.dockerfiles:
            return None
        options = [Option(path) for path in found.dockerfiles]
        services = [one.component.name for one in found.apps if one.component.service]
        folders = [one.component.name for one in found.apps if one.component.code]
        if services:
            options.insert(0, Option(ALL, f"every app of the compose file: {', '.join(services)}"))
        elif len(folders) > 1:
            options.insert(0, Option(ALL, f"each is an app of its own: {', '.join(folders)}"))
        text = "Which Dockerfile is the app's?" if len(options) > 1 else "This is the app's Dockerfile?"
        taken = self._choice(Asked(DOCKERFILE, text, tuple(options), options[0].word)).word
        self._kept.keep_about_all(DOCKERFILE, taken)
        return None if taken == ALL else taken

    def go_on_without(self, away: tuple[str, ...]) -> bool:
        """Whether people want to go on without the services that did not answer."""
        self._terminal.say(f"! {one}" for one in away)
        question = Asked("go on", "Go on without them? Their keys and secrets cannot be suggested", (_YES, _NO), "yes",
                         numbered=False)  # fmt: skip
        return self._choice(question) == _YES

    def app(self, state: Interview, *, place: Path | None, title: str) -> Outcome:
        """The whole interview about one app."""
        if self._kept.state(state.app.name) == WRITTEN:
            return Outcome(state.draft, UNCHANGED, place)
        self._terminal.head(title)
        self._summary(state)
        while True:
            state = self._interviewed(state)
            if state.stage is Stage.SKIPPED:
                return Outcome(state.draft, SKIPPED)
            outcome = self._written(state, place)
            if outcome is not None:
                self._kept.keep(state.app.name, state.answers, WRITTEN)
                return outcome
            state = state.step(Stage.REVIEW)

    def _interviewed(self, state: Interview) -> Interview:
        before = stage_of(state)
        while (question := asked(state)) is not None:
            stage = stage_of(state)
            if not state.problem:
                self._show(state, new=stage is not before)
            before = stage
            text = self._answer(question)
            state = answered(state, text)
            self._kept.keep(state.app.name, state.answers)
            if stage is Stage.VALUES or stage is Stage.REVIEW:
                # What is shown there is shown again when it is come back to.
                before = Stage.QUESTIONS
        return state

    def _show(self, state: Interview, *, new: bool) -> None:
        if stage_of(state) is Stage.VALUES and new:
            self._summary(state)
        if stage_of(state) is Stage.REVIEW:
            self._terminal.say()
            self._terminal.text(manifest_text(state.draft))

    def _summary(self, state: Interview) -> None:
        draft = state.draft
        self._terminal.say()
        self._terminal.summary(rows(draft))
        for note in draft.notes:
            self._terminal.note(f"note: {note}")
        self._terminal.say(f"! {one}" for one in missing(draft, state.knowledge))

    def _answer(self, question: Asked) -> str:
        """One line; `?` explains, and the question stands."""
        if not self._helped:
            self._terminal.note("Enter takes what stands in brackets; ? explains, back undoes, Ctrl-C keeps and stops")
            self._helped = True
        while (text := self._terminal.ask(question)).strip() in ("?", "help"):
            self._terminal.say(_HELP.splitlines())
        return text

    def _choice(self, question: Asked) -> Option:
        while True:
            text = self._answer(question).strip() or question.default
            option = chosen(question, text)
            if option is not None:
                return option
            words = ", ".join(one.word for one in question.options)
            question = Asked(question.id, question.text, question.options, question.default,
                             numbered=question.numbered, problem=f"one of {words}")  # fmt: skip

    def _written(self, state: Interview, place: Path | None) -> Outcome | None:
        """None where people want to go back."""
        draft = state.draft
        text = manifest_text(draft)
        if place is None:
            self._out(text)
            return Outcome(draft, WRITTEN)
        problem = ""
        while place.exists():
            there = _text_of(place)
            if there == text:
                return Outcome(draft, UNCHANGED, place)
            self._terminal.say()
            self._terminal.text(
                "\n".join(difflib.unified_diff(there.splitlines(), text.splitlines(), str(place), "new", lineterm=""))
            )
            question = Asked("overwrite", f"{place} is there already, and differs. A name writes another file",
                             (_OVERWRITE, _LEAVE), numbered=False, problem=problem)  # fmt: skip
            said = self._answer(question).strip()
            if said == BACK:
                return None
            option = chosen(question, said)
            if option == _OVERWRITE:
                break
            if option == _LEAVE:
                return Outcome(draft, SKIPPED)
            if said.endswith((".yaml", ".yml")):
                place, problem = Path(said), ""
            else:
                problem = "overwrite, leave, or the name of another file, which ends with .yaml"
        write(place, text)
        return Outcome(draft, WRITTEN, place)


def _text_of(place: Path) -> str:
    try:
        return place.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
