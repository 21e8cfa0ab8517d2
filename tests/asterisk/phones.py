"""Phones: what each does with a call, in a few words, as a scenario of SIPp."""

SDP = """v=0
o=phone 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000"""
BRANCH = "Via: SIP/2.0/UDP [local_ip]:[local_port];branch=z9hG4bK-[pid]-[call_number]-"
OUR_TAG = ";tag=[pid]phone[call_number]"
OUT_OF = "[service]@[remote_ip]:[remote_port]"


def send(first: str, head: str, body: str = "", kind: str = "application/sdp", again: bool = False) -> str:
    """`again`: repeated until it is answered."""
    said = f"Content-Type: {kind}\n" if body else ""
    attribute = ' retrans="500"' if again else ""
    return f"<send{attribute}><![CDATA[\n{first}\n{head}\n{said}Content-Length: [len]\n\n{body}]]></send>\n"


def recv(what: str, optional: bool = False, inside: str = "") -> str:
    kind = "response" if what.isdecimal() else "request"
    attribute = ' optional="true"' if optional else ""
    return f'<recv {kind}="{what}"{attribute}>{inside}</recv>\n'


def pause(seconds: float) -> str:
    return f'<pause milliseconds="{int(seconds * 1000)}"/>\n'


def scenario(*parts: str) -> str:
    return f'<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="phone">\n{"".join(parts)}</scenario>\n'


# ── phones that are rung ─────────────────────────────────────────────────────────────────────────────────────────────


def answer(status: str, to: str = "[last_To:]", cseq: str = "[last_CSeq:]", body: str = "") -> str:
    head = f"[last_Via:]\n[last_From:]\n{to}\n[last_Call-ID:]\n{cseq}\nContact: <sip:[local_ip]:[local_port]>"
    return send(f"SIP/2.0 {status}", head, body, again=bool(body))


def to_invite(status: str, body: str = "") -> str:
    return answer(status, f"[last_To:]{OUR_TAG}", body=body)


def kept(**headers: str) -> str:
    """What of a message is needed later, by the variable that keeps it."""
    found = (
        f'<ereg regexp="{pattern}" search_in="hdr" header="{variable.title()}:" assign_to="{variable}"/>'
        for variable, pattern in headers.items()
    )
    return f"<action>{''.join(found)}</action>"


def refuses(status: str) -> str:
    return scenario(recv("INVITE"), to_invite(status), recv("ACK"))


def answers(after: float) -> str:
    """And talks until the other side hangs up."""
    return scenario(recv("INVITE"), _picks_up(after), recv("BYE"), answer("200 OK"))


def answers_and_hangs_up(after: float, talk: float) -> str:
    head = f"{BRANCH}bye\nFrom:[$to]{OUR_TAG}\nTo:[$from]\nCall-ID: [call_id]\nCSeq: 1 BYE\nMax-Forwards: 70"
    bye = send("BYE sip:exchange@[local_ip] SIP/2.0", head, again=True)
    kept_ = kept(**{"from": ".*", "to": ".*"})
    return scenario(recv("INVITE", inside=kept_), _picks_up(after), pause(talk), bye, recv("200"))


def rings() -> str:
    """Until the exchange lets go."""
    return scenario(
        recv("INVITE", inside=kept(cseq="[0-9]+")),
        to_invite("180 Ringing"),
        recv("CANCEL"),
        answer("200 OK"),
        answer("487 Request Terminated", f"[last_To:]{OUR_TAG}", "CSeq: [$cseq] INVITE"),
        recv("ACK"),
    )


def _picks_up(after: float) -> str:
    return to_invite("180 Ringing") + pause(after) + to_invite("200 OK", SDP) + recv("ACK")


# ── phones that call ─────────────────────────────────────────────────────────────────────────────────────────────────

PROGRESS = "".join(recv(code, optional=True) for code in ("100", "180", "183"))


class Caller:
    def __init__(self, user: str) -> None:
        self.user = user

    def talks(self, *does: float | str, hangs_up: bool = True) -> str:
        """Seconds are waited, words are pressed; then the phone hangs up, or waits until the other side does."""
        said, number = [self._invite(), PROGRESS, recv("200"), self._say("ACK", 1, branch="ack")], 1
        for one in does:
            for digit in one if isinstance(one, str) else ():
                number += 1
                press = f"Signal={digit}\nDuration=160\n"
                said += [
                    self._say("INFO", number, press, "application/dtmf-relay", again=True),
                    recv("200"),
                    pause(0.1),
                ]
            said += [] if isinstance(one, str) else [pause(one)]
        bye = [self._say("BYE", number + 1, again=True), recv("200")]
        return scenario(*said, *(bye if hangs_up else [recv("BYE"), answer("200 OK")]))

    def is_refused(self, code: str) -> str:
        return scenario(self._invite(), PROGRESS, recv(code), self._say("ACK", 1))

    def cancels(self, after: float) -> str:
        # Until it is answered nobody has a tag but us.
        cancel = self._say("CANCEL", 1, peer="")
        gone = [recv("200"), recv("487"), self._say("ACK", 1)]
        ringing = recv("100", optional=True) + recv("180")
        return scenario(self._invite(), ringing, pause(after), cancel, *gone)

    def _invite(self) -> str:
        return self._say("INVITE", 1, SDP, peer="", again=True)

    def _say(
        self,
        method: str,
        number: int,
        body: str = "",
        kind: str = "application/sdp",
        *,
        peer: str = "[peer_tag_param]",
        branch: str = "",
        again: bool = False,
    ) -> str:
        head = f"""{BRANCH}{branch or number}
From: <sip:{self.user}@[local_ip]>{OUR_TAG}
To: <sip:[service]@[remote_ip]>{peer}
Call-ID: [call_id]
CSeq: {number} {method}
Contact: <sip:{self.user}@[local_ip]:[local_port]>
Max-Forwards: 70"""
        return send(f"{method} sip:{OUT_OF} SIP/2.0", head, body, kind, again)
