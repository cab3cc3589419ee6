r"""Formulas as MathML, which browsers draw by themselves, from the LaTeX that the pages give to KaTeX.

Just as much LaTeX as the pages use; what else there is raises, and every text is escaped. (Libraries that we tried let
the text of `\text{}` through as HTML, and set names of functions without their space.)
"""

import re
from collections.abc import Iterator, Mapping
from html import escape

TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|\s+|.", re.DOTALL)
COLOUR = re.compile(r"#[0-9a-f]{6}|var\(--[a-z-]+\)")
GREEK = {
    "beta": "β", "gamma": "γ", "epsilon": "ϵ", "theta": "θ", "lambda": "λ", "mu": "μ", "pi": "π", "rho": "ρ",
    "sigma": "σ", "tau": "τ", "phi": "ϕ", "nabla": "∇", "infty": "∞",
}  # fmt: skip
RELATIONS = {
    "=": "=", "<": "<", ">": ">", ":": ":", r"\ge": "≥", r"\le": "≤", r"\ne": "≠", r"\sim": "∼", r"\to": "→",
    r"\in": "∈", r"\propto": "∝", r"\approx": "≈", r"\mid": "∣",
}  # fmt: skip
BINARY = {"+": "+", "-": "−", "*": "∗", r"\pm": "±", r"\cdot": "⋅", r"\times": "×"}
PLAIN = {"|": "|", "/": "/", ".": ".", "!": "!", r"\|": "‖", r"\dots": "…"}
OPEN, CLOSE = {"(": "(", "[": "[", r"\{": "{"}, {")": ")", "]": "]", r"\}": "}"}
SPACES = {r"\,": 0.167, r"\;": 0.278, r"\!": -0.167, r"\ ": 0.25, r"\quad": 1.0}
FUNCTIONS, WITH_LIMITS = ("log", "exp"), {"sum": "∑", "max": "max", "min": "min"}
SIZES = {r"\big": 1.2, r"\Big": 1.8}
SCRIPT = {"L": "ℒ", "D": "𝒟", "N": "𝒩"}
DOUBLE = {"E": "𝔼", "P": "ℙ", "R": "ℝ"}
ORDINARY, OPERATOR, OPENING = "ordinary", "operator", "opening"


def mathml(source: str, *, display: bool) -> str:
    """A formula as a `math` element.

    Raises
    ------
    ValueError
        If the formula uses what is not known here, or its braces do not match.
    """
    parser = _Parser(source)
    body = parser.row()
    if parser.next is not None:
        raise ValueError(f"formula must have matching braces, got {source!r}")
    kind = ' display="block"' if display else ""
    return f"<math{kind}>{body}</math>"


class _Parser:
    """What is left of a formula, and what kind of thing stands before it: signs are spaced by that."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens = TOKEN.findall(source)
        self.before = OPERATOR
        self.depth = 0  # of scripts, in which signs stand closer

    @property
    def next(self) -> str | None:
        return self.tokens[0] if self.tokens else None

    def take(self) -> str:
        if not self.tokens:
            raise ValueError(f"formula must be complete, got {self.source!r}")
        return self.tokens.pop(0)

    def row(self) -> str:
        r"""Everything up to a closing brace, `\right` or the end."""
        return f"<mrow>{''.join(self._atoms())}</mrow>"

    def _atoms(self) -> Iterator[str]:
        self.before = OPERATOR
        while self.next not in (None, "}", r"\right"):
            token = self.take()
            if token.isspace():
                continue
            if token == r"\small":
                yield f'<mrow style="font-size: 0.9em">{"".join(self._atoms())}</mrow>'
            elif token == r"\textstyle":
                yield f'<mrow displaystyle="false">{"".join(self._atoms())}</mrow>'
            else:
                yield self._scripted(token)

    def _scripted(self, token: str) -> str:
        """An atom with what stands below and above it."""
        before, (base, after) = self.before, self._atom(token)
        scripts: dict[str, str] = {}
        while self.next in ("_", "^"):
            mark = self.take()
            self.depth += 1
            scripts[mark] = self._argument()
            self.depth -= 1
        self.before = after
        return self._spaced(token, before, _attached(base, scripts, limits=token[1:] in WITH_LIMITS))

    def _spaced(self, token: str, before: str, made: str) -> str:
        """The name of a function stands apart from what it follows, and from what it is applied to but for brackets."""
        if token[1:] not in FUNCTIONS:
            return made
        bracket = self.next in (*OPEN, *SIZES, r"\left", "}", None)
        return _space(0.167 if before == ORDINARY else 0) + made + _space(0 if bracket else 0.167)

    def _atom(self, token: str) -> tuple[str, str]:
        """A token, and the group that belongs to it, as MathML; and what kind of thing that is."""
        if token in SPACES:
            return _space(SPACES[token]), self.before
        if token in SIZES:
            size = SIZES[token]
            return _bracket(self.take(), f' stretchy="true" minsize="{size}em" maxsize="{size}em"')
        if token in OPEN or token in CLOSE:
            return _bracket(token, ' stretchy="false"')
        if token in RELATIONS:
            room = 0 if self.depth else 0.278
            return _mo(RELATIONS[token], f' stretchy="false" lspace="{room}em" rspace="{room}em"'), OPERATOR
        if token in BINARY:
            form = "infix" if self.before == ORDINARY else "prefix"
            return _mo(BINARY[token], f' form="{form}"'), OPERATOR
        if token in PLAIN:
            return _mo(PLAIN[token], ' stretchy="false" lspace="0" rspace="0"'), ORDINARY
        if token == ",":
            return _mo(","), OPERATOR
        return self._named(token), ORDINARY

    def _named(self, token: str) -> str:
        name = token[1:]
        if token == "{":
            return self._group()
        if token.isalpha() or name in GREEK:
            return f"<mi>{escape(GREEK.get(name, token))}</mi>"
        if token[0].isdigit():
            return f"<mn>{token}</mn>"
        if name in FUNCTIONS:
            return f"<mi>{name}</mi>"
        if name in WITH_LIMITS:
            return _mo(WITH_LIMITS[name], ' movablelimits="true" lspace="0.167em" rspace="0.167em"')
        return self._command(token)

    def _command(self, token: str) -> str:
        match token:
            case r"\frac":
                return f"<mfrac>{self._argument()}{self._argument()}</mfrac>"
            case r"\textcolor":
                return self._coloured()
            case r"\left":
                return self._fenced()
            case r"\mathbb":
                return f"<mi>{self._letter(DOUBLE)}</mi>"
            case r"\mathcal":
                return f"<mi>{self._letter(SCRIPT)}</mi>"
            case r"\mathrm":
                return f'<mi mathvariant="normal">{escape(self._text())}</mi>'
            case r"\text":
                return f"<mtext>{escape(self._text()).replace(' ', '&nbsp;')}</mtext>"
        raise ValueError(f"formula must be of what is known, got {token!r} in {self.source!r}")

    def _coloured(self) -> str:
        if not COLOUR.fullmatch(colour := self._text()):
            raise ValueError(f"colour must be like #00639b or var(--name), got {colour!r}")
        return f'<mrow style="color: {colour}">{self._argument()}</mrow>'

    def _fenced(self) -> str:
        stretchy = ' stretchy="true"'
        before, _ = _bracket(self.take(), stretchy)
        inner = self.row()
        if self.next != r"\right":
            raise ValueError(rf"formula must have a \right for each \left, got {self.source!r}")
        self.take()
        return f"<mrow>{before}{inner}{_bracket(self.take(), stretchy)[0]}</mrow>"

    def _argument(self) -> str:
        """A group, or a single token."""
        while (token := self.take()).isspace():
            pass
        return self._group() if token == "{" else self._atom(token)[0]

    def _group(self) -> str:
        inner = self.row()
        if self.next != "}":
            raise ValueError(f"formula must have matching braces, got {self.source!r}")
        self.take()
        return inner

    def _text(self) -> str:
        """The letters of a group, or a single one, as they stand."""
        while (token := self.take()).isspace():
            pass
        if token != "{":
            return token
        letters = []
        while (token := self.take()) != "}":
            letters.append(token)
        return "".join(letters)

    def _letter(self, letters: Mapping[str, str]) -> str:
        if (letter := self._text()) not in letters:
            raise ValueError(f"letter must be one of {', '.join(letters)}, got {letter!r}")
        return letters[letter]


def _attached(base: str, scripts: Mapping[str, str], *, limits: bool) -> str:
    if not scripts:
        return base
    below, above = ("under", "over") if limits else ("sub", "sup")
    name = "m" + "".join(word for mark, word in (("_", below), ("^", above)) if mark in scripts)
    return f"<{name}>{base}{''.join(scripts[mark] for mark in '_^' if mark in scripts)}</{name}>"


def _bracket(token: str, attributes: str) -> tuple[str, str]:
    if token in OPEN:
        return _mo(OPEN[token], f' form="prefix"{attributes}'), OPENING
    if token in CLOSE:
        return _mo(CLOSE[token], f' form="postfix"{attributes}'), ORDINARY
    raise ValueError(f"bracket must be one of {' '.join((*OPEN, *CLOSE))}, got {token!r}")


def _mo(sign: str, attributes: str = "") -> str:
    return f"<mo{attributes}>{escape(sign)}</mo>"


def _space(width: float) -> str:
    return f'<mspace width="{width}em"></mspace>' if width else ""
