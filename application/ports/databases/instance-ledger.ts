/** A process of the deployment, as the others know it. */
export interface ServiceInstance {
  readonly instanceId: string;
  /** Connections to results databases that it may hold. */
  readonly share: number;
  /** Whether it has given no sign of life for longer than live processes do. */
  readonly silent: boolean;
}

/** The live processes of the deployment and how they divide its connections. Every method may be repeated. */
export interface InstanceLedger {
  /** Puts this process on the books, without a share; oldest first, as in all lists. */
  join(instanceId: string): Promise<readonly ServiceInstance[]>;
  /**
   * Gives a sign of life, and back whatever the share exceeds `atMost`. The list does not hold this process when the
   * others have given it up.
   */
  beat(instanceId: string, atMost: number): Promise<readonly ServiceInstance[]>;
  /**
   * Raises the share to `wanted`, or as far as the others' shares leave room in `budget`; never lowers it.
   *
   * @returns the share; null when the process is not on the books
   */
  claim(instanceId: string, wanted: number, budget: number): Promise<number | null>;
  /** Takes from a process that is still silent all but the connections it has; with none it is forgotten. */
  reclaim(instanceId: string, connections: number): Promise<void>;
  leave(instanceId: string): Promise<void>;
}
