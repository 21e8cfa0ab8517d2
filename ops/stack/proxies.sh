# The proxies whose X-Forwarded-* headers nginx trusts: TRUSTED_PROXY, addresses and networks separated by commas.

with_trusted_proxies() { # FILE: nginx's configuration with the trusted proxies filled in
    local proxy real_ip="" proxies="" trusted=${TRUSTED_PROXY:-}
    for proxy in ${trusted//,/ }; do
        real_ip+="set_real_ip_from $proxy; "
        proxies+="$proxy yes; "
    done
    [ -z "$real_ip" ] || real_ip+="real_ip_header X-Forwarded-For; real_ip_recursive on;"
    sed -e "s|@REAL_IP@|$real_ip|; s|@PROXIES@|$proxies|" "$1"
}
