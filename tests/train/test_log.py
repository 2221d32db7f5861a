"""JSON lines: complete, readable, and without nan."""

import json

from geoembed.train import JsonLines


def test_records_come_back(tmp_path):
    log = JsonLines(tmp_path / "log.jsonl")
    records = [{"step": 1, "energy": -0.5}, {"step": 2, "energy": 1e300, "note": "é\n", "done": True}]
    for record in records:
        log.write(record)
    lines = (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == records


def test_numbers_that_are_not_finite_become_null(tmp_path):
    log = JsonLines(tmp_path / "log.jsonl")
    log.write({"a": float("nan"), "b": float("inf"), "c": float("-inf"), "d": {"e": float("nan"), "f": 1.0}})
    text = (tmp_path / "log.jsonl").read_text()
    assert "NaN" not in text
    assert json.loads(text) == {"a": None, "b": None, "c": None, "d": {"e": None, "f": 1.0}}


def test_inside_lists_too(tmp_path):
    log = JsonLines(tmp_path / "log.jsonl")
    log.write({"a": [1.0, float("nan"), (float("inf"), 2)]})
    assert json.loads((tmp_path / "log.jsonl").read_text()) == {"a": [1.0, None, [None, 2]]}


def test_a_second_log_appends(tmp_path):
    for step in range(2):
        JsonLines(tmp_path / "log.jsonl").write({"step": step})
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 2


def test_no_path_writes_nothing(tmp_path):
    JsonLines(None).write({"a": 1})
    assert list(tmp_path.iterdir()) == []
