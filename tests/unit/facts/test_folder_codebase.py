"""Which files of a folder are looked at: none that a rule hides, none through a link, none that holds up anything."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desired.errors import InvalidDesired, Unavailable
from desired.facts import folder_codebase
from desired.facts.analyze import analyze
from desired.facts.folder_codebase import MAX_FILE_BYTES, FolderCodebase
from desired.facts.tree_codebase import TreeCodebase


def write(folder: Path, files: dict[str, str | bytes]) -> FolderCodebase:
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
    return FolderCodebase(folder)


# Files that are there, and those that are seen besides what is told.
HIDDEN: dict[str, tuple[dict[str, str | bytes], list[str]]] = {
    "folders of tools": (
        {f"{name}/x": "" for name in ("node_modules", ".git", "vendor", ".venv", "a/__pycache__", "docs", ".github")},
        [],
    ),
    "copies": (dict.fromkeys(("Dockerfile~", "a.bak", "b.orig", "Dockerfile.old", "x.bak/y", "a.py"), ""), ["a.py"]),
    "a rule of the root": (
        {".gitignore": "*.log\n/out\n", "a.log": "", "b/c.log": "", "out/x": "", "b/out/x": ""},
        ["b/out/x"],
    ),
    "a rule further down takes back": (
        {".gitignore": "*.log", "keep/.gitignore": "!*.log", "keep/a.log": "", "b.log": ""},
        ["keep/a.log"],
    ),
    "nothing is taken back below a folder that is ignored": (
        {".gitignore": "out/\n!out/a", "out/.gitignore": "!a", "out/a": ""},
        [],
    ),
    "a rule for one folder": ({"a/.gitignore": "/x", "a/x": "", "a/b/x": "", "x": ""}, ["a/b/x", "x"]),
    "rules with a byte order mark and ends of lines as Windows has them": (
        {".gitignore": b"\xef\xbb\xbfa\r\nb\r\n", "a": "", "b": "", "c": ""},
        ["c"],
    ),
    "rules that are no text": ({".gitignore": b"\0\1\2", "a": ""}, ["a"]),
}  # fmt: skip


@pytest.mark.parametrize("case", HIDDEN, ids=str)
def test_what_a_rule_hides_is_not_there(case: str, tmp_path: Path) -> None:
    files, expected = HIDDEN[case]
    found = write(tmp_path, files).paths
    assert [path for path in found if not path.endswith(".gitignore")] == expected


PARTS = ["a", "b", "a.log", "[a]", "x y", "keep", "!n", "#c", " s", "a*b"]
PATTERNS = [
    "a", "b/", "*.log", "/a", "a/b", "!a", "!*.log", "**/b", "a/**", "a/**/b", "*", "!*/", "?", "[ab]", "[!a]*", "\\!n",
    "\\#c",
    "*b*", "a*/b", "!/a/b", "keep", "!keep/", "# c", "  ", "x y ", "a\\ ", "[[:alpha:]]", "[", "a\\", "***", "/",
    "/**/a", "**", "a//b", "\\[a\\]", "[]a]", "!b/", "[a-", "/*", "!/keep", "[^a]", " s", "a\\*b", "[a-k]*",
    "!**/keep/**",
]  # fmt: skip
paths = st.lists(st.sampled_from(PARTS), min_size=1, max_size=4).map("/".join)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    files=st.lists(paths, min_size=1, max_size=20),
    rules=st.dictionaries(st.just("") | paths, st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=4), max_size=3),
)
def test_git_itself_hides_the_same(
    files: list[str], rules: dict[str, list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("git")
    for path in files:
        if not any((root / folder).is_file() for folder in Path(path).parents) and not (root / path).is_dir():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).touch()
    for folder, lines in rules.items():
        if (root / folder).is_dir():
            (root / folder / ".gitignore").write_text("\n".join(lines) + "\n")
    git = ["git", "-C", str(root), "-c", "core.excludesFile=/dev/null"]
    subprocess.run([*git, "init", "-q"], check=True)
    listed = subprocess.run([*git, "ls-files", "-coz", "--exclude-standard"], check=True, capture_output=True)
    assert list(FolderCodebase(root).paths) == sorted(name for name in listed.stdout.decode().split("\0") if name)


def test_a_pattern_that_is_made_to_take_for_ever_does_not(tmp_path: Path) -> None:
    codebase = write(tmp_path, {".gitignore": "*a" * 60 + "b\n" + "?*" * 60 + "\n", "a" * 250: "", "a" * 20: ""})
    assert codebase.paths == (".gitignore", "a" * 20)


def test_no_link_is_followed_and_nothing_outside_is_read(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", {"Dockerfile": "FROM secret\n", "x": "secret"})
    codebase = write(tmp_path / "code", {"a/b": "", "swapped/Dockerfile": "FROM ours\n"})
    (tmp_path / "code" / "Dockerfile").symlink_to(tmp_path / "outside" / "Dockerfile")
    (tmp_path / "code" / "folder").symlink_to(tmp_path / "outside")
    (tmp_path / "code" / ".gitignore").symlink_to(tmp_path / "outside" / "x")
    (tmp_path / "code" / "circle").symlink_to(tmp_path / "code")
    assert codebase.paths == ("a/b", "swapped/Dockerfile")
    (tmp_path / "code" / "swapped" / "Dockerfile").unlink()
    (tmp_path / "code" / "swapped").rmdir()
    (tmp_path / "code" / "swapped").symlink_to(tmp_path / "outside")
    assert codebase.text("swapped/Dockerfile") is None
    (tmp_path / "code" / "a" / "b").unlink()
    (tmp_path / "code" / "a" / "b").symlink_to(tmp_path / "outside" / "x")
    for path in ("a/b", "Dockerfile", "folder/x", "../outside/x", "/etc/hostname", "a/../../outside/x", "", ".", "a"):
        assert codebase.text(path) is None, path
    assert outside.text("x") == "secret"


def test_what_is_hidden_is_not_read_by_its_name_either(tmp_path: Path) -> None:
    codebase = write(tmp_path, {".gitignore": ".env\n", ".env": "A=1", "node_modules/x": "y", "c": "z"})
    assert [codebase.text(path) for path in (".env", "node_modules/x", "c")] == [None, None, "z"]


def test_a_tree_hides_the_folders_of_tools_as_well() -> None:
    codebase = TreeCodebase(name="x", contents={"s/node_modules/a": b"1", "s/b": b"2", "t/c": b"3"}, root="s")
    assert codebase.paths == ("b",)
    assert [codebase.text(path) for path in ("b", "node_modules/a", "../t/c")] == ["2", None, None]


def test_pipes_sockets_and_huge_files_hold_up_nothing(tmp_path: Path) -> None:
    codebase = write(tmp_path, {"a": "x", "huge.py": b"#" * (MAX_FILE_BYTES + 1), "full.py": b"#" * MAX_FILE_BYTES})
    os.mkfifo(tmp_path / "Dockerfile")
    os.mkfifo(tmp_path / ".gitignore")
    assert codebase.paths == ("a", "full.py", "huge.py")
    assert codebase.text("huge.py") is None and codebase.text("full.py") is not None
    (tmp_path / "a").unlink()
    os.mkfifo(tmp_path / "a")
    assert codebase.text("a") is None
    analyze(FolderCodebase(tmp_path))


ENCODINGS: dict[str, tuple[bytes, str | None]] = {
    "UTF-8 with a mark": ("\ufeffFROM é\n".encode(), "FROM é\n"),
    "UTF-16, little end first": (b"\xff\xfe" + "FROM é\n".encode("utf-16-le"), "FROM é\n"),
    "UTF-16, big end first": (b"\xfe\xff" + "FROM é\n".encode("utf-16-be"), "FROM é\n"),
    "UTF-16 with half a pair": (b"\xff\xfe\x00\xd8A\x00", None),
    "Latin-1": ("FROM é\n".encode("latin-1"), "FROM é\n"),
    "a binary": (b"\x7fELF\0\0\0", None),
    "ends of lines as Windows has them": (b"FROM a\r\nUSER b\r", "FROM a\nUSER b\n"),
    "nothing": (b"", ""),
}


@pytest.mark.parametrize("case", ENCODINGS, ids=str)
def test_a_text_is_read_in_any_encoding_that_people_use(case: str, tmp_path: Path) -> None:
    data, expected = ENCODINGS[case]
    assert write(tmp_path, {"Dockerfile": data}).text("Dockerfile") == expected


def test_names_that_could_not_be_shown_are_left_out(tmp_path: Path) -> None:
    for name in ("a\nb", "c\x1b[31m", "d\u202ee", "plain", "Ünïcode"):
        (tmp_path / name).write_text("FROM x\n")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe")).touch()
    (tmp_path / "f\n").mkdir()
    (tmp_path / "f\n" / "Dockerfile").write_text("FROM x\n")
    assert FolderCodebase(tmp_path).paths == ("plain", "Ünïcode")


def test_folders_in_folders_in_folders_end(tmp_path: Path) -> None:
    """Deeper than any path that the system takes, and than Python can call itself."""
    write(tmp_path, {"a/Dockerfile": "FROM x\n"})
    here = os.open(tmp_path, os.O_RDONLY)
    try:
        for _ in range(3_000):
            os.mkdir("d", dir_fd=here)
            below = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
    finally:
        os.close(here)
    assert FolderCodebase(tmp_path).paths == ("a/Dockerfile",)
    subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    codebase = write(tmp_path, {f"f{number}": "" for number in range(4)} | {".gitignore": "*.log\n"})
    monkeypatch.setattr(folder_codebase, "MAX_FILES", 5)
    assert len(codebase.paths) == 5
    monkeypatch.setattr(folder_codebase, "MAX_FILES", 4)
    with pytest.raises(InvalidDesired, match="more than 4 files that nothing hides"):
        _ = FolderCodebase(tmp_path).paths
    monkeypatch.setattr(folder_codebase, "MAX_FILES", 5)
    monkeypatch.setattr(folder_codebase, "MAX_ENTRIES", 6)
    write(tmp_path, {f"f{number}.log": "" for number in range(4)})
    with pytest.raises(InvalidDesired, match="more than 6 files"):
        _ = FolderCodebase(tmp_path).paths


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place, message in (("file", "is not a folder"), ("gone", "does not exist")):
        with pytest.raises(InvalidDesired, match=message):
            _ = FolderCodebase(tmp_path / place).paths


def test_a_folder_below_that_cannot_be_read_holds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read anything: the system's answer is played."""
    codebase = write(tmp_path, {"a/x": "", "b/y": ""})
    real = os.scandir

    def scandir(place: Any) -> Any:
        if str(place).endswith("/a"):
            raise PermissionError(13, "Permission denied")
        return real(place)

    monkeypatch.setattr(folder_codebase.os, "scandir", scandir)
    assert codebase.paths == ("b/y",)
    with pytest.raises(Unavailable, match="Permission denied"):
        _ = FolderCodebase(tmp_path / "a").paths
