"""Runs service classes in one process: `python -m shared.plumbing.runner services.calls.service:CallsService`.

Waits for the servers it needs instead of dying without them, ends within DRAIN seconds of SIGTERM, and
refuses to start where a query would stop everything else.
"""

# ruff: noqa: E402
import eventlet

eventlet.monkey_patch()

import importlib
import logging
import os
import re
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg
import yaml
from nameko.containers import ServiceContainer
from nameko.runners import ServiceRunner

from shared.contracts.errors import Unavailable
from shared.plumbing import deadline, logs, metrics, watchdog
from shared.plumbing.database import CONNECT_OPTIONS
from shared.plumbing.publisher import BROKER_ERRORS, HEARTBEAT, connect, tls

logger = logging.getLogger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGINT)
DRAIN, KILL = 20, 4
LOSSY_SETTINGS = "select name from pg_settings where name in ('fsync', 'synchronous_commit') and setting = 'off'"
PROBE, TRIES, MAX_GAP = 0.3, 3, 0.05
CONTAINER = "shared.plumbing.runner.Container"
NAMEKO_OVERRIDES = {"SERVICE_CONTAINER_CLS": CONTAINER, "ACCEPT": ["json"], "DECLARE_EVENT_EXCHANGES": False}
VARIABLE = re.compile(r"\$\{(\w+)(?::([^}]*))?\}")


class Container(ServiceContainer):
    """Sets the correlation id and the deadline of every worker; drops requests whose deadline has passed."""

    def _run_worker(self, worker_ctx: Any, handle_result: Any) -> None:
        logs.set_correlation_id(str(worker_ctx.data.get("correlation_id") or ""))
        if deadline.before_deadline(worker_ctx.data):
            super()._run_worker(worker_ctx, handle_result)
        else:
            logger.warning("late request dropped", extra={"method": worker_ctx.entrypoint.method_name})
            handle_result(worker_ctx, None, (Unavailable, Unavailable(message="Too late."), None))


def configuration(path: Path) -> dict[str, Any]:
    """The YAML file with `${NAME}` and `${NAME:default}` taken from the environment."""
    missing = [name for name, default in VARIABLE.findall(path.read_text()) if not default and name not in os.environ]
    if missing:
        sys.exit(f"{path} needs {', '.join(sorted(set(missing)))} in the environment.")
    text = VARIABLE.sub(lambda match: os.environ.get(match[1], match[2]), path.read_text())
    loaded: dict[str, Any] = yaml.safe_load(text)
    return {"HEARTBEAT": HEARTBEAT} | loaded | NAMEKO_OVERRIDES | {"AMQP_SSL": tls(str(loaded.get("AMQP_URI")))}


def wait_for_servers(config: dict[str, Any]) -> None:
    """Return once broker and database answer; they may start later than the service."""
    pause, told = 0.2, 0.0
    while missing := _missing(config):
        if time.monotonic() > told + 10:
            logger.warning("waiting for servers", extra={"missing": missing})
            told = time.monotonic()
        eventlet.sleep(pause)
        pause = min(pause * 1.5, 2.0)


def _missing(config: dict[str, Any]) -> list[str]:
    missing = []
    try:
        connect(config["AMQP_URI"]).collect()
    except BROKER_ERRORS as error:
        missing.append(f"broker: {type(error).__name__}")
    try:
        psycopg.connect(config["DATABASE_URL"], **CONNECT_OPTIONS).close()
    except psycopg.Error as error:
        missing.append(f"database: {error}")
    return missing


def refuse_blocking_driver(url: str) -> None:
    """Exit if a query blocks other greenthreads, as psycopg's C wait does."""
    # A busy machine is late sometimes, a blocking driver every time.
    if all(_gap(url) > MAX_GAP for _ in range(TRIES)):
        sys.exit(f"A query blocks other work for {MAX_GAP} s or more: set PSYCOPG_WAIT_FUNC=wait_select.")


def _gap(url: str) -> float:
    """Seconds that another greenthread waits while a query runs."""
    with psycopg.connect(url) as conn:
        asked_at = time.monotonic()
        other = eventlet.spawn(time.monotonic)
        conn.execute("select pg_sleep(%s)", (PROBE,))
    return float(other.wait() - asked_at)


def refuse_lossy_storage(url: str) -> None:
    """Exit if the database may lose committed transactions."""
    with psycopg.connect(url) as conn:
        for (setting,) in conn.execute(LOSSY_SETTINGS):
            sys.exit(f"The database runs with {setting} = off: it may lose committed transactions.")


def run(services: list[type], config: dict[str, Any]) -> None:
    """Serve until SIGTERM or SIGINT; then finish current work within DRAIN seconds."""
    seconds = int(config.get("DRAIN", DRAIN))
    runner = ServiceRunner(config)
    for service in services:
        runner.add_service(service)

    def drain() -> None:
        logger.info("stopping")
        with eventlet.Timeout(seconds, False):
            runner.stop()
            return
        logger.warning("still busy after the drain time, killing workers", extra={"seconds": seconds})
        runner.kill()

    def stop(signum: int, frame: FrameType | None) -> None:
        for again in SIGNALS:
            signal.signal(again, signal.SIG_IGN)
        # The alarm ends a process that neither stops nor dies, even in an endless loop.
        signal.alarm(seconds + KILL)
        # An event loop timer, because a signal may arrive while no greenthread switch is possible.
        eventlet.spawn_after(0, drain)

    for signum in SIGNALS:
        signal.signal(signum, stop)
    # Signals are handled only when the event loop turns, which without the watchdog may take a minute.
    watchdog.watch(str(vars(services[0])["name"]))
    runner.start()
    metrics.serve(str(vars(services[0])["name"]), os.environ.get("METRICS_ADDRESS"))
    logger.info("ready", extra={"services": [service.__name__ for service in services]})
    eventlet.spawn(touch_liveness_file, os.environ.get("ALIVE_FILE"))
    runner.wait()


def touch_liveness_file(file: str | None) -> None:
    """Touch the file every second, if one is given: its age is that of the event loop's last turn."""
    while file:
        Path(file).touch()
        eventlet.sleep(1)


def main(targets: list[str]) -> None:
    if not targets:
        sys.exit("usage: python -m shared.plumbing.runner package.module:Service …")
    modules = [importlib.import_module(target.partition(":")[0]) for target in targets]
    services = [getattr(module, target.partition(":")[2]) for module, target in zip(modules, targets, strict=True)]
    config = configuration(Path(str(modules[0].__file__)).with_name("config.yml"))
    logs.configure(services[0].name, os.environ.get("LOG_LEVEL", "INFO"))
    wait_for_servers(config)
    refuse_blocking_driver(config["DATABASE_URL"])
    refuse_lossy_storage(config["DATABASE_URL"])
    run(services, config)


if __name__ == "__main__":
    # Run the importable module, not __main__: both would define their own Container class.
    importlib.import_module("shared.plumbing.runner").main(sys.argv[1:])
