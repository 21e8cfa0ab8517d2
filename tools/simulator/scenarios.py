"""One function for each kind of call; each returns the reports of one call."""

from collections.abc import Callable

from tools.simulator.reports import Report
from tools.simulator.scenario_context import ScenarioContext

Scenario = Callable[[ScenarioContext], list[Report]]


def inbound_direct(context: ScenarioContext) -> list[Report]:
    """A customer calls and the one operator who is rung picks up."""
    party = context.employee().line
    call = context.inbound().after(0.4, 1.5).ringing(party).after(2, 15)
    return context.talk(call, party)


def inbound_group(context: ScenarioContext) -> list[Report]:
    """A ring group: several telephones ring at once, one is picked up."""
    parties = context.some_operators(2, 5)
    call = context.inbound().after(0.3, 1).connecting(context.group())
    for party in parties:
        call.after(0.02, 0.2).ringing(party)
    return context.talk(call.after(2, 14), context.rng.choice(parties))


def inbound_queue(context: ScenarioContext) -> list[Report]:
    """A queue: one operator after another is rung, some are offline, the last one picks up."""
    *earlier, last = context.some_operators(1, 4)
    call = context.inbound().after(0.3, 1).connecting(context.group()).after(1, 30)
    for party in earlier:
        if context.rng.random() < 0.15:
            call.offline(party)
        else:
            call.ringing(party).after(12, 20)
    return context.talk(call.after(0.1, 0.5).ringing(last).after(2, 12), last)


def inbound_menu(context: ScenarioContext) -> list[Report]:
    """A menu answers first, the customer chooses, the chosen group is rung."""
    parties = context.some_operators(1, 3)
    call = context.inbound().after(0.2, 0.6).connecting("menu").after(5, 25).connecting(context.group())
    for party in parties:
        call.after(0.05, 0.3).ringing(party)
    return context.talk(call.after(2, 12), context.rng.choice(parties))


def outbound_answered(context: ScenarioContext) -> list[Report]:
    """Somebody of the company calls a number outside and is answered."""
    return _reached(context, "")


def call_back(context: ScenarioContext, number: str) -> list[Report]:
    """Somebody of the company calls the number of a missed call and is answered."""
    return _reached(context, number)


def internal_answered(context: ScenarioContext) -> list[Report]:
    """Colleagues talk."""
    call = context.internal()
    callee = call.reports[0].data["callee"]
    return context.talk(call.after(0.1, 0.5).ringing(callee).after(1, 10), callee)


def internal_offline(context: ScenarioContext) -> list[Report]:
    """A colleague's telephone is not registered."""
    call = context.internal()
    call.after(0.05, 0.2).offline(call.reports[0].data["callee"])
    return call.after(0.1, 1).ended("system", cause=20, sip=480).reports


def forwarded_unanswered(context: ScenarioContext) -> list[Report]:
    """Nobody is at the desk, so the call goes on to the mobile of the engineer on duty."""
    desk, mobile = context.employee().line, context.engineer()
    call = context.inbound().after(0.4, 1.5).ringing(desk).after(15, 20)
    call.forwarded(mobile, context.company.lines[0]).after(2, 5).ringing(mobile)
    return context.talk(call.after(3, 15), mobile)


def transferred(context: ScenarioContext) -> list[Report]:
    """An operator picks up and transfers the customer to an engineer's mobile."""
    desk, mobile = context.employee().line, context.engineer()
    call = context.inbound().after(0.4, 1.5).ringing(desk).after(2, 12).answered(desk)
    call.after(15, 90).forwarded(mobile, context.company.lines[0]).after(2, 5).ringing(mobile)
    return context.talk(call.after(3, 15), mobile)


def missed_nobody_answers(context: ScenarioContext) -> list[Report]:
    """Telephones ring until the exchange gives up."""
    call = context.inbound().after(0.3, 1).connecting(context.group())
    for party in context.some_operators(1, 4):
        call.after(0.05, 0.3).ringing(party)
    return call.after(25, 45).ended("system", cause=19, sip=480).reports


def missed_caller_gives_up(context: ScenarioContext) -> list[Report]:
    """The customer hangs up while one telephone rings."""
    call = context.inbound().after(0.4, 1.5).ringing(context.employee().line)
    return call.after(3, 28).ended("caller", cause=16, sip=487).reports


def missed_in_menu(context: ScenarioContext) -> list[Report]:
    """The customer hangs up before anybody was rung."""
    call = context.inbound().after(0.2, 0.6).connecting("menu")
    return call.after(2, 30).ended("caller", cause=16).reports


def missed_offline(context: ScenarioContext) -> list[Report]:
    """Not one of the telephones tried was registered."""
    call = context.inbound()
    for party in context.some_operators(1, 3):
        call.after(0.05, 0.3).offline(party)
    return call.after(0.5, 6).ended("system", cause=20, sip=480).reports


def declined_busy(context: ScenarioContext) -> list[Report]:
    """The number dialled is engaged."""
    return context.outbound().after(1, 5).ended("callee", cause=17, sip=486).reports


def declined_refused(context: ScenarioContext) -> list[Report]:
    """The telephone rings and its owner presses the red button."""
    call = context.outbound()
    call.after(2, 5).ringing(_dialled(call.reports))
    return call.after(1, 15).ended("callee", cause=21, sip=603).reports


def unreachable(context: ScenarioContext) -> list[Report]:
    """The telephone called is off, out of reach, or there is no such number."""
    cause, sip = context.rng.choice(((20, 480), (20, None), (18, 408), (27, 502), (3, 404), (1, 404), (22, 410)))
    return context.outbound().after(2, 12).ended("system", cause, sip).reports


def no_answer(context: ScenarioContext) -> list[Report]:
    """The telephone rings and nobody picks up."""
    call = context.outbound()
    call.after(2, 6).ringing(_dialled(call.reports))
    cause, sip = context.rng.choice(((19, 480), (16, None), (0, None), (18, 408)))
    return call.after(30, 60).ended("system", cause, sip).reports


def cancelled(context: ScenarioContext) -> list[Report]:
    """Whoever called thinks better of it, often before it rings."""
    call = context.outbound()
    if context.rng.random() < 0.6:
        call.after(2, 5).ringing(_dialled(call.reports))
    return call.after(1, 14).ended("caller", cause=16, sip=487).reports


def no_channels(context: ScenarioContext) -> list[Report]:
    """Every channel of the trunk is taken."""
    call = context.outbound().after(0.1, 1)
    if context.rng.random() < 0.6:
        call.refused()
    return call.after(0.01, 0.2).ended("system", context.rng.choice((34, 42, 44)), 503).reports


def network_error(context: ScenarioContext) -> list[Report]:
    """They talk, and the network drops the call."""
    call = context.inbound() if context.rng.random() < 0.6 else context.outbound()
    placed = call.reports[0].data
    party = context.employee().line if placed["direction"] == "inbound" else placed["callee"]
    call.after(0.5, 4).ringing(party).after(2, 12).answered(party)
    cause, sip = context.rng.choice(((38, None), (41, 503), (47, None), (102, 408), (127, None), (None, 481)))
    return call.after(10, 300).ended(context.rng.choice(("system", "unknown")), cause, sip).reports


def unknown_error(context: ScenarioContext) -> list[Report]:
    """The exchange ends the call before anything happened and gives a reason nobody expects."""
    call = context.inbound() if context.rng.random() < 0.3 else context.outbound()
    return call.after(0.2, 3).ended("unknown", context.rng.choice((88, 95, 111, None))).reports


def _reached(context: ScenarioContext, number: str) -> list[Report]:
    call = context.outbound(number)
    party = _dialled(call.reports)
    return context.talk(call.after(1.5, 5).ringing(party).after(2, 18), party)


def _dialled(reports: list[Report]) -> str:
    return str(reports[0].data["callee"])
