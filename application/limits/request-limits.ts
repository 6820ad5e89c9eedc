import { OrganizationBusyError } from '../../domain/databases/errors.ts';
import { TooManyAttemptsError } from '../../domain/identity/errors.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { OrganizationPolicies } from '../ports/runtime/organization-policies.ts';
import { TokenBuckets } from './token-buckets.ts';

export interface RequestRates {
  /** Requests to public routes from one network that nobody has authenticated. */
  readonly publicRequestsPerMinute: number;
  /** The most of any organization; its own settings may ask for less. */
  readonly writeBytesPerSecond: number;
  readonly writeValuesPerSecond: number;
}

export interface RequestLimitsDeps {
  readonly policies: Pick<OrganizationPolicies, 'policyOf'>;
  readonly rates: RequestRates;
  /** The network of an address that one caller usually controls. */
  readonly networkOf: (address: string) => string;
  /** Monotonic, in milliseconds. */
  readonly now?: () => number;
}

/** How many seconds' worth an organization may send at once. */
const BURST_SECONDS = 4;

/** What requests may cost this process before anything is asked of a database. One for the whole process. Decision 0035. */
export class RequestLimits {
  readonly #deps: RequestLimitsDeps;
  readonly #networks: TokenBuckets;
  readonly #bytes: TokenBuckets;
  readonly #values: TokenBuckets;

  constructor(deps: RequestLimitsDeps) {
    this.#deps = deps;
    this.#networks = new TokenBuckets(deps.now);
    this.#bytes = new TokenBuckets(deps.now);
    this.#values = new TokenBuckets(deps.now);
  }

  /** Counts a request that carries no token. @throws {TooManyAttemptsError} */
  countPublic(address: string): void {
    const { rates, networkOf } = this.#deps;
    const burst = rates.publicRequestsPerMinute;
    const waitMs = this.#networks.take(networkOf(address), 1, { perSecond: burst / 60, burst });
    if (waitMs > 0) throw new TooManyAttemptsError(Math.ceil(waitMs / 1000));
  }

  /** Counts a body before it is read. @throws {OrganizationBusyError} */
  takeBytes(organizationId: OrganizationId, bytes: number): void {
    const { policies, rates } = this.#deps;
    const own = policies.policyOf(organizationId).maxWriteBytesPerSecond;
    this.#take(this.#bytes, organizationId, bytes, Math.min(own ?? Infinity, rates.writeBytesPerSecond));
  }

  /** Counts the values of a body before anything is made of them. @throws {OrganizationBusyError} */
  takeValues(organizationId: OrganizationId, values: number): void {
    const { policies, rates } = this.#deps;
    const own = policies.policyOf(organizationId).maxWriteValuesPerSecond;
    this.#take(this.#values, organizationId, values, Math.min(own ?? Infinity, rates.writeValuesPerSecond));
  }

  #take(buckets: TokenBuckets, organizationId: OrganizationId, amount: number, perSecond: number): void {
    const waitMs = buckets.take(organizationId, amount, { perSecond, burst: perSecond * BURST_SECONDS });
    if (waitMs > 0)
      throw new OrganizationBusyError(
        waitMs,
        'The organization sends more than its share of the service takes.',
      );
  }
}
