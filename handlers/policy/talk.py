"""What a township says in its own words: more example sentences, and who handles what is not the program's."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from bot.spoken import stored
from handlers.policy.fields import Id, Many, Table, Word, Words, fault, no_repeats


class OwnWords(Table):
    """Sentences that people of this township say for something (`saying`: a section of `locales/*/sayings/`)."""

    saying: Id
    words: Many[Annotated[str, Field(min_length=2, max_length=100)]]

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.saying not in stored.model().sayings:
            raise fault("policy_unknown_saying", value=self.saying)
        return self


class Office(Table):
    """Who handles something that is not the program's: words by which it is known, the office, its telephone."""

    words: Many[Word]
    name: Words
    phone: Annotated[str, Field(pattern=r"^[0-9-]{3,20}$")]


class Elsewhere(Table):
    """Where people are sent with what is handled elsewhere; `last` is the number for everything else."""

    offices: Many[Office] = ()
    last: Annotated[str, Field(pattern=r"^[0-9-]{3,20}$")] = "12345"

    @model_validator(mode="after")
    def _each_word_once(self) -> Self:
        no_repeats((word for one in self.offices for word in one.words), "policy_repeated")
        return self

    def office_for(self, said: str) -> Office | None:
        """The office whose longest word stands in what was said."""
        hits = [(len(word), office) for office in self.offices for word in office.words if word in said]
        return max(hits, key=lambda hit: hit[0])[1] if hits else None
