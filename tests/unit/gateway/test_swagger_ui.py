"""The vendored Swagger UI is a release as it was published."""

from hashlib import sha256

import pytest

from services.gateway.endpoints.docs import FILES, SWAGGER_UI

RECORDED = [line.split() for line in (SWAGGER_UI / "SHA256SUMS").read_text().splitlines()]


@pytest.mark.parametrize(("digest", "name"), RECORDED, ids=[name for _, name in RECORDED])
def test_a_vendored_file_has_its_recorded_hash(digest, name):
    assert sha256((SWAGGER_UI / name).read_bytes()).hexdigest() == digest


def test_every_served_file_exists_and_has_no_source_map():
    for name in FILES:
        assert "sourceMappingURL" not in (SWAGGER_UI / name).read_text()


def test_the_licence_is_vendored_with_the_files():
    assert {"LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt"} <= {name for _, name in RECORDED}
