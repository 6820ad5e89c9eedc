import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import type { VersionedSettings } from '../../../domain/organizations/organization.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { created, ok, type Call, type OrganizationScope, type PlatformScope, type Reply } from '../route.ts';
import { presentPage } from '../schema/cursor.ts';
import { presentAuditEntry, presentOrganization, presentOrganizationItem } from './organization-presenter.ts';
import {
  auditCursor,
  organizationCursor,
  type auditRequest,
  type changeRequest,
  type createRequest,
  type listRequest,
  type settingsPatchRequest,
  type settingsRequest,
} from './organization-schema.ts';

type PlatformCall<Parts extends object> = Call<Parts, PlatformScope>;
type OrganizationCall<Parts extends object> = Call<Parts, OrganizationScope>;

export class OrganizationController {
  readonly #deps: HttpDependencies;

  constructor(deps: HttpDependencies) {
    this.#deps = deps;
  }

  async create({ actor, input: { body } }: PlatformCall<ReturnType<typeof createRequest>>): Promise<Reply> {
    const organization = await this.#deps.createOrganization.execute(actor, {
      id: body.org_id,
      name: body.name,
    });
    return created(presentOrganization(organization, null), `/organizations/${organization.id}`);
  }

  async list({ input: { query } }: PlatformCall<typeof listRequest>): Promise<Reply> {
    const { limit, cursor } = query;
    const page = await this.#deps.metadata.organizations.list({ limit, after: cursor });
    return ok(presentPage(page, presentOrganizationItem, organizationCursor));
  }

  async get({ organizationId }: OrganizationScope): Promise<Reply> {
    return this.#show(organizationId);
  }

  async #show(organizationId: OrganizationId): Promise<Reply> {
    const { organization, database } = await this.#deps.getOrganization.execute(organizationId);
    return ok(presentOrganization(organization, database));
  }

  async change(call: OrganizationCall<typeof changeRequest>): Promise<Reply> {
    const { actor, organizationId } = call;
    const { name } = call.input.body;
    if (name !== undefined) await this.#deps.renameOrganization.execute(actor, organizationId, name);
    return this.#show(organizationId);
  }

  async getSettings({ organizationId }: OrganizationScope): Promise<Reply> {
    return presentSettings(await this.#deps.getSettings.execute(organizationId));
  }

  async replaceSettings(call: OrganizationCall<ReturnType<typeof settingsRequest>>): Promise<Reply> {
    const { actor, organizationId, input } = call;
    const { settings } = input.body;
    const expected = input.headers['If-Match'] ?? null;
    return presentSettings(
      await this.#deps.replaceSettings.execute(actor, organizationId, settings, expected),
    );
  }

  async patchSettings(call: OrganizationCall<ReturnType<typeof settingsPatchRequest>>): Promise<Reply> {
    const { actor, organizationId, input } = call;
    const { settings } = input.body;
    const expected = input.headers['If-Match'] ?? null;
    return presentSettings(await this.#deps.patchSettings.execute(actor, organizationId, settings, expected));
  }

  async suspend({ actor, organizationId }: OrganizationScope): Promise<Reply> {
    await this.#deps.suspendOrganization.suspend(actor, organizationId);
    return this.#show(organizationId);
  }

  async resume({ actor, organizationId }: OrganizationScope): Promise<Reply> {
    await this.#deps.suspendOrganization.resume(actor, organizationId);
    return this.#show(organizationId);
  }

  async listAuditLogs({
    organizationId,
    input,
  }: PlatformCall<typeof auditRequest> & {
    readonly organizationId: OrganizationId | null;
  }): Promise<Reply> {
    const { limit, cursor, action } = input.query;
    const filter = { action: action ?? null };
    const page = await this.#deps.metadata.auditLog.list(organizationId, filter, { limit, after: cursor });
    // Every organization's trail begins with its registration: an empty page may be that of none.
    if (page.items.length === 0 && organizationId !== null) await this.#show(organizationId);
    return ok(presentPage(page, presentAuditEntry, auditCursor));
  }
}

const presentSettings = ({ settings, version }: VersionedSettings): Reply => ({
  ...ok({ settings }),
  headers: { ETag: `"${version}"` },
});
