import { useQueryClient } from '@tanstack/react-query';
import { createParser } from 'eventsource-parser';
import { useEffect } from 'react';
import { fetchIn } from './api/client.ts';
import { Store, useStore } from './store.ts';

const PAUSED = 'mad.paused';

/** The switch in the header. A tab that was paused stays so when it is loaded again. */
const paused = new Store(sessionStorage.getItem(PAUSED) !== null);
const hidden = new Store(document.visibilityState === 'hidden');
document.addEventListener('visibilitychange', () => hidden.set(document.visibilityState === 'hidden'));

export const usePaused = (): boolean => useStore(paused);
export const setPaused = (value: boolean): void => {
  if (value) sessionStorage.setItem(PAUSED, '');
  else sessionStorage.removeItem(PAUSED);
  paused.set(value);
};

/** Whether pages follow what happens: not while somebody has paused them, and not while nobody sees them. */
export const useLive = (): boolean => {
  const [isPaused, isHidden] = [useStore(paused), useStore(hidden)];
  return !isPaused && !isHidden;
};

const OPERATORS_MS = 5_000;
const FALLBACK_MS = 15_000;

/** For `refetchInterval` of pages without a stream. */
export const useRefresh = (everyMs = OPERATORS_MS): number | false => (useLive() ? everyMs : false);

/** Whether the stream of events is there: without it, pages ask from time to time. */
const streaming = new Store(false);
export const useFallbackRefresh = (): number | false => {
  const [live, isStreaming] = [useLive(), useStore(streaming)];
  return isStreaming || !live ? false : FALLBACK_MS;
};

/** How long a burst of events is gathered before the pages ask once for all of it. */
const GATHER_MS = 500;
const FIRST_RETRY_MS = 1_000;
const MOST_RETRY_MS = 30_000;

/**
 * Follows an organization's events, one stream for a tab, and none while it is hidden or paused. Whatever is shown of the
 * organization is asked for again when something has happened. Queries of an organization have keys that begin with
 * `['o', id]`.
 */
export const useOrganizationEvents = (organizationId: string): void => {
  const live = useLive();
  const queries = useQueryClient();
  useEffect(() => {
    if (!live) return;
    const ended = new AbortController();
    const refresh = gathered(() => void queries.invalidateQueries({ queryKey: ['o', organizationId] }));
    void follow(organizationId, ended.signal, refresh);
    return () => {
      ended.abort();
      streaming.set(false);
    };
  }, [live, organizationId, queries]);
};

const gathered = (act: () => void): (() => void) => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      act();
    }, GATHER_MS);
  };
};

const follow = async (organizationId: string, signal: AbortSignal, onEvent: () => void): Promise<void> => {
  let lastId: string | undefined;
  let retryMs = FIRST_RETRY_MS;
  while (!signal.aborted) {
    try {
      const path = `/organizations/${encodeURIComponent(organizationId)}/events?after=latest`;
      const headers = {
        Accept: 'text/event-stream',
        ...(lastId !== undefined && { 'Last-Event-ID': lastId }),
      };
      const response = await fetchIn(organizationId, path, { headers, signal });
      streaming.set(true);
      retryMs = FIRST_RETRY_MS;
      const parser = createParser({
        onEvent: ({ id, event }) => {
          if (id !== undefined && id !== '') lastId = id;
          if (event !== undefined) onEvent();
        },
      });
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      for (let part = await reader?.read(); part?.done === false; part = await reader?.read())
        parser.feed(part.value);
    } catch {
      // Pages show what their own requests say; the stream only tells them when to ask.
    }
    if (signal.aborted) return;
    streaming.set(false);
    await pause(retryMs * (0.5 + Math.random()), signal);
    retryMs = Math.min(retryMs * 2, MOST_RETRY_MS);
  }
};

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
