import { readdirSync, readFileSync } from 'node:fs';
import * as exceptions from '../../../domain/exceptions.ts';
import * as campaigns from '../../../domain/campaigns/errors.ts';
import * as databases from '../../../domain/databases/errors.ts';
import * as events from '../../../domain/events/errors.ts';
import * as files from '../../../domain/files/errors.ts';
import * as fleet from '../../../domain/fleet/errors.ts';
import * as identity from '../../../domain/identity/errors.ts';
import * as jobs from '../../../domain/jobs/errors.ts';
import * as operators from '../../../domain/operators/errors.ts';
import * as organizations from '../../../domain/organizations/errors.ts';
import * as validation from '../../../domain/validation-error.ts';

const DOMAIN = new URL('../../../domain/', import.meta.url);

const MODULES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'campaigns/errors.ts': campaigns,
  'databases/errors.ts': databases,
  'events/errors.ts': events,
  'exceptions.ts': exceptions,
  'files/errors.ts': files,
  'fleet/errors.ts': fleet,
  'identity/errors.ts': identity,
  'jobs/errors.ts': jobs,
  'operators/errors.ts': operators,
  'organizations/errors.ts': organizations,
  'validation-error.ts': validation,
};

const commentBefore = (text: string, name: string): string =>
  new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\\s*export class ${name}\\b`).exec(text)?.[1]?.trim() ?? '';

/** A class that an error of the domain can be of. */
export interface ErrorClass {
  readonly name: string;
  readonly value: unknown;
  /** The comment before the class; empty when there is none. */
  readonly comment: string;
}

const BASES: ReadonlySet<unknown> = new Set([exceptions.DomainError, exceptions.DatabaseError]);

/** The error classes of the domain, without those that only others extend. */
export const ERROR_CLASSES: readonly ErrorClass[] = Object.entries(MODULES).flatMap(([file, module]) => {
  const text = readFileSync(new URL(file, DOMAIN), 'utf8');
  return Object.entries(module)
    .filter(([, value]) => !BASES.has(value))
    .map(([name, value]) => ({ name, value, comment: commentBefore(text, name) }));
});

/** The files that `ERROR_CLASSES` is from. */
export const ERROR_FILES: readonly string[] = Object.keys(MODULES);

/** All files of the domain in which a class extends an error. */
export const filesWithErrors = (): readonly string[] =>
  readdirSync(DOMAIN, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .filter((file) => /\bclass \w+ extends \w*Error\b/.test(readFileSync(new URL(file, DOMAIN), 'utf8')))
    .toSorted();
