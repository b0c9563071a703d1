"""What stands in a statement of SQL: its features, its tables and what binds them; and where SQL stands in the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlglot import exp, parse_one

from storage.engine.parameters import numbered

PLAIN = (
    exp.Alias, exp.Boolean, exp.Column, exp.DataType, exp.From, exp.Identifier, exp.If, exp.Literal, exp.Null,
    exp.Ordered, exp.Parameter, exp.Paren, exp.Schema, exp.Table, exp.TableAlias, exp.Tuple, exp.Values, exp.Var,
)  # fmt: skip
NAMES: dict[type[exp.Expression], str] = {
    exp.Update: "UPDATE", exp.Delete: "DELETE", exp.Where: "WHERE", exp.And: "AND", exp.Or: "OR", exp.Not: "NOT",
    exp.Is: "IS NULL", exp.Exists: "EXISTS", exp.Like: "LIKE", exp.Group: "GROUP BY", exp.Having: "HAVING",
    exp.Order: "ORDER BY", exp.Limit: "LIMIT", exp.Count: "COUNT", exp.Sum: "SUM", exp.Min: "MIN", exp.Max: "MAX",
    exp.Coalesce: "COALESCE", exp.Case: "CASE", exp.Cast: "CAST", exp.Substring: "SUBSTR", exp.DPipe: "||",
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Neg: "minus sign", exp.Returning: "RETURNING",
    exp.Distinct: "SELECT DISTINCT",
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE), "comparison"),
}  # fmt: skip


def parsed(sql: str) -> exp.Expression:
    return parse_one(numbered(sql)[0], dialect="postgres")


def features(sql: str) -> set[str]:
    """The features of a statement; one that nothing here knows is named by its kind of node."""
    return {name for node in parsed(sql).walk() for name in names_of(node)}


TRUTHS = (
    exp.EQ,
    exp.NEQ,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.Is,
    exp.In,
    exp.Like,
    exp.Exists,
    exp.And,
    exp.Or,
    exp.Not,
)


def names_of(node: exp.Expression) -> Iterator[str]:
    """The features that one node stands for."""
    if isinstance(node, TRUTHS) and isinstance(
        node.parent, exp.Alias | exp.Select | exp.Sum | exp.Coalesce | exp.Min | exp.Max
    ):
        yield "a condition as a value"
    if isinstance(node, PLAIN):
        if isinstance(node, exp.Ordered) and node.args.get("desc"):
            yield "ORDER BY … DESC"
        return
    if isinstance(node, exp.Select):
        yield "SELECT" if node.args.get("from_") else "SELECT without FROM"
        yield from (
            f"SELECT with {extra}" for extra in ("with_", "locks", "windows", "laterals") if node.args.get(extra)
        )
    elif isinstance(node, exp.Star):
        if isinstance(node.parent, exp.Select):
            derived = isinstance(node.parent.args["from_"].this, exp.Subquery)
            yield "SELECT * FROM (subquery)" if derived else "SELECT *"
        elif not isinstance(node.parent, exp.Count):
            yield "* somewhere"
    elif isinstance(node, exp.Insert):
        if isinstance(node.expression, exp.Values):
            yield "INSERT … VALUES"
        else:
            yield "INSERT … SELECT"
        if not isinstance(node.this, exp.Schema):
            yield "INSERT without the names of its columns"
    elif isinstance(node, exp.OnConflict):
        updates = bool(node.expressions)
        yield ("ON CONFLICT DO UPDATE" if updates else "ON CONFLICT DO NOTHING") + (
            " … WHERE" if node.args.get("where") else ""
        )
    elif isinstance(node, exp.Join):
        side = " ".join(filter(None, (node.side, node.kind)))
        yield f"{side} JOIN".strip() if node.args.get("on") else f"{side} JOIN without ON".strip()
    elif isinstance(node, exp.In):
        yield "IN (subquery)" if node.args.get("query") else "IN (list)"
    elif isinstance(node, exp.Subquery):
        if isinstance(node.parent, exp.From | exp.Join):
            yield "subquery in FROM"
        elif not isinstance(node.parent, exp.In | exp.Exists | exp.Union):
            yield "subquery as a value"
    elif isinstance(node, exp.Union):
        yield "UNION" if node.args.get("distinct") else "UNION ALL"
    elif type(node) in NAMES:
        yield NAMES[type(node)]
        if isinstance(node, exp.Min | exp.Max) and node.expressions:
            yield "MIN or MAX of several"
        if isinstance(node, exp.Group) and any(isinstance(one, exp.Literal) for one in node.expressions):
            yield "GROUP BY number"
        if isinstance(node, exp.Update) and node.this.alias:
            yield "UPDATE … AS"
    else:
        yield f"a node {type(node).__name__}"


def not_bound(sql: str) -> list[str]:
    """The tables of a statement that no condition beside them binds to `:t`."""
    text, names = numbered(sql)
    tree = parse_one(text, dialect="postgres")
    mine = f"${names.index('t') + 1}" if "t" in names else ""
    found: list[str] = []
    for scope in tree.find_all(exp.Select, exp.Update, exp.Delete, exp.Insert):
        if isinstance(scope, exp.Insert):
            found += [] if _gives_township(scope, mine) else [scope.this.this.name]
            continue
        tables = {one.alias_or_name: one.name for one in _tables(scope)}
        bound = {one.alias for one in _derived(scope)}
        equal: list[tuple[str, str]] = []
        for left, right in _equalities(scope, tables):
            if right == mine:
                bound.add(left)
            else:
                equal.append((left, right))
        while more := {one for pair in equal for one in pair if bound & set(pair)} - bound:
            bound |= more
        found += [name for alias, name in tables.items() if alias not in bound]
    return found


def _sources(scope: exp.Expression) -> Iterator[exp.Expression]:
    if isinstance(scope, exp.Select):
        if scope.args.get("from_"):
            yield scope.args["from_"].this
    else:
        yield scope.this
    yield from (join.this for join in scope.args.get("joins") or ())


def _tables(scope: exp.Expression) -> list[exp.Table]:
    return [one for one in _sources(scope) if isinstance(one, exp.Table)]


def _derived(scope: exp.Expression) -> list[exp.Subquery]:
    return [one for one in _sources(scope) if isinstance(one, exp.Subquery)]


def _equalities(scope: exp.Expression, tables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(alias, alias or `$n`) of every `township_id = …` that has to hold in this scope."""
    where = scope.args.get("where")
    conditions = [where.this] if where else []
    conditions += [join.args["on"] for join in scope.args.get("joins") or () if join.args.get("on")]
    while conditions:
        one = conditions.pop()
        if isinstance(one, exp.And):
            conditions += [one.left, one.right]
        elif isinstance(one, exp.Paren):
            conditions.append(one.this)
        elif isinstance(one, exp.EQ) and isinstance(one.left, exp.Column) and one.left.name == "township_id":
            left = one.left.table or (next(iter(tables)) if len(tables) == 1 else "")
            if isinstance(one.right, exp.Column) and one.right.name == "township_id":
                yield left, one.right.table
            else:
                yield left, one.right.sql(dialect="postgres")


def _gives_township(scope: exp.Insert, mine: str) -> bool:
    """Whether an INSERT's first column is the township, and what it gets there `:t` or a bound table's."""
    first = scope.this.expressions[0].name
    source = scope.expression
    if isinstance(source, exp.Values):
        return first == "township_id" and all(
            row.expressions[0].sql(dialect="postgres") == mine for row in source.expressions
        )
    return first == "township_id" and (
        source.expressions[0].name == "township_id" or source.expressions[0].sql(dialect="postgres") == mine
    )


def strings_of(path: Path) -> Iterator[str]:
    """Every string of a module but its docstrings; the fixed pieces of an f-string one by one."""
    tree = ast.parse(path.read_text("utf-8"))
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value


WORD = re.compile(
    r"\b(SELECT|FROM|WHERE|AND|OR|IN|ON|SET|VALUES|INSERT|UPDATE|DELETE|JOIN|ORDER|GROUP|LIMIT|UNION|CASE|EXISTS|LIKE"
    r"|NULL|COUNT|SUM|MIN|MAX|RETURNING|DISTINCT|HAVING|OVER|WITH|CAST|ASC|DESC)\b"
)


def pieces_of_sql(path: Path) -> Iterator[str]:
    """What of a module's strings is SQL, cut at the places that `format` fills."""
    for text in strings_of(path):
        for piece in re.split(r"\{\w+\}", re.sub(r"\s+", " ", text)):
            if WORD.search(piece):
                yield piece.strip()


def orders_by_null(sql: str, nullable: Mapping[str, set[str]]) -> list[str]:
    """The columns by which a statement orders rows and that may be NULL there; `nullable`: table → such columns."""
    found = []
    for ordered in parsed(sql).find_all(exp.Ordered):
        column, scope = ordered.this, ordered.find_ancestor(exp.Select)
        if not isinstance(column, exp.Column) or scope is None:
            continue
        tables = {one.alias_or_name: one.name for one in _tables(scope)}
        named = {one.alias for one in scope.expressions if isinstance(one, exp.Alias)} - {""}
        if not column.table and column.name in named:
            continue
        asked = [tables[column.table]] if column.table in tables else [] if column.table else list(tables.values())
        asked_for = scope.args["where"].sql(dialect="postgres") if scope.args.get("where") else ""
        if f"{column.sql(dialect='postgres')} >=" not in asked_for:
            found += [f"{table}.{column.name}" for table in asked if column.name in nullable.get(table, ())]
    return found
