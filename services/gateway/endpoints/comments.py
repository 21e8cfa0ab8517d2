"""The comment on a call: written, deleted, and what it was before. Its owner decides; the journal shows it at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from werkzeug.wrappers import Response

from services.gateway.directory import repository
from services.gateway.domain.scope import scope_of
from services.gateway.endpoints.endpoint import PROBLEM, EndpointGroup, RequestContext, endpoint
from services.gateway.http.upstream import call_upstream
from services.gateway.journal import page_query, projections, schemas
from shared.contracts.comments import rpc as comments
from shared.contracts.errors import Conflict, Rejected
from shared.contracts.rpc import RpcMethod
from shared.contracts.wire import Json
from shared.http.entrypoint import Problem, answer
from shared.plumbing.database import Connection

PATH = "/api/v1/calls/<call_id>/comment"
COMMENT = schemas.CommentSchema()


class CommentEndpoints(EndpointGroup):
    @endpoint("PUT", PATH, body=schemas.WriteCommentSchema(), answers={200: COMMENT, 201: COMMENT, 409: PROBLEM})
    def write_comment(self, context: RequestContext, call_id: UUID) -> Response:
        """Add the comment of a call, or edit it."""
        self._look(context, call_id)
        sent = context.body()
        told = self._order(comments.write, context, call_id, text=sent["text"], seen=sent["version"])
        self._show(context, told)
        with self.db.autocommit() as conn:
            comment = _comment(conn, context.caller.tenant, told)
        return answer(comment, 201 if told["created"] else 200)

    @endpoint("DELETE", PATH, answers={204: "", 409: PROBLEM})
    def delete_comment(self, context: RequestContext, call_id: UUID) -> Response:
        """Take the comment of a call away."""
        self._look(context, call_id)
        context.query()
        told = self._order(comments.delete, context, call_id)
        self._show(context, told)
        return answer(None, 204)

    @endpoint("GET", f"{PATH}/history", answers={200: schemas.CommentHistorySchema()})
    def show_comment_history(self, context: RequestContext, call_id: UUID) -> Response:
        """Every version of a call's comment, oldest first."""
        self._look(context, call_id)
        context.query()
        told = call_upstream(self.comments, comments.history, tenant=context.caller.tenant, call_id=call_id)
        versions: list[Json] = told["versions"]
        with self.db.autocommit() as conn:
            names = repository.account_names(conn, context.caller.tenant, {one["author_id"] for one in versions})
        return answer({"versions": [_version(one, names) for one in versions]})

    def _look(self, context: RequestContext, call_id: UUID) -> None:
        with self.db.autocommit() as conn:
            page_query.get_call(conn, scope_of(context.caller), call_id)

    def _order(self, method: RpcMethod, context: RequestContext, call_id: UUID, **words: Any) -> Json:
        account = context.account
        who = {"tenant": account.tenant, "author_id": account.id, "role": account.role}
        with self._refusals(account.tenant):
            return call_upstream(self.comments, method, command_id=context.command_id, call_id=call_id, **who, **words)

    def _show(self, context: RequestContext, told: Json) -> None:
        with self.db.connection() as conn:
            changed = projections.upsert_comment(conn, context.caller.tenant, told["version"], told["state"])
        self.notifier.publish(changed)

    @contextmanager
    def _refusals(self, tenant: str) -> Iterator[None]:
        """What the owner refuses, in the words of this house's doors."""
        try:
            yield
        except Rejected as error:
            detail = "Only who added the comment, a supervisor or an administrator may change it."
            raise Problem(403, "comment-of-another-author", "Not allowed", detail) from error
        except Conflict as error:
            with self.db.autocommit() as conn:
                current = _comment(conn, tenant, error.current)
            detail = "Somebody else has changed the comment since: this is what it says now."
            raise Problem(409, "conflict", "Conflict", detail, current=current) from error


def _comment(conn: Connection, tenant: str, told: Json | None) -> Json | None:
    """The comment as its owner tells of it; None if there is none."""
    if told is None or told["state"]["text"] is None:
        return None
    state = told["state"]
    names = repository.account_names(conn, tenant, [state["author_id"]])
    return {
        "text": state["text"],
        "author": _author(state["author_id"], names),
        "created_at": state["created_at"],
        "updated_at": state["updated_at"],
        "version": told["version"],
    }


def _version(told: Json, names: dict[str, str]) -> Json:
    version = dict(told)
    return {"author": _author(version.pop("author_id"), names), **version}


def _author(account_id: str, names: dict[str, str]) -> Json:
    return {"account_id": account_id, "name": names.get(account_id, "")}
