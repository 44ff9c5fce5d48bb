"""git's words, as git, curl, ssh and servers write them, and what they mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.errors import Forbidden, InvalidDesired, OperatorError, RateLimited, Unavailable, Unsupported
from desired.git_errors import Meaning, error_of, failure, scrubbed
from desired.reasons import Reason

WORDS = [
    # ssh
    ("Host key verification failed.\r\nfatal: Could not read from remote repository.", Meaning.HOST_KEY),
    ("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.", Meaning.HOST_KEY),
    (
        "git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.\n\n"
        "Please make sure you have the correct access rights\nand the repository exists.",
        Meaning.FORBIDDEN,
    ),
    ('Load key "/k": invalid format\ngit@h: Permission denied (publickey).', Meaning.FORBIDDEN),
    ("ssh: connect to host h port 22: Connection refused\nfatal: Could not read from remote", Meaning.UNAVAILABLE),
    ("ssh: Could not resolve hostname h: Name or service not known\nfatal: Could not read", Meaning.UNAVAILABLE),
    ("kex_exchange_identification: Connection closed by remote host", Meaning.UNAVAILABLE),
    ("ERROR: Repository not found.\nfatal: Could not read from remote repository.", Meaning.NO_REPOSITORY),
    # http
    ("fatal: unable to access 'https://h/x/': Could not resolve host: h", Meaning.UNAVAILABLE),
    ("fatal: unable to access 'https://h/x/': The requested URL returned error: 503", Meaning.UNAVAILABLE),
    ("fatal: unable to access 'https://h/x/': The requested URL returned error: 403", Meaning.FORBIDDEN),
    ("fatal: unable to access 'https://h/x/': The requested URL returned error: 429", Meaning.RATE_LIMITED),
    ("remote: Invalid username or password.\nfatal: Authentication failed for 'https://h/x/'", Meaning.FORBIDDEN),
    ("fatal: could not read Username for 'https://h': terminal prompts disabled", Meaning.FORBIDDEN),
    ("fatal: repository 'https://h/x/' not found", Meaning.NO_REPOSITORY),
    ("remote: Repository not found.\nfatal: repository 'https://github.com/a/b/' not found", Meaning.NO_REPOSITORY),
    (
        "fatal: unable to access 'https://h/': server certificate verification failed. CAfile: none CRLfile: none",
        Meaning.CERTIFICATE,
    ),
    ("fatal: unable to access 'https://h/': SSL certificate problem: self-signed certificate", Meaning.CERTIFICATE),
    ("error: RPC failed; curl 18 transfer closed\nfatal: early EOF", Meaning.UNAVAILABLE),
    ("fatal: dumb http transport does not support shallow capabilities", Meaning.NO_SHALLOW),
    # git, file
    ("fatal: remote error: access denied or repository not exported: /x", Meaning.NO_REPOSITORY),
    ("fatal: '/x' does not appear to be a git repository\nfatal: Could not read from remote", Meaning.NO_REPOSITORY),
    ("fatal: unable to connect to h:\nh[0: 127.0.0.1]: errno=Connection refused", Meaning.UNAVAILABLE),
    ("fatal: the remote end hung up unexpectedly", Meaning.UNAVAILABLE),
    ("fatal: transport 'ext' not allowed", Meaning.PROTOCOL),
    ("git: 'remote-https' is not a git command. See 'git --help'.", Meaning.PROTOCOL),
    # refs
    ("fatal: couldn't find remote ref refs/heads/x", Meaning.NO_SUCH_REF),
    ("fatal: remote error: upload-pack: not our ref 0123", Meaning.COMMIT_NOT_OFFERED),
    ("error: Server does not allow request for unadvertised object 0123", Meaning.COMMIT_NOT_OFFERED),
    # ours
    ("fatal: write error: No space left on device\nfatal: fetch-pack: invalid index-pack output", Meaning.DISK),
    ("fatal: not a git repository: '/c/repository'", Meaning.DAMAGED),
    ("error: packfile ./objects/pack/p.pack does not match index", Meaning.DAMAGED),
    ("fatal: bad object refs/nomad-operator/incoming", Meaning.DAMAGED),
    ("fatal: bad config line 1 in file /c/repository/config", Meaning.DAMAGED),
    ("fatal: something nobody has ever seen", Meaning.UNKNOWN),
    ("", Meaning.UNKNOWN),
]


@pytest.mark.parametrize(("text", "meaning"), WORDS)
def test_words_and_their_meaning(text: str, meaning: Meaning) -> None:
    assert failure(text).meaning is meaning


@pytest.mark.parametrize(
    ("meaning", "kind"),
    [
        (Meaning.HOST_KEY, Forbidden),
        (Meaning.FORBIDDEN, Forbidden),
        (Meaning.RATE_LIMITED, RateLimited),
        (Meaning.NO_SUCH_REF, InvalidDesired),
        (Meaning.COMMIT_NOT_OFFERED, InvalidDesired),
        (Meaning.NO_REPOSITORY, InvalidDesired),
        (Meaning.PROTOCOL, Unsupported),
        (Meaning.UNAVAILABLE, Unavailable),
        (Meaning.CERTIFICATE, Unavailable),
        (Meaning.DISK, Unavailable),
        (Meaning.DAMAGED, Unavailable),
        (Meaning.UNKNOWN, Unavailable),
    ],
)
def test_every_meaning_has_an_error_with_a_hint(meaning: Meaning, kind: type[OperatorError]) -> None:
    text = next(text for text, found in WORDS if found is meaning)
    error = error_of(failure(text), doing="looking for main in https://h/x", where="https://h/x")
    assert type(error) is kind and error.hint and "poll tries" not in error.hint
    assert "looking for main in https://h/x" in str(error)


def test_a_refused_host_key_has_a_reason_of_its_own() -> None:
    error = error_of(failure("Host key verification failed."), doing="d", where="w")
    assert error.reason is Reason.HOST_KEY_REFUSED


def test_the_telling_line_is_shown_and_not_the_noise() -> None:
    text = "warning: redirecting\nremote: hello\nfatal: Authentication failed for 'https://h/x/'\nmore\n"
    assert failure(text).line == "fatal: Authentication failed for 'https://h/x/'"
    assert failure("hint: a\nfatal: no idea\nhint: b").line == "fatal: no idea"


@given(secret=st.text(min_size=1, max_size=30), before=st.text(max_size=20), after=st.text(max_size=20))
def test_no_secret_survives_scrubbing(secret: str, before: str, after: str) -> None:
    if secret in "***":
        return
    shown = scrubbed(f"{before}{secret}{after} https://me:{secret}@host/x", [secret])
    assert secret not in shown or secret in scrubbed(f"{before}***{after} https://host/x")


def test_the_longer_of_two_secrets_is_taken_out_first() -> None:
    assert scrubbed("token-long", ["token", "token-long"]) == "***"


def test_nothing_can_steer_a_terminal_or_break_a_line() -> None:
    assert scrubbed("a\x1b[2J\nb\u202ec") == "a [2J b c"
