import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';
import { OrganizationNotFoundError } from '../../../domain/exceptions.ts';
import type { OrganizationRole } from '../../../domain/identity/role.ts';
import {
  FLEET_ROLES,
  type AccountOwner,
  type ServiceAccount,
  type ServiceAccountKey,
  type ServiceAccountRepository,
} from '../../../domain/identity/service-account-repository.ts';
import { toPage } from '../../../domain/page.ts';
import { fakeUuid } from './fake-results.ts';
import { saveMap } from './fake-transactions.ts';

const NOW = new Date('2026-01-02T03:04:05.678Z');

interface StoredAccount extends ServiceAccount {
  readonly owner: AccountOwner;
  readonly memberships: ReadonlyMap<OrganizationId, readonly OrganizationRole[]>;
}

interface StoredKey extends ServiceAccountKey {
  readonly accountId: string;
  readonly isRevoked: boolean;
}

/** Service accounts and their keys in memory. */
export class FakeServiceAccounts implements ServiceAccountRepository {
  readonly #accounts = new Map<string, StoredAccount>();
  /** By the hash in hex. */
  readonly #keys = new Map<string, StoredKey>();
  readonly #isRegistered: (organizationId: OrganizationId) => boolean;
  #made = 0;

  constructor(isRegistered: (organizationId: OrganizationId) => boolean) {
    this.#isRegistered = isRegistered;
  }

  /** Returns what puts everything back as it is now. */
  save(): readonly (() => void)[] {
    return [saveMap(this.#accounts), saveMap(this.#keys)];
  }

  /** Makes an account of a given id. */
  add(owner: AccountOwner, accountId: string, roles: readonly OrganizationRole[] = FLEET_ROLES): void {
    const account = { accountId, name: accountId, isFleet: owner === null, roles, createdAt: NOW, owner };
    const memberships = new Map(owner === null ? [] : [[owner, roles] as const]);
    this.#accounts.set(accountId, { ...account, memberships });
  }

  /** Gives an account a key of a given id. */
  give(accountId: string, keyId: string): void {
    const key = { keyId, createdAt: NOW, lastUsedAt: null };
    this.#keys.set(`${accountId} ${keyId}`, { ...key, accountId, isRevoked: false });
  }

  organizationsOf(accountId: string): readonly OrganizationId[] {
    return [...(this.#accounts.get(accountId)?.memberships ?? [])].flatMap(([id, roles]) =>
      roles.includes('worker') ? [id] : [],
    );
  }

  async insert(
    owner: AccountOwner,
    { name, roles }: { readonly name: string; readonly roles: readonly OrganizationRole[] },
  ): Promise<ServiceAccount> {
    this.#assertRegistered(owner);
    const accountId = this.#newId();
    this.add(owner, accountId, owner === null ? FLEET_ROLES : roles);
    this.#update(accountId, (account) => ({ ...account, name }));
    const account = await this.find(owner, accountId);
    if (account === null) throw new Error('an account just made is gone');
    return account;
  }

  async list(owner: AccountOwner, { limit, after }: { limit: number; after: string | null }) {
    const following = [...this.#accounts.keys()]
      .filter((accountId) => after === null || accountId > after)
      .toSorted()
      .flatMap((accountId) => this.#seenBy(owner, accountId) ?? []);
    return toPage(following, limit, ({ accountId }) => accountId);
  }

  async find(owner: AccountOwner, accountId: string): Promise<ServiceAccount | null> {
    return this.#seenBy(owner, accountId);
  }

  async lockOwned(owner: AccountOwner, accountId: string): Promise<ServiceAccount | null> {
    return this.#accounts.get(accountId)?.owner === owner ? this.find(owner, accountId) : null;
  }

  async remove(accountId: string): Promise<void> {
    this.#accounts.delete(accountId);
    for (const [hash, key] of this.#keys) if (key.accountId === accountId) this.#keys.delete(hash);
  }

  async admit(organizationId: OrganizationId, accountId: string): Promise<boolean | null> {
    const account = this.#accounts.get(accountId);
    if (account === undefined || account.owner !== null) return null;
    this.#assertRegistered(organizationId);
    if (account.memberships.has(organizationId)) return false;
    this.#update(accountId, (before) => ({
      ...before,
      memberships: new Map([...before.memberships, [organizationId, FLEET_ROLES]]),
    }));
    return true;
  }

  async dismiss(organizationId: OrganizationId, accountId: string): Promise<boolean> {
    const account = this.#accounts.get(accountId);
    if (account?.owner !== null || !account.memberships.has(organizationId)) return false;
    this.#update(accountId, (before) => ({
      ...before,
      memberships: new Map([...before.memberships].filter(([id]) => id !== organizationId)),
    }));
    return true;
  }

  async addKey(accountId: string, keyHash: Uint8Array): Promise<ServiceAccountKey> {
    const key = { keyId: this.#newId(), createdAt: NOW, lastUsedAt: null };
    this.#keys.set(hexOf(keyHash), { ...key, accountId, isRevoked: false });
    return key;
  }

  async listKeys(accountId: string): Promise<readonly ServiceAccountKey[]> {
    return [...this.#keys.values()]
      .filter((key) => key.accountId === accountId && !key.isRevoked)
      .map(({ keyId, createdAt, lastUsedAt }) => ({ keyId, createdAt, lastUsedAt }));
  }

  async revokeKey(accountId: string, keyId: string): Promise<boolean> {
    for (const [hash, key] of this.#keys) {
      if (key.accountId !== accountId || key.keyId !== keyId || key.isRevoked) continue;
      this.#keys.set(hash, { ...key, isRevoked: true });
      return true;
    }
    return false;
  }

  async useKey(keyHash: Uint8Array) {
    const key = this.#keys.get(hexOf(keyHash));
    const account = key === undefined ? undefined : this.#accounts.get(key.accountId);
    if (key === undefined || key.isRevoked || account === undefined) return null;
    this.#keys.set(hexOf(keyHash), { ...key, lastUsedAt: NOW });
    const { accountId, owner, memberships } = account;
    const roles = owner === null ? [] : (memberships.get(owner) ?? []);
    return { accountId, keyId: key.keyId, organizationId: owner, roles };
  }

  #seenBy(owner: AccountOwner, accountId: string): ServiceAccount | null {
    const account = this.#accounts.get(accountId);
    const roles = owner === null ? FLEET_ROLES : account?.memberships.get(owner);
    if (account === undefined || roles === undefined || (owner === null && !account.isFleet)) return null;
    const { name, isFleet, createdAt } = account;
    return { accountId, name, isFleet, roles, createdAt };
  }

  #update(accountId: string, change: (account: StoredAccount) => StoredAccount): void {
    const account = this.#accounts.get(accountId);
    if (account !== undefined) this.#accounts.set(accountId, change(account));
  }

  #assertRegistered(owner: AccountOwner): void {
    if (owner !== null && !this.#isRegistered(owner)) throw new OrganizationNotFoundError();
  }

  #newId(): string {
    this.#made += 1;
    return fakeUuid(5000 + this.#made);
  }
}

const hexOf = (hash: Uint8Array): string => Buffer.from(hash).toString('hex');
