"""One question as it is put to a person, and what of its choices an answer means. Pure; a terminal draws it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Option:
    """`word` is the answer itself; one that `needs` something is only its beginning, and the rest is asked for next."""

    word: str
    text: str = ""
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """`default` is what an empty answer takes, "" where there is none. `prefill` is text to begin with, where a line
    can be edited.

    Where options are `numbered`, a number chooses one of them. `problem` says why the last answer was not taken.
    """

    id: str
    text: str
    options: tuple[Option, ...] = ()
    default: str = ""
    prefill: str = ""
    numbered: bool = True
    problem: str = ""


def chosen(asked: Asked, text: str) -> Option | None:
    """The option that is meant: by its number, its word, or a beginning that no other word has."""
    typed = text.strip().lower()
    if not typed:
        return None
    if asked.numbered and typed.isascii() and typed.isdecimal():
        place = int(typed[:9]) - 1
        return asked.options[place] if 0 <= place < len(asked.options) else None
    exact = next((one for one in asked.options if one.word.lower() == typed), None)
    alike = [one for one in asked.options if one.word.isalpha() and one.word.lower().startswith(typed)]
    return exact or (alike[0] if len(alike) == 1 else None)
