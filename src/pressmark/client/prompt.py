"""What `Client.get()` returns."""

from __future__ import annotations

from pressmark.face import Faced

TYPE_CHECKING = False  # `typing` would cost each importer of the client several milliseconds
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from pressmark.face.forms import Face
    from pressmark.prompts import FrozenDict, Unit
    from pressmark.rendering import Template


class Content:
    """A unit as it was received, one object a digest, shared by the prompts that point to it.

    The template is compiled when it is first rendered: a service renders few of the prompts that it may see.
    """

    __slots__ = ("_template", "digest", "text", "unit")

    def __init__(self, digest: str, text: str, unit: Unit) -> None:
        self.digest = digest
        self.text = text
        self.unit = unit
        self._template: Template | None = None

    @property
    def template(self) -> Template:
        """The compiled template."""
        template = self._template
        if template is None:
            from pressmark.rendering import compiled

            # Two threads may both get here; `compiled` gives them the same template, so the last write changes nothing.
            template = self._template = compiled(self.unit, self.digest)
        return template

    def check(self) -> None:
        """Compile the template now, and check that what it uses is declared.

        Raises:
            InvalidUnitError: The template uses what templates may not use, or a variable that is not declared.
        """
        if undeclared := sorted(self.template.used.keys() - self.unit.variables.keys()):
            from pressmark.errors import InvalidUnitError

            raise InvalidUnitError(f"its template uses {', '.join(undeclared)} without declaring it", field="variables")


class Prompt(Faced):
    """One version of a prompt under a label, immutable to the bottom.

    Attributes:
        name: The prompt's name.
        version: The registry's number of it, such as `v3`; for a fallback, `fallback`.
        digest: `sha256:` of its canonical bytes, as received; for a fallback, of the text that it was read from.
        label: The label it was asked for by.
        source: Where it came from: `live`, `snapshot`, `bundle` or `fallback`.
        state: `current`; or `removed` or `unreadable` where the client was told to keep serving those.
    """

    __slots__ = ("_content", "_seq", "digest", "label", "name", "source", "state", "version")

    name: str
    version: str
    digest: str
    label: str
    source: str
    state: str
    _seq: int
    _content: Content

    def __init__(
        self, name: str, label: str, version: str, content: Content, *, source: str, seq: int, state: str = "current"
    ) -> None:
        fill = object.__setattr__
        fill(self, "name", name)
        fill(self, "label", label)
        fill(self, "version", version)
        fill(self, "digest", content.digest)
        fill(self, "source", source)
        fill(self, "state", state)
        fill(self, "_seq", seq)
        fill(self, "_content", content)

    @property
    def variables(self) -> FrozenDict:
        """Declared variables by name."""
        return self._content.unit.variables

    @property
    def unit(self) -> Unit:
        """Everything that decides behaviour."""
        return self._content.unit

    @property
    def seq(self) -> int:
        """Position in the change log of the move that put this version under the label."""
        return self._seq

    def render(self, **variables: Any) -> Any:
        """Fill the template.

        Args:
            **variables: A value for each variable without a default.

        Returns:
            The messages of a chat prompt, or the text of a text prompt.

        Raises:
            RenderError: A variable is missing, unknown or of the wrong type, or the output grows past its bound.
        """
        return self._content.template.render(variables)

    def request(self, **variables: Any) -> dict[str, Any]:
        """Return the keyword arguments of `chat.completions.create`.

        Args:
            **variables: A value for each variable without a default.

        Raises:
            RenderError: As `render`.
        """
        return self._content.template.request(variables)

    def __repr__(self) -> str:
        return f"<Prompt {self.name}@{self.label} {self.version} {self.digest[:19]} {self.source}>"

    def _face(self) -> Face:
        from pressmark.face.forms import Face
        from pressmark.rendering.version import template_lines

        state = "" if self.state == "current" else f", {self.state}"
        told = f"{self.version} from {self.source}{state} · {self.unit.model} · variables: "
        asides = [told + (", ".join(self.variables) or "none"), self.digest]
        return Face(f"{self.name}@{self.label}", asides, text="\n".join(template_lines(self.unit)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Prompt):
            return NotImplemented
        return self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(
            f"a Prompt cannot be changed, so {name!r} cannot be set: other callers share it; publish a new version"
        )

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Prompt cannot be changed, so {name!r} cannot be deleted: other callers share it")

    def __copy__(self) -> Prompt:
        return self

    def __deepcopy__(self, memo: object) -> Prompt:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (self._identity(), self._content.text)

    def _identity(self) -> tuple[str, str, str, str, str, str, int]:
        return self.name, self.label, self.version, self.digest, self.source, self.state, self._seq


def _rebuild(identity: tuple[str, str, str, str, str, str, int], text: str) -> Prompt:
    from pressmark.wire import unit_from_text

    name, label, version, digest, source, state, seq = identity
    content = Content(digest, text, unit_from_text(text))
    return Prompt(name, label, version, content, source=source, seq=seq, state=state)
