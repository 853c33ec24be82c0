"""The fields of a chain: named by their path, counted anew, and read to any depth that the core allows."""

from tickerq_dashboard.forms.chain import branches_of, renumbered, with_child, without_child
from tickerq_dashboard.forms.reading import FormReader
from tickerq_dashboard.forms.state import label_of


def test_a_child_is_added_at_the_end_of_its_parents() -> None:
    texts = with_child(with_child(with_child({"function": "a"}, ""), ""), "children.0.")
    assert set(texts) == {
        "function",
        "children.0.function",
        "children.1.function",
        "children.0.children.0.function",
    }
    [first, second] = branches_of(texts)
    assert (first.number, first.size, second.number, second.size) == ("1", 2, "2", 1)
    assert first.children[0].number == "1.1"


def test_a_child_is_removed_with_all_below_it_and_the_others_move_up() -> None:
    texts = {
        "children.0.function": "a",
        "children.0.children.0.function": "b",
        "children.1.function": "c",
        "children.1.children.0.function": "d",
    }
    assert without_child(texts, "children.0.") == {
        "children.0.function": "c",
        "children.0.children.0.function": "d",
    }
    assert without_child(texts, "") == texts


def test_a_gap_in_the_numbers_closes_and_what_is_no_field_of_a_child_is_left_out() -> None:
    texts = {"children.7.function": "x", "children.7.children.3.function": "y", "children.x.function": "z"}
    assert renumbered(texts) == {"children.0.function": "x", "children.0.children.0.function": "y"}
    too_deep = {"children.0." * 100 + "function": "x"}
    assert renumbered(too_deep) == {}
    assert branches_of(too_deep) == ()


def test_ten_children_stand_in_the_order_of_their_numbers() -> None:
    texts = {f"children.{at}.function": f"f{at}" for at in range(12)}
    assert renumbered(texts) == texts
    assert [each.path for each in branches_of(texts)][-1] == "children.11."


def test_a_chain_is_read_as_deep_as_the_core_takes_it() -> None:
    deep = {"children.0." * level + "function": f"f{level}" for level in range(1, 100)}
    reader = FormReader(deep, None)
    found = reader.chain(branches_of(deep))
    levels = 0
    while found:
        levels += 1
        assert found[0]["function"] == f"f{levels}"
        found = found[0].get("children", [])
    assert levels == 99


def test_a_child_is_called_by_its_number() -> None:
    assert label_of("children.0.children.2.function") == "Child 1.3, function"
    assert label_of("retries") == "Retries"
