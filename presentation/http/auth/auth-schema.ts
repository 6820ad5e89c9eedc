import { z } from 'zod';
import {
  choosesAnother,
  newPassword,
  organizationId,
  SAME_PASSWORD,
  text,
} from '../request/schema/fields.ts';

const LOGIN_FIELDS = ['email', 'password'] as const;

/** A login, or a key. */
export const issueRequest = (maxOrganizationIdLength: number) => ({
  body: z
    .strictObject({
      // Any text: an unknown address and one that is malformed fail the login in the same way.
      email: text(254).optional(),
      password: text(1024).optional(),
      new_password: newPassword.optional(),
      org_id: organizationId(maxOrganizationIdLength).optional(),
      key: text(255).optional().meta({
        description: "A service account's, in place of all other fields. It brings no refresh token",
      }),
    })
    .check(({ value, issues }) => {
      const { key, ...login } = value;
      const issue = (path: string, message: string) =>
        issues.push({ code: 'custom', input: value, path: [path], message });
      if (key !== undefined) for (const name of Object.keys(login)) issue(name, 'is not taken beside a key');
      else for (const name of LOGIN_FIELDS) if (login[name] === undefined) issue(name, 'is required');
    })
    .refine(choosesAnother, SAME_PASSWORD)
    .meta({ example: { email: 'ada@acme.example', password: 'correct horse battery', org_id: 'acme' } }),
});

export const refreshRequest = {
  body: z
    .strictObject({ refresh_token: text(255) })
    .meta({ example: { refresh_token: 'the one from the last answer' } }),
};

export const tokenReply = z
  .strictObject({
    access_token: z.string(),
    token_type: z.literal('bearer'),
    expires_in: z.int().meta({ description: 'Seconds' }),
    refresh_token: z
      .string()
      .optional()
      .meta({ description: 'Good for one use, at /auth/refresh. Absent where a key asked for the token' }),
    refresh_expires_in: z.int().optional().meta({ description: 'Seconds from the login' }),
  })
  .meta({ id: 'Token' });

export const exchangeRequest = (maxOrganizationIdLength: number) => ({
  body: z
    .strictObject({ org_id: organizationId(maxOrganizationIdLength) })
    .meta({ example: { org_id: 'acme' } }),
});

export const bareTokenReply = z
  .strictObject({
    access_token: z.string(),
    token_type: z.literal('bearer'),
    expires_in: z.int().meta({ description: 'Seconds' }),
  })
  .meta({ id: 'BareToken' });
