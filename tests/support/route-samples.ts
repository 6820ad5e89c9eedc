import type { Route } from '../../presentation/http/route.ts';

/** A body that each route with a body takes; those that write leave traces a test can find. */
const BODIES: Readonly<Record<string, object>> = {
  issueToken: { email: 'ada@example.org', password: 'secret' },
  createOrganization: { org_id: 'made-by-sample', name: 'Made' },
  changeOrganization: { name: 'Renamed' },
  replaceSettings: { settings: { theme: 'dark' } },
  submitJob: { engine: 'vina', inputs: { ligand: 'CCO' } },
  moveJob: { status: 'CANCELED' },
  putTaskResult: { service_name: 'vina', result_data: { affinity: -9.1 } },
  addArtifact: { name: 'poses.sdf', purpose: 'poses', uri: 's3://bucket/poses.sdf' },
};

/** @throws when a route is new and has no sample yet */
export const sampleBodyOf = (route: Route): object | undefined => {
  if (route.request.body === undefined) return undefined;
  const body = BODIES[route.name.replace(/ByClaim$/, '')];
  if (body === undefined) throw new Error(`the route ${route.name} needs a sample body`);
  return body;
};

/** The route's path for one organization and job; `organizationId` goes in as it is. */
export const samplePathOf = (route: Route, organizationId: string, jobId: string): string =>
  route.path
    .replace('{org_id}', organizationId)
    .replace('{job_id}', jobId)
    .replace('{task_name}', 'docking')
    .replace('{signature}', '0'.repeat(64))
    .replace('{run_id}', '1');
