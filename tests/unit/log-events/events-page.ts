import { LOG_FIELDS, type LogEvent } from '../../../application/ports/runtime/log-events/log-event.ts';
import { DATABASE_EVENTS } from '../../../application/ports/runtime/log-events/database-events.ts';
import { REQUEST_EVENTS } from '../../../application/ports/runtime/log-events/request-events.ts';
import { SERVER_EVENTS } from '../../../application/ports/runtime/log-events/server-events.ts';
import { SERVICE_EVENTS } from '../../../application/ports/runtime/log-events/service-events.ts';
import { WORKER_EVENTS } from '../../../application/ports/runtime/log-events/worker-events.ts';
import { AUDIT_ACTIONS } from '../../../domain/audit/audit-actions.ts';
import { isEventType } from '../../../domain/events/job-event.ts';

const SECTIONS: Readonly<Record<string, Readonly<Record<string, LogEvent>>>> = {
  'Requests and what is done for them': REQUEST_EVENTS,
  'Databases, pools and schemas': DATABASE_EVENTS,
  'Servers and processes': SERVER_EVENTS,
  'Start and stop': SERVICE_EVENTS,
  Workers: WORKER_EVENTS,
};

/** `docs/events.md` */
export const eventsPage = (): string =>
  [
    '# Events',
    '',
    'What happened has one kind of name, `<subject>.<what happened>`, on every line of the log (`event`), in the audit trail',
    '(`action`) and in the events that organizations follow (`type`). A name never changes its meaning; new ones are added. This',
    'page is written by `npm run events` from `application/ports/runtime/log-events` and `domain/audit/audit-actions.ts`.',
    '',
    'At `error` someone must act now; at `warn` someone should look. While a database is away, what fails because of it is counted',
    'in `outage.summary` and written at `debug`.',
    ...Object.entries(SECTIONS).flatMap(([title, events]) => [
      '',
      `## Log: ${title.toLowerCase()}`,
      '',
      '| event | level | `msg` | fields | what it means | what to do |',
      '|---|---|---|---|---|---|',
      ...Object.entries(events)
        .toSorted(([one], [other]) => (one < other ? -1 : 1))
        .map(([name, event]) => rowOf(name, event)),
    ]),
    '',
    '## Log: fields',
    '',
    'Besides these a line has `level`, `time`, `pid`, `event` and `msg`.',
    '',
    '| field | meaning |',
    '|---|---|',
    ...Object.entries(LOG_FIELDS).map(([name, { means }]) => `| \`${name}\` | ${cell(means)} |`),
    '',
    '## Audit trail, and events that organizations follow',
    '',
    'Administrators read all of them (`GET /organizations/{org_id}/audit-logs`, `GET /admin/audit-logs`); everybody with a role in the organization follows',
    'those that are marked (`GET /organizations/{org_id}/events`, [following-events.md](following-events.md)).',
    '',
    '| action | followed | `entity_type` | what happened |',
    '|---|---|---|---|',
    ...Object.entries(AUDIT_ACTIONS).map(
      ([name, { entity, means }]) =>
        `| \`${name}\` | ${isEventType(name) ? 'yes' : ''} | ${cell(entity)} | ${cell(means)} |`,
    ),
    '',
  ].join('\n');

const rowOf = (name: string, { level, message, fields, optional = [], means, advice }: LogEvent): string => {
  const shown = [...fields.map((field) => `\`${field}\``), ...optional.map((field) => `(\`${field}\`)`)];
  return `| \`${name}\` | ${level} | ${cell(message)} | ${shown.join(' ')} | ${cell(means)} | ${cell(advice ?? '')} |`;
};

const cell = (text: string): string => text.replaceAll('|', '\\|');
