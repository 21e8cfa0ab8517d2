"""Translate the record of the calling leg (a), which describes the whole call."""

from collections.abc import Iterator
from typing import Any

from shared.feeds.asterisk.call import (
    CALLEE,
    CALLER,
    INBOUND,
    INTERNAL,
    NETWORK_FAILURES,
    OUTBOUND,
    SYSTEM,
    UNKNOWN,
    Ending,
)
from shared.feeds.asterisk.channels import NO_NUMBER, clean, is_outside
from shared.feeds.freeswitch.causes import REFUSALS, q850
from shared.feeds.freeswitch.cdr import Cdr, InvalidRecord, Profile
from shared.feeds.freeswitch.dial_strings import Target, targets_of
from shared.feeds.freeswitch.leg_reports import (
    NEVER_RANG,
    NOT_REGISTERED,
    LegReporter,
    Report,
    first,
    first_rang_at,
    gateway_of,
    number_of,
)

CALLER_HUNG_UP = {"recv_bye", "recv_cancel"}
SEARCH_APPLICATIONS = {"bridge", "callcenter", "fifo"}
DIRECTIONS = {"inbound": INBOUND, "outbound": OUTBOUND, "local": INTERNAL, "internal": INTERNAL}


class Call(LegReporter):
    """The reports of the calling leg, for the whole call."""

    def __init__(self, cdr: Cdr, tenant: str) -> None:
        super().__init__(cdr, tenant)
        dials = [data for name, data in cdr.applications if name == "bridge"]
        if not dials and cdr["last_app"] == "bridge":
            dials = [cdr["last_arg"]]
        self.targets = [target for data in dials for target in targets_of(data)]
        self.is_originated = cdr.channel.get("direction") == "outbound" or cdr["direction"] == "outbound"
        """The exchange placed the first leg itself: click-to-call, a call-back."""
        self.reversed = self.is_originated and bool(gateway_of(cdr))
        self.callee = self._callee()
        self.direction = self._direction()
        self.causes = {leg[0]: leg[-1] for leg in cdr.get_array("originate_causes")}

    def __iter__(self) -> Iterator[Report]:
        yield from self.report("placed", self.placed_at, self._placed())
        yield from self._report_search()
        answers = [report for profile in reversed(self.cdr.profiles) for report in self._answers(profile)]
        yield from answers or self._agent()
        yield from self._end()
        yield from self._recorded()

    # ── who called whom ──────────────────────────────────────────────────────────────────────────────────────────────

    def _callee(self) -> str:
        dialled = number_of(self.cdr.first.get("destination_number", ""))
        if not self.is_originated:
            return dialled
        later = number_of(self.cdr.profiles[0].caller.get("destination_number", "")) if self.cdr.profiles else ""
        if later and later != dialled:
            return later
        return next((target.number for target in self.targets), "") or number_of(
            self.cdr.first.get("caller_id_number", "")
        )

    def _direction(self) -> str:
        if direction := DIRECTIONS.get(self.cdr["call_direction"]):
            return direction
        known = self.cdr["user_name"] or self.cdr["sip_auth_username"]
        if not self.is_originated and not known and (self.cdr.first.get("context") == "public" or gateway_of(self.cdr)):
            return INBOUND
        if self.reversed:
            return OUTBOUND
        out = all(target.outside for target in self.targets) if self.targets else is_outside(self.callee)
        return OUTBOUND if out else INTERNAL

    def _placed(self) -> dict[str, Any]:
        """The data of `placed`. Of a call-back the outside number is the callee, although it is called first."""
        first_ = self.cdr.first
        caller = number_of(first_.get("destination_number" if self.is_originated else "caller_id_number", ""))
        caller = caller or (clean(self.cdr["sip_from_user"]) if self.direction != INBOUND else "")
        callee = self.callee or caller or "unknown"
        if self.reversed:
            caller, callee = self.callee or caller, caller or callee
        data: dict[str, Any] = {"direction": self.direction, "caller": number_of(caller), "callee": callee}
        if line := self._line():
            data["line"] = line
        name = clean(first_.get("caller_id_name", ""))
        if name and name != caller and name.lower() not in NO_NUMBER and not self.is_originated:
            data["caller_name"] = name
        return data

    def _line(self) -> str:
        if self.direction == INBOUND:
            return self.callee or gateway_of(self.cdr)
        if self.direction != OUTBOUND:
            return ""
        presented = number_of(self.cdr["effective_caller_id_number"])
        gateways = (target.gateway for target in self.targets if target.gateway)
        return presented if is_outside(presented) else next(gateways, "") or gateway_of(self.cdr)

    # ── whom it dialled ──────────────────────────────────────────────────────────────────────────────────────────────

    def _report_search(self) -> Iterator[Report]:
        if queue := clean(self.cdr["cc_queue"]).partition("@")[0]:
            yield from self.report("connecting", self.cdr.at("cc_queue_joined"), {"group": queue})
        elif self.direction == INBOUND and self.callee and self._has_searched():
            yield from self.report("connecting", self.placed_at, {"group": self.callee})
        for profile in reversed(self.cdr.profiles):
            yield from self._ringing(profile)
        if self._failure() in NOT_REGISTERED:
            for party in (target.number for target in self.targets if not target.outside):
                yield from self.report("offline", self.placed_at, {"party": party}, party)

    def _ringing(self, profile: Profile) -> Iterator[Report]:
        """Report the legs that rang, at the time of the first ring. Busy legs did not ring."""
        if rang := first_rang_at([profile]):
            for uuid, party, _ in self._called_legs(profile):
                if self.causes.get(uuid) not in NEVER_RANG or uuid == self._bridged_to():
                    yield from self.report("ringing", rang, {"party": party}, party)

    def _has_searched(self) -> bool:
        names = {name for name, _ in self.cdr.applications} | {self.cdr["last_app"]}
        return bool(names & SEARCH_APPLICATIONS)

    def _called_legs(self, profile: Profile) -> Iterator[tuple[str, str, str]]:
        """(uuid, party, gateway) of the legs that a pass through the dialplan called, each once."""
        for uuid, leg in {leg.get("uuid", ""): leg for leg in profile.originatees}.items():
            number = number_of(leg.get("destination_number", ""))
            target = self._target_of(number)
            if party := (target.number if target else number):
                yield uuid, party, target.gateway if target else ""

    def _target_of(self, number: str) -> Target | None:
        """The dialled target. A phone registered as `x7k2q` may have been dialled as `user/1002`."""
        matches = [target for target in self.targets if target.number == number]
        return matches[0] if matches else self.targets[0] if len(self.targets) == 1 else None

    def _failure(self) -> str:
        """Why nobody was reached; "" when somebody was."""
        cause = self.cdr["originate_disposition"] or self.cdr["last_bridge_hangup_cause"]
        return "" if cause in ("SUCCESS", "CALL_IN_PROGRESS") else cause

    # ── who answered, and how it ended ───────────────────────────────────────────────────────────────────────────────

    def _bridged_to(self) -> str:
        return self.cdr["bridge_uuid"] or self.cdr["last_bridge_to"] or self.cdr["signal_bond"]

    def _answers(self, profile: Profile) -> Iterator[Report]:
        """Report who answered. Older exchanges lack the time of the bridge; the caller's answer time replaces it."""
        at = profile.at("bridged")
        if at is None and "bridged_time" not in profile.times and self._bridged_to():
            at = self.cdr.at("bridge") or profile.at("answered") or self.cdr.at("answer")
        called = list(self._called_legs(profile))
        candidates = [leg for leg in called if leg[0] == self._bridged_to()] or called
        if at and candidates:
            _, party, gateway = candidates[0]
            yield from self.report_answer(party, gateway, at, party, self.direction == INBOUND)

    def _agent(self) -> Iterator[Report]:
        """Report the agent who answered. A queue's agents are not among the legs that the caller's leg called."""
        agent = clean(self.cdr["cc_agent"]).partition("@")[0]
        if agent and self.cdr["cc_agent_bridged"] == "true":
            bridged = (profile.at("bridged") for profile in reversed(self.cdr.profiles))
            at = first(bridged) or self.cdr.at("cc_queue_answered")
            yield from self.report("answered", at, {"party": agent}, agent)

    def _end(self) -> Iterator[Report]:
        at = self.cdr.at("end") or first(profile.at("hangup") for profile in self.cdr.profiles)
        if at is None:
            raise InvalidRecord("It has no end time: end_uepoch and end_epoch are missing.")
        by, cause, sip = self._ending_of_answered() if self.answered else self._ending_of_unanswered()
        if self.reversed:
            by = {CALLER: CALLEE, CALLEE: CALLER}.get(by, by)
        yield from self.report("ended", at, {"by": by, "cause": cause, "sip": sip})

    def _ending_of_answered(self) -> Ending:
        cause = q850(self.cdr["hangup_cause"], self.cdr["hangup_cause_q850"])
        disposition = self._hangup_disposition()
        if cause in NETWORK_FAILURES:
            return Ending(SYSTEM, cause, self._sip())
        if disposition in CALLER_HUNG_UP:
            return Ending(CALLER, cause)
        if self.cdr["last_bridge_hangup_cause"] and self.cdr["hangup_cause"] == "NORMAL_CLEARING":
            return Ending(CALLEE, cause)
        return Ending(SYSTEM if disposition else UNKNOWN, cause)

    def _ending_of_unanswered(self) -> Ending:
        own = self.cdr["hangup_cause"]
        if self._hangup_disposition() in CALLER_HUNG_UP or own == "ORIGINATOR_CANCEL":
            return Ending(CALLER, q850(own, self.cdr["hangup_cause_q850"]))
        failure = self._failure()
        cause = q850(failure) if failure else q850(own, self.cdr["hangup_cause_q850"])
        return Ending(CALLEE if (failure or own) in REFUSALS else SYSTEM, cause, self._sip())

    def _hangup_disposition(self) -> str:
        return self.cdr["sip_hangup_disposition"] or self.cdr["verto_hangup_disposition"]

    def _sip(self) -> int | None:
        statuses = (self.cdr["sip_invite_failure_status"], self.cdr["last_bridge_proto_specific_hangup_cause"])
        codes = (text.removeprefix("sip:") for text in (*statuses, self.cdr["proto_specific_hangup_cause"]))
        return next((int(code) for code in codes if code.isdecimal() and 400 <= int(code) <= 699), None)

    def _recorded(self) -> Iterator[Report]:
        """Report the recording. Its name comes from the queue, the dialplan's variables or the application."""
        ran = [data.split(" ")[0] for name, data in self.cdr.applications if name == "record_session"]
        from_variables = f"{self.cdr['record_path']}/{self.cdr['record_name']}" if self.cdr["record_name"] else ""
        file = clean(self.cdr["cc_record_filename"] or from_variables or next(iter(ran), ""))
        if not file or "${" in file:
            return
        ending = file.rpartition("/")[2].rpartition(".")[2].lower() if "." in file.rpartition("/")[2] else ""
        yield from self.report(
            "recorded", self.placed_at, {"file": file, **({"format": ending[:32]} if ending else {})}
        )
