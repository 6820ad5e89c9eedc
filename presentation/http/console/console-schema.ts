import { z } from 'zod';
import { ORGANIZATION_ROLES } from '../../../domain/identity/role.ts';
import {
  choosesAnother,
  newPassword,
  organizationId,
  SAME_PASSWORD,
  text,
  timestamp,
} from '../request/schema/fields.ts';

export const openRequest = {
  body: z
    .strictObject({
      // Any text: an unknown address and one that is malformed fail the login in the same way.
      email: text(254),
      password: text(1024),
      new_password: newPassword.optional(),
    })
    .refine(choosesAnother, SAME_PASSWORD)
    .meta({ example: { email: 'ada@acme.example', password: 'correct horse battery' } }),
};

const context = (maxOrganizationIdLength: number) =>
  organizationId(maxOrganizationIdLength)
    .nullable()
    .meta({ description: 'null: as platform administrator, or as somebody who is only invited' });

export const tokenRequest = (maxOrganizationIdLength: number) => ({
  body: z.strictObject({ org_id: context(maxOrganizationIdLength) }).meta({ example: { org_id: 'acme' } }),
});
export const confirmRequest = (maxOrganizationIdLength: number) => ({
  body: z
    .strictObject({ org_id: context(maxOrganizationIdLength), password: text(1024) })
    .meta({ example: { org_id: null, password: 'correct horse battery' } }),
});

export const browserTokenReply = z
  .strictObject({
    access_token: z.string(),
    token_type: z.literal('bearer'),
    expires_in: z.int().meta({ description: 'Seconds; 15 minutes at most' }),
  })
  .meta({ id: 'BrowserToken' });

export const sessionReply = z
  .strictObject({
    user: z.strictObject({ user_id: z.string(), email: z.string() }),
    platform_admin: z.boolean(),
    memberships: z.array(z.strictObject({ org_id: z.string(), roles: z.array(z.enum(ORGANIZATION_ROLES)) })),
    expires_at: timestamp.meta({ description: 'It ends sooner when nothing is done in it' }),
  })
  .meta({ id: 'BrowserSession' });
