"""Texts that are secret by their form alone: what only secrets look like, what follows a name that says so, and long
words without any order. Pure; every repetition has a bound, so that what an app writes cannot make the search long.
"""

from __future__ import annotations

import math
import re
from collections import Counter

# The whole of it, and the rest of one whose beginning or end was cut off.
KEY_BLOCK = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}-----(?:(?!-----)[\s\S]){0,20000}(?:-----END [A-Z0-9 ]{0,40}-----|\Z|(?=-----))"
)

# Behind the name of a setting: `password`, `DB_PASSWORD_2`, `"api_key"`.
_NAMED = (
    r"(?:password|passwd|passphrase|passcode|(?<![A-Za-z])pass|pwd|secret|token|credential|cookie|sshkey|apikey"
    r"|(?:api|access|private|account|auth|encryption|signing|shared|session|secret|master)[_.-]?key)"
    r"s?(?:[_.-][A-Za-z0-9]{1,12}){0,2}"
)
_IS = r"(?:\\{0,3}[\"'`])?[ \t]{0,3}(?:=>|:=|=|:|[ \t]is[ \t])[ \t]{0,3}"
_BARE = r"([^\s\"'`,;&)}\]»«\\|<>]{3,400})"

# Each has one group that is the secret; what stands around it says what it was.
SHAPES = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?<![A-Za-z0-9_-])(eyJ[A-Za-z0-9_-]{8,4000}(?:\.[A-Za-z0-9_-]{0,8000}){1,4})",
        r"(?<![A-Za-z0-9])((?:AKIA|ASIA|AIza|ABIA|ACCA)[0-9A-Za-z_-]{12,40})",
        r"(?<![A-Za-z0-9])((?:gh[pousr]_|github_pat_|gl(?:pat|dt|rt|ptt|soat|cbt)-|xox[abeoprs]-|xapp-|sk-|sk_live_|sk_test_|rk_live_"
        r"|pk_live_|npm_|pypi-|dop_v1_|shpat_|whsec_|SG\.|AGE-SECRET-KEY-)[A-Za-z0-9_.-]{10,400})",
        r"(?<![A-Za-z0-9])(hv[sbr]\.[A-Za-z0-9_-]{8,400})",
        r"(?<![A-Za-z0-9.])([sbr]\.[A-Za-z0-9]{24})(?![A-Za-z0-9])",
        r"(?i)(?<![a-z])(?:bearer|basic|negotiate)[ \t]{1,3}([A-Za-z0-9._~+/-]{8,4000}={0,2})",
        r"://[^\s/:@\"']{0,200}:([^\s/\"']{1,400})@(?=[\w.\[${<-])",
        r"(?i)[?&](?:sig|signature|x-amz-signature|x-amz-credential|code|auth)=([^\s&\"'#]{6,400})",
        rf"(?i){_NAMED}{_IS}\\{{0,3}}\"([^\"\\\n»«]{{3,400}})",
        rf"(?i){_NAMED}{_IS}\\{{0,3}}'([^'\\\n»«]{{3,400}})",
        rf"(?i){_NAMED}{_IS}{_BARE}",
        rf"(?i)--?(?:[a-z0-9]{{1,20}}-){{0,3}}{_NAMED}[ \t]{{1,3}}{_BARE}",
        rf"(?i)(?:identified by|login with)[ \t]{{1,3}}[\"'`]?{_BARE}",
    )
)
# What follows `token:` or `password is` in ordinary sentences, and what says where the secret is instead of what it is.
NO_SECRET = re.compile(
    r"(?i)(?:not|missing|required|invalid|empty|unset|set|expired|wrong|incorrect|unknown|none|null|nil|true|false|must"
    r"|should|cannot|can't|could|no|for|in|of|to|and|or|from|the|a|an|is|was|be|by|with|on|at|file|env|given|unexpected"
    r"|authentication|denied|failed|permission|denied|unable|error|failure|invalid\w{0,10}|bad|malformed"
    r"|[a-z][a-z/-]{1,60}:|\$\{[^}]{0,200}\}.{0,40}|<[^>]{0,80}>?|\{\{.{0,200}|\*{1,40}|\.{1,3}|x{3,20}|\[?redacted\]?)[.:!?]?"
)

_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
WORD = re.compile(r"[A-Za-z0-9_+/-]{20,}={0,2}")
_HEX = re.compile(r"[0-9a-f]+")
# A digest, a commit, a container: long hexadecimal words that are no secret.
_IDS = frozenset({40, 64})
_LONG_HEX = 32
_LEAST_ENTROPY = 3.5
_LEAST_TURNS = 0.28
_RUNS = re.compile(r"[a-z]+|[A-Z]+|[0-9]+")
_ORDERLY_PART = re.compile(
    r"[A-Z]{0,12}[a-z]{1,24}[0-9]{0,4}|[A-Z]{1,24}[0-9]{0,4}|[0-9]{1,12}|v?[0-9]{1,4}[a-z]{0,3}|"
)


def disorderly(word: str) -> bool:
    """Long, and about as surprising as chance. Ids, digests, paths and compound names are not."""
    return any(_chance(part) for part in _UUID.split(word) if len(part) >= 20)


def _chance(word: str) -> bool:
    bare = word.rstrip("=")
    if _HEX.fullmatch(bare):
        return len(bare) >= _LONG_HEX and len(bare) not in _IDS and _entropy(bare) > 3.0
    parts = re.split(r"[_/+-]", bare)
    orderly = [part for part in parts if _ORDERLY_PART.fullmatch(part) or _is_id(part)]
    if len(orderly) == len(parts):
        return False
    # A path with one odd name in it; a key in base64 may begin with a slash, and hold more.
    if bare.startswith("/") and 2 * len("".join(orderly)) >= len("".join(parts)):
        return False
    runs = _RUNS.findall(bare)
    kinds = len({run[0].isdigit() or (run[0].isupper() and 2) for run in runs})
    turns = len(runs) / len(bare)
    if kinds < 3 and len(bare) < 24:
        return False
    return kinds >= 2 and turns >= _LEAST_TURNS and _entropy(bare) >= _LEAST_ENTROPY


def _is_id(part: str) -> bool:
    """The number of a build, a commit, a digest."""
    return _HEX.fullmatch(part) is not None and (len(part) <= 16 or len(part) in _IDS)


def _entropy(word: str) -> float:
    counted = Counter(word)
    return -sum(count / len(word) * math.log2(count / len(word)) for count in counted.values())
