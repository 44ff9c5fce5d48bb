"""A git URL is taken apart so that credentials leave it, equal places are equal, and tricks are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.errors import UsageError
from desired.git_address import GitAddress


@pytest.mark.parametrize(
    ("text", "url", "canonical"),
    [
        ("https://Example.com/team/apps.git", "https://example.com/team/apps.git", "https://example.com/team/apps.git"),
        ("https://example.com:443/team/apps/", "https://example.com/team/apps/", "https://example.com/team/apps"),
        ("HTTPS://me:pw@example.com:8443/x", "https://example.com:8443/x", "https://example.com:8443/x"),
        ("https://[::1]:8080/x", "https://[::1]:8080/x", "https://[::1]:8080/x"),
        ("ssh://git@example.com:22/x.git", "ssh://git@example.com/x.git", "ssh://git@example.com/x.git"),
        ("ssh://git@example.com:2222/~/x", "ssh://git@example.com:2222/~/x", "ssh://git@example.com:2222/~/x"),
        ("git@Example.com:team/apps.git", "git@example.com:team/apps.git", "git@example.com:team/apps.git"),
        ("example.com:x", "example.com:x", "example.com:x"),
        ("git://example.com/x", "git://example.com/x", "git://example.com/x"),
        ("file:///srv/my%20apps/", "/srv/my apps", "file:///srv/my apps"),
        ("file://localhost/srv/apps", "/srv/apps", "file:///srv/apps"),
        ("/srv/../srv/apps/", "/srv/apps", "file:///srv/apps"),
        ("./with:colon", str(Path.cwd() / "with:colon"), f"file://{Path.cwd()}/with:colon"),
    ],
)
def test_every_form_of_a_url(text: str, url: str, canonical: str) -> None:
    address = GitAddress.parse(text)
    assert (address.url, address.canonical) == (url, canonical)
    assert GitAddress.parse(address.url).canonical == canonical


@pytest.mark.parametrize(
    ("text", "username", "password"),
    [
        ("https://me:p%40ss@host/x", "me", "p@ss"),
        ("https://token@host/x", "token", ""),
        ("https://:token@host/x", "", "token"),
        ("https://me:a:b@host/x", "me", "a:b"),
        ("https://me:a@b@host/x", "me", "a@b"),
    ],
)
def test_credentials_leave_the_url(text: str, username: str, password: str) -> None:
    address = GitAddress.parse(text)
    assert (address.username, address.password) == (username, password)
    assert address.url == address.canonical == "https://host/x"
    assert repr(address).count("pass") == repr(address).count("token") == 0


@pytest.mark.parametrize(
    "text",
    [
        *("", " https://host/x", "https://host/x\n", "https://host/\x00x"),
        *("ext::sh -c id", "fd::17", "ftp://host/x", "transport::https://host/x"),
        *("--upload-pack=id", "-oProxyCommand=id:x", "ssh://-oProxyCommand=id/x", "ssh://-l@host/x"),
        *("https://", "https:///x", "https://host", "https://host/", "https://ho st/x", "https://host:99999/x"),
        *("https://host:x/y", "https://[::1/x", "https://user:s3cret@[bad/x", "https://host/x?token=s3cret"),
        *("https://host/x#s3cret", "ssh://git:s3cret@host/x", "git://me:s3cret@host/x", "file://other/x"),
        *("host:-x", "git@-host:x"),
        "~nobody-of-this-name/apps",
    ],
)
def test_what_cannot_be_meant_is_refused_without_showing_a_credential(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        GitAddress.parse(text)
    assert caught.value.hint
    assert "s3cret" not in str(caught.value) + caught.value.hint
    assert caught.value.__cause__ is None or "s3cret" not in str(caught.value.__cause__)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_a_usage_error(text: str) -> None:
    try:
        address = GitAddress.parse(text)
    except UsageError:
        return
    assert not address.url.startswith("-")


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=20).filter(
        lambda text: not set(text) & set("/?#[]@:%\\") and text not in "https://example.com/team/apps"
    )
)
def test_no_password_is_left_in_what_is_shown(password: str) -> None:
    address = GitAddress.parse(f"https://me:{password}@example.com/team/apps")
    assert password not in address.url + address.canonical + repr(address)
    assert address.password == password
