"""The agent beside an Asterisk: it publishes the reports of calls (docs/asterisk.md)."""

from shared.contracts.service import Agent, Service

SERVICE = Service(
    "asterisk",
    agents=(Agent("services.asterisk", runs_if="AMI_HOST"),),
    publishes=("reports",),
    has_database=False,
)
