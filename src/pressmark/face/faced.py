"""The mark of what shows itself in a notebook. The forms are drawn once somebody looks: a service never does."""

from __future__ import annotations

from abc import ABC, abstractmethod

TYPE_CHECKING = False  # as typing's, without its import
if TYPE_CHECKING:
    from pressmark.face.forms import Face


class Faced(ABC):
    """A thing with a face: HTML where a notebook shows it, Markdown where a host shows that."""

    __slots__ = ()

    @abstractmethod
    def _face(self) -> Face:
        """What it shows of itself."""

    def _repr_html_(self) -> str:
        from pressmark.face import forms

        return forms.html(self._face())

    def _repr_markdown_(self) -> str:
        from pressmark.face import forms

        return forms.markdown(self._face())
