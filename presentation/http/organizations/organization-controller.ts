import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
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
    const { organization, database } = await this.#deps.getOrganization.execute(organizationId);
    return ok(presentOrganization(organization, database));
  }

  async change(call: OrganizationCall<typeof changeRequest>): Promise<Reply> {
    const { actor, organizationId } = call;
    const { name } = call.input.body;
    if (name !== undefined) await this.#deps.renameOrganization.execute(actor, organizationId, name);
    return this.get(call);
  }

  async getSettings({ organizationId }: OrganizationScope): Promise<Reply> {
    return ok({ settings: await this.#deps.getSettings.execute(organizationId) });
  }

  async replaceSettings(call: OrganizationCall<typeof settingsRequest>): Promise<Reply> {
    const { actor, organizationId, input } = call;
    return ok({
      settings: await this.#deps.replaceSettings.execute(actor, organizationId, input.body.settings),
    });
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
    return ok(presentPage(page, presentAuditEntry, auditCursor));
  }
}
