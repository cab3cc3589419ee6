"""A page, or parts of it, as one HTML file that plays without a server.

    python -m pages.frame.standalone ppo --query "beta=0&at=ppo-5" --show reward_kl_path --out figure.html

A file is a function of the link to its state: the command and the button in the app write the same bytes.
"""

from pages.frame.standalone.document import Plotly, assembled, checked
from pages.frame.standalone.printed import printed
from pages.frame.standalone.state import PLAYED, State, read

__all__ = ["PLAYED", "Plotly", "State", "checked", "read", "write"]


def write(state: State, *, plotly: Plotly = "inline", app: str = "") -> bytes:
    """The file of a state.

    Parameters
    ----------
    state : State
        From `read`.
    plotly : str
        "inline" puts Plotly into the file, some 5 MB, which then needs no network; "cdn" fetches it.
    app : str
        Address of the app, for the link to the live state; empty where it has none.

    Raises
    ------
    ValueError
        If `app` is not an http address.
    """
    return assembled(printed(state), plotly, checked(app)).encode()
