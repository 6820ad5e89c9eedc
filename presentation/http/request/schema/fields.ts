import { z } from 'zod';
import { EMAIL_PATTERN, MAX_EMAIL_LENGTH } from '../../../../domain/identity/email.ts';
import {
  MAX_PASSWORD_BYTES,
  MIN_PASSWORD_LENGTH,
  passwordProblem,
} from '../../../../domain/identity/password-rule.ts';
import { ORGANIZATION_ROLES } from '../../../../domain/identity/role.ts';
import {
  LABEL_NAME_PATTERN,
  LABEL_VALUE_PATTERN,
  labelProblems,
  MAX_LABELS,
  parseServerId,
  SERVER_ID_PATTERN,
  serverIdProblem,
  type ServerId,
} from '../../../../domain/databases/server.ts';
import { FILE_NAME_PATTERN } from '../../../../domain/files/stored-file.ts';
import { PRINTABLE, PRINTABLE_LINES } from '../../../../domain/printable.ts';
import {
  ORGANIZATION_ID_PATTERN,
  organizationIdProblem,
  parseOrganizationId,
  type OrganizationId,
} from '../../../../domain/organizations/organization-id.ts';

export const text = (maxLength: number): z.ZodString => z.string().min(1).max(maxLength);

export const NOT_PRINTABLE = 'must not hold control characters or others that nobody sees';

/** One line that people read. Every text of a client that is stored has this form, `printableLines`, or a narrower one. */
export const printable = (maxLength: number): z.ZodString => text(maxLength).regex(PRINTABLE, NOT_PRINTABLE);
export const printableLines = (maxLength: number): z.ZodString =>
  text(maxLength).regex(PRINTABLE_LINES, NOT_PRINTABLE);

/** The beginning of what is looked for. */
export const searchText = (description: string) => printable(100).optional().meta({ description });

/** A name that is safe in a URL path, a file name and a log line. */
export const slug = (maxLength: number): z.ZodString =>
  text(maxLength).regex(
    /^[A-Za-z0-9][A-Za-z0-9._+-]*$/,
    'must consist of letters, digits, ".", "_", "+" and "-", and begin with a letter or digit',
  );

/** In lower case, as PostgreSQL returns it. Any version: an unknown id is answered with 404, not with 422. */
export const uuid = z.guid().toLowerCase();

export const email = text(MAX_EMAIL_LENGTH).regex(EMAIL_PATTERN, 'must be an e-mail address');

/** A password that a user chooses. Its greatest length is in bytes, so text beyond ASCII may have fewer characters. */
export const newPassword = z
  .string()
  .min(MIN_PASSWORD_LENGTH)
  .max(MAX_PASSWORD_BYTES)
  .refine((password) => passwordProblem(password) === null, {
    error: ({ input }) => passwordProblem(String(input)) ?? 'is not usable',
  });

/** For a body that replaces a password: the new one must differ. */
export const choosesAnother = ({
  password,
  new_password: chosen,
}: {
  readonly password?: string | undefined;
  readonly new_password?: string | undefined;
}): boolean => chosen === undefined || password !== chosen;
export const SAME_PASSWORD = { path: ['new_password'], error: 'must be another password' };

/** Each role once, in the order of their rank. */
export const organizationRoles = z
  .array(z.enum(ORGANIZATION_ROLES))
  .min(1)
  .max(16)
  .transform((roles) => ORGANIZATION_ROLES.filter((role) => roles.includes(role)));

type JsonObject = Readonly<Record<string, unknown>>;

/** Any object. The check does not look at its members, of which there may be tens of thousands. */
export const jsonObject = z
  .custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), {
    error: 'Invalid input: expected an object',
  })
  .meta({ override: { type: 'object', additionalProperties: {} } });

/** In queries: a whole number of at most three digits. */
export const integerFrom = (least: number, most: number) =>
  z
    .string()
    .regex(new RegExp(`^\\d{1,${String(most).length}}$`), `must be an integer from ${least} to ${most}`)
    .transform(Number)
    .pipe(z.number().min(least).max(most));

const MAX_LIMIT = 200;

export const limitOf = (usual: number) =>
  integerFrom(1, MAX_LIMIT)
    .default(usual)
    .meta({
      description: 'The most items of a page. It may end earlier, at about 4 MiB',
      override: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, pattern: undefined },
    });

export const limit = limitOf(50);

/** For lists that had no pages once: a caller that asks for none gets as much as a page may hold. */
export const generousLimit = limitOf(MAX_LIMIT);

const flagText = z.enum(['true', 'false']).transform((value) => value === 'true');

export const flag = flagText
  .default(false)
  .meta({ override: { type: 'boolean', enum: undefined, default: false } });

/** In queries: a flag whose absence means neither. */
export const optionalFlag = flagText.optional().meta({ override: { type: 'boolean', enum: undefined } });

/** In queries: a number with a fraction or without, and no exponent. */
export const decimal = z
  .string()
  .regex(/^-?\d{1,9}(?:\.\d{1,9})?$/, 'must be a decimal number')
  .transform(Number)
  .meta({ override: { type: 'number', pattern: undefined } });

export const organizationId = (maxLength: number): z.ZodType<OrganizationId, string> =>
  z
    .string()
    .transform((value, context) => {
      const problem = organizationIdProblem(value, maxLength);
      if (problem === null) return parseOrganizationId(value, maxLength);
      context.addIssue(problem);
      return z.NEVER;
    })
    .meta({
      override: { type: 'string', pattern: ORGANIZATION_ID_PATTERN.source, minLength: 1, maxLength },
      example: 'acme',
    });

export const serverId: z.ZodType<ServerId, string> = z
  .string()
  .transform((value, context) => {
    const problem = serverIdProblem(value);
    if (problem === null) return parseServerId(value);
    context.addIssue(problem);
    return z.NEVER;
  })
  .meta({ override: { type: 'string', pattern: SERVER_ID_PATTERN.source, minLength: 1, maxLength: 30 } });

export const labels = z
  .record(z.string(), z.string())
  .check(({ value, issues }) => {
    for (const { name, message } of labelProblems(value))
      issues.push({ code: 'custom', input: value, path: name === null ? [] : [name], message });
  })
  .meta({
    override: {
      type: 'object',
      maxProperties: MAX_LABELS,
      propertyNames: { pattern: LABEL_NAME_PATTERN.source },
      additionalProperties: { type: 'string', pattern: LABEL_VALUE_PATTERN.source },
    },
  });

/** RFC 9110, 8.3.1: a type, a subtype, and parameters. */
const TOKEN = "[A-Za-z0-9!#$%&'*+.^_\x60|~-]+";
const MEDIA_TYPE = new RegExp(String.raw`^${TOKEN}/${TOKEN}(?: *; *${TOKEN}=(?:${TOKEN}|"[ !#-\[\]-~]*"))*$`);
export const mediaType = text(255).regex(MEDIA_TYPE, 'must be a media type');

/** What inputs and artifacts call a file. */
export const fileName = z
  .string()
  .regex(FILE_NAME_PATTERN, 'must be "sha256:" and 64 hex digits in lower case');

export const redirect = flag.meta({
  description: 'Answer 307 with an address of the store itself, where it has one',
});

/** In replies. */
export const count = z.int().min(0);

/** In replies. */
export const timestamp = z.iso.datetime().meta({ override: { pattern: undefined } });

/** 10000-01-01T00:00:00Z. RFC 3339 cannot write later moments. */
const END_OF_TIME_MS = 253_402_300_800_000;

/** In queries: a moment with its offset from UTC. PostgreSQL refuses the year 0, which JavaScript has. */
export const moment = z.iso
  .datetime({ offset: true })
  .transform((value) => new Date(value))
  .refine(
    (value) => value.getTime() >= 0 && value.getTime() < END_OF_TIME_MS,
    'must be of the years 1970 to 9999',
  )
  .meta({ override: { type: 'string', format: 'date-time', pattern: undefined } });

/** A day, as `2026-11-30`. PostgreSQL refuses the year 0. */
export const day = z.iso
  .date()
  .refine((value) => value >= '1970-01-01', 'must be of the years 1970 to 9999')
  .meta({ override: { type: 'string', format: 'date', pattern: undefined } });

/** In replies: a list that is always whole. */
export const listOf = (item: z.ZodType): z.ZodObject => z.strictObject({ items: z.array(item) });

/** In replies: one page of a list. */
export const pageOf = (item: z.ZodType): z.ZodObject =>
  z.strictObject({
    items: z.array(item),
    next_cursor: z.string().nullable().meta({ description: 'null on the last page' }),
  });
