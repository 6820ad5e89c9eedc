import { z } from 'zod';
import {
  MAX_PASSWORD_BYTES,
  MIN_PASSWORD_LENGTH,
  passwordProblem,
} from '../../../../domain/identity/password-rule.ts';
import { ORGANIZATION_ROLES } from '../../../../domain/identity/role.ts';
import {
  ORGANIZATION_ID_PATTERN,
  organizationIdProblem,
  parseOrganizationId,
  type OrganizationId,
} from '../../../../domain/organizations/organization-id.ts';

export const text = (maxLength: number): z.ZodString => z.string().min(1).max(maxLength);

/** A name that is safe in a path, a file name and a log line. */
export const slug = (maxLength: number): z.ZodString =>
  text(maxLength).regex(
    /^[A-Za-z0-9][A-Za-z0-9._+-]*$/,
    'must consist of letters, digits, ".", "_", "+" and "-", and begin with a letter or digit',
  );

/** Lower case, as PostgreSQL gives it back; any version, so that an unknown id is not found rather than refused. */
export const uuid = z.guid().toLowerCase();

export const email = text(254).regex(/^[^\s@]+@[^\s@]+$/, 'must be an e-mail address');

/** One that is being chosen. The longest take fewer characters than bytes. */
export const newPassword = z
  .string()
  .min(MIN_PASSWORD_LENGTH)
  .max(MAX_PASSWORD_BYTES)
  .refine((password) => passwordProblem(password) === null, {
    error: ({ input }) => passwordProblem(String(input)) ?? 'is not usable',
  });

/** A body that replaces a password must not bring the same one again. */
export const choosesAnother = ({
  password,
  new_password: chosen,
}: {
  readonly password: string;
  readonly new_password?: string | undefined;
}): boolean => password !== chosen;
export const SAME_PASSWORD = { path: ['new_password'], error: 'must be another password' };

/** In the order of their rank, each once. */
export const organizationRoles = z
  .array(z.enum(ORGANIZATION_ROLES))
  .min(1)
  .max(16)
  .transform((roles) => ORGANIZATION_ROLES.filter((role) => roles.includes(role)));

export const jsonObject = z.record(z.string(), z.unknown());

export const limit = z
  .string()
  .regex(/^\d{1,3}$/, 'must be an integer from 1 to 200')
  .transform(Number)
  .pipe(z.number().min(1).max(200))
  .default(50)
  .meta({ override: { type: 'integer', minimum: 1, maximum: 200, pattern: undefined } });

export const flag = z
  .enum(['true', 'false'])
  .transform((value) => value === 'true')
  .default(false)
  .meta({ override: { type: 'boolean', enum: undefined, default: false } });

export const organizationId = (maxLength: number): z.ZodType<OrganizationId, string> =>
  z
    .string()
    .transform((value, context) => {
      const problem = organizationIdProblem(value, maxLength);
      if (problem === null) return parseOrganizationId(value, maxLength);
      context.addIssue(problem);
      return z.NEVER;
    })
    .meta({ override: { type: 'string', pattern: ORGANIZATION_ID_PATTERN.source, minLength: 1, maxLength } });

/** In replies. */
export const timestamp = z.iso.datetime().meta({ override: { pattern: undefined } });

export const pageOf = (item: z.ZodType): z.ZodObject =>
  z.strictObject({
    items: z.array(item),
    next_cursor: z.string().nullable().meta({ description: 'null on the last page' }),
  });
