"""DSPy as this program uses it: two of its optimizers. Nothing is cached, sent or written by it, and it asks no model
but ours.

The extra `optimize` brings it; it is imported when a search begins, and only then. What it tries is not its own idea of
a program: each case is played with a whole prompt as the operator would ask with it, and it is told how that went.

Source: dspy 3.4, teleprompt/bootstrap.py, teleprompt/mipro_optimizer_v2.py, propose/grounded_proposer.py and
clients/engines/base.py.
"""

from __future__ import annotations

import inspect
import io
import json
import logging
import os
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from importlib import metadata
from importlib.util import find_spec
from typing import Any

from desired.errors import Unsupported
from nomad_operator.optimize.metered import Stopped
from nomad_operator.optimize.outcome import Exchange
from nomad_operator.optimize.search import Candidate, Effort, Optimizer, Trials

EXTRA = "pip install 'nomad-operator[optimize]'"
_OPTUNA = "pip install 'nomad-operator[optimize]', or take --optimizer BootstrapFewShot"
_FIELD = "proposed_instruction"

# Instructions for what was asked, as another model would write them; empty where it has no answer. Raises Stopped.
Propose = Callable[[str, str], str]


def check_installed(optimizer: Optimizer) -> None:
    """Unsupported with what is missing, before anything was asked or paid for. Imports nothing."""
    if find_spec("dspy") is None:
        raise Unsupported("prompts are made better by DSPy, which is not installed", hint=EXTRA)
    if optimizer is Optimizer.MIPRO and find_spec("optuna") is None:
        raise Unsupported("MIPROv2 needs optuna, which is not installed", hint=_OPTUNA)


def version() -> str:
    """Imports nothing."""
    return metadata.version("dspy")


def search(trials: Trials, *, effort: Effort, propose: Propose) -> Candidate:
    """The best prompt that was found; where the run was stopped, the best till then. `trials` plays the cases."""
    dspy = _dspy()
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        # It warns of its next version, and prints what it is doing, which is told in other words.
        warnings.simplefilter("ignore")
        try:
            return _searched(dspy, trials, effort, propose)
        except Stopped as stopped:
            return trials.best(effort.examples, stopped)


def _dspy() -> Any:
    # Source: litellm/__init__.py: it would fetch a list of prices when it is imported.
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ["LITELLM_TELEMETRY"] = "False"
    # Read once, when tqdm is imported.
    os.environ["TQDM_DISABLE"] = "1"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import dspy
    except ImportError as error:
        raise Unsupported(f"prompts are made better by DSPy: {error.name} is not installed", hint=EXTRA) from error
    # Else answers are kept below the home folder.
    dspy.configure_cache(enable_disk_cache=False, enable_memory_cache=False)
    logging.getLogger("dspy").setLevel(logging.CRITICAL)
    return dspy


def _searched(dspy: Any, trials: Trials, effort: Effort, propose: Propose) -> Candidate:
    base = trials.instructions
    student = _program(dspy, trials)
    learned = _examples(dspy, list(trials.learned))
    model = dspy.LM("nomad-operator", engine=_Engine(dspy, base, propose), cache=False, num_retries=0)
    with dspy.context(lm=model, adapter=dspy.JSONAdapter(), disable_history=True):
        if effort.optimizer is Optimizer.BOOTSTRAP:
            optimizer = dspy.BootstrapFewShot(
                metric=_metric, metric_threshold=1.0, max_bootstrapped_demos=effort.examples, max_labeled_demos=0
            )
            found = optimizer.compile(student, trainset=learned)
        else:
            optimizer = dspy.MIPROv2(
                metric=_metric, metric_threshold=1.0, prompt_model=model, task_model=model, auto=None,
                num_candidates=effort.candidates, num_threads=1, seed=effort.seed, track_stats=False,
                max_bootstrapped_demos=effort.examples, max_labeled_demos=0,
            )  # fmt: skip
            # Whoever writes instructions is shown none of what apps said, and no code: they become what is trusted.
            found = optimizer.compile(
                student, trainset=learned, valset=_examples(dspy, list(trials.judged)), num_trials=effort.trials,
                minibatch=False, program_aware_proposer=False, data_aware_proposer=False,
                fewshot_aware_proposer=False,
            )  # fmt: skip
    return Candidate(_instructions(found.answer, base), _shown(found.answer))


def _program(dspy: Any, trials: Trials) -> Any:
    """A case in, how it went out; its instructions and examples are what an optimizer may change."""

    class Program(dspy.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.answer = dspy.Predict(dspy.Signature("question -> answer", trials.instructions))

        def forward(self, case: str) -> Any:
            score, example = trials.score(case, _instructions(self.answer, trials.instructions), _shown(self.answer))
            if example is not None and dspy.settings.trace is not None:
                # What an optimizer takes its examples from.
                dspy.settings.trace.append(
                    (self.answer, {"question": example.question}, dspy.Prediction(answer=example.answer))
                )
            return dspy.Prediction(score=score)

    return Program()


def _metric(_example: Any, prediction: Any, trace: Any = None) -> float:
    """Where examples are looked for, a case without one is no success, however it went."""
    return float(prediction.score) if trace is None or trace else 0.0


def _examples(dspy: Any, names: Sequence[str]) -> list[Any]:
    return [dspy.Example(case=name).with_inputs("case") for name in names]


def _instructions(answer: Any, base: str) -> str:
    """DSPy takes blanks away; what is the same but for them is the base."""
    told = str(answer.signature.instructions)
    return base if told == inspect.cleandoc(base) else told


def _shown(answer: Any) -> tuple[Exchange, ...]:
    return tuple(Exchange(str(one["question"]), str(one["answer"])) for one in answer.demos)


class _Engine:
    """What DSPy's own question goes through: for new instructions, to our model."""

    def __init__(self, dspy: Any, base: str, propose: Propose) -> None:
        self._types = dspy.lm15
        self._base = base
        self._propose = propose

    def complete(self, request: Any) -> Any:
        types = self._types
        parts = request.system or ""
        system = parts if isinstance(parts, str) else "".join(one.text for one in parts)
        told = self._propose(system, "\n\n".join(one.text or "" for one in request.messages)) or self._base
        return types.Response(
            id=None, model=request.model, finish_reason="stop", usage=types.Usage(),
            message=types.Message.assistant([types.TextPart(json.dumps({_FIELD: told}, ensure_ascii=False))]),
        )  # fmt: skip

    def stream(self, request: Any) -> Any:
        return self._types.response_to_events(self.complete(request))

    def close(self) -> None:
        """It is borrowed."""
