"""Mutants of the store's functions: the product's own code, whose statements are changed on their way."""

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import wraps
from typing import Any

import pytest
from sqlalchemy import BinaryExpression, Column, Connection, Executable, true
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.sql.operators import is_comparison
from sqlalchemy.sql.visitors import replacement_traverse

Function = Callable[..., Any]
Mutation = Callable[[Function], Function]
Rewrite = Callable[[Any], Any]


class _Rewriting:
    """A connection that changes each statement before it sends it."""

    def __init__(self, connection: Connection, rewrite: Rewrite) -> None:
        self._connection = connection
        self._rewrite = rewrite

    def execute(self, statement: Executable, *arguments: Any) -> Any:
        return self._connection.execute(self._rewrite(statement), *arguments)

    def scalar(self, statement: Executable, *arguments: Any) -> Any:
        return self._connection.scalar(self._rewrite(statement), *arguments)

    def scalars(self, statement: Executable, *arguments: Any) -> Any:
        return self._connection.scalars(self._rewrite(statement), *arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def rewriting(rewrite: Rewrite, *, when: Callable[..., bool] = lambda *_, **__: True) -> Mutation:
    """Return what makes a function send other statements, in those calls that ``when`` names."""

    def mutate(function: Function) -> Function:
        @wraps(function)
        def mutant(connection: Connection, *arguments: Any, **options: Any) -> Any:
            is_meant = when(*arguments, **options)
            used: Any = _Rewriting(connection, rewrite) if is_meant else connection
            return function(used, *arguments, **options)

        return mutant

    return mutate


def without(*columns: str, when: Callable[..., bool] = lambda *_, **__: True) -> Mutation:
    """Return what drops a function's conditions on some columns."""
    return rewriting(_dropping(columns), when=when)


def querying(rewrite: Rewrite) -> Mutation:
    """Return what lets a function that builds a query, and does not send it, build another one."""
    return lambda build: lambda *arguments, **named: rewrite(build(*arguments, **named))


def query_without(*columns: str) -> Mutation:
    """Return what drops the conditions on some columns from the query that a function builds."""
    return querying(_dropping(columns))


def _dropping(columns: Sequence[str]) -> Rewrite:
    def replace(element: Any, **_: Any) -> Any:
        is_condition = isinstance(element, BinaryExpression) and is_comparison(element.operator)
        is_on_a_column = is_condition and isinstance(element.left, Column)
        return true() if is_on_a_column and element.left.name in columns else None

    return lambda statement: replacement_traverse(statement, {}, replace)


def keeping(*columns: str) -> Mutation:
    """Return what lets a function's updates leave some columns as they are."""

    def keep(statement: Any) -> Any:
        if not statement.is_update:
            return statement
        # Ordered assignments can have no other: they pass an overlap lock on, and set none of these.
        with suppress(InvalidRequestError):
            return statement.values({name: statement.table.c[name] for name in columns})
        return statement

    return rewriting(keep)


def setting(**values: object) -> Mutation:
    """Return what lets a function's updates write something more."""
    return rewriting(lambda statement: statement.values(**values) if statement.is_update else statement)


def doing_nothing(answer: object, *, when: Callable[..., bool] = lambda *_, **__: True) -> Mutation:
    """Return what lets a function only answer, in those calls that ``when`` names."""

    def mutate(function: Function) -> Function:
        @wraps(function)
        def mutant(connection: Connection, *arguments: Any, **options: Any) -> Any:
            is_meant = when(*arguments, **options)
            return answer if is_meant else function(connection, *arguments, **options)

        return mutant

    return mutate


def both(*mutations: Mutation) -> Mutation:
    """Return several mutations as one."""

    def mutate(function: Function) -> Function:
        for mutation in mutations:
            function = mutation(function)
        return function

    return mutate


def install(monkeypatch: pytest.MonkeyPatch, function: Function, mutant: Function) -> None:
    """Let the mutant stand wherever the product has the function, under whatever name it was imported."""
    modules: Sequence[Any] = [
        each for name, each in sys.modules.items() if name.partition(".")[0] == "tickerq_celery"
    ]
    methods = [owner for module in modules for owner in vars(module).values() if isinstance(owner, type)]
    found = 0
    for owner in {id(each): each for each in [*modules, *methods]}.values():
        for name, value in list(vars(owner).items()):
            if value is function:
                monkeypatch.setattr(owner, name, mutant)
                found += 1
    assert found, f"the product has no {function}"
