"""The project's addresses: one setting, which the package, its citation, its forms and its pages follow."""

import tomllib

import yaml

from tests.pages import ROOT, text_of

PROJECT = tomllib.loads(text_of("pyproject.toml"))
ADDRESSES = PROJECT["tool"]["tickerq"]
FORMS = ROOT / ".github" / "ISSUE_TEMPLATE"
NOT_YET = "this project has no public address yet"
CITED = yaml.safe_load(text_of("CITATION.cff"))
CONFIG = yaml.safe_load((FORMS / "config.yml").read_text())


def test_no_address_is_named_before_there_is_one_and_each_is_named_then() -> None:
    assert set(ADDRESSES) == {"repository", "tracker", "security-contact"}
    urls = PROJECT["project"]["urls"]
    assert urls.get("Repository", "") == CITED.get("repository-code", "") == ADDRESSES["repository"]
    assert urls.get("Issues", "") == ADDRESSES["tracker"]
    contact = ADDRESSES["security-contact"]
    for text in (text_of("SECURITY.md"), str(CONFIG.get("contact_links", NOT_YET))):
        assert (NOT_YET in text) is (not contact)
        assert contact in text


def test_the_citation_is_of_this_version() -> None:
    assert CITED["version"] == PROJECT["project"]["version"]
    assert CITED["license"] == PROJECT["project"]["license"]
    assert CITED["abstract"] == PROJECT["project"]["description"]
    assert [author["name"] for author in CITED["authors"]] == [
        author["name"] for author in PROJECT["project"]["authors"]
    ]


def test_each_form_of_an_issue_asks_for_something_by_names_that_differ() -> None:
    forms = [yaml.safe_load(path.read_text()) for path in FORMS.glob("*.yml") if path.name != "config.yml"]
    assert len(forms) == 3
    for form in forms:
        assert {"name", "description", "labels", "body"} == set(form)
        asked = [field for field in form["body"] if field["type"] != "markdown"]
        assert len({field["id"] for field in asked}) == len(asked) > 1
        assert any(field.get("validations", {}).get("required") for field in asked)
