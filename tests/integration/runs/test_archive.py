"""The archive: a line for each run before it is deleted, on the disk before the delete is committed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from tests.inner import Core
from tests.integration.conftest import send
from tests.integration.making import all_rows, enrolled, make_run, time_tickers
from tests.integration.pruning import chain, end, prune, write_records
from tests.manual_clock import ManualClock
from tests.statements import pruning as stored_pruning
from tests.tables import audit
from tickerq_celery import RunCondition, TickerStatus, TimeTicker
from tickerq_celery.errors import ConfigError
from tickerq_celery.runs import archive as archiving
from tickerq_celery.runs import pruner as pruning
from tickerq_celery.runs.archive import Archive

MakeCore = Callable[..., Core]
ANY_END = RunCondition.ON_ANY_COMPLETED_STATUS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pruned.jsonl"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def core(make_core: MakeCore) -> Core:
    return enrolled(make_core(send()))


def test_each_run_of_a_chain_gets_a_line_with_its_attempts_and_words_and_no_secret(
    core: Core, clock: ManualClock, path: Path
) -> None:
    request = {"user": "Zoë", "password": "1234"}
    ticker = TimeTicker("Send", request=request, children=[TimeTicker("Send", run_condition=ANY_END)])
    head, child = chain(core, ticker)
    end(core, head)
    end(core, child, TickerStatus.FAILED)
    clock.advance(days=91)
    assert prune(core, Archive(path)) == 2
    first, second = lines(path)
    assert (first["id"], second["id"], second["parent_id"]) == (str(head), str(child), str(head))
    assert first["request"] == {"user": "Zoë", "password": "•••"}
    assert (first["record"], first["status"], first["type"]) == ("run", "done", "time_ticker")
    assert (second["status"], second["run_condition"]) == ("failed", "on_any_completed_status")
    assert [(each["number"], each["status"]) for each in second["attempts"]] == [(0, "failed")]
    assert all_rows(core) == []


def test_what_is_encrypted_in_the_store_is_so_in_the_archive(
    make_core: MakeCore, clock: ManualClock, path: Path
) -> None:
    core = enrolled(make_core(send(), encryption_keys=[Fernet.generate_key().decode()]))
    end(core, make_run(core, request={"user": "Zoe"}))
    clock.advance(days=31)
    prune(core, Archive(path))
    [line] = lines(path)
    assert "request" not in line
    assert line["stored_request"]
    assert "Zoe" not in path.read_text()


def test_rows_of_the_audit_are_archived_too(core: Core, clock: ManualClock, path: Path) -> None:
    write_records(core, clock)
    clock.advance(days=366)
    prune(core, Archive(path))
    [line] = lines(path)
    assert (line["record"], line["action"], line["actor"]) == ("audit", "pause", "code")
    assert set(line) == {"record", *(column.name for column in audit.c)}


def test_an_archive_that_cannot_be_written_deletes_nothing(
    core: Core, clock: ManualClock, tmp_path: Path
) -> None:
    end(core, make_run(core))
    clock.advance(days=31)
    with pytest.raises(ConfigError, match=r"prune_archive: .* cannot be written"):
        prune(core, Archive(tmp_path))
    assert len(all_rows(core)) == 1
    assert prune(core, Archive(tmp_path / "it")) == 1


def test_lines_are_on_the_disk_before_anything_is_deleted(
    core: Core, clock: ManualClock, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end(core, make_run(core))
    clock.advance(days=31)
    steps: list[str] = []
    fsync, remove = archiving.os.fsync, stored_pruning.remove

    def note_fsync(file: int) -> None:
        fsync(file)
        steps.append(f"{len(lines(path))} on the disk")

    def note_remove(*args: Any) -> int:
        steps.append("deleted")
        return remove(*args)

    monkeypatch.setattr(archiving.os, "fsync", note_fsync)
    monkeypatch.setattr(pruning.pruning, "remove", note_remove)
    assert prune(core, Archive(path)) == 1
    assert steps == ["1 on the disk", "deleted"]


def test_a_line_that_a_crash_has_cut_off_is_ended_before_the_next(path: Path) -> None:
    path.write_text('{"whole": 1}\n{"cut')
    Archive(path).append(['{"next": 2}'])
    assert path.read_text().splitlines() == ['{"whole": 1}', '{"cut', '{"next": 2}']


def test_what_is_kept_gets_no_line(core: Core, clock: ManualClock, path: Path) -> None:
    end(core, make_run(core))
    time_tickers(core).add(TimeTicker("Send"))
    clock.advance(days=29)
    assert prune(core, Archive(path)) == 0
    assert not path.exists()
