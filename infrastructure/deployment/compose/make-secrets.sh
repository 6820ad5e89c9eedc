#!/bin/sh
# Writes secrets/ beside this script: random ones, and the URLs that hold them. What is there already stays as it is.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
# The folder is closed to others. The files in it are not: containers read them as other users.
write() {
  [ -e "secrets/$1" ] || printf '%s' "$2" >"secrets/$1"
  chmod 444 "secrets/$1"
}
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
of() { cat "secrets/$1"; }

for name in postgres_password login_password pgbouncer_password role_secret jwt_secret minio_password grafana_password; do
  write "$name" "$(random)"
done
write minio_user mad
# Filled in once a service account has been made.
write worker_key ''
login="postgresql://mad:$(of login_password)"
write database_url "$login@postgres:5432/mad"
write admin_url "$login@postgres:5432/postgres"
write results_template_postgres "$login@postgres:5432/mad_results_{org_id}"
write results_template_pgbouncer "$login@pgbouncer:6432/mad_results_{org_id}"
write pgbouncer_users "\"pgbouncer\" \"$(of pgbouncer_password)\""
write aws_credentials "[default]
aws_access_key_id = $(of minio_user)
aws_secret_access_key = $(of minio_password)
"
