import {
  invalidateSignature,
  pinSignature,
  unpinSignature,
} from '../../../application/jobs/change-input-signature.ts';
import { getInputSignature } from '../../../application/jobs/get-input-signature.ts';
import { ORGANIZATION_ROLES } from '../../../domain/identity/role.ts';
import { noContent, ok } from '../request/reply.ts';
import { resultsRoute, type Route } from '../routing/route.ts';
import { presentSignature } from './input-signature-presenter.ts';
import { signatureReply, signatureRequest } from './input-signature-schema.ts';

const tag = 'results';
const path = '/organizations/{org_id}/input-signatures/{signature}';

export const inputSignatureRoutes = (): readonly Route[] => [
  getInputSignatureRoute(),
  invalidateSignatureRoute(),
  pinSignatureRoute(),
  unpinSignatureRoute(),
];

const getInputSignatureRoute = (): Route =>
  resultsRoute(ORGANIZATION_ROLES, {
    method: 'get',
    path,
    name: 'getInputSignature',
    summary: 'Look up which job answers for an input signature',
    tag,
    request: signatureRequest,
    replies: { 200: { description: 'The cache entry', schema: signatureReply } },
    errors: ['signature_not_found'],
    handle: async ({ input: { params }, database }) =>
      ok(presentSignature(await getInputSignature(database, params.signature))),
  });

const invalidateSignatureRoute = (): Route =>
  resultsRoute(['org_admin'], {
    method: 'delete',
    path,
    name: 'invalidateInputSignature',
    summary: 'Let an input signature answer for no more jobs, until another job completes with it',
    tag,
    request: signatureRequest,
    replies: { 204: { description: 'The entry is gone; jobs that it answered for keep their results' } },
    errors: ['signature_not_found'],
    handle: async ({ input: { params }, actor, database }) => {
      await invalidateSignature(database, actor, params.signature);
      return noContent;
    },
  });

const pinSignatureRoute = (): Route =>
  resultsRoute(['org_admin'], {
    method: 'post',
    path: `${path}/pin`,
    name: 'pinInputSignature',
    summary: 'Keep the job that answers for an input signature, whatever completes later',
    tag,
    request: signatureRequest,
    replies: { 200: { description: 'The cache entry, pinned', schema: signatureReply } },
    errors: ['signature_not_found'],
    handle: async ({ input: { params }, actor, database }) =>
      ok(presentSignature(await pinSignature(database, actor, params.signature))),
  });

const unpinSignatureRoute = (): Route =>
  resultsRoute(['org_admin'], {
    method: 'delete',
    path: `${path}/pin`,
    name: 'unpinInputSignature',
    summary: 'Let a later job answer for an input signature again',
    tag,
    request: signatureRequest,
    replies: { 200: { description: 'The cache entry, no longer pinned', schema: signatureReply } },
    errors: ['signature_not_found'],
    handle: async ({ input: { params }, actor, database }) =>
      ok(presentSignature(await unpinSignature(database, actor, params.signature))),
  });
