"""The directories of an installation, who may enter them, and the secrets in them."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import secrets
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.embedded.errors import ServiceFailed
from config.embedded.processes import Account

SERVICE_ACCOUNT = "pgserver"
REPOSITORY = Path(__file__).resolve().parent.parent.parent


def var_directory() -> Path:
    return Path(os.environ.get("COUNTERSIGN_VAR") or REPOSITORY / "var").resolve()


def prepare(var: Path) -> None:
    """Make the directories that do not exist; fails with the reason when this user may not write there."""
    try:
        var.mkdir(parents=True, exist_ok=True)
        for name in ("run", "log", "secrets"):
            (var / name).mkdir(mode=0o700, exist_ok=True)
        (var / "run" / "lock").touch(mode=0o600)
    except OSError as error:
        raise ServiceFailed(
            f"Cannot write to {var} ({error.strerror})."
            " Run as the user that owns it, or set COUNTERSIGN_VAR to a directory of your own."
        ) from error


@contextmanager
def locked(var: Path) -> Iterator[None]:
    """One process at a time starts, stops or counts an installation's services. The kernel drops a dead one's lock."""
    with (var / "run" / "lock").open("r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def secret(var: Path, name: str) -> str:
    """A password of this installation, made on first use. Call it under the lock."""
    path = var / "secrets" / name
    if not path.exists() or not path.read_text().strip():
        write_private(path, secrets.token_urlsafe(32) + "\n")
    return path.read_text().strip()


def write_private(path: Path, text: str, account: Account | None = None) -> None:
    """Replace a file in one step, readable by its owner only: a reader sees the old or the new one, never half."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    if account is not None:
        os.chown(draft, account.uid, account.gid)
    draft.replace(path)


def package(name: str) -> Path:
    """Where an installed package keeps its files. It is not imported: these two start things of their own when they are."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ServiceFailed(
            f"The package {name} is not installed, so there is no embedded server to start."
            " Set DATABASE_URL and REDIS_URL, or: pip install -r requirements.txt"
        )
    return Path(spec.submodule_search_locations[0]).resolve()


def service_account() -> Account | None:
    """Root runs the servers as a system user of their own; anyone else runs them as themselves."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(SERVICE_ACCOUNT)
    except KeyError:
        entry = _make_account()
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _make_account() -> pwd.struct_passwd:
    command = [
        "useradd",
        "--system",
        "--user-group",
        "--no-create-home",
        "--shell",
        "/usr/sbin/nologin",
        SERVICE_ACCOUNT,
    ]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  constant words
    except (OSError, subprocess.CalledProcessError) as error:
        reason = error.stderr.strip() if isinstance(error, subprocess.CalledProcessError) else str(error)
        if "already exists" not in reason:
            raise ServiceFailed(
                f"PostgreSQL does not run as root, and the system user {SERVICE_ACCOUNT!r} could not be made: {reason}."
                " Make it by hand, run as an ordinary user, or set DATABASE_URL and REDIS_URL to servers of your own."
            ) from error
    return pwd.getpwnam(SERVICE_ACCOUNT)


def own_directory(path: Path, account: Account | None) -> None:
    """A directory that only the servers' user enters, reachable for it from the root down."""
    path.mkdir(mode=0o700, exist_ok=True)
    if account is not None:
        if path.stat().st_uid != account.uid:
            os.chown(path, account.uid, account.gid)
        let_through(path, account)


def let_through(path: Path, account: Account) -> None:
    """Let the account pass the directories above `path`: execute only (it lists nothing), and only where it lacks."""
    for parent in path.resolve().parents:
        mode = parent.stat()
        if mode.st_uid != account.uid and not mode.st_mode & stat.S_IXOTH:
            parent.chmod(stat.S_IMODE(mode.st_mode) | stat.S_IXOTH)


def let_run(program_files: Path, account: Account | None) -> None:
    """Let the account read the servers' program files: an install under a strict umask hides them from it."""
    if account is None:
        return
    let_through(program_files, account)
    for path in [program_files, *program_files.rglob("*")]:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            continue
        needed = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(mode) or mode & stat.S_IXUSR else 0)
        if mode & needed != needed:
            path.chmod(stat.S_IMODE(mode) | needed)
