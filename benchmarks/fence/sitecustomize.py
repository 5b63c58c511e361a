"""Ends this process the moment it writes a file, starts a program or reaches for the network, native code included.

On PYTHONPATH of the processes that parse, Python runs it at their start: a seccomp filter that nothing can take off
again. What it stops dies by SIGSYS, which the pool sees; where it was is written to FENCE_LOG, if signals can be heard.
"""

import ctypes
import errno
import faulthandler
import os
import platform
import signal
import struct

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_THREAD = 0x10000
_MACHINES = {
    # machine: architecture in the kernel's words, what opens files with the argument that says how, what makes
    # threads and processes, and what is forbidden altogether
    "x86_64": (
        0xC000003E,
        {2: 1, 257: 2},
        56,
        (
            *(41, 42, 57, 58, 59, 76, 82, 83, 84, 85, 86, 87, 88, 90, 92, 133),
            *(258, 259, 260, 263, 264, 265, 266, 268, 316, 322),
        ),
    ),
    "aarch64": (0xC00000B7, {56: 2}, 220, (33, 34, 35, 36, 37, 38, 45, 53, 54, 198, 203, 221, 276, 281)),
}
_CLONE3 = 435
"""Its flags lie in memory, where a filter cannot look; where there is no such call, the C library uses the old one."""
_TRAP, _ALLOW, _NO_SUCH_CALL = 0x00030000, 0x7FFF0000, 0x00050000 | errno.ENOSYS
_LOAD, _EQUAL, _ANY_OF, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16


def _filter(architecture: int, opening: dict[int, int], clone: int, forbidden: tuple[int, ...]) -> bytes:
    """A program for the kernel: code, jump if true, jump if false, operand, in eight bytes each."""
    lines = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _TRAP), (_LOAD, 0, 0, _NUMBER)]
    watched = [(number, argument, _WRITING, _TRAP, _ALLOW) for number, argument in opening.items()]
    for number, argument, bits, having, lacking in (*watched, (clone, 0, _THREAD, _ALLOW, _TRAP)):
        lines += [
            (_EQUAL, 0, 4, number),
            (_LOAD, 0, 0, _ARGUMENTS + 8 * argument),
            (_ANY_OF, 0, 1, bits),
            (_RETURN, 0, 0, having),
            (_RETURN, 0, 0, lacking),
        ]
    for number in forbidden:
        lines += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _TRAP)]
    lines += [(_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _NO_SUCH_CALL), (_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("HBBI", *line) for line in lines)


def _raise_fence() -> None:
    code = _filter(*_MACHINES[platform.machine()])
    held = ctypes.create_string_buffer(code)
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    if log := os.environ.get("FENCE_LOG"):
        faulthandler.register(signal.SIGSYS, open(log, "a"), chain=True)  # noqa: SIM115 - open while the process lives
    for arguments in ((38, 1, 0, 0, 0), (22, 2, program, 0, 0)):
        if libc.prctl(*arguments):
            raise OSError(ctypes.get_errno(), "The kernel takes no filter of system calls")


_raise_fence()
