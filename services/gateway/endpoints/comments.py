"""The comment of a call and its history. The comments service decides; the journal contains the change at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from werkzeug.wrappers import Response

from services.gateway.directory import repository
from services.gateway.domain.permissions import PEOPLE, READERS
from services.gateway.endpoints.endpoint import PROBLEM, EndpointGroup, RequestContext, endpoint
from services.gateway.endpoints.scopes import find_call
from services.gateway.http.upstream import call_upstream
from services.gateway.journal import projections, schemas
from shared.contracts.comments import rpc as comments
from shared.contracts.errors import Conflict
from shared.contracts.rpc import RpcMethod
from shared.contracts.wire import Json
from shared.http.entrypoint import Problem, answer
from shared.plumbing.database import Connection

PATH = "/api/v1/calls/<call_id>/comment"
COMMENT = schemas.CommentSchema()


class CommentEndpoints(EndpointGroup):
    @endpoint(
        "PUT",
        PATH,
        roles=PEOPLE,
        scope=find_call,
        body=schemas.WriteCommentSchema(),
        answers={200: COMMENT, 201: COMMENT, 409: PROBLEM},
    )
    def write_comment(self, context: RequestContext, call_id: UUID) -> Response:
        """Add the comment of a call, or edit it."""
        body = context.body
        written = self._comment_command(comments.write, context, call_id, text=body["text"], seen=body["version"])
        self._project_comment(context, written)
        with self.db.autocommit() as conn:
            comment = _comment(conn, context.caller.tenant, written)
        return answer(comment, 201 if written["created"] else 200)

    @endpoint("DELETE", PATH, roles=PEOPLE, scope=find_call, answers={204: "", 409: PROBLEM})
    def delete_comment(self, context: RequestContext, call_id: UUID) -> Response:
        """Delete the comment of a call."""
        self._project_comment(context, self._comment_command(comments.delete, context, call_id))
        return answer(None, 204)

    @endpoint("GET", f"{PATH}/history", roles=READERS, scope=find_call, answers={200: schemas.CommentHistorySchema()})
    def show_comment_history(self, context: RequestContext, call_id: UUID) -> Response:
        """Every version of a call's comment, oldest first."""
        history = call_upstream(self.comments, comments.history, tenant=context.caller.tenant, call_id=call_id)
        versions: list[Json] = history["versions"]
        with self.db.autocommit() as conn:
            names = repository.account_names(
                conn, context.caller.tenant, {version["author_id"] for version in versions}
            )
        return answer({"versions": [_version(version, names) for version in versions]})

    def _comment_command(self, method: RpcMethod, context: RequestContext, call_id: UUID, **parameters: Any) -> Json:
        account = context.account
        author = {"tenant": account.tenant, "author_id": account.id, "role": account.role}
        with self._comment_refusals(account.tenant):
            return call_upstream(
                self.comments, method, command_id=context.command_id, call_id=call_id, **author, **parameters
            )

    def _project_comment(self, context: RequestContext, comment: Json) -> None:
        with self.db.connection() as conn:
            changed = projections.upsert_comment(conn, context.caller.tenant, comment["version"], comment["state"])
        self.notifier.publish(changed)

    @contextmanager
    def _comment_refusals(self, tenant: str) -> Iterator[None]:
        """Turn a refusal of the comments service into a Problem."""
        try:
            yield
        except Conflict as error:
            with self.db.autocommit() as conn:
                current = _comment(conn, tenant, error.current)
            raise Problem("comment_changed", current=current) from error


def _comment(conn: Connection, tenant: str, response: Json | None) -> Json | None:
    """The comment in a response of the comments service; None if there is none."""
    if response is None or response["state"]["text"] is None:
        return None
    state = response["state"]
    names = repository.account_names(conn, tenant, [state["author_id"]])
    return {
        "text": state["text"],
        "author": _author(state["author_id"], names),
        "created_at": state["created_at"],
        "updated_at": state["updated_at"],
        "version": response["version"],
    }


def _version(version: Json, names: dict[str, str]) -> Json:
    fields = dict(version)
    return {"author": _author(fields.pop("author_id"), names), **fields}


def _author(account_id: str, names: dict[str, str]) -> Json:
    return {"account_id": account_id, "name": names.get(account_id, "")}
