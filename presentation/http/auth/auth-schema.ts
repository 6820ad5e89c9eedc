import { z } from 'zod';
import {
  choosesAnother,
  newPassword,
  organizationId,
  SAME_PASSWORD,
  text,
} from '../request/schema/fields.ts';

export const issueRequest = (maxOrganizationIdLength: number) => ({
  body: z
    .strictObject({
      // Any text: an unknown address and one that is malformed fail the login in the same way.
      email: text(254),
      password: text(1024),
      new_password: newPassword.optional(),
      org_id: organizationId(maxOrganizationIdLength).optional(),
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
    refresh_token: z.string().meta({ description: 'Good for one use, at /auth/refresh' }),
    refresh_expires_in: z.int().meta({ description: 'Seconds from the login' }),
  })
  .meta({ id: 'Token' });
