import type { RelayTimes } from '../../application/audit/outbox-traffic.ts';
import type { ManagerCounts } from '../../infrastructure/routing/database-connection-manager.ts';
import type { ProvisioningStep } from './provisioning-steps.ts';

/** Where a child stops until it is told to go on, or is killed. */
export interface ChildGate {
  readonly step: ProvisioningStep;
  readonly moment: 'before' | 'after';
}

/** First message to a child. */
export interface ChildStart {
  readonly environment: Readonly<Record<string, string>>;
  readonly gate: ChildGate | null;
  /** Whether it relays audit entries, and how fast. */
  readonly audit: Partial<RelayTimes> | null;
}

/** What a child does when it is told to; each is answered once. */
export type ChildCommand =
  /** Acquires, counts the jobs, releases. Answers the number. */
  | { readonly do: 'read'; readonly organizationId: string }
  /** Acquires, inserts a job in the user's name, releases. Answers the job's id. */
  | { readonly do: 'write'; readonly organizationId: string; readonly submittedBy: string }
  /** The DDL of its administrator's sessions that took effect: texts of `create database … template …`. */
  | { readonly do: 'created' }
  /** Puts the organization's database aside. */
  | { readonly do: 'retire'; readonly organizationId: string }
  /** Answers `ChildCounts`. */
  | { readonly do: 'counts' }
  /** Takes its part of the deployment's connections, as a started service does. */
  | { readonly do: 'join' }
  | { readonly do: 'open gate' };

/** What a process holds, and what it may hold of the default server's connections. */
export interface ChildCounts extends ManagerCounts {
  readonly budget: number;
}

export interface ChildRequest {
  readonly id: number;
  readonly command: ChildCommand;
}

export type ChildMessage =
  | { readonly event: 'started' }
  | { readonly event: 'at gate' }
  | { readonly event: 'answer'; readonly id: number; readonly result: unknown }
  /** `code` is a domain error's, else its class. */
  | { readonly event: 'failure'; readonly id: number; readonly code: string; readonly message: string };
