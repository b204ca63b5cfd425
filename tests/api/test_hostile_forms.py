"""Hostile names in a plain form: echoed to the letter or refused with a reason, and harmless."""

import re
import unicodedata

import pytest

from laydown.domain.reasons import Reason
from tests.api.forms_talk import file, send
from tests.hostile_names import hostile_names

pytestmark = pytest.mark.embedded

STORED = re.compile(r"(?:[0-9a-f-]+/)*[0-9a-f-]+(?:\.[0-9]+)?")  # the names we give


async def test_a_form_s_names_are_echoed_or_refused(server, ours, project, tmp_path):
    """Of some thousand names each comes back as it was, composed, or with why it can't be taken."""
    # A browser writes these three as %22, %0D and %0A, and a name that has them so reads the same.
    names = [name for name in hostile_names() if not re.search("%(22|0D|0A)", name)]
    assert len(names) >= 700
    parts = [
        file(name.encode(errors="surrogatepass"), b"file %d\n" % index)
        for index, name in enumerate(names)
    ]
    answer = await send(ours, project, *parts)
    assert answer.status == 207
    assert len(answer.json["files"]) == len(names)
    taken = 0
    for name, filed in zip(names, answer.json["files"], strict=True):
        if filed["state"] == "rejected" or filed["state"] is None:
            assert filed["reason"] in set(Reason), (name, filed)
        else:
            assert filed["path"] == unicodedata.normalize("NFC", name), filed
            taken += filed["state"] == "checking"
    assert taken > 300
    await server.run_until_quiet()
    below = [path.relative_to(server.settings.data / "store" / "u")
             for path in (server.settings.data / "store" / "u").rglob("*")]  # fmt: skip
    assert [path for path in below if not STORED.fullmatch(str(path))] == []
    assert {path.name for path in tmp_path.iterdir()} <= {"data"}
