import { useEffect, useState, type ReactNode } from 'react';
import { serverNow } from '../clock.ts';
import { age, moment, type Zone } from '../format.ts';
import { Store, useStore } from '../store.ts';

const zone = new Store<Zone>(localStorage.getItem('mad.zone') === 'local' ? 'local' : 'utc');
export const useZone = (): Zone => useStore(zone);
export const setZone = (value: Zone): void => {
  localStorage.setItem('mad.zone', value);
  zone.set(value);
};

/** Re-renders from time to time, so that ages stay true. */
export const useNow = (everyMs = 10_000): number => {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
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
