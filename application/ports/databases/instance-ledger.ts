import type { ServerId } from '../../../domain/databases/server.ts';

/** A process of the deployment, as the others know it. */
export interface ServiceInstance {
  readonly instanceId: string;
  /** Connections to results databases on the server that it may hold. */
  readonly share: number;
  /** Whether its last heartbeat is longer ago than those of live processes. */
  readonly silent: boolean;
}

/** One process's share of one server. */
export interface InstanceKey {
  readonly serverId: ServerId;
  readonly instanceId: string;
}

/**
 * The live processes of the deployment, and how they divide the connections of each server. Every method may be
 * repeated.
 */
export interface InstanceLedger {
  /** Records this process, without a share. Lists all processes of the server; oldest first, as every list here. */
  join(key: InstanceKey): Promise<readonly ServiceInstance[]>;
  /**
   * Says that this process lives, and gives back whatever its share exceeds `atMost`. The list does not hold this process
   * when the others have given it up.
   */
  heartbeat(key: InstanceKey, atMost: number): Promise<readonly ServiceInstance[]>;
  /**
   * Raises the share to `wanted`, or as far as the others' shares leave room in `budget`; never lowers it.
   *
   * @returns the share; null when the process is not recorded
   */
  raiseShare(key: InstanceKey, wanted: number, budget: number): Promise<number | null>;
  /**
   * Lowers the share of a process to the connections that it still has, and forgets a process without any. Nothing is
   * changed when the process has sent a heartbeat meanwhile.
   */
  reclaimFromDead(key: InstanceKey, connections: number): Promise<void>;
  /** Removes this process, and its share with it. */
  leave(key: InstanceKey): Promise<void>;
}
