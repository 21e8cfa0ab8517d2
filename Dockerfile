# One image, one service: docker build --build-arg SERVICE=calls .
FROM python:3.11-slim-bookworm AS service
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent journal && install -d -o journal /var/exports
WORKDIR /app
COPY pyproject.toml constraints.txt ./
COPY ops/compose/install ops/compose/
# What every service needs is a layer that all images share.
RUN ops/compose/install .
ARG SERVICE
RUN ops/compose/install ".[${SERVICE:?is missing: docker build --build-arg SERVICE=calls .}]"
COPY ops/stack/run-as-service ops/stack/run-if-set ops/stack/settings.sh ops/stack/
COPY ops/compose/http-healthcheck ops/compose/
COPY shared shared
COPY services/__init__.py services/
COPY services/$SERVICE services/$SERVICE
COPY web web
RUN python -m compileall -q shared services
ENV STACK_DIR=/run/stack ALIVE_FILE=/tmp/alive PSYCOPG_WAIT_FUNC=wait_select PYTHONUNBUFFERED=1
# A volume that is mounted for the first time belongs to whoever owns the folder under it.
RUN install -d -o journal -g journal -m 700 /var/lib/journal
USER 10001:10001

# What makes the secrets and the demonstration's accounts, beside the gateway's code: --target tools --build-arg SERVICE=gateway
FROM service AS tools
USER root
RUN ops/compose/install ".[tools]"
COPY ops/stack ops/stack
COPY ops/compose/secrets ops/compose/
COPY tools tools
# A volume that is mounted for the first time belongs to whoever owns the folder under it.
RUN bash -c '. ops/stack/settings.sh && \
    install -d -o journal /run/stack{,/secrets} /told/{owners,postgres,rabbitmq,redis} $(printf "/told/%s " $SERVICES)'
USER 10001:10001

FROM service
