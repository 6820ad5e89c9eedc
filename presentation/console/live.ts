import { useQueryClient } from '@tanstack/react-query';
import { createParser } from 'eventsource-parser';
import { useCallback, useEffect } from 'react';
import { fetchIn, type Schemas } from './api/client.ts';
import { gathered } from './gathered.ts';
import type { Context } from './session.ts';
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
  const queries = useQueryClient();
  const listen = useCallback((): OnEvent => {
    return gathered(() => queries.invalidateQueries({ queryKey: ['o', organizationId] }), GATHER_MS);
  }, [organizationId, queries]);
  const path = `/organizations/${encodeURIComponent(organizationId)}/events?after=latest`;
  useStream(organizationId, path, listen);
};

/**
 * As `useOrganizationEvents`, of the whole deployment. An overview comes as it is, and is put in place of the one that is
 * shown; all else is asked for again when it has changed.
 */
export const useFleetEvents = (): void => {
  const queries = useQueryClient();
  const listen = useCallback((): OnEvent => {
    const refresh = gathered(
      () =>
        queries.invalidateQueries({
          predicate: ({ queryKey: [first, second] }) =>
            first === 'fleet' && typeof second === 'string' && FOLLOWS.test(second),
        }),
      GATHER_MS,
    );
    return (type, data) => {
      if (type !== 'overview') return refresh();
      // As the schema of `GET /admin/overview` says.
      const overview = JSON.parse(data) as Schemas['Overview'];
      queries.setQueryData(['fleet', 'overview'], overview);
      queries.setQueryData(['fleet', 'servers'], { items: overview.servers });
    };
  }, [queries]);
  useStream(null, '/admin/events', listen);
};

/** What runs and comparisons with the ledger change. */
const FOLLOWS = /^(?:run|migrations|findings|organization|organizations|database)$/;

type OnEvent = (type: string, data: string) => void;

const useStream = (context: Context, path: string, listen: () => OnEvent): void => {
  const live = useLive();
  useEffect(() => {
    if (!live) return;
    const ended = new AbortController();
    const onEvent = listen();
    // Nobody told the page what happened before: since it asked first, while it was hidden or paused, or the service away.
    const onOpen = (): void => onEvent('opened', '');
    void follow({ context, path, signal: ended.signal, onOpen, onEvent });
    return () => {
      ended.abort();
      streaming.set(false);
    };
  }, [live, context, path, listen]);
};

interface Followed {
  readonly context: Context;
  readonly path: string;
  readonly signal: AbortSignal;
  readonly onOpen: () => void;
  readonly onEvent: OnEvent;
}

const follow = async ({ context, path, signal, onOpen, onEvent }: Followed): Promise<void> => {
  let lastId: string | undefined;
  let retryMs = FIRST_RETRY_MS;
  while (!signal.aborted) {
    try {
      const headers = {
        Accept: 'text/event-stream',
        ...(lastId !== undefined && { 'Last-Event-ID': lastId }),
      };
      const response = await fetchIn(context, path, { headers, signal });
      streaming.set(true);
      retryMs = FIRST_RETRY_MS;
      onOpen();
      const parser = createParser({
        onEvent: ({ id, event, data }) => {
          if (id !== undefined && id !== '') lastId = id;
          if (event !== undefined) onEvent(event, data);
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
