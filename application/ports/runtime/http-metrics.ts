import type { OrganizationId } from '../../../domain/organizations/organization-id.ts';

/** What one request has used of an organization. */
export interface RequestUsage {
  readonly organizationId: OrganizationId;
  /** How long it held connections to the organization's database. */
  readonly dbMs: number;
  /** Of its answer, with the head, as they were sent. */
  readonly egressBytes: number;
}

/**
 * One finished request. `route` is a pattern or `unmatched`, never a path: each id in a path would add a time series.
 */
export interface ObservedRequest {
  readonly method: string;
  readonly route: string;
  /** The HTTP status; 499 when the client disconnected before the end of the answer. */
  readonly status: number;
  readonly seconds: number;
  /** Whose results it was about; absent when it was about none. */
  readonly organizationId?: OrganizationId | undefined;
  /** What it cost its organization; absent when it was about none. */
  readonly usage?: RequestUsage | undefined;
  /** Of the error that it was answered with. */
  readonly code?: string | undefined;
  /** Set when the server ended the connection in the middle of the answer. */
  readonly cut?: AnswerCut | undefined;
}

/** `stalled`: the client took nothing for too long. `deadline`: the whole answer took too long. */
export const ANSWER_CUTS = ['stalled', 'deadline'] as const;
export type AnswerCut = (typeof ANSWER_CUTS)[number];

export interface HttpMetrics {
  observe(request: ObservedRequest): void;
}
