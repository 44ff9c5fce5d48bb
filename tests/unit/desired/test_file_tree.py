"""A listing becomes a tree: sorted, each name exactly once, either a file or refused."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from desired.file_listing import EntryKind, Listed, file_tree, to_read
from desired.file_tree import TreeLimits

LIMITS = TreeLimits(max_file_bytes=1000)

ENTRIES = st.builds(
    Listed,
    name=st.binary(min_size=1, max_size=8),
    kind=st.sampled_from(EntryKind),
    blob=st.sampled_from(["1", "2", "3"]),
    size=st.none() | st.integers(0, 2000),
)


@given(
    st.lists(ENTRIES, max_size=20, unique_by=lambda entry: entry.name),
    st.dictionaries(st.sampled_from(["1", "2", "3"]), st.binary(max_size=20)),
)
def test_every_name_is_a_file_or_refused_and_never_both(listed: list[Listed], read: dict[str, bytes]) -> None:
    tree = file_tree("r", listed, read, LIMITS)
    refused = [problem.path for problem in tree.refused]
    assert list(tree.files) == sorted(tree.files) and refused == sorted(set(refused))
    assert not tree.files.keys() & set(refused)
    assert all(entry.size <= LIMITS.max_file_bytes for entry in tree.files.values())
    assert all(path.isprintable() or " " in path or not any(ord(c) < 32 for c in path) for path in refused)
    plain = {entry.name.decode() for entry in listed if entry.name.isascii() and entry.name.isalnum()}
    assert plain <= tree.files.keys() | set(refused)


def test_only_links_and_what_may_be_a_pointer_have_to_be_read() -> None:
    listed = [
        Listed(name=b"link", kind=EntryKind.LINK, blob="link", size=4),
        Listed(name=b"long", kind=EntryKind.LINK, blob="long", size=5000),
        Listed(name=b"maybe", kind=EntryKind.FILE, blob="maybe", size=130),
        Listed(name=b"small", kind=EntryKind.FILE, blob="small", size=20),
        Listed(name=b"large", kind=EntryKind.FILE, blob="large", size=500),
        Listed(name=b"absent", kind=EntryKind.FILE, blob="absent", size=None),
        Listed(name=b"sub", kind=EntryKind.REPOSITORY, blob="sub", size=None),
    ]
    assert to_read(listed) == {"link", "maybe"}


def test_a_path_that_climbs_is_refused() -> None:
    """A crafted tree object can hold such names; git itself would only refuse to check them out."""
    listed = [Listed(name=name, kind=EntryKind.FILE, blob="1", size=1) for name in (b"../x", b"a/../b", b"a//b", b".")]
    tree = file_tree("r", listed, {}, LIMITS)
    assert tree.files == {} and len(tree.refused) == 4
