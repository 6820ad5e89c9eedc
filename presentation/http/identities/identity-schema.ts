import { z } from 'zod';
import { listOf, printable, timestamp, uuid } from '../request/schema/fields.ts';
import { userParams } from '../users/user-schema.ts';

export const listRequest = { params: userParams };
export const linkRequest = {
  params: userParams,
  body: z
    .strictObject({
      issuer: printable(255).refine((issuer) => issuer !== 'password', 'is reserved'),
      subject: printable(255),
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
