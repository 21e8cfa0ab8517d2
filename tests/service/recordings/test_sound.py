"""A sound that was brought is fetched again, whole or in parts, by whoever has a link."""

from uuid import uuid4

import pytest
from tests.service.recordings.stage import Media, wav


def test_what_was_brought_is_fetched(media: Media) -> None:
    call_id, sound = uuid4(), wav()
    answer = media.put(call_id, sound)
    assert answer.status_code == 201, answer.text
    assert media.put(call_id, sound).status_code == 200
    assert media.put(call_id, wav(2)).status_code == 409
    got = media.get(call_id)
    assert (got.status_code, got.content) == (200, sound)
    part = media.get(call_id, Range="bytes=10-19")
    assert (part.status_code, part.content) == (206, sound[10:20])
    print(answer.json(), got.headers, part.headers)
