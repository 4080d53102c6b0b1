"""Finished audits that somebody else may have written."""

import json

import pytest

from flows.auditing.comparing import audit_history, compare_audits
from storage.errors import CaptchasError, Damaged

FORGED = {"schema": 1, "made": {}, "target": {"name": "x"}, "verdict": {}, "attackers": [{"a": 1}]}


def test_an_audit_with_wrong_fields_is_named(tmp_path):
    (tmp_path / "audit.json").write_text(json.dumps(FORGED))
    with pytest.raises(Damaged, match=r"cannot be read as an audit \(it"):
        compare_audits(str(tmp_path), str(tmp_path / "audit.json"), out=tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
    with pytest.raises(CaptchasError):
        audit_history(str(tmp_path))
