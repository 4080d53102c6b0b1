"""The bytes of a model's file, which anybody may have made."""

from storage.errors import Damaged, NotThere, remedy
from storage.files.places import Place, place
from storage.files.small_files import NotOrdinary, read_ordinary
from storage.skops_archive import MOST_BYTES, most_bytes

_UNPACKED = 2  # times the bytes that a model may have unpacked: no file of a model is larger


def model_bytes(path: str | Place, most: int | None = None, first: int | None = None) -> bytes:
    """Read a model's file, or its `first` bytes; by default of at most twice the bytes that it may have unpacked.

    Raises
    ------
    NotThere
    Damaged
        It cannot be read, is too large, or is a device, a pipe or a socket.
    """
    try:
        return read_ordinary(place(path), _UNPACKED * max(MOST_BYTES, most_bytes()) if most is None else most, first)
    except FileNotFoundError:
        raise NotThere(f"model {path}: no such file; train a model with `captchas train`") from None
    except IsADirectoryError:
        raise NotThere(f"model {path}: is a folder; give the file of a model, or its name under the home") from None
    except NotOrdinary as error:
        raise Damaged(f"model {path}: is no file of a model ({error}); give the file of a model") from None
    except ValueError as error:  # of the variable that allows more bytes
        raise Damaged(f"model {path}: was not read ({error})") from None
    except OSError as error:
        raise Damaged(f"model {path}: cannot be read ({error.strerror}); {remedy(error)}") from error
