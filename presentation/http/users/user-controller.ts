import { findUser } from '../../../application/identity/find-user.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { created, noContent, ok, type Call, type PlatformScope, type Reply } from '../route.ts';
import { presentPage } from '../schema/cursor.ts';
import { presentIdentity, presentOwnUser, presentUser } from './user-presenter.ts';
import {
  userCursor,
  type changeRequest,
  type createRequest,
  type linkRequest,
  type listRequest,
  type oneRequest,
  type ownPasswordRequest,
  type setPasswordRequest,
  type unlinkRequest,
} from './user-schema.ts';

type PlatformCall<Parts extends object> = Call<Parts, PlatformScope>;

export class UserController {
  readonly #deps: HttpDependencies;

  constructor(deps: HttpDependencies) {
    this.#deps = deps;
  }

  async getOwn({ actor }: PlatformScope): Promise<Reply> {
    const { metadata } = this.#deps;
    const user = await findUser(metadata, actor.principal.userId);
    return ok(presentOwnUser(user, await metadata.users.listMemberships(user.userId)));
  }

  async changeOwnPassword(call: Call<typeof ownPasswordRequest, PlatformScope>): Promise<Reply> {
    const { password, new_password: newPassword } = call.input.body;
    await this.#deps.changeOwnPassword.execute(call.actor, { password, newPassword });
    return noContent;
  }

  async list({ input: { query } }: PlatformCall<typeof listRequest>): Promise<Reply> {
    const { limit, cursor, email } = query;
    const filter = { email: email ?? null };
    const page = await this.#deps.metadata.users.list(filter, { limit, after: cursor });
    return ok(presentPage(page, presentUser, userCursor));
  }

  async create({ actor, input: { body } }: PlatformCall<typeof createRequest>): Promise<Reply> {
    const { email, platform_admin: platformAdmin, password } = body;
    const newUser = { email, platformAdmin, password: password ?? null };
    const user = await this.#deps.createUser.execute(actor, newUser);
    return created(presentUser(user), `/users/${user.userId}`);
  }

  async get({ input: { params } }: PlatformCall<typeof oneRequest>): Promise<Reply> {
    return ok(presentUser(await findUser(this.#deps.metadata, params.user_id)));
  }

  async change({ actor, input }: PlatformCall<typeof changeRequest>): Promise<Reply> {
    const { status, platform_admin: platformAdmin, must_change_password: mustChangePassword } = input.body;
    const active = status === undefined ? undefined : status === 'active';
    const change = { active, platformAdmin, mustChangePassword };
    return ok(presentUser(await this.#deps.changeUser.execute(actor, input.params.user_id, change)));
  }

  async setPassword({ actor, input }: PlatformCall<typeof setPasswordRequest>): Promise<Reply> {
    await this.#deps.setPassword.execute(actor, input.params.user_id, input.body.password);
    return noContent;
  }

  async listIdentities({ input: { params } }: PlatformCall<typeof oneRequest>): Promise<Reply> {
    const { metadata } = this.#deps;
    const { userId } = await findUser(metadata, params.user_id);
    return ok({ items: (await metadata.identities.list(userId)).map(presentIdentity) });
  }

  async linkIdentity({ actor, input }: PlatformCall<typeof linkRequest>): Promise<Reply> {
    const identity = await this.#deps.linkIdentity.execute(actor, input.params.user_id, input.body);
    return created(presentIdentity(identity));
  }

  async unlinkIdentity({ actor, input: { params } }: PlatformCall<typeof unlinkRequest>): Promise<Reply> {
    await this.#deps.unlinkIdentity.execute(actor, params.user_id, params.identity_id);
    return noContent;
  }
}
