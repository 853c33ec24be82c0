"""The page for Kubernetes: its documents are complete, and each command is one that exists."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from celery.bin.celery import celery

from tests.pages import BLOCK, text_of
from tickerq_celery.cli.own_commands import OWN

PAGE = "docs/how-to/kubernetes.md"
[MANIFEST] = [found["text"] for found in BLOCK.finditer(text_of(PAGE)) if found["language"] == "yaml"]
OBJECTS: list[dict[str, Any]] = list(yaml.safe_load_all(MANIFEST))


def commands(value: object) -> Iterator[list[str]]:
    """Yield every command of a manifest, those of its probes too."""
    if isinstance(value, dict):
        yield from ([value["command"]] if "command" in value else [])
        for below in value.values():
            yield from commands(below)
    if isinstance(value, list):
        for below in value:
            yield from commands(below)


def test_a_deployment_selects_the_pods_that_it_makes() -> None:
    deployments = [each["spec"] for each in OBJECTS if each["kind"] == "Deployment"]
    assert len(deployments) == 2
    for each in deployments:
        assert each["selector"]["matchLabels"] == each["template"]["metadata"]["labels"]


def test_every_container_has_the_variables_of_the_secret() -> None:
    containers = [each for item in OBJECTS for each in item["spec"]["template"]["spec"]["containers"]]
    assert len(containers) == 3
    assert all(each["envFrom"] == [{"secretRef": {"name": "shop"}}] for each in containers)


@pytest.mark.parametrize("command", [*commands(OBJECTS)], ids=" ".join)
def test_every_command_can_be_given(command: list[str]) -> None:
    assert command[:3] == ["celery", "--app", "shop"]
    name, *options = command[3:]
    if name == "tickerq":
        name, *options = options
        assert OWN[name].load().make_context(name, options) is not None
    else:
        parser = celery.commands[name].make_parser(celery.make_context("celery", [], resilient_parsing=True))
        parser.parse_args(options)
