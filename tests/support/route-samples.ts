import type { Route } from '../../presentation/http/routing/route.ts';

/** A body that each route with a body takes; those that write leave traces a test can find. */
const BODIES: Readonly<Record<string, object>> = {
  issueToken: { email: 'ada@example.org', password: 'secret' },
  refreshToken: { refresh_token: 'nobody knows it' },
  logout: { refresh_token: 'nobody knows it' },
  changeOwnPassword: { password: 'the present password', new_password: 'another password' },
  createUser: { email: 'made-by-sample@example.org', password: 'another password' },
  changeUser: { must_change_password: false },
  setPassword: { password: 'another password' },
  retireDatabase: { seen_generation: 1 },
  linkIdentity: { issuer: 'https://idp.example', subject: 'sample' },
  addMember: { email: 'member-by-sample@example.org', roles: ['member'] },
  changeMemberRoles: { roles: ['member', 'worker'] },
  exchangeToken: { org_id: 'alpha' },
  createServiceAccount: { name: 'cluster', roles: ['worker'] },
  createFleet: { name: 'fleet' },
  createOrganization: { org_id: 'made-by-sample', name: 'Made' },
  changeOrganization: { name: 'Renamed' },
  changeServer: { weight: 50 },
  reconcileDatabases: { dry_run: true },
  openBrowserSession: { email: 'ada@example.org', password: 'secret' },
  makeBrowserToken: { org_id: 'acme' },
  confirmBrowserSession: { org_id: null, password: 'secret' },
  startMigrationRun: { dry_run: true },
  pauseMigrationRun: { state: 'running' },
  resumeMigrationRun: { state: 'halted', failed: 1 },
  retryMigrationRun: { state: 'halted' },
  rollBackMigrationRun: { state: 'halted', wave: 0 },
  patchSettings: { settings: { theme: 'light' } },
  replaceSettings: { settings: { theme: 'dark' } },
  submitJob: { engine: 'vina', inputs: { ligand: 'CCO' } },
  submitJobBatch: { engine: 'vina', items: [{ label: 'ethanol', inputs: { ligand: 'CCO' } }] },
  createCampaign: { name: 'Kinases' },
  changeCampaign: { name: 'Renamed' },
  moveJob: { status: 'CANCELED' },
  claimJobs: { worker: { name: 'node-1' }, engines: ['no-such-engine'], limit: 1 },
  heartbeat: {
    leases: [
      { job_id: '00000000-0000-4000-8000-00000000abcd', lease_id: '00000000-0000-4000-8000-00000000abcd' },
    ],
  },
  cancelJobs: { job_ids: ['00000000-0000-4000-8000-00000000abcd'] },
  completeJobs: {
    items: [
      {
        job_id: '00000000-0000-4000-8000-00000000abcd',
        lease_id: '00000000-0000-4000-8000-00000000abcd',
        outcome: 'COMPLETED',
      },
    ],
  },
  completeJob: { lease_id: '00000000-0000-4000-8000-00000000abcd', outcome: 'COMPLETED' },
  releaseJob: { lease_id: '00000000-0000-4000-8000-00000000abcd', reason: 'shutdown' },
  putTaskResult: { service_name: 'vina', result_data: { affinity: -9.1 } },
  beginUpload: { sha256: 'cd'.repeat(32), size_bytes: 3 },
  addArtifact: { name: 'poses.sdf', purpose: 'poses', uri: 's3://bucket/poses.sdf' },
};

/** A user that nobody made. */
const SAMPLE_USER_ID = '00000000-0000-4000-8000-00000000abcd';

/** A campaign that nobody made. */
const SAMPLE_CAMPAIGN_ID = '00000000-0000-4000-8000-00000000cafe';

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
    .replace('{inviting_org_id}', 'inviting')
    .replace('{job_id}', jobId)
    .replace('{campaign_id}', SAMPLE_CAMPAIGN_ID)
    .replace('{user_id}', SAMPLE_USER_ID)
    .replace('{identity_id}', SAMPLE_USER_ID)
    .replace('{session_id}', SAMPLE_USER_ID)
    .replace('/admin/tasks/{task_name}', '/admin/tasks/fleet_snapshot')
    .replace('{service_account_id}', SAMPLE_USER_ID)
    .replace('{key_id}', SAMPLE_USER_ID)
    .replace('{task_name}', 'docking')
    .replace('{signature}', '0'.repeat(64))
    .replace('{sha256}', '0'.repeat(64))
    .replace('{artifact_id}', SAMPLE_USER_ID)
    .replace('{upload_id}', SAMPLE_USER_ID)
    .replace('{server_id}', 'default')
    .replace('{run_id}', '1');
