import { ORGANIZATION_ROLES } from '../../../domain/identity/role.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import { ok } from '../request/reply.ts';
import { resultsRoute, type Route } from '../routing/route.ts';
import { presentSignature } from './input-signature-presenter.ts';
import { signatureReply, signatureRequest } from './input-signature-schema.ts';

export const inputSignatureRoutes = (deps: HttpDependencies): readonly Route[] => [
  getInputSignatureRoute(deps),
];

const getInputSignatureRoute = ({ useCases }: HttpDependencies): Route =>
  resultsRoute(ORGANIZATION_ROLES, {
    method: 'get',
    path: '/organizations/{org_id}/input-signatures/{signature}',
    name: 'getInputSignature',
    summary: 'Look up which job answers for an input signature',
    tag: 'results',
    request: signatureRequest,
    replies: { 200: { description: 'The cache entry', schema: signatureReply } },
    errors: ['signature_not_found'],
    handle: async ({ input: { params }, database }) =>
      ok(presentSignature(await useCases.getInputSignature(database, params.signature))),
  });
