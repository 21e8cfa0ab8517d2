"""What the scripts of `ops` need of the services' declarations.

python -m tools.services names       the services, one a line
python -m tools.services databases   those that have a database
python -m tools.services procfile    a Procfile with a line for each process
python -m tools.services compose     ops/compose/services.yml
"""

import sys
from collections.abc import Callable

from shared.contracts.topology import DATABASES, PROCESSES, SERVICES
from tools.compose import command, services_file


def names() -> str:
    return _lines([service.name for service in SERVICES])


def databases() -> str:
    return _lines(list(DATABASES))


def procfile() -> str:
    return _lines([f"{process.name}: ops/stack/supervise {command(process)}" for process in PROCESSES.values()])


def _lines(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


COMMANDS: dict[str, Callable[[], str]] = {
    "names": names,
    "databases": databases,
    "procfile": procfile,
    "compose": services_file,
}


def main(arguments: list[str]) -> None:
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        sys.exit(f"usage: python -m tools.services {'|'.join(COMMANDS)}")
    sys.stdout.write(COMMANDS[arguments[0]]())


if __name__ == "__main__":
    main(sys.argv[1:])
