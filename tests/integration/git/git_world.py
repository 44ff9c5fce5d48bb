"""Real git repositories and real servers for them, on loopback and in a temporary folder."""

from __future__ import annotations

import base64
import contextlib
import getpass
import http.server
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

ISOLATED = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A Person",
    "GIT_AUTHOR_EMAIL": "person@example.com",
    "GIT_COMMITTER_NAME": "A Person",
    "GIT_COMMITTER_EMAIL": "person@example.com",
}


class Upstream:
    """A repository that somebody commits to; `folder` is its work tree, and what servers serve."""

    def __init__(self, folder: Path, *, object_format: str = "sha1") -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main", f"--object-format={object_format}")
        self.git("config", "uploadpack.allowFilter", "true")

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        ended = subprocess.run(
            ["git", *arguments], cwd=self.folder, env=ISOLATED, input=stdin, capture_output=True, check=False
        )
        assert ended.returncode == 0, ended.stderr.decode()
        return ended.stdout.decode().strip()

    def commit(self, files: Mapping[str, str | bytes | None] | None = None, subject: str = "a change") -> str:
        """Write files (None removes one), commit everything; the commit's id."""
        for name, content in (files or {}).items():
            place = self.folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                place.unlink()
            else:
                place.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", subject)
        return self.git("rev-parse", "HEAD")


class HttpServer:
    """`git http-backend` (or, `dumb`, plain files) behind HTTP; every attribute may be changed while it serves."""

    def __init__(self, root: Path, *, dumb: bool = False) -> None:
        self.login: tuple[str, str] | None = None
        self.status: int | None = None
        self.redirect: str | None = None
        self.old_protocol = False
        self.message = ""
        self.seen: list[str | None] = []
        self.answer = threading.Event()
        self.answer.set()
        self.reached = threading.Event()
        server = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def __init__(self, *arguments: object) -> None:
                super().__init__(*arguments, directory=str(root))  # type: ignore[arg-type]

            def log_message(self, *arguments: object) -> None:
                pass

            def do_GET(self) -> None:
                if self._let_in():
                    super().do_GET() if dumb else self._backend(b"")

            def do_POST(self) -> None:
                body = self._body()
                if self._let_in():
                    self._backend(body)

            def _body(self) -> bytes:
                if self.headers.get("Transfer-Encoding") == "chunked":
                    body = b""
                    while size := int(self.rfile.readline(), 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                    return body
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))

            def _let_in(self) -> bool:
                given = self.headers.get("Authorization")
                server.seen.append(given)
                if server.redirect is not None:
                    self._plain(302, {"Location": server.redirect + self.path})
                    return False
                if server.login is not None:
                    wanted = "Basic " + base64.b64encode(":".join(server.login).encode()).decode()
                    if given != wanted:
                        self._plain(401, {"WWW-Authenticate": 'Basic realm="git"'})
                        return False
                server.reached.set()
                server.answer.wait(30)
                if server.status is not None:
                    self._plain(server.status, {})
                    return False
                return True

            def _plain(self, status: int, headers: dict[str, str]) -> None:
                body = server.message.encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def _backend(self, body: bytes) -> None:
                path, _, query = self.path.partition("?")
                environment = ISOLATED | {
                    "GIT_PROJECT_ROOT": str(root),
                    "GIT_HTTP_EXPORT_ALL": "1",
                    "PATH_INFO": path,
                    "QUERY_STRING": query,
                    "REQUEST_METHOD": self.command,
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "CONTENT_LENGTH": str(len(body)),
                    "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                    "REMOTE_ADDR": "127.0.0.1",
                }
                if not server.old_protocol and self.headers.get("Git-Protocol"):
                    environment["GIT_PROTOCOL"] = self.headers["Git-Protocol"]
                answer = subprocess.run(
                    ["git", "http-backend"], input=body, env=environment, capture_output=True, check=False
                ).stdout
                head, _, payload = answer.partition(b"\r\n\r\n")
                headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
                self.send_response(int(headers.pop("Status", "200 OK").split()[0]))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *arguments: object) -> None:
                """A client that was ended in the middle is what some tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def url(self, name: str, userinfo: str = "") -> str:
        return f"http://{userinfo}{'@' if userinfo else ''}127.0.0.1:{self.port}/{name}"

    def close(self) -> None:
        self.answer.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def until_listening(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise AssertionError(f"nothing listens on port {port}")


@contextlib.contextmanager
def serving(arguments: list[str], port: int, environment: Mapping[str, str] = ISOLATED) -> Iterator[None]:
    process = subprocess.Popen(
        arguments, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        until_listening(port, process)
        yield
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def git_daemon(root: Path) -> Iterator[str]:
    """Serves every repository below `root`; gives the URL of the root."""
    port = free_port()
    arguments = ["git", "daemon", "--export-all", f"--base-path={root}", "--listen=127.0.0.1", f"--port={port}"]
    with serving([*arguments, "--reuseaddr", str(root)], port):
        yield f"git://127.0.0.1:{port}"


class SshServer:
    """An sshd of our own that lets one key in, as whoever runs the tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        folder.chmod(0o700)
        self.port = free_port()
        self.key = self.new_key("key")
        self._host_key = self.new_key("host")
        shutil.copy(f"{self.key}.pub", folder / "authorized")
        self.known_hosts = folder / "known hosts 100%"  # a name that has to be quoted and escaped for ssh
        self.know(self._host_key)

    def new_key(self, name: str) -> Path:
        place = self.folder / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place)], check=True)
        return place

    def know(self, host_key: Path) -> None:
        public = Path(f"{host_key}.pub").read_text().split()
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {public[0]} {public[1]}\n")

    def url(self, place: Path) -> str:
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{place}"

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        config = self.folder / "config"
        config.write_text(
            f"ListenAddress 127.0.0.1:{self.port}\nHostKey {self._host_key}\n"
            f"AuthorizedKeysFile {self.folder / 'authorized'}\nStrictModes no\nUsePAM no\nPidFile none\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n"
        )
        sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
        assert sshd is not None
        with serving([sshd, "-D", "-e", "-f", str(config)], self.port):
            yield
