"""A whole run on cases that are not played: what DSPy finds, what is measured, and what is left where it ends early."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from desired.errors import Unavailable, Unsupported
from nomad_operator.optimize import dspy_library
from nomad_operator.optimize.assembled import ALWAYS, instructions_of
from nomad_operator.optimize.course import Course, Ended
from nomad_operator.optimize.measure import Measure, Progress
from nomad_operator.optimize.metered import Metered, Spent, Stopped
from nomad_operator.optimize.outcome import Ending, Exchange, Played
from nomad_operator.optimize.promotion import NotPromoted, check_promotion
from nomad_operator.optimize.repair_case import RepairCase
from nomad_operator.optimize.run_file import RunFile
from nomad_operator.optimize.search import Effort, Optimizer
from nomad_operator.optimize.split import split
from prompts.catalog import FilePrompts
from prompts.prompt_text import PromptText, read

BASE = FilePrompts().texts["repair"]
CASES = [
    RepairCase(name=f"{failure} {number}", failure=failure, app="web", due=True, world={}, text="x")
    for failure in ("crash", "check_wrong_path")
    for number in range(8)
]
PARTS = split(CASES, share=0.5)
BETTER = "Read what the log names."

How = Callable[[RepairCase, PromptText], Ending]


def shown(text: PromptText) -> int:
    return sum(one.role == "assistant" for one in text.messages)


def needs_examples(case: RepairCase, text: PromptText) -> Ending:
    """Every second case goes well in any case: where else would examples come from?"""
    return Ending.DURABLE if shown(text) or case.name.endswith(("0", "2", "4", "6")) else Ending.GAVE_UP


class Bench:
    """Plays nothing: `how` says how a case ends. Each costs `price` tokens."""

    def __init__(self, how: How, *, price: int = 10) -> None:
        self.how = how
        self.price = price
        self.asked: list[tuple[str, int]] = []
        self.proposed: list[str] = []
        self.proposal = BETTER
        self.shown: list[Progress] = []
        self.most = 10**6
        self.stops_after: int | None = None
        self.error: Unavailable | None = None

    def run(
        self,
        file: Path,
        *,
        optimizer: Optimizer = Optimizer.BOOTSTRAP,
        exported: Sequence[Exchange] = (),
        **effort: Any,
    ) -> Ended:
        with RunFile(path=file, about={"run": "test"}) as kept:
            spent = Spent(tokens=kept.tokens)
            model = Metered(model=None, spent=spent, most=self.most)  # type: ignore[arg-type]

            def play(case: RepairCase, text: PromptText) -> Played:
                if self.stops_after is not None and len(self.asked) >= self.stops_after:
                    raise Stopped(self.error)
                if spent.tokens + self.price > model.most:
                    raise Stopped(None)
                spent.tokens += self.price
                self.asked.append((case.name, shown(text)))
                exchange = Exchange(f"question of {case.name}", '{"fixable": true}')
                return Played(
                    case=case.name, failure=case.failure, ending=self.how(case, text), questions=1,
                    tokens=self.price, exchange=exchange,
                )  # fmt: skip

            def propose(system: str, question: str) -> str:
                self.proposed.append(system + question)
                return self.proposal

            wanted = Effort(optimizer=optimizer, **effort)
            measure = Measure(play=play, file=kept, spent=spent, tell=self.shown.append)
            return Course(
                base=BASE, instructions=instructions_of(BASE), parts=PARTS, exported=exported, effort=wanted,
                measure=measure, model=model, spent=spent, usable=lambda one: one,
                search=lambda trials: dspy_library.search(trials, effort=wanted, propose=propose),
                about={"prompt": "repair"}, budget=self.most,
            ).run()  # fmt: skip


def test_examples_that_matter_are_found_and_measured_on_other_cases(tmp_path: Path) -> None:
    bench = Bench(needs_examples)
    ended = bench.run(tmp_path / "run")
    assert ended.made is not None and ended.stopped is None
    told = ended.report.as_json
    assert told["before"]["score"] < told["after"]["score"] == 1.0
    held_out = {one.name for one in PARTS.held_out}
    in_prompt = {one.text.removeprefix("question of ") for one in ended.made.messages[1:-1:2]}
    assert len(in_prompt) == 3 and not in_prompt & held_out
    assert {name.split()[0] for name in in_prompt} == {"crash", "check_wrong_path"}
    assert ended.made.version == BASE.version + 1 and ended.made.labels == ("candidate",)
    assert read(ended.made.document, where="here").variables == BASE.variables
    check_promotion(ended.made, BASE)
    assert [one.phase for one in bench.shown if one.done == 1] == ["before", "learning", "after"]


def test_what_is_worse_on_a_class_is_made_and_not_promoted(tmp_path: Path) -> None:
    def worse_on_paths(case: RepairCase, text: PromptText) -> Ending:
        if shown(text) and case.failure == "check_wrong_path":
            return Ending.GAVE_UP
        return needs_examples(case, text)

    ended = Bench(worse_on_paths).run(tmp_path / "run")
    assert ended.made is not None
    with pytest.raises(NotPromoted, match="worse on check_wrong_path"):
        check_promotion(ended.made, BASE)


def test_where_nothing_goes_well_there_is_nothing_to_show(tmp_path: Path) -> None:
    ended = Bench(lambda _case, _text: Ending.REFUSED).run(tmp_path / "run")
    assert ended.made is None and ended.report.note == "no other prompt was found"


def test_what_goes_well_by_half_is_no_example(tmp_path: Path) -> None:
    ended = Bench(lambda _case, _text: Ending.VERIFIED).run(tmp_path / "run")
    assert ended.made is None


def test_durable_repairs_of_production_are_examples_that_nobody_is_asked_for(tmp_path: Path) -> None:
    exported = [Exchange(f"in production {number}", "{}") for number in range(5)]
    bench = Bench(lambda _case, text: Ending.DURABLE if shown(text) else Ending.GAVE_UP)
    ended = bench.run(tmp_path / "run", exported=exported)
    assert ended.made is not None and shown(ended.made) == 3
    assert all(one.text.startswith("in production") for one in ended.made.messages[1:-1:2])
    assert not any("production" in name for name, _ in bench.asked)


def test_a_second_run_asks_nothing_and_finds_the_same(tmp_path: Path) -> None:
    bench = Bench(needs_examples)
    first = bench.run(tmp_path / "run")
    asked = len(bench.asked)
    assert bench.run(tmp_path / "run") == first
    assert len(bench.asked) == asked


@pytest.mark.parametrize("after", [0, 3, 8, 9, 11, 14, 17])
def test_wherever_it_ended_nothing_is_asked_twice(tmp_path: Path, after: int) -> None:
    whole = Bench(needs_examples)
    expected = whole.run(tmp_path / "whole")
    bench = Bench(needs_examples)
    bench.stops_after, bench.error = after, Unavailable("it is away")
    ended = bench.run(tmp_path / "run")
    assert ended.made is None and ended.stopped is not None and ended.stopped.error is bench.error
    assert len(bench.asked) == after
    bench.stops_after = None
    assert bench.run(tmp_path / "run") == expected
    assert sorted(bench.asked) == sorted(whole.asked)


@pytest.mark.parametrize("most", range(0, 260, 20))
def test_the_budget_is_kept_and_what_it_reaches_for_is_measured(tmp_path: Path, most: int) -> None:
    bench = Bench(needs_examples)
    bench.most = most
    ended = bench.run(tmp_path / "run")
    assert len(bench.asked) * bench.price <= most
    # What was not measured on all cases held out is never published.
    assert ended.made is None or len(ended.report.after) == len(PARTS.held_out)
    assert ended.made is not None or ended.report.note
    bench.most = 10**6
    assert bench.run(tmp_path / "run").made is not None


def test_a_search_cut_short_by_its_tokens_ends_with_what_it_had(tmp_path: Path) -> None:
    bench = Bench(needs_examples)
    bench.most = 8 * 10 + 2 * 8 * 10 + 2 * 10
    ended = bench.run(tmp_path / "run")
    assert ended.made is not None and 0 < shown(ended.made) < 3
    assert ended.stopped is not None and ended.stopped.error is None


class TestMIPROv2:
    """Skipped without optuna, which DSPy needs for it."""

    @pytest.fixture(autouse=True)
    def _needs_optuna(self) -> None:
        pytest.importorskip("optuna", reason="MIPROv2 needs optuna")

    def test_the_best_of_instructions_and_examples_is_found(self, tmp_path: Path) -> None:
        def needs_both(case: RepairCase, text: PromptText) -> Ending:
            known = case.name.endswith(("0", "1", "2", "3")) or (shown(text) and BETTER in text.messages[0].text)
            return Ending.DURABLE if known else Ending.GAVE_UP

        bench = Bench(needs_both)
        ended = bench.run(tmp_path / "run", optimizer=Optimizer.MIPRO, trials=12)
        assert ended.made is not None and bench.proposed
        assert ended.made.messages[0].text.startswith(BETTER) and ended.made.messages[0].text.endswith(ALWAYS)
        assert ended.report.as_json["after"]["score"] == 1.0
        # Whoever writes instructions is shown those that are there, and nothing of any case.
        assert all(instructions_of(BASE)[:200] in one for one in bench.proposed)
        assert not any("question of" in one for one in bench.proposed)
        held_out = {one.name for one in PARTS.held_out}
        learning = [name for name, _ in bench.asked if name not in held_out]
        assert learning
        asked = len(bench.asked)
        assert bench.run(tmp_path / "run", optimizer=Optimizer.MIPRO, trials=12) == ended
        assert len(bench.asked) == asked

    @pytest.mark.parametrize("proposal", ["Say {{evidence}}", "x" * 20_000, ""])
    def test_instructions_that_cannot_be_asked_with_are_never_asked_with(self, tmp_path: Path, proposal: str) -> None:
        bench = Bench(needs_examples)
        bench.proposal = proposal
        ended = bench.run(tmp_path / "run", optimizer=Optimizer.MIPRO)
        assert ended.made is not None
        assert instructions_of(ended.made).removesuffix(ALWAYS).rstrip() == instructions_of(BASE)

    def test_the_budget_is_kept(self, tmp_path: Path) -> None:
        bench = Bench(needs_examples)
        bench.most = 400
        ended = bench.run(tmp_path / "run", optimizer=Optimizer.MIPRO)
        assert len(bench.asked) * bench.price <= 400 and ended.stopped is not None


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dspy", None)
    with pytest.raises(Unsupported) as told:
        dspy_library.check_installed(Optimizer.BOOTSTRAP)
    assert told.value.hint == "pip install 'nomad-operator[optimize]'"


def test_without_optuna_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    dspy_library.check_installed(Optimizer.BOOTSTRAP)
    with pytest.raises(Unsupported, match="optuna"):
        dspy_library.check_installed(Optimizer.MIPRO)


@pytest.mark.parametrize("optimizer", list(Optimizer))
def test_dspy_writes_nothing_and_connects_to_nobody(tmp_path: Path, optimizer: Optimizer) -> None:
    """In a process of its own, in which nothing can be connected to: a search, start to end."""
    if optimizer is Optimizer.MIPRO:
        pytest.importorskip("optuna", reason="MIPROv2 needs optuna")
    script = f"""
import socket, sys
def refuse(*_): raise AssertionError("it connects")
socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = refuse
sys.path[:0] = {sys.path!r}
from pathlib import Path
from tests.unit.optimize.test_course import Bench, Optimizer, needs_examples
assert Bench(needs_examples).run(Path("run"), optimizer=Optimizer("{optimizer}")).made is not None
print("litellm" in sys.modules)
"""
    home = tmp_path / "home"
    home.mkdir()
    place = tmp_path / "here"
    place.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=place, env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "False\n" and done.stderr == ""
    assert list(home.iterdir()) == [] and [one.name for one in place.iterdir()] == ["run"]
