# Whom the edge believes who a client is and that it came by TLS: TRUSTED_PROXY, addresses and networks with commas between.

believing() { # SETTINGS: nginx's, with the words for it filled in
    local proxy believed="" proxies="" trusted=${TRUSTED_PROXY:-}
    for proxy in ${trusted//,/ }; do
        believed+="set_real_ip_from $proxy; "
        proxies+="$proxy yes; "
    done
    [ -z "$believed" ] || believed+="real_ip_header X-Forwarded-For; real_ip_recursive on;"
    sed -e "s|@BELIEVED@|$believed|; s|@PROXIES@|$proxies|" "$1"
}
