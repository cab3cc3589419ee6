"""What may be said of an error over what a reader has brought: kind and place, for its message may quote them."""

import traceback


def kind_and_place(error: Exception) -> tuple[str, str]:
    """Name of an error's class, and file and line that raised it."""
    at = traceback.extract_tb(error.__traceback__)[-1]
    return type(error).__name__, f"{at.filename}:{at.lineno}"
