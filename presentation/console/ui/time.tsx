import { useSyncExternalStore, type ReactNode } from 'react';
import { serverNow } from '../clock.ts';
import { age, moment, type Zone } from '../format.ts';
import { Store, useStore } from '../store.ts';

const zone = new Store<Zone>(localStorage.getItem('mad.zone') === 'local' ? 'local' : 'utc');
export const useZone = (): Zone => useStore(zone);
export const setZone = (value: Zone): void => {
  localStorage.setItem('mad.zone', value);
  zone.set(value);
};

const TICK_MS = 10_000;
const listeners = new Set<() => void>();
let ticks = 0;
let timer: ReturnType<typeof setInterval> | undefined;

const tick = (): void => {
  ticks += 1;
  for (const listener of listeners) listener();
};

/** A list shows a hundred ages: one timer serves them all, and there is none while there are no ages. */
const onTick = (listener: () => void): (() => void) => {
  listeners.add(listener);
  timer ??= setInterval(tick, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
};

/** The present moment; re-renders from time to time, so that ages stay true. */
export const useNow = (): number => {
  useSyncExternalStore(onTick, () => ticks);
  return serverNow();
};

/** How long ago something was, by the server's clock; the moment itself on hover. */
export const Age = ({ at }: { readonly at: string | null }): ReactNode => {
  const now = useNow();
  if (at === null) return <span className="faint">never</span>;
  const atMs = Date.parse(at);
  return (
    <time dateTime={at} title={moment(atMs, 'utc')}>
      {age(atMs, now)}
    </time>
  );
};

/** A moment in the zone that was chosen; on hover, and when copied as an attribute, in UTC. */
export const Moment = ({ at }: { readonly at: string }): ReactNode => {
  const chosen = useZone();
  return (
    <time className="moment" dateTime={at} title={moment(Date.parse(at), 'utc')}>
      {moment(Date.parse(at), chosen)}
    </time>
  );
};
