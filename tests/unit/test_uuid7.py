from tests.inner import new_id


def test_ids_made_one_after_the_other_differ_and_sort_in_that_order() -> None:
    ids = [new_id() for _ in range(10_000)]
    assert ids == sorted(set(ids))
    assert {each.version for each in ids} == {7}
