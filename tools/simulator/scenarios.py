"""Every kind of call the exchange knows, one function each: the reports of that call."""

from collections.abc import Callable

from tools.simulator.reports import Report
from tools.simulator.scenario_context import Scene

Scenario = Callable[[Scene], list[Report]]


def inbound_direct(scene: Scene) -> list[Report]:
    """A customer calls and the one operator who is rung picks up."""
    party = scene.employee().line
    call = scene.inbound().after(0.4, 1.5).ringing(party).after(2, 15)
    return scene.talk(call, party)


def inbound_group(scene: Scene) -> list[Report]:
    """A ring group: several telephones ring at once, one is picked up."""
    parties = scene.some_operators(2, 5)
    call = scene.inbound().after(0.3, 1).connecting(scene.group())
    for party in parties:
        call.after(0.02, 0.2).ringing(party)
    return scene.talk(call.after(2, 14), scene.dice.choice(parties))


def inbound_queue(scene: Scene) -> list[Report]:
    """A queue: one operator after another is rung, some are offline, the last one picks up."""
    *earlier, last = scene.some_operators(1, 4)
    call = scene.inbound().after(0.3, 1).connecting(scene.group()).after(1, 30)
    for party in earlier:
        if scene.dice.random() < 0.15:
            call.offline(party)
        else:
            call.ringing(party).after(12, 20)
    return scene.talk(call.after(0.1, 0.5).ringing(last).after(2, 12), last)


def inbound_menu(scene: Scene) -> list[Report]:
    """A menu answers first, the customer chooses, the chosen group is rung."""
    parties = scene.some_operators(1, 3)
    call = scene.inbound().after(0.2, 0.6).connecting("menu").after(5, 25).connecting(scene.group())
    for party in parties:
        call.after(0.05, 0.3).ringing(party)
    return scene.talk(call.after(2, 12), scene.dice.choice(parties))


def outbound_answered(scene: Scene) -> list[Report]:
    """Somebody of the company calls a number outside and is answered."""
    return _reached(scene, "")


def call_back(scene: Scene, number: str) -> list[Report]:
    """Somebody of the company calls the number of a missed call and is answered."""
    return _reached(scene, number)


def internal_answered(scene: Scene) -> list[Report]:
    """Colleagues talk."""
    call = scene.internal()
    callee = call.reports[0].data["callee"]
    return scene.talk(call.after(0.1, 0.5).ringing(callee).after(1, 10), callee)


def internal_offline(scene: Scene) -> list[Report]:
    """A colleague's telephone is not registered."""
    call = scene.internal()
    call.after(0.05, 0.2).offline(call.reports[0].data["callee"])
    return call.after(0.1, 1).ended("system", cause=20, sip=480).reports


def forwarded_unanswered(scene: Scene) -> list[Report]:
    """Nobody is at the desk, so the call goes on to the mobile of the engineer on duty."""
    desk, mobile = scene.employee().line, scene.engineer()
    call = scene.inbound().after(0.4, 1.5).ringing(desk).after(15, 20)
    call.forwarded(mobile, scene.company.lines[0]).after(2, 5).ringing(mobile)
    return scene.talk(call.after(3, 15), mobile)


def transferred(scene: Scene) -> list[Report]:
    """An operator picks up and transfers the customer to an engineer's mobile."""
    desk, mobile = scene.employee().line, scene.engineer()
    call = scene.inbound().after(0.4, 1.5).ringing(desk).after(2, 12).answered(desk)
    call.after(15, 90).forwarded(mobile, scene.company.lines[0]).after(2, 5).ringing(mobile)
    return scene.talk(call.after(3, 15), mobile)


def missed_nobody_answers(scene: Scene) -> list[Report]:
    """Telephones ring until the exchange gives up."""
    call = scene.inbound().after(0.3, 1).connecting(scene.group())
    for party in scene.some_operators(1, 4):
        call.after(0.05, 0.3).ringing(party)
    return call.after(25, 45).ended("system", cause=19, sip=480).reports


def missed_caller_gives_up(scene: Scene) -> list[Report]:
    """The customer hangs up while one telephone rings."""
    call = scene.inbound().after(0.4, 1.5).ringing(scene.employee().line)
    return call.after(3, 28).ended("caller", cause=16, sip=487).reports


def missed_in_menu(scene: Scene) -> list[Report]:
    """The customer hangs up before anybody was rung."""
    call = scene.inbound().after(0.2, 0.6).connecting("menu")
    return call.after(2, 30).ended("caller", cause=16).reports


def missed_offline(scene: Scene) -> list[Report]:
    """Not one of the telephones tried was registered."""
    call = scene.inbound()
    for party in scene.some_operators(1, 3):
        call.after(0.05, 0.3).offline(party)
    return call.after(0.5, 6).ended("system", cause=20, sip=480).reports


def declined_busy(scene: Scene) -> list[Report]:
    """The number dialled is engaged."""
    return scene.outbound().after(1, 5).ended("callee", cause=17, sip=486).reports


def declined_refused(scene: Scene) -> list[Report]:
    """The telephone rings and its owner presses the red button."""
    call = scene.outbound()
    call.after(2, 5).ringing(_dialled(call.reports))
    return call.after(1, 15).ended("callee", cause=21, sip=603).reports


def unreachable(scene: Scene) -> list[Report]:
    """The telephone called is off, out of reach, or there is no such number."""
    cause, sip = scene.dice.choice(((20, 480), (20, None), (18, 408), (27, 502), (3, 404), (1, 404), (22, 410)))
    return scene.outbound().after(2, 12).ended("system", cause, sip).reports


def no_answer(scene: Scene) -> list[Report]:
    """The telephone rings and nobody picks up."""
    call = scene.outbound()
    call.after(2, 6).ringing(_dialled(call.reports))
    cause, sip = scene.dice.choice(((19, 480), (16, None), (0, None), (18, 408)))
    return call.after(30, 60).ended("system", cause, sip).reports


def cancelled(scene: Scene) -> list[Report]:
    """Whoever called thinks better of it, often before it rings."""
    call = scene.outbound()
    if scene.dice.random() < 0.6:
        call.after(2, 5).ringing(_dialled(call.reports))
    return call.after(1, 14).ended("caller", cause=16, sip=487).reports


def no_channels(scene: Scene) -> list[Report]:
    """Every channel of the trunk is taken."""
    call = scene.outbound().after(0.1, 1)
    if scene.dice.random() < 0.6:
        call.refused()
    return call.after(0.01, 0.2).ended("system", scene.dice.choice((34, 42, 44)), 503).reports


def network_error(scene: Scene) -> list[Report]:
    """They talk, and the network drops the call."""
    call = scene.inbound() if scene.dice.random() < 0.6 else scene.outbound()
    placed = call.reports[0].data
    party = scene.employee().line if placed["direction"] == "inbound" else placed["callee"]
    call.after(0.5, 4).ringing(party).after(2, 12).answered(party)
    cause, sip = scene.dice.choice(((38, None), (41, 503), (47, None), (102, 408), (127, None), (None, 481)))
    return call.after(10, 300).ended(scene.dice.choice(("system", "unknown")), cause, sip).reports


def unknown_error(scene: Scene) -> list[Report]:
    """The exchange ends the call before anything happened and gives a reason nobody expects."""
    call = scene.inbound() if scene.dice.random() < 0.3 else scene.outbound()
    return call.after(0.2, 3).ended("unknown", scene.dice.choice((88, 95, 111, None))).reports


def _reached(scene: Scene, number: str) -> list[Report]:
    call = scene.outbound(number)
    party = _dialled(call.reports)
    return scene.talk(call.after(1.5, 5).ringing(party).after(2, 18), party)


def _dialled(reports: list[Report]) -> str:
    return str(reports[0].data["callee"])
