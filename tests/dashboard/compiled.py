"""Templates and routes that have been compiled, for all dashboards of a test process.

Each test makes an application of its own, and most of what it takes would be to compile the same templates
and routes. A process in production makes one application, and compiles each once.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import CodeType

import pytest
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

from tickerq_dashboard import rendering


class CompiledTemplates(BytecodeCache):
    """What Jinja has compiled, for all apps."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a template what was compiled of the same text."""
        bucket.code = self._compiled.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._compiled[bucket.key, bucket.checksum] = bucket.code


@contextmanager
def templates_and_routes_compiled_once() -> Iterator[None]:
    """Let the applications that are made in a block have in common what they compile."""
    compile_builder, compiled = Rule._compile_builder, {}

    def compile_once(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        key = (rule.rule, *rule._trace, repr(rule.defaults), append_unknown)
        if key not in compiled:
            compiled[key] = compile_builder(rule, append_unknown)
        return compiled[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rendering, "Environment", partial(Environment, bytecode_cache=CompiledTemplates()))
        # Private, and of the test process alone.
        patch.setattr(Rule, "_compile_builder", compile_once)
        yield
