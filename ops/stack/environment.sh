# The environment of each service, $STACK_DIR/env/<service>.env, and admin.env for the tools. Only their owner can read them.

write_environments() {
    local service
    mkdir -p "$STACK_DIR/env"
    for service in $(declared_services names); do
        service_environment "$service" | write_private_file "$STACK_DIR/env/$service.env"
    done
    admin_environment | write_private_file "$STACK_DIR/env/admin.env"
}

service_environment() {
    local service=$1
    cat <<ENV
$(service_secrets "$service")
PRICE_DELAY=$(price_delay)
METRICS_ADDRESS=127.0.0.1:$((EDGE_PORT + 20))-$((EDGE_PORT + 39))
PSYCOPG_WAIT_FUNC=wait_select
PYTHONUNBUFFERED=1
ENV
    ! has_database "$service" || cat <<ENV
$(owner_secrets "$service")
RO_DATABASE_URL=$(database_url "$service" "${service}_ro")
ENV
    [ "$service" != gateway ] || cat <<ENV
WEB_ADDRESS=127.0.0.1:$GATEWAY_PORT
TOKEN_KEY_FILE=$(token_key)
LINK_KEYS_FILE=$(link_keys)
ENV
    [ "$service" != asterisk ] || echo "AMI_SPOOL=$STACK_DIR/exchange"
    [ "$service" != recordings ] || cat <<ENV
WEB_ADDRESS=127.0.0.1:$RECORDINGS_PORT
LINK_KEYS_FILE=$(link_keys)
RECORDINGS_FOLDER=$STACK_DIR/recordings
ENV
}

# *_HOST are the hosts of the servers, this machine by default.

service_secrets() {
    local service=$1
    echo "AMQP_URI=amqp://$service:$(secret "amqp_$service")@${AMQP_HOST:-127.0.0.1}:$AMQP_PORT/journal"
    ! has_database "$service" || echo "DATABASE_URL=$(database_url "$service" "${service}_app")"
    [ "$service" != asterisk ] || exchange
    [ "$service" != gateway ] ||
        echo "REDIS_URL=redis://gateway:$(secret redis_gateway)@${REDIS_HOST:-127.0.0.1}:$REDIS_PORT/0"
}

exchange() { # the settings of the Asterisk agent, if there are any: docs/asterisk.md
    local file=$STACK_DIR/secrets/exchange
    [ ! -s "$file" ] || cat "$file"
}

has_database() { [[ " ${DATABASES:=$(declared_services databases | xargs)} " == *" $1 "* ]]; }

owner_secrets() { echo "OWNER_DATABASE_URL=$(database_url "$1" "$1_owner")"; }

admin_environment() {
    cat <<ENV
STACK_DIR=$STACK_DIR
BASE_URL=http://127.0.0.1:$EDGE_PORT
AMQP_ADMIN_URI=amqp://admin:$(secret amqp_admin)@127.0.0.1:$AMQP_PORT/journal
PG_ADMIN_URL=postgresql://admin:$(secret postgres_admin)@127.0.0.1:$POSTGRES_PORT/postgres
REDIS_ADMIN_URL=redis://admin:$(secret redis_admin)@127.0.0.1:$REDIS_PORT/0
PSYCOPG_WAIT_FUNC=wait_select
ENV
}

database_url() { echo "postgresql://$2:$(secret "postgres_$2")@${POSTGRES_HOST:-127.0.0.1}:$POSTGRES_PORT/$1"; }

price_delay() { # PRICE_DELAY; else that of the running services; else five minutes
    local before=""
    if runs services; then before=$(. "$STACK_DIR/env/calls.env" && echo "$PRICE_DELAY"); fi
    echo "${PRICE_DELAY:-${before:-300}}"
}

token_key() {
    local file=$STACK_DIR/secrets/token_key.pem
    [ -s "$file" ] || (umask 077 && openssl genpkey -algorithm ed25519 -out "$file")
    echo "$file"
}

link_keys() { # the gateway signs links to recordings with them, recordings verifies them
    secret link_keys >/dev/null
    echo "$STACK_DIR/secrets/link_keys"
}
