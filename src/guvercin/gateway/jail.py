"""The file jail: open what a client names, below the owner's roots and nowhere else.

A client names a file by a string, and the gateway may read far more than the client may see. Laws
1. The kernel judges while it walks; nothing is resolved first and checked afterwards, so no swap in between helps.
2. No link of any kind is followed below a root: no symlink, no hard link, no magic link of /proc. The root itself may
   be a symlink: it is the owner's word.
3. What was opened is judged by its descriptor and read from that descriptor alone; a path is never opened twice.
4. «Missing» and «forbidden» are one answer: nobody learns by asking what lies outside.
"""

import ctypes
import errno
import os
import stat
import sys
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TypeAlias

from guvercin.core.errors import Code, FieldFault, GuvercinError

FILE_PATH = "file_path"
"""The field that refusals of a path are about (`FieldFault.where`)."""

LONGEST_PATH = 1024
"""In UTF-8 bytes, as asked."""

Opener: TypeAlias = Callable[[int, bytes], int]
"""Open a path below a folder's descriptor: answers the file's descriptor, or raises OSError.

The path is clean: relative, not empty, no NUL, no `.` and no `..`. The opener follows no link and never blocks.
"""

_FILE = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY  # NONBLOCK: a FIFO without a writer must not hold us
# O_PATH asks only for the right to pass through a folder, as the kernel's own walk does.
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC

_OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""Trouble that is no file's: whoever asks again later may be served."""

_OPENAT2 = 437  # of these machines, and of 32-bit programs on them; any other machine takes the walk
_MACHINES = frozenset({"x86_64", "aarch64"})
_RESOLVE_NO_MAGICLINKS, _RESOLVE_NO_SYMLINKS, _RESOLVE_BENEATH = 0x02, 0x04, 0x08  # linux/openat2.h


def open_in_roots(roots: Sequence[Path], asked: str, *, max_size: int, opener: Opener | None = None) -> int:
    """Open the file that a client names, in the first root that has it; a leading `/` means the root.

    Answers the descriptor of a regular file with one name and at most `max_size` bytes; the caller closes it. Raises
    GuvercinError: NO_FILE_ROOT without roots, FILE_TOO_LARGE, STORE_UNAVAILABLE while this process can open nothing at
    all, and FILE_NOT_OPENED for everything else. Blocks on a slow disk: call it in a thread.
    """
    if not roots:
        raise GuvercinError(Code.NO_FILE_ROOT)
    path = _clean(asked)
    failure: OSError | None = None
    for root in roots:
        try:
            return _open_plain_file(root, path, max_size, opener or open_beneath)
        except OSError as error:
            if error.errno in _OURS:
                raise GuvercinError(Code.STORE_UNAVAILABLE) from error
            failure = error
    raise refusal(Code.FILE_NOT_OPENED, FILE_PATH) from failure


def refusal(code: Code, where: str) -> GuvercinError:
    """Make the error that says `code` of one field."""
    return GuvercinError(code, faults=(FieldFault(where, code.value),))


def open_beneath(root: int, path: bytes, *, kernel: Opener | None = None) -> int:
    """Open by the kernel's jail; where there is none (an old kernel, a seccomp filter, not Linux), by the walk."""
    try:
        return (kernel or open_by_kernel)(root, path)
    except OSError as error:
        # EPERM is what filters answer to calls that they don't know. Should the file itself mean it, so will the walk.
        if error.errno not in {errno.ENOSYS, errno.EPERM}:
            raise
    return open_by_walk(root, path)


def open_by_kernel(root: int, path: bytes) -> int:
    """Open by openat2(2): one call, judged by the kernel while it walks. Raises ENOSYS where that is not to be had."""
    how = (ctypes.c_uint64 * 3)(_FILE, 0, _RESOLVE_BENEATH | _RESOLVE_NO_MAGICLINKS | _RESOLVE_NO_SYMLINKS)
    found: int = _openat2()(_OPENAT2, root, path, ctypes.byref(how), ctypes.sizeof(how))
    if found < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return found


def open_by_walk(root: int, path: bytes) -> int:
    """Open one component after the other, none of which may be a link. Each step starts from an open folder."""
    *folders, name = path.split(b"/")
    if b".." in (*folders, name):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
    with ExitStack() as opened:
        here = root
        for folder in folders:
            here = os.open(folder, _FOLDER | os.O_NOFOLLOW, dir_fd=here)
            opened.callback(os.close, here)
        return os.open(name, _FILE | os.O_NOFOLLOW, dir_fd=here)


@cache
def _openat2() -> Callable[..., int]:
    """Find the C library's syscall(2): openat2 has no wrapper there."""
    if sys.platform != "linux" or os.uname().machine not in _MACHINES:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    syscall = ctypes.CDLL(None, use_errno=True).syscall
    syscall.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t)
    syscall.restype = ctypes.c_long
    return syscall


def _clean(asked: str) -> bytes:
    """Answer the path below a root, or refuse what no honest client writes.

    A NUL would end the path early in C («x.pdf NUL .png» opens x.pdf); a trailing slash names a folder.
    """
    try:
        whole = asked.encode()
    except UnicodeEncodeError as error:  # lone surrogates, which JSON can carry
        raise refusal(Code.FILE_NOT_OPENED, FILE_PATH) from error
    components = asked.lstrip("/").split("/")
    if (
        len(whole) > LONGEST_PATH
        or "\\" in asked
        or any(unicodedata.category(letter) == "Cc" for letter in asked)
        or ".." in components
        or components[-1] in {"", "."}
    ):
        raise refusal(Code.FILE_NOT_OPENED, FILE_PATH)
    return "/".join(component for component in components if component not in {"", "."}).encode()


def _open_plain_file(root: Path, path: bytes, max_size: int, opener: Opener) -> int:
    folder = os.open(root, _FOLDER)
    try:
        found = opener(folder, path)
    finally:
        os.close(folder)
    try:
        _judge(os.fstat(found), max_size)
    except BaseException:
        os.close(found)
        raise
    return found


def _judge(opened: os.stat_result, max_size: int) -> None:
    """Refuse what opens and is no file of its own: folders, FIFOs, devices, and hard links to who knows what."""
    if not stat.S_ISREG(opened.st_mode) or opened.st_nlink != 1:
        raise OSError(errno.EINVAL, "not a regular file with one name")
    if opened.st_size > max_size:
        raise refusal(Code.FILE_TOO_LARGE, FILE_PATH)
