import pytest

from shared.plumbing.database import Postgres
from tests.integration.billing.company import Billing


@pytest.fixture
def billing(billing_db: Postgres) -> Billing:
    return Billing(billing_db)
