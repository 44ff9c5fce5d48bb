"""What of a codebase may be a secret. Broader than what no file may hold: a value that is left out is only asked for,
and one that is taken is written into a manifest. Pure, and never returns the text.
"""

from __future__ import annotations

import re

from desired.secret_literals import is_secret

_WORDS = re.compile(
    r"(?:^|[_.-])(?:PASSWORDS?|PASSWD|PASSPHRASE|PASSCODE|PASS|PWD|SECRETS?|TOKENS?|CREDENTIALS?|CREDS|APIKEYS?|KEYS?"
    r"|PRIV(?:ATE)?(?:_?KEY)?|JWT|SALT|PEPPER|LICENSE|ENCRYPTION|SIGNING|HTPASS(?:WD)?|AUTH|COOKIE|WEBHOOK|DSN|SAS)"
    r"(?:[_.-]|\d{0,3}$|\d{1,3}[_.-])",
    re.IGNORECASE,
)
# What a name that ends so holds is about a secret, and none itself.
_ABOUT = re.compile(
    r"(?:URLS?|URI|HOST|PORT|TTL|LENGTH|MIN|MAX|ALGORITHMS?|ALG|TYPE|NAME|FILE|PATH|DIR|HEADERS?|ISSUER|AUDIENCE|EXPIRY"
    r"|EXPIRES?|EXPIRATION|LIFETIME|TIMEOUT|ENABLED?|DISABLED?|METHOD|MODE|PROVIDER|BACKEND|REALM|SCOPES?|USER|USERNAME"
    r"|POLICY|PARALLELISM|MODEL|COUNT|SIZE|LIMIT|PREFIX|SUFFIX|SECONDS|MINUTES|HOURS|DAYS|ROUNDS|DOMAIN|SAMESITE|SECURE"
    r"|REQUIRED|STORE|VERSION|REGION|SERVER|CLASS|FORMAT|COLUMN|FIELD|ENDPOINT|SERVICE)$",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PUBLIC = re.compile(r"PUBLIC", re.IGNORECASE)
# A switch, a number, a span, a path, a placeholder, something that is put in.
_PLAIN = re.compile(
    r"\s{0,20}|(?i:true|false|yes|no|on|off|none|null|enabled|disabled|optional|required|always|never|change.?me)"
    r"|[\d.,:]{1,40}(?:ms|s|m|h|d|[kmg]i?b?)?|(?:\.{0,2}/[\w.-]{1,100}){1,20}/?|\$.{0,400}|\{\{.{0,400}|<[^>]{0,100}>"
)
_TEXTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?i)[\"'](?:\w{0,40}_)?(?:password|passwd|secret|token|api_?key|client_secret)[\"']\s{0,5}[:=]\s{0,5}[\"'][^\"'${]{3}",
        r"(?i)[?&](?:[a-z]{0,20}_?token|[a-z]{0,20}_?key|sig|signature|secret|password|pwd|auth)=[^&\s${]{4}",
        r"(?i)(?:AccountKey|SharedAccessKey|SharedSecretIssuer)=[A-Za-z0-9+/]{8}",
        r"(?i)hooks\.slack\.com/services/|/api/webhooks/\d{6,30}/|webhook\.office\.com/",
        r":thin:[^/\s:@]{1,100}/[^@\s${]{1,200}@",
        r"(?i)-D[\w.-]{0,100}(?:password|passwd|secret|token|key)=[^\s${]{3}",
        r"(?i)--?(?:\w{1,20}-){0,3}(?:password|passwd|secret|token|api-?key)[= ][^\s${-][^\s]{2}",
        r"://[A-Za-z0-9]{20,200}@",
        r"\${1,2}(?:2[abxy]|apr1|[156y]|argon2\w{0,2})\${1,2}",
    )
)


def may_be_secret(name: str, text: str) -> bool:
    """Whether the value that a variable has in a codebase is left out of what is made of it."""
    if is_secret(name, text) or any(pattern.search(text) for pattern in _TEXTS):
        return True
    snake = _CAMEL.sub("_", name)
    return (
        _WORDS.search(snake) is not None
        and _ABOUT.search(snake) is None
        and _PUBLIC.search(snake) is None
        and _PLAIN.fullmatch(text) is None
    )
