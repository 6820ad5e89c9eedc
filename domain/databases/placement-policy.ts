import type { PlacementPin, ResultsServerRecord, ServerId } from './server.ts';

/** A server that a new database could go to. */
export interface ServerOffer extends ResultsServerRecord {
  /** False: this process cannot reach it now. */
  readonly available?: boolean;
}

/**
 * Why a server does not take a database. When several reasons hold, the first in this order is given.
 * - `pinned_elsewhere`: the organization is pinned to another server, or to labels that this one lacks.
 * - `draining`, `disabled`: the operator has given it that status.
 * - `full`: it has as many databases as it may have.
 * - `unavailable`: it cannot be reached.
 */
export type RefusalReason = 'pinned_elsewhere' | 'draining' | 'disabled' | 'full' | 'unavailable';

export interface PlacementRefusal {
  readonly serverId: ServerId;
  readonly reason: RefusalReason;
}

export type PlacementChoice =
  | { readonly serverId: ServerId }
  /** No server takes it: one reason for each, in the order of the server ids. */
  | { readonly refused: readonly PlacementRefusal[] };

/**
 * Chooses the server for a new database. Pure. Of the servers that may take it, two are drawn at random, and the one with
 * fewer databases for its weight takes it. The least loaded of all would be chosen by every process at the same time, and
 * a server that has just joined would get all new databases until it caught up.
 *
 * @param random returns a number from 0, included, to 1, excluded
 */
export const choosePlacement = ({
  servers,
  pin,
  random,
}: {
  readonly servers: readonly ServerOffer[];
  readonly pin: PlacementPin;
  readonly random: () => number;
}): PlacementChoice => {
  const offers = servers.toSorted((one, other) => compareIds(one.serverId, other.serverId));
  const refused: PlacementRefusal[] = [];
  const candidates: ServerOffer[] = [];
  for (const offer of offers) {
    const reason = reasonToRefuse(offer, pin);
    if (reason === null) candidates.push(offer);
    else refused.push({ serverId: offer.serverId, reason });
  }
  const [one, other] = drawTwo(candidates, random);
  if (one === undefined) return { refused };
  if (other === undefined) return { serverId: one.serverId };
  return { serverId: lessLoaded(one, other).serverId };
};

const reasonToRefuse = (server: ServerOffer, pin: PlacementPin): RefusalReason | null => {
  if (!satisfiesPin(server, pin)) return 'pinned_elsewhere';
  if (server.status !== 'active') return server.status;
  if (server.maxDatabases !== null && server.databases >= server.maxDatabases) return 'full';
  return server.available === false ? 'unavailable' : null;
};

/** Whether a database of an organization with this pin may be on the server. */
export const satisfiesPin = (
  { serverId, labels }: Pick<ResultsServerRecord, 'serverId' | 'labels'>,
  pin: PlacementPin,
): boolean =>
  (pin.serverId === null || pin.serverId === serverId) &&
  Object.entries(pin.labels).every(([name, value]) => Object.hasOwn(labels, name) && labels[name] === value);

/** Two different ones when there are two. Every pair is as likely as every other. */
const drawTwo = <Item>(items: readonly Item[], random: () => number): readonly Item[] => {
  if (items.length < 2) return items;
  const first = Math.floor(random() * items.length);
  const second = (first + 1 + Math.floor(random() * (items.length - 1))) % items.length;
  return items.filter((_, index) => index === first || index === second);
};

/** Compared without a division, so that equal loads are equal. The id decides between them. */
const lessLoaded = (one: ServerOffer, other: ServerOffer): ServerOffer => {
  const difference = one.databases * other.weight - other.databases * one.weight;
  if (difference !== 0) return difference < 0 ? one : other;
  return compareIds(one.serverId, other.serverId) <= 0 ? one : other;
};

const compareIds = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
