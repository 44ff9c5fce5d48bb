"""Reads the text of Nomad's templates: actions, what they read, lines that set a variable. Patterns, no engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from reconcilers.repair.rules.job_parts import Part, address, templates

# Source: consul-template docs/templating-language.md and text/template's predefined functions.
FUNCTIONS = frozenset(
    re.findall(
        r"[\w-]+",
        "and call html index slice js len not or print printf println urlquery eq ne lt le gt ge if else end "
        "range with define template block break continue key keyExists keyOrDefault ls safeLs tree safeTree "
        "secret secrets service services connect caRoots caLeaf nomadVar nomadVarExists nomadVarList "
        "nomadVarListSafe nomadService nomadServices pkiCert file env envOrDefault mustEnv datacenters node "
        "nodes byKey byTag byMeta contains containsAll containsAny containsNone containsNotAll base64Decode "
        "base64Encode base64URLDecode base64URLEncode explode explodeMap indent in join loop md5sum parseBool "
        "parseFloat parseInt parseJSON parseUint parseYAML regexMatch regexReplaceAll replaceAll scratch "
        "sha256Hex split splitToMap sockaddr spew_dump spew_sdump spew_printf spew_sprintf timestamp toJSON "
        "toJSONPretty toUnescapedJSON toUnescapedJSONPretty toLower toTitle toTOML toUpper toYAML trim "
        "trimPrefix trimSpace trimSuffix mergeMap mergeMapWithOverride add subtract multiply divide modulo "
        "minimum maximum sprig_quote sprig_default sprig_b64enc sprig_b64dec sprig_trim sprig_upper "
        "sprig_lower sprig_squote sprig_indent sprig_nindent true false nil",
    )
)
# What a misspelt word may have been meant to be: not the short words that anything resembles.
_RESEMBLED = {"node", "nodes", "loop", "true", "tree", "call", "html"}
MEANT = frozenset({one for one in FUNCTIONS if len(one) > 3} - _RESEMBLED | {"key", "end", "env"})
OPENERS = frozenset({"if", "range", "with", "define", "block"})
SETS = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)=(.*)")


@dataclass(frozen=True, slots=True)
class Template:
    """One template of a task. `at` is its address: group, task, destination."""

    at: tuple[str, str, str]
    text: str
    env: bool
    left: str
    right: str

    def actions(self) -> Iterator[re.Match[str]]:
        """Every action with its delimiters; group 1 is what stands between, trimming dashes left out. No comments."""
        pattern = re.escape(self.left) + r"-?\s*((?:\"(?:\\.|[^\"\\])*\"|`[^`]*`|.)*?)\s*-?" + re.escape(self.right)
        for found in re.finditer(pattern, self.text, re.DOTALL):
            if not found[1].startswith("/*"):
                yield found


def templates_of(group: Part, task: Part, destination: str = "") -> list[Template]:
    """Those that are written in the job itself; only the one with `destination` where that is known."""
    found = []
    for one in templates(task):
        where = str(one.get("DestPath") or "")
        text = str(one.get("EmbeddedTmpl") or "")
        if text and destination in ("", where):
            left, right = str(one.get("LeftDelim") or "{{"), str(one.get("RightDelim") or "}}")
            found.append(Template((*address(group, task), where), text, bool(one.get("Envvars")), left, right))
    return found


def first_word(action: str) -> str:
    told = re.match(r"[A-Za-z_]\w*", action)
    return "" if told is None else told[0]


def words_called(action: str) -> list[str]:
    """Names in the place of functions: not fields (`.X`), not variables (`$x`), nothing inside quotes."""
    bare = re.sub(r'"(?:\\.|[^"\\])*"|`[^`]*`', '""', action)
    return re.findall(r"(?<![\w.$])[A-Za-z_]\w*", bare)


def quoted(text: str, literal: str) -> list[str]:
    """The spellings in quotes under which a literal stands in a template, such as `"secret/web"`."""
    return [mark + literal + mark for mark in ('"', "`") if mark + literal + mark in text]


def reads(template: Template, function: str) -> set[str]:
    """The literal first arguments of a function in a template."""
    found: set[str] = set()
    for action in template.actions():
        found |= set(re.findall(rf'(?<![\w.$]){function}\s+["`]([^"`]+)["`]', action[1]))
    return found


def swapped(template: Template, old: str, new: str) -> list[tuple[str, str]]:
    """The fragments that put one name in the place of another, and nothing in the place of a longer one.

    A fragment is replaced wherever it occurs: where the name is also the beginning of another, the whole actions are.
    """
    whole = re.compile(re.escape(old) + r"(?!\w)")
    if len(whole.findall(template.text)) == template.text.count(old):
        return [(old, new)] if old in template.text else []
    actions = dict.fromkeys(found[0] for found in template.actions() if whole.search(found[1]))
    return [(action, whole.sub(lambda _: new, action)) for action in actions]
