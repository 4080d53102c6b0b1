"""The password of Prefect's server: Prefect's two settings, and the file of the password that `captchas up` generates.

Prefect calls it the auth string. Its server compares the whole text; a colon in it has no meaning.
"""

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from storage.errors import BadInput, explained
from storage.files import atomic
from storage.files.private import share_secret

SERVER = "PREFECT_SERVER_API_AUTH_STRING"  # what a server asks for
CLIENT = "PREFECT_API_AUTH_STRING"  # what its clients send
FILE = "password"  # under Prefect's folder of the home
_PRIVATE = 0o600
KEY = "PREFECT_API_KEY"  # what they send to Prefect's own site in place of a password
_MOST = 1024  # characters; a server takes no headers of any length
_RANDOM = 32  # bytes, as many as a SHA-256 key has


def new_password() -> str:
    """Return a new password, which is safe in a URL, a shell and a header."""
    return f"captchas:{secrets.token_urlsafe(_RANDOM)}"


_RULE = f"must be at most {_MOST} characters of ASCII, since Prefect's server takes no other password"


def fits(password: str) -> bool:
    """Return whether a server takes a password: Prefect's compares nothing but ASCII, and headers have a bound."""
    return password.isascii() and len(password) <= _MOST


def require_sendable() -> None:
    """Refuse a password or key in the environment that cannot be sent to any server; neither is shown.

    Raises
    ------
    BadInput
    """
    for name in (SERVER, CLIENT):
        if "\udc80" <= max(os.environ.get(name, ""), default="") <= "\udcff":
            raise BadInput(f"{name}: must be UTF-8; correct or unset it")
    key = os.environ.get(KEY, "")
    if not (key.isascii() and key.isprintable()):
        raise BadInput(f"{KEY}: must be printable ASCII; correct or unset it")


def agree(new: Callable[[], str] = new_password) -> str:
    """Have the server that this process starts ask for the password that all its clients send; return it.

    The password is the operator's, from either variable, else `new()`. Both variables are set: children inherit them.

    Raises
    ------
    BadInput
        The operator has given the server and its clients different passwords, or one that no server takes.
    """
    server, client = os.environ.get(SERVER), os.environ.get(CLIENT)
    if server and client and server != client:
        raise BadInput(f"{CLIENT}: is not the password in {SERVER}, so the server would refuse; give both the same")
    for name, given in ((SERVER, server), (CLIENT, client)):
        if given and not fits(given):
            raise BadInput(f"{name}: {_RULE}; correct or unset it")
    chosen = server or client or new()
    os.environ[SERVER] = os.environ[CLIENT] = chosen
    return chosen


def agree_kept(folder: Path) -> str:
    """Agree on the password that is kept in a folder, as `agree` does; return where a person finds it.

    Raises
    ------
    BadInput
    """
    given = next((name for name in (SERVER, CLIENT) if os.environ.get(name)), None)
    agree(lambda: kept(folder))
    return given or str(folder / FILE)


def kept(folder: Path) -> str:
    """Read the generated password in a folder; generate it first if there is none.

    Only the owner may read a new file, and the group that may write to the folder. Others lose the permission.

    Raises
    ------
    BadInput
        The file cannot be read.
    """
    file = folder / FILE
    try:
        # Not waited for if it is a pipe: a home may come from elsewhere.
        with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW), "rb") as opened:
            found = os.fstat(opened.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise OSError("it is no file")
            if found.st_mode & 0o007 and os.geteuid() == found.st_uid:
                os.fchmod(opened.fileno(), found.st_mode & 0o770)
            text = opened.read(2 * _MOST).decode("ascii").strip()
        if not fits(text):
            raise OSError(f"it has more than {_MOST} characters")
    except FileNotFoundError:
        text = ""
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise BadInput(f"{file}: cannot be read ({why}); remove it, and `captchas up` makes a new password") from error
    if not text:
        text = new_password()
        write_private(file, f"{text}\n".encode(), shared=True)
    return text


def write_private(file: Path, data: bytes, *, shared: bool = False) -> None:
    """Replace a file by a file that only its owner can read, from its first byte on.

    With `shared`, so can the group that may write to its folder, unless the umask forbids it.

    Raises
    ------
    NoSpace, Unwritable
    """
    atomic.make_folder(file.parent)
    staged = atomic.temporary(file, atomic.new_run())
    try:
        with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE), "wb") as new:
            if shared:
                share_secret(new.fileno(), file.parent)
            new.write(data)
        staged.replace(file)
    except OSError as error:
        atomic.discard(staged)
        raise explained(error, file) from error
