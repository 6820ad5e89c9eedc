import type { SchemaDifference } from '../../application/ports/fleet/fleet-checks.ts';
import { HISTORY_TABLE } from '../migrations/migrator.ts';

/** One thing of a schema, in words that do not depend on how it came about. */
export interface CatalogueEntry {
  readonly object: string;
  readonly definition: string;
}

/** Everything a migration can make, but for rights, comments and the order of columns; one row for each thing. */
const ENTRIES = `
  with spaces as (
    select oid, nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'
  ), relations as (
    select c.*, format('%I.%I', nspname, relname) as name
    from pg_class c join spaces s on s.oid = relnamespace where relname !~ '^${HISTORY_TABLE}'
  )
  select 'schema ' || nspname as object, '' as definition from spaces
  union all
  select case relkind when 'v' then 'view ' when 'm' then 'materialized view ' when 'S' then 'sequence '
      when 'f' then 'foreign table ' when 'c' then 'composite type ' else 'table ' end || name,
    concat_ws(' ', relpersistence, relrowsecurity, relforcerowsecurity, reloptions,
      case when relkind in ('v', 'm') then pg_get_viewdef(oid) end)
  from relations where relkind not in ('i', 'I', 't')
  union all
  select format('column %s.%I', name, attname),
    concat_ws(' ', format_type(atttypid, atttypmod), case when attnotnull then 'not null' end,
      pg_get_expr(adbin, adrelid), nullif(attidentity, ''), nullif(attgenerated, ''),
      (select collname from pg_collation where oid = attcollation and collname <> 'default'))
  from relations r join pg_attribute a on attrelid = r.oid left join pg_attrdef on adrelid = r.oid and adnum = attnum
  where attnum > 0 and not attisdropped and relkind in ('r', 'p', 'f', 'c')
  union all
  select format('constraint %s.%I', name, conname),
    pg_get_constraintdef(o.oid) || case when convalidated then '' else ' (not validated)' end
  from relations r join pg_constraint o on conrelid = r.oid where contype <> 'n'
  union all
  select format('index %s', name), pg_get_indexdef(indexrelid) || case when indisvalid then '' else ' (not valid)' end
  from relations r join pg_index on indexrelid = r.oid
  union all
  select format('trigger %s.%I', name, tgname), pg_get_triggerdef(t.oid) || ' ' || tgenabled::text
  from relations r join pg_trigger t on tgrelid = r.oid where not tgisinternal
  union all
  select format('policy %s.%I', name, polname), concat_ws(' ', polcmd, polpermissive, pg_get_expr(polqual, polrelid),
    pg_get_expr(polwithcheck, polrelid))
  from relations r join pg_policy on polrelid = r.oid
  union all
  select format('function %I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(p.oid)), pg_get_functiondef(p.oid)
  from pg_proc p join spaces s on s.oid = pronamespace where prokind in ('f', 'p')
  union all
  select format('type %I.%I', nspname, typname), concat_ws(' ', typtype, format_type(typbasetype, typtypmod),
    (select string_agg(enumlabel, ', ' order by enumsortorder) from pg_enum where enumtypid = t.oid),
    (select string_agg(pg_get_constraintdef(o.oid), ', ' order by conname) from pg_constraint o where contypid = t.oid))
  from pg_type t join spaces s on s.oid = typnamespace where typtype in ('e', 'd')
  union all
  select 'extension ' || extname, extversion from pg_extension`;

/** All entries of the database that a connection is in. */
export const READ_CATALOGUE = `select object, definition from (${ENTRIES}) e order by object collate "C"`;

/** Their fingerprint, and the number of migrations applied; one round trip, some bytes. */
export const READ_FINGERPRINT = `
  select md5(string_agg(object || E'\\t' || definition, E'\\n' order by object collate "C")) as fingerprint,
    (select count(*)::int from ${HISTORY_TABLE}) as version
  from (${ENTRIES}) e`;

/** What is different, in the order of the names. Pure. */
export const compareCatalogues = (
  expected: readonly CatalogueEntry[],
  found: readonly CatalogueEntry[],
): readonly SchemaDifference[] => {
  const wanted = new Map(expected.map(({ object, definition }) => [object, definition]));
  const present = new Map(found.map(({ object, definition }) => [object, definition]));
  return [...new Set([...wanted.keys(), ...present.keys()])]
    .toSorted()
    .flatMap((object): SchemaDifference[] => {
      const want = wanted.get(object) ?? null;
      const have = present.get(object) ?? null;
      if (want === have) return [];
      const kind = have === null ? 'missing' : want === null ? 'extra' : 'changed';
      return [{ kind, object, expected: want, found: have }];
    });
};
