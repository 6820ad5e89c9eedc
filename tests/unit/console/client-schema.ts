import { createHash } from 'node:crypto';
import { openApiDocument } from '../../../presentation/http/docs/open-api-document.ts';
import { createRouteTable } from '../../../presentation/http/route-table.ts';
import { FakeService } from '../../support/fakes/fake-service.ts';

export const SCHEMA_FILE = 'presentation/console/api/schema.d.ts';

/** Of all but the release's number, which changes without the routes. */
export const documentOfRoutes = (): string => {
  const { deps } = new FakeService();
  return openApiDocument(createRouteTable(deps), { ...deps.options, version: 'any' });
};

export const firstLineOf = (document: string): string =>
  `// Made by "npm run client" from the document with SHA-256 ${createHash('sha256').update(document).digest('hex')}.`;
