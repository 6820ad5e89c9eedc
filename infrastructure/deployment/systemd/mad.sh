#!/bin/sh
# `mad` with the configuration of mad.service. Installed as /usr/local/bin/mad, for root, who alone reads the secrets.
# RELEASE is the folder of another release.
set -eu
set -a
NODE_ENV=production
FILES_URL=file:///var/lib/mad/files
if [ -e /etc/mad/mad.env ]; then
  . /etc/mad/mad.env
fi
DB_DATABASE_URL_FILE=/etc/mad/secrets/database_url
DB_ROLE_SECRET_FILE=/etc/mad/secrets/role_secret
JWT_SECRET_FILE=/etc/mad/secrets/jwt_secret
set +a
# No .env of the folder where somebody happens to stand counts.
cd /var/lib/mad
exec /usr/bin/node "${RELEASE:-/opt/mad}/dist/infrastructure/bin/mad.cjs" "$@"
