"""The containers of the services as a Compose file: `python -m tools.services compose >ops/compose/services.yml`.

`ops/compose/system.yml` is merged onto it. It has the `x-` blocks that both files use.
"""

from collections.abc import Iterator
from pathlib import Path

from shared.contracts.topology import DATABASES, PROCESSES, SERVICES, Process

SYSTEM = Path(__file__).parents[1] / "ops" / "compose" / "system.yml"
WRITE_AGAIN = "python -m tools.services compose >ops/compose/services.yml"
HEADER = f"""\
# Generated from the declarations of the services (shared/contracts/*/service.py). Do not edit; write it again with
# {WRITE_AGAIN}
"""


def services_file() -> str:
    """The file's text."""
    containers = [
        *(_process(process) for process in PROCESSES.values()),
        *(_migration(service) for service in DATABASES),
        _secrets(),
        _edge(),
    ]
    volumes = "".join(f"  {service.name}:\n" for service in SERVICES)
    return f"{HEADER}\n{_shared_blocks()}\n\nservices:\n{''.join(containers)}\nvolumes:\n{volumes}"


def command(process: Process) -> str:
    """Start a process with the environment of its service."""
    return f"ops/stack/run-as-service {process.service} {process.command}"


def _shared_blocks() -> str:
    text = SYSTEM.read_text().partition("\nservices:\n")[0]
    return text[text.index("x-hardened:") :].rstrip()


def _process(process: Process) -> str:
    profile = f"    profiles: [{process.name}]\n" if process.is_optional else ""
    return (
        f"  {process.name}:\n"
        f"    <<: *process\n{profile}"
        f"{_image(process.service)}"
        f"    command: {command(process)}\n"
        f"    volumes: [{process.service}:/run/stack/env:ro]\n"
        f"    depends_on:\n{''.join(_needs())}"
    )


def _needs() -> Iterator[str]:
    for service in DATABASES:
        yield f"      {service}-tables: {{condition: service_completed_successfully}}\n"
    for server in ("rabbitmq", "redis"):
        yield f"      {server}: {{condition: service_healthy}}\n"


def _migration(service: str) -> str:
    return (
        f"  {service}-tables:\n"
        "    <<: *job\n"
        f"{_image(service)}"
        f"    command: ops/stack/run-as-service {service} python -m shared.plumbing.migrate services/{service}\n"
        "    volumes: [owners:/run/stack/env:ro]\n"
        "    depends_on:\n"
        "      databases: {condition: service_completed_successfully}\n"
    )


def _image(service: str) -> str:
    return f"    image: ${{COMPOSE_PROJECT_NAME}}-{service}\n    build: {{context: ., args: {{SERVICE: {service}}}}}\n"


def _secrets() -> str:
    volumes = "".join(f"      - {service.name}:/secrets-for/{service.name}\n" for service in SERVICES)
    return f"  secrets:\n    volumes:\n{volumes}"


def _edge() -> str:
    healthy = [process.name for process in PROCESSES.values() if not process.is_optional]
    conditions = "".join(f"      {name}: {{condition: service_healthy}}\n" for name in healthy)
    return f"  edge:\n    depends_on:\n{conditions}"
