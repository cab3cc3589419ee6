"""A scenario that somebody brings: a name that carries what it names, so that nobody else has to keep it."""

from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rlhf_core.scenarios import Scenario

PREFIX, DIGITS = "mine-", 12


class Brought(str):
    """Name of a scenario that does not ship, with the scenario in it: `Settings(scenario=...)` takes it as any name.

    Settings that hold it are complete: there is no list of such scenarios, so none can be asked for by its name, in a
    link or by another reader. To another process it goes as the text that it was read from.
    """

    file: str
    """Name of the file, without its ending."""
    text: str
    """The file, as TOML."""
    scenario: "Scenario"
    made: dict[Any, Any]
    """Room for what is made from it, which goes when it goes."""

    def __new__(cls, text: str, file: str) -> "Brought":
        """Read and validate the text: equal texts have equal names."""
        from rlhf_core.scenarios import parse_scenario

        digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        self = super().__new__(cls, f"{PREFIX}{digest[:DIGITS]}")
        self.file, self.text, self.scenario, self.made = file, text, parse_scenario(text, file), {}
        return self

    def __repr__(self) -> str:
        """The call of `rlhf_core.yours.load_brought` that reads it again, where the file is at hand."""
        return f"load_brought({self.file + '.toml'!r})"

    def __reduce__(self) -> tuple[type["Brought"], tuple[str, str]]:
        return Brought, (self.text, self.file)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Brought":
        return self
