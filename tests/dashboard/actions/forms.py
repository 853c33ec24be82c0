"""A browser without script: it opens a page, and sends a form that it finds there."""

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

from flask.testing import FlaskClient

from tests.dashboard.access.users import as_role
from tests.dashboard.conftest import BASE

FORM = re.compile(r'<form[^>]*method="post" action="([^"]+)"[^>]*>(.*?)</form>', re.DOTALL)
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


class Person:
    """A user of a role, who sends forms as they stand on the pages."""

    def __init__(self, client: FlaskClient, role: str = "admin") -> None:
        self.client, self.role = client, role

    def get(self, path: str) -> Any:
        return self.client.get(path if path.startswith(BASE) else BASE + path, headers=as_role(self.role))

    def forms(self, path: str) -> Mapping[str, dict[str, str]]:
        """The forms of a page: where each leads below the base path, and its hidden fields."""
        return {
            unescape(action).removeprefix(BASE): {
                name: unescape(value) for name, value in HIDDEN.findall(body)
            }
            for action, body in FORM.findall(self.get(path).text)
        }

    def offers(self, path: str) -> set[str]:
        """The last parts of the addresses to which the head of a page offers to go or to send."""
        head = self.get(path).text.partition('<div class="head">')[2].partition("object-head")[0]
        found = re.findall(r'(?:href|action)="([^"]+)"', head)
        return {each.removeprefix(BASE + path + "/") for each in found if each.startswith(f"{BASE}{path}/")}

    def send(self, path: str, form: Mapping[str, Any]) -> Any:
        return self.client.post(BASE + path, data=form, headers=as_role(self.role))

    def act(self, page: str, action: str, **fields: str) -> Any:
        """Send the form of an action, from the page of its object or from the one that asks."""
        path = f"{page}/{action}"
        form = self.forms(page).get(path) or self.forms(path)[path]
        return self.send(path, {**form, **fields})
