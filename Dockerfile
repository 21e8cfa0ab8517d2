# One image, one service: docker build --build-arg SERVICE=calls .
FROM python:3.11-slim-bookworm AS service
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent journal && install -d -o journal /var/exports
WORKDIR /app
COPY pyproject.toml constraints.txt ./
COPY ops/compose/install ops/compose/
# All images share the layer with what every service needs.
RUN ops/compose/install .
ARG SERVICE
RUN ops/compose/install ".[${SERVICE:?is missing: docker build --build-arg SERVICE=calls .}]"
COPY ops/stack/run-as-service ops/stack/run-if-set ops/stack/settings.sh ops/stack/
COPY ops/compose/http-healthcheck ops/compose/
COPY shared shared
COPY services/__init__.py services/
COPY services/$SERVICE services/$SERVICE
# Only the gateway serves the page.
RUN --mount=type=bind,source=web,target=/tmp/web [ "$SERVICE" != gateway ] || cp -r /tmp/web web
RUN python -m compileall -q shared services
ENV STACK_DIR=/run/stack ALIVE_FILE=/tmp/alive PSYCOPG_WAIT_FUNC=wait_select PYTHONUNBUFFERED=1
# A volume that is mounted for the first time belongs to the owner of the folder under it.
RUN install -d -o journal -g journal -m 700 /var/lib/journal
USER 10001:10001

# The jobs that make secrets and the demonstration's data, with the code of one service: --target tools --build-arg SERVICE=gateway
FROM service AS tools
USER root
RUN ops/compose/install ".[tools]"
COPY ops/stack ops/stack
COPY ops/compose/secrets ops/compose/
COPY tools tools
# A volume that is mounted for the first time belongs to the owner of the folder under it.
RUN bash -c 'install -d -o journal /run/stack{,/secrets} /secrets-for/{owners,postgres,rabbitmq,redis} \
    $(python -m tools.services names | sed "s|^|/secrets-for/|")'
USER 10001:10001

FROM service
