import { OrganizationBusyError } from '../../../domain/databases/errors.ts';

export interface ResponseLimits {
  /** Of all answers under way in this process. */
  readonly totalBytes: number;
  /** Of one organization's answers. */
  readonly organizationBytes: number;
}

/** When another request makes sense: most answers are sent within a second. */
const RETRY_AFTER_MS = 1000;

/**
 * The bytes of all answers under way in this process: of rows that are being read, and of bodies that clients have not
 * taken yet. Without it, clients that ask for large answers and do not read them would fill the memory. Decision 0033.
 */
export class ResponseAccount {
  readonly #limits: ResponseLimits;
  readonly #byOwner = new Map<string, number>();
  #total = 0;
  #refusals = 0;

  constructor(limits: ResponseLimits) {
    this.#limits = limits;
  }

  get totalBytes(): number {
    return this.#total;
  }

  /** Answers that were refused since the start. */
  get refusals(): number {
    return this.#refusals;
  }

  bytesOf(owner: string): number {
    return this.#byOwner.get(owner) ?? 0;
  }

  /** The share of one answer. It is empty at first; its owner has to close it. */
  open(owner: string): ResponseShare {
    return new ResponseShare(this, owner);
  }

  /**
   * Whether a share may have `bytes` in place of `held`. An answer that is alone may be larger than its limit, because it
   * could never be sent otherwise.
   */
  allows(owner: string, held: number, bytes: number): boolean {
    const { totalBytes, organizationBytes } = this.#limits;
    const others = this.bytesOf(owner) - held;
    const allOthers = this.#total - held;
    const fits =
      (others === 0 || others + bytes <= organizationBytes) &&
      (allOthers === 0 || allOthers + bytes <= totalBytes);
    if (!fits) this.#refusals += 1;
    return fits;
  }

  /** For shares alone. */
  add(owner: string, bytes: number): void {
    this.#total += bytes;
    const ofOwner = this.bytesOf(owner) + bytes;
    if (ofOwner === 0) this.#byOwner.delete(owner);
    else this.#byOwner.set(owner, ofOwner);
  }
}

/** What one answer holds of the account, from before its rows are read until it is sent or given up. */
export class ResponseShare {
  readonly #account: ResponseAccount;
  readonly #owner: string;
  #bytes = 0;
  #closed = false;

  constructor(account: ResponseAccount, owner: string) {
    this.#account = account;
    this.#owner = owner;
  }

  /** Takes what is missing to `bytes`. @throws {OrganizationBusyError} when too much is under way; nothing changes then */
  reserve(bytes: number): void {
    if (bytes <= this.#bytes || this.#closed) return;
    if (!this.#account.allows(this.#owner, this.#bytes, bytes))
      throw new OrganizationBusyError(
        RETRY_AFTER_MS,
        'More bytes of answers are under way than may be at a time. Read the answers that were asked for first.',
      );
    this.correct(bytes);
  }

  /** Replaces an estimate by the size, whatever that is: the answer exists already. */
  correct(bytes: number): void {
    if (this.#closed) return;
    this.#account.add(this.#owner, bytes - this.#bytes);
    this.#bytes = bytes;
  }

  /** Gives everything back. Safe to call twice. */
  close(): void {
    this.correct(0);
    this.#closed = true;
  }
}
