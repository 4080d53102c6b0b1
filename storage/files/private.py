"""Modes of files that hold what a person did: for the owner, and for a group that the folder's modes invite."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

_OWNER, _READABLE, _GROUP = 0o600, 0o640, 0o660
_INVITED = 0o020  # write permission of the group on a folder
_SETGID = 0o2000
_OTHERS_WRITE = 0o022  # group and all


def private_mode(folder: Path) -> int:
    """Return the mode of a database or lock in `folder`: 0600, or 0660 where the group may write to the folder."""
    return _GROUP if folder.stat().st_mode & _INVITED else _OWNER


def create_private(path: Path) -> None:
    """Create an empty file with the mode that `private_mode` gives, less the umask; leave a file that is there."""
    with suppress(OSError):  # who opens it next is told why it cannot be
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, private_mode(path.parent)))


def share_secret(handle: int, folder: Path) -> None:
    """Let the group that may write to `folder` read a secret in it, which is open and still of mode 0600.

    Whoever may write there may replace the secret and all that it guards, so to read it adds nothing. The file is given
    to the folder's group first, since that of its owner may be everybody's. A stricter umask counts.
    """
    invites = folder.stat()
    if invites.st_mode & _OTHERS_WRITE != _INVITED:  # where all may write, no group is meant
        return
    strict = os.umask(0o077)  # which tells it; a file that is made meanwhile is the owner's alone
    os.umask(strict)
    with suppress(OSError):  # its owner is not of that group
        if os.fstat(handle).st_gid != invites.st_gid:
            os.fchown(handle, -1, invites.st_gid)
        os.fchmod(handle, _READABLE & ~strict)


def make_private_folder(folder: Path) -> None:
    """Create a folder with mode 0700, or 2770 in a group's folder (setgid and group-writable), less the umask.

    A folder that is there keeps its modes. Its parent must be there.
    """
    inviting = folder.parent.stat().st_mode
    group = bool(inviting & _SETGID and inviting & _INVITED)
    with suppress(FileExistsError):
        folder.mkdir(0o770 if group else 0o700)


def scratch_folder() -> Path:
    """Return a folder for temporary files in which no other user can plant or replace any.

    The same folder for each run of a user, so that a run can clear what a killed run left. If somebody else has made a
    folder of that name, a new folder.
    """
    folder = _lasting()
    with suppress(FileExistsError):
        folder.mkdir(0o700)
    found = folder.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & _OTHERS_WRITE:
        return folder
    return Path(tempfile.mkdtemp(prefix=f"{folder.name}-"))


def is_lasting(folder: Path) -> bool:
    """Return whether a scratch folder is the same for each run; another is its run's to remove."""
    return folder == _lasting()


def _lasting() -> Path:
    return Path(tempfile.gettempdir(), f"captchas-{os.geteuid()}")
