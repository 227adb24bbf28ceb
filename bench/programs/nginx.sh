#!/bin/sh
# what: nginx serving 4,000 compressed pages to curl (the server alone is measured)
set -eu
cd "$2"
NGINX=$(command -v nginx || ls /usr/sbin/nginx 2>/dev/null) && command -v curl >/dev/null || { echo "nginx, curl" >&2; exit 77; }
here=$PWD
case $1 in
prepare)
    mkdir -p html tmp
    awk 'BEGIN { for (i = 0; i < 700; i++) printf "<p>line %d of a page, %x %x</p>\n", i, i * 7919 % 65536, i * 104729 % 65536 }' >html/page.html
    cat >nginx.conf <<CONF
daemon off;
master_process off;
pid $here/nginx.pid;
error_log $here/error.log;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path $here/tmp; proxy_temp_path $here/tmp; fastcgi_temp_path $here/tmp; uwsgi_temp_path $here/tmp; scgi_temp_path $here/tmp;
    types { text/html html; }
    gzip on; gzip_types text/html; keepalive_requests 100;
    server { listen unix:socket; root $here/html; }
}
CONF
    ;;
run)
    rm -f socket nginx.pid
    $MEASURE "$NGINX" -p "$here/" -c nginx.conf 2>/dev/null &
    server=$!
    tries=0
    until curl -sf --unix-socket socket http://x/page.html -o /dev/null; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || { echo "nginx did not start" >&2; exit 1; }
        sleep 0.05
    done
    curl -s --unix-socket socket -H 'Accept-Encoding: gzip' 'http://x/page.html?[1-4000]' -o /dev/null
    kill -QUIT "$(cat nginx.pid)"
    wait $server ;;
esac
