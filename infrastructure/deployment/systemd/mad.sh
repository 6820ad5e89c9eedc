#!/bin/sh
# `mad` with the configuration of mad.service. Installed as /usr/local/bin/mad, for root, who alone reads the secrets.
# RELEASE is the folder of another release.
set -eu
set -a
NODE_ENV=production
FILES_URL=file:///var/lib/mad/files
# As systemd reads it. A shell would take the & of a URL for the end of a command, and lose the setting without a word.
read_settings() {
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line#"${line%%[![:space:]]*}"}
    case $line in '' | '#'* | ';'*) continue ;; esac
    value=${line#*=}
    value=${value%"${value##*[![:space:]]}"}
    case $value in \"*\" | \'*\') value=${value#?} && value=${value%?} ;; esac
    export "${line%%=*}=$value"
  done <"$1"
  unset line value
}
if [ -e /etc/mad/mad.env ]; then
  read_settings /etc/mad/mad.env
fi
DB_DATABASE_URL_FILE=/etc/mad/secrets/database_url
DB_ROLE_SECRET_FILE=/etc/mad/secrets/role_secret
JWT_SECRET_FILE=/etc/mad/secrets/jwt_secret
set +a
# No .env of the folder where somebody happens to stand counts.
cd /var/lib/mad
exec /usr/bin/node "${RELEASE:-/opt/mad}/dist/infrastructure/bin/mad.cjs" "$@"
