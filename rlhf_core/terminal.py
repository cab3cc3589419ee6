"""What a command owes its terminal: an exit code, and one sentence where something fails; never a traceback."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress

CANNOT_WRITE, CANNOT_USE, INTERRUPTED = 1, 2, 130
"""Exit codes: the output could not be written; what was given cannot be used; the reader pressed Ctrl-C."""


def refuse(error: object, code: int = CANNOT_USE) -> int:
    """Say on stderr what went wrong; returns the exit code."""
    if sys.stderr is not None:
        with suppress(OSError):  # then the exit code has to do
            print(f"error: {error}", file=sys.stderr)
    return code


def put(text: str) -> int:
    """Write to standard output; returns the exit code."""
    if sys.stdout is None:  # it was closed before Python began
        return refuse("standard output is closed", CANNOT_WRITE)
    sys.stdout.write(text)
    return 0


def finish(command: Callable[[], int]) -> int:
    """Run a command, and see that all it wrote has arrived; returns the exit code."""
    try:
        try:
            return command()
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python fails once more as it ends
        return refuse(f"standard output cannot be written: {error.strerror}", CANNOT_WRITE)
    except KeyboardInterrupt:
        return INTERRUPTED
