import { z } from 'zod';
import { listOf, text, timestamp, uuid } from '../request/schema/fields.ts';
import { userParams } from '../users/user-schema.ts';

const printable = text(255).regex(/^\P{Cc}+$/u, 'must not hold control characters');

export const listRequest = { params: userParams };
export const linkRequest = {
  params: userParams,
  body: z
    .strictObject({
      issuer: printable.refine((issuer) => issuer !== 'password', 'is reserved'),
      subject: printable,
    })
    .meta({ example: { issuer: 'https://login.acme.example', subject: 'b3f1c2' } }),
};
export const unlinkRequest = { params: userParams.extend({ identity_id: uuid }) };

export const identityReply = z
  .strictObject({
    identity_id: z.string(),
    issuer: z.string(),
    subject: z.string(),
    created_at: timestamp,
  })
  .meta({ id: 'Identity' });
export const identityList = listOf(identityReply).meta({ id: 'IdentityList' });
