"""What git's plumbing prints is read exactly, and anything else is damage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desired.file_listing import EntryKind, Listed
from desired.git_objects import Damaged, batch, blob_id, is_object_id, listing, refs, tip_of

A, B = "a" * 40, "b" * 40


def test_refs_are_read_and_noise_is_not() -> None:
    output = f"{A}\trefs/heads/main\n{B}\trefs/tags/v1^{{}}\nnoise\nshort\trefs/x\n".encode()
    assert refs(output) == {"refs/heads/main": A, "refs/tags/v1^{}": B}


def test_a_branch_wins_over_a_tag_and_an_annotated_tag_leads_to_its_commit() -> None:
    tag = {"refs/tags/v1": A, "refs/tags/v1^{}": B}
    assert tip_of("v1", tag) == ("refs/tags/v1", B)
    assert tip_of("v1", {"refs/heads/v1": A} | tag) == ("refs/heads/v1", A)
    assert tip_of("refs/tags/v1", {"refs/heads/v1": A} | tag) == ("refs/tags/v1", B)
    assert tip_of("v1", {"refs/heads/feature/v1": A, "refs/x/refs/heads/v1": A}) is None


def test_a_listing_keeps_every_name_as_it_is() -> None:
    output = (
        f"100644 blob {A}      12\tplain\x00100755 blob {A}     BAD\ta\nb\x00"
        f"120000 blob {A}       3\t\xff\x00160000 commit {A}       -\tsub\x00"
    ).encode("latin-1")
    assert listing(output) == [
        Listed(name=b"plain", kind=EntryKind.FILE, blob=A, size=12),
        Listed(name=b"a\nb", kind=EntryKind.FILE, blob=A, size=None),
        Listed(name=b"\xff", kind=EntryKind.LINK, blob=A, size=3),
        Listed(name=b"sub", kind=EntryKind.REPOSITORY, blob=A, size=None),
    ]
    assert listing(b"") == []
    with pytest.raises(Damaged):
        listing(b"error: no tree\0")


@given(st.lists(st.binary(max_size=200), unique=True), st.booleans())
def test_contents_come_back_as_they_were(contents: list[bytes], sha256: bool) -> None:
    like = "0" * 64 if sha256 else ""
    expected = {blob_id(data, like=like): data for data in contents}
    printed = b"".join(f"{blob} blob {len(data)}\n".encode() + data + b"\n" for blob, data in expected.items())
    assert batch(printed) == expected


@pytest.mark.parametrize(
    "output",
    [f"{A} missing\n".encode(), f"{A} tree 0\n\n".encode(), f"{A} blob 5\nhello\n".encode(), f"{A} blob 9\nx".encode()],
)
def test_what_is_missing_or_not_what_its_id_says_is_damage(output: bytes) -> None:
    with pytest.raises(Damaged):
        batch(output)


def test_a_blob_id_is_the_one_that_git_gives() -> None:
    """Source: `git hash-object --stdin` of an empty file and of `hello` with a line end."""
    assert blob_id(b"") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    assert blob_id(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_only_complete_ids_are_ids() -> None:
    assert is_object_id(A) and is_object_id("0" * 64)
    assert not any(map(is_object_id, ("", "a" * 39, "a" * 41, "A" * 40, "HEAD", A + "\n", "g" * 40)))
