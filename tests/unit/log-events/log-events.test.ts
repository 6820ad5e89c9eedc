import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { LOG_FIELDS, type LogEvent } from '../../../application/ports/runtime/log-events/log-event.ts';
import { LOG_EVENTS } from '../../../application/ports/runtime/log-events/log-events.ts';
import { eventsPage } from './events-page.ts';

const EVENTS: readonly (readonly [string, LogEvent])[] = Object.entries(LOG_EVENTS);

describe('The catalogue of log events', () => {
  it('is what docs/events.md shows', () => {
    const page = readFileSync(new URL('../../../docs/events.md', import.meta.url), 'utf8');
    expect(page === eventsPage(), 'docs/events.md is written anew by "npm run events"').to.equal(true);
  });

  it('says in sentences what each event means, and what to do about it', () => {
    for (const [name, { means, advice }] of EVENTS)
      for (const text of [means, advice ?? 'Nothing.']) expect(text, name).to.match(/^[A-Z`].{6,}\.$/s);
  });

  it('has advice for every error: at that level someone must act', () => {
    expect(EVENTS.filter(([, { level, advice }]) => level === 'error' && advice === null)).to.deep.equal([]);
  });

  it('names every field that it knows, and each once for an event', () => {
    const used = EVENTS.flatMap(([name, { fields, optional = [] }]) => {
      const all = [...fields, ...optional];
      expect(new Set(all).size, name).to.equal(all.length);
      return all;
    });
    expect(Object.keys(LOG_FIELDS).filter((field) => !used.some((name) => name === field))).to.deep.equal([]);
  });
});
