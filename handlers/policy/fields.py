"""What policy tables are made of: strict models, texts in two languages, checked kinds of numbers."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

T = TypeVar("T")


class Table(BaseModel):
    """A TOML table: unknown keys are faults, nothing is coerced, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _as_decimal(value: Any) -> Any:
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


Many = Annotated[tuple[T, ...], BeforeValidator(_as_tuple)]
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
Word = Annotated[str, Field(min_length=1, max_length=40)]
Rate = Annotated[Decimal, BeforeValidator(_as_decimal), Field(ge=0, le=1_000_000, decimal_places=4)]
Points = Annotated[int, Field(ge=0, le=100_000)]
Days = Annotated[int, Field(ge=0, le=36_500)]
KeptDays = Annotated[int, Field(ge=1, le=36_500)]
Hours = Annotated[int, Field(ge=1, le=24 * 366)]
Grams = Annotated[int, Field(ge=0, le=10**9)]
Fen = Annotated[int, Field(ge=0, le=10**12)]
BasisPoints = Annotated[int, Field(ge=0, le=10_000)]
Weekday = Annotated[int, Field(ge=1, le=7)]
Positive = Annotated[int, Field(ge=1, le=10**9)]


class Words(Table):
    """One text in each language."""

    zh_CN: Annotated[str, Field(min_length=1, max_length=4_000)]
    en: Annotated[str, Field(min_length=1, max_length=8_000)]

    def in_language(self, language: str) -> str:
        """The text in `language` (any English locale reads `en`), Chinese otherwise."""
        return self.en if language.lower().startswith("en") else self.zh_CN


def fault(code: str, **fields: Any) -> PydanticCustomError:
    """A fault with one of this product's codes (`policy_…`), raised inside a validator."""
    return PydanticCustomError(code, code, fields)


def no_repeats(values: Iterable[str], code: str) -> None:
    """Raise `code` when a value comes twice."""
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise fault(code, value=value)
        seen.add(value)
