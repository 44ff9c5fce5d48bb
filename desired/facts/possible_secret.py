"""What of a codebase may be a secret. Broader than what no file may hold: a value that is left out is only asked for,
and one that is taken is written into a manifest. Pure, and never returns the text.
"""

from __future__ import annotations

import re

from desired.secret_literals import is_secret

_WORDS = re.compile(
    r"(?:^|[_.-])(?:PASSWORDS?|PASSWD|PASSPHRASE|PASSCODE|PASS|PWD|SECRETS?|TOKENS?|CREDENTIALS?|CREDS|APIKEYS?|KEYS?"
    r"|PRIV(?:ATE)?(?:_?KEY)?|JWT|SALT|PEPPER|LICENSE|ENCRYPTION|SIGNING|HTPASS(?:WD)?|AUTH|COOKIE|WEBHOOK|DSN|SAS"
    # Said in other languages.
    r"|SEKR[EI]T|PW|GEHEIM(?:NIS)?|KENNWORT|PASSWORT|ZUGANG(?:SDATEN)?|SCHLUESSEL|MDP|MOT_?DE_?PASSE|CLE|CONTRASENY?A"
    r"|CLAVE|SENHA|CHAVE|SEGREDO|CHIAVE|WACHTWOORD|HASLO|SALASANA|LOSENORD|PAROL)"
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
# Written in one with what it is for.
_GLUED = re.compile(r"(?:SECRET|TOKEN|PWD|PW)(?:_?\d{1,2})?$", re.IGNORECASE)
# A few digits that open a door; and who and by which word, in one.
_PIN = re.compile(r"(?:^|[_.-])PIN(?:[_.-]?CODE)?(?:_?\d{1,2})?$", re.IGNORECASE)
_LOGIN = re.compile(r"(?:^|[_.-])(?:LOGIN|ACCOUNT|USER)(?:_?\d{1,2})?$", re.IGNORECASE)
PAIR = re.compile(r"[\w.@+-]{1,100}:(?![${%<])(?=[^\s:/]{0,200}[A-Za-z])(?=[^\s:/]{0,200}[\d!$%&*+?^~#])[^\s:/]{5,200}")
# Made by chance: nobody writes it, and it stands alone. What it is the sum or the name of is said by the variable.
_RANDOM = re.compile(r"(?:[0-9a-f]{2}){16,64}|(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=[^\d]*\d)[A-Za-z0-9+]{24,200}={0,2}")
_SUM = re.compile(
    r"(?:SHA\d{0,3}|MD5|HASH|DIGEST|CHECKSUM|SUM|COMMIT|REVISION|REV|REF|BUILD|RELEASE|VERSION|TAG|ETAG|FINGERPRINT"
    r"|ID|IDS|UUID|GUID|UID|ARN|CLIENT|TENANT|PROJECT|TRACE|SPAN|DSN|IMAGE|MODEL|CHAIN|ADDRESS|CONTRACT|WALLET)(?:_?\d{1,2})?$",
    re.IGNORECASE,
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
        r"(?i)(?:^|[\s;,&])(?:pw|pass|passwort|kennwort|mdp|senha|clave)\s{0,2}=\s{0,2}[^\s;,&=${]{4}",
        r"://[A-Za-z0-9]{20,200}@",
        r"\${1,2}(?:2[abxy]|apr1|[156y]|argon2\w{0,2})\${1,2}",
    )
)


def may_be_secret(name: str, text: str) -> bool:
    """Whether the value that a variable has in a codebase is left out of what is made of it."""
    if is_secret(name, text) or any(pattern.search(text) for pattern in _TEXTS):
        return True
    snake = _CAMEL.sub("_", name)
    if _PIN.search(snake) is not None and re.fullmatch(r"\d{4,12}", text):
        return True
    if _LOGIN.search(snake) is not None and PAIR.fullmatch(text) is not None:
        return True
    if name and _RANDOM.fullmatch(text) is not None and not (_SUM.search(snake) or _PUBLIC.search(snake)):
        return True
    return (
        (_WORDS.search(snake) is not None or _GLUED.search(name) is not None)
        and _ABOUT.search(snake) is None
        and _PUBLIC.search(snake) is None
        and _PLAIN.fullmatch(text) is None
    )
