"""What the gateway takes for a comment is what its owner takes."""

from hypothesis import given
from hypothesis import strategies as st

from services.gateway.journal.schemas import WriteCommentSchema
from shared.contracts.comments.text import comment_text
from shared.contracts.errors import FieldErrors, Invalid
from shared.contracts.validation import field_errors


def refusals(text: str) -> FieldErrors:
    try:
        comment_text(text)
    except Invalid as error:
        return error.errors
    return {}


@given(st.text(st.characters(), max_size=250))
def test_the_gateway_and_the_domain_say_the_same(text: str):
    assert field_errors(WriteCommentSchema().validate({"text": text})) == refusals(text)
