import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import type { Place } from './navigation.ts';

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(?:INPUT|SELECT|TEXTAREA)$/.test(target.tagName));

/** The keys that work on every page. A page's own are where its things are. */
export const useKeys = (places: readonly Place[], open: (what: 'palette' | 'help') => void): void => {
  const navigate = useNavigate();
  const goes = useRef(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        open('palette');
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const went = goes.current;
      goes.current = event.key === 'g';
      if (event.key === '?') open('help');
      else if (event.key === '/') {
        const filter = document.querySelector<HTMLElement>('[data-filter]');
        if (filter === null) return;
        event.preventDefault();
        filter.focus();
      } else if (went) {
        const place = places.find(({ letter }) => letter === event.key);
        if (place !== undefined) void navigate({ to: place.to });
      }
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [navigate, open, places]);
};
