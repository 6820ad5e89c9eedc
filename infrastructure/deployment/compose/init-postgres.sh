#!/bin/sh
# Runs once, when the data directory of PostgreSQL is made. The service's login is no superuser: it makes databases and roles.
set -eu
psql --set=ON_ERROR_STOP=1 --username=postgres --dbname=postgres \
  --set=login_password="$(cat "${SECRETS:-/run/secrets}/login_password")" \
  --set=pgbouncer_password="$(cat "${SECRETS:-/run/secrets}/pgbouncer_password")" <<'SQL'
create role mad login createdb createrole password :'login_password';
-- PgBouncer asks here, and only here, for the passwords of roles that come and go with organizations.
create role pgbouncer login password :'pgbouncer_password';
grant select on pg_catalog.pg_shadow to pgbouncer;
-- Organizations' roles have no business in these.
revoke connect on database postgres, template1 from public;
grant connect on database postgres to mad, pgbouncer;
SQL
