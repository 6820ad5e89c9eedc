import type { Knex } from 'knex';

/**
 * Whether an organization is suspended, its own status says, and nothing else. Until the upgrade is over, the release before
 * this one also writes it into the state of the organization's database. A trigger turns that into `ready`, so that there
 * is one truth whichever release writes. The release after this one drops the trigger: it never runs beside such a writer.
 *
 * No release has ever written the status `retired`. Where somebody wrote it by hand, the organization stays out of service.
 */
export const up = async (knex: Knex): Promise<void> => {
  // The locks come first: they hold off writers until the commit, so none slips in behind the updates. They are in the order
  // in which the release before this one takes them when it suspends an organization.
  await knex.raw(`
    lock table organizations, organization_databases in access exclusive mode;
    create function organization_databases_unsuspend() returns trigger language plpgsql as $$
    begin
      new.state := 'ready';
      return new;
    end $$;
    create trigger organization_databases_unsuspend before insert or update on organization_databases
      for each row when (new.state = 'suspended') execute function organization_databases_unsuspend();
    update organization_databases set state = 'ready', updated_at = now() where state = 'suspended';
    alter table organization_databases
      drop constraint organization_databases_state_check,
      add constraint organization_databases_state_check
        check (state in ('provisioning', 'ready', 'failed', 'retiring'));

    update organizations set status = 'suspended', updated_at = now() where status = 'retired';
    alter table organizations
      drop constraint organizations_status_check,
      add constraint organizations_status_check check (status in ('active', 'suspended'));
  `);
};

export const down = async (knex: Knex): Promise<void> => {
  await knex.raw(`
    drop trigger organization_databases_unsuspend on organization_databases;
    drop function organization_databases_unsuspend();
    alter table organization_databases
      drop constraint organization_databases_state_check,
      add constraint organization_databases_state_check
        check (state in ('provisioning', 'ready', 'failed', 'suspended', 'retiring'));
    update organization_databases d set state = 'suspended', updated_at = now()
      from organizations o where o.org_id = d.org_id and o.status = 'suspended' and d.state = 'ready';
    alter table organizations
      drop constraint organizations_status_check,
      add constraint organizations_status_check check (status in ('active', 'suspended', 'retired'));
  `);
};
