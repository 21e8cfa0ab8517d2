"""A tariff's life: a draft that changes, then a tariff that never does."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.billing.domain import tariff as domain
from services.billing.domain.tariff import ActivateTariff, DiscardTariff, DraftTariff
from shared.contracts.billing.events import Rounding, TariffActivated, TariffDiscarded, TariffDrafted
from tests.support.spec import Spec

given = Spec(domain).given
ID, OLHA = UUID(int=1), UUID(int=2)
AT = datetime(2026, 11, 22, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
WORDS = {"name": "Тариф", "currency": "UAH", "rounding": Rounding(), "rates": "abc", "count": 3}


def draft(**words: object) -> DraftTariff:
    return DraftTariff(**{"tariff_id": ID, "by": OLHA, "at": AT, **WORDS, **words})  # type: ignore[arg-type]


def drafted(**words: object) -> TariffDrafted:
    return TariffDrafted(**{"tariff_id": ID, "by": OLHA, "at": AT, **WORDS, **words})  # type: ignore[arg-type]


activate = ActivateTariff(tariff_id=ID, valid_from=AT, by=OLHA, at=LATER)
activated = TariffActivated(tariff_id=ID, valid_from=AT, by=OLHA, at=LATER)
discard = DiscardTariff(tariff_id=ID, by=OLHA, at=LATER)
discarded = TariffDiscarded(tariff_id=ID, by=OLHA, at=LATER)


def test_a_tariff_begins_as_a_draft() -> None:
    given().when(draft()).then(drafted())


def test_a_draft_may_be_written_anew() -> None:
    given(drafted()).when(draft(rates="def")).then(drafted(rates="def"))


def test_the_same_draft_again_changes_nothing() -> None:
    given(drafted()).when(draft(at=LATER)).then_nothing()


def test_each_new_draft_is_a_version_of_its_own() -> None:
    state = domain.evolve(domain.evolve(None, drafted()), drafted(name="Інший"))
    assert state is not None
    assert (state.version, state.name) == (2, "Інший")


def test_an_active_tariff_never_changes() -> None:
    given(drafted(), activated).when(draft(rates="def")).then_rejected("tariff_is_active")
    given(drafted(), activated).when(discard).then_rejected("tariff_is_active")


def test_a_draft_is_activated_from_an_instant_on() -> None:
    given(drafted()).when(activate).then(activated)


def test_a_draft_without_rates_cannot_be_activated() -> None:
    given(drafted(count=0)).when(activate).then_rejected("tariff_has_no_rates")


def test_activating_it_again_from_the_same_instant_changes_nothing() -> None:
    given(drafted(), activated).when(activate).then_nothing()


def test_the_instant_from_which_a_tariff_rules_is_not_moved() -> None:
    moved = ActivateTariff(tariff_id=ID, valid_from=LATER, by=OLHA, at=LATER)
    given(drafted(), activated).when(moved).then_rejected("tariff_is_active")


def test_a_draft_is_discarded_once_and_for_all() -> None:
    given(drafted()).when(discard).then(discarded)
    given(drafted(), discarded).when(discard).then_nothing()
    given(drafted(), discarded).when(activate).then_rejected("tariff_is_discarded")
    given(drafted(), discarded).when(draft()).then_rejected("tariff_is_discarded")


def test_what_was_never_drafted_is_neither_activated_nor_discarded() -> None:
    given().when(activate).then_rejected("tariff_is_not_drafted")
    given().when(discard).then_rejected("tariff_is_not_drafted")
