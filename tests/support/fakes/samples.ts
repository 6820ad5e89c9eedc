import { createHash } from 'node:crypto';
import type { Role } from '../../../domain/identity/role.ts';
import type { WriteNote } from '../../../domain/audit/audit-log.ts';
import type { Route } from '../../../presentation/http/routing/route.ts';
import { sampleJob, sampleNote } from '../sample-job.ts';
import type { FakeService } from './fake-service.ts';
import { organization } from './fake-service.ts';
import { fakeUuid } from './fake-results.ts';

export const JOB_ID = fakeUuid(7);
/** A member with an identity. */
export const USER_ID = fakeUuid(8);
const IDENTITY_ID = fakeUuid(9);
const SESSION_ID = fakeUuid(23);
/** A service account of acme's, one of the platform's, and a key of each. */
const ACCOUNT_ID = fakeUuid(20);
const FLEET_ID = fakeUuid(21);
const KEY_ID = fakeUuid(22);
export const CAMPAIGN_ID = fakeUuid(10);
/** Of a file that is there. */
const FILE_HASH = createHash('sha256').update('abc').digest('hex');
/** Of an upload whose bytes have come. */
const UPLOAD_ID = fakeUuid(21);
/** The first one that is inserted. */
const ARTIFACT_ID = fakeUuid(2);
/** Jobs in the state that a route asks for, by its name; all others are asked about `JOB_ID`. */
const JOBS: Readonly<Record<string, string>> = {
  completeJob: fakeUuid(11),
  releaseJob: fakeUuid(12),
  retryJob: fakeUuid(13),
};
/** By which workers hold them. */
const LEASES: Readonly<Record<string, string>> = {
  completeJob: fakeUuid(1_000_000),
  releaseJob: fakeUuid(1_000_001),
};
const plainName = ({ name }: Route): string => name.replace(/ByClaim$/, '');
export const SIGNATURE = 'ab'.repeat(32);

/** A body that each route with a body takes, by the route's name. */
const BODIES: Readonly<Record<string, object>> = {
  issueToken: { email: 'ada@example.org', password: 'secret' },
  refreshToken: { refresh_token: 'a refresh token' },
  logout: { refresh_token: 'a refresh token' },
  changeOwnPassword: { password: 'secret', new_password: 'another password' },
  createUser: { email: 'new@example.org', password: 'another password' },
  changeUser: { status: 'active' },
  setPassword: { password: 'another password' },
  retireDatabase: { seen_generation: 1 },
  linkIdentity: { issuer: 'https://idp.example', subject: 'eve' },
  addMember: { email: 'ada@example.org', roles: ['member'] },
  changeMemberRoles: { roles: ['member', 'worker'] },
  exchangeToken: { org_id: 'acme' },
  createServiceAccount: { name: 'cluster', roles: ['worker'] },
  createFleet: { name: 'fleet' },
  createOrganization: { org_id: 'gamma', name: 'Gamma' },
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
  heartbeat: { leases: [{ job_id: JOB_ID, lease_id: JOB_ID }] },
  cancelJobs: { job_ids: [JOB_ID] },
  completeJobs: { items: [{ job_id: JOB_ID, lease_id: JOB_ID, outcome: 'COMPLETED' }] },
  completeJob: { lease_id: LEASES['completeJob'], outcome: 'COMPLETED' },
  releaseJob: { lease_id: LEASES['releaseJob'], reason: 'shutdown' },
  putTaskResult: { service_name: 'vina', result_data: { affinity: -9.1 } },
  beginUpload: { sha256: 'cd'.repeat(32), size_bytes: 3 },
  addArtifact: { name: 'poses.sdf', purpose: 'poses', uri: 's3://bucket/poses.sdf' },
};

export const sampleBody = (route: Route): object | undefined => {
  if (route.request.body === undefined) return undefined;
  const body = BODIES[plainName(route)];
  if (body === undefined) throw new Error(`the route ${route.name} needs a sample body`);
  return body;
};

export const samplePath = (route: Route, organizationId = 'acme'): string =>
  route.path
    .replace('{org_id}', organizationId)
    .replace('{inviting_org_id}', 'beta')
    .replace('{campaign_id}', CAMPAIGN_ID)
    .replace('{job_id}', JOBS[plainName(route)] ?? JOB_ID)
    .replace('{user_id}', USER_ID)
    .replace('{identity_id}', IDENTITY_ID)
    .replace('{session_id}', SESSION_ID)
    .replace('/admin/tasks/{task_name}', '/admin/tasks/fleet_snapshot')
    .replace(
      '{service_account_id}',
      route.path.startsWith('/admin') || route.name === 'admitFleet' ? FLEET_ID : ACCOUNT_ID,
    )
    .replace('{key_id}', KEY_ID)
    .replace('{task_name}', 'docking')
    .replace('{signature}', SIGNATURE)
    .replace('{sha256}', FILE_HASH)
    .replace('{artifact_id}', ARTIFACT_ID)
    .replace('{upload_id}', UPLOAD_ID)
    .replace('{server_id}', 'default')
    .replace('{run_id}', '1');

export const titleOf = (route: Route): string => `${route.method.toUpperCase()} ${route.path}`;

const seedFiles = async ({ databases, fileStore }: FakeService, note: WriteNote): Promise<void> => {
  const { files } = databases.of('acme');
  const acme = organization('acme');
  const label = { mediaType: 'text/plain', name: 'abc.txt', createdBy: 'user-1' };
  await files.announce({ sha256: FILE_HASH, sizeBytes: 3, inspection: null, ...label });
  await files.settle(FILE_HASH, note);
  for (const name of [`${FILE_HASH.slice(0, 2)}/${FILE_HASH}`, `uploads/${UPLOAD_ID}`])
    fileStore.objects.set(`${acme}/${name}`, {
      bytes: Buffer.from('abc'),
      madeAt: new Date(),
      version: '1',
    });
  const expiresAt = new Date(Date.now() + 3_600_000);
  await files.addUpload({ uploadId: UPLOAD_ID, sha256: FILE_HASH, sizeBytes: 3, expiresAt, ...label });
};

/** Gives the sample job an artifact with bytes. */
export const seedArtifact = async ({ databases }: FakeService): Promise<void> => {
  const place = {
    uri: `mad:sha256:${FILE_HASH}`,
    sha256: FILE_HASH,
    contentType: 'text/plain',
    sizeBytes: 3,
  };
  const artifact = { jobId: JOB_ID, leaseId: null, name: 'abc.txt', purpose: 'log', checksum: null };
  await databases.of('acme').artifacts.insert({ ...artifact, ...place, note: sampleNote('artifact.added') });
};

/** Makes what the samples name: acme's database, a job that `submittedBy` sent, a cache entry. */
export const seedSamples = async (service: FakeService, submittedBy: string): Promise<void> => {
  service.metadata.addDatabase(organization('acme'));
  const results = service.databases.of('acme');
  const note = { ...sampleNote('job.submitted'), userId: submittedBy };
  await results.jobs.insert(sampleJob({ jobId: JOB_ID, inputSignature: SIGNATURE, submittedBy, note }));
  const { serviceAccounts } = service.metadata;
  serviceAccounts.add(organization('acme'), ACCOUNT_ID);
  serviceAccounts.add(null, FLEET_ID);
  for (const accountId of [ACCOUNT_ID, FLEET_ID]) serviceAccounts.give(accountId, KEY_ID);
  await service.metadata.sessions.open({ sessionId: SESSION_ID, userId: USER_ID, organizationId: null }, 60);
  const at = new Date('2026-01-02T03:04:05.678Z');
  await seedFiles(service, note);
  service.fleet.runs.push({
    runId: 1,
    kind: 'migrate',
    targetVersion: 2,
    wholeFleet: true,
    state: 'halted',
    reason: 'a canary failed',
    wave: 0,
    errorBudget: 0,
    serviceSchemaVersion: null,
    createdAt: at,
    updatedAt: at,
    finishedAt: null,
  });
  service.fleet.items.set(1, [
    {
      organizationId: organization('acme'),
      wave: 0,
      state: 'failed',
      fromVersion: 1,
      toVersion: 2,
      attempts: 1,
      error: 'migration 0002_x: column "x" already exists (42701)',
      durationMs: 12,
      updatedAt: at,
    },
  ]);
  results.signatures.set(SIGNATURE, {
    signature: SIGNATURE,
    canonicalJobId: JOB_ID,
    confidenceScore: 0.9,
    hitCount: 2,
    createdAt: at,
    lastUsedAt: at,
    expiresAt: null,
    pinned: false,
  });
  await results.campaigns.insert({
    campaignId: CAMPAIGN_ID,
    name: 'Kinases',
    description: null,
    engine: 'vina',
    inputs: {},
    params: {},
    priority: null,
    createdBy: submittedBy,
    note,
  });
};

/** Two jobs that a worker holds, and one that failed. */
const seedLeases = async (service: FakeService, submittedBy: string): Promise<void> => {
  const { jobs, attempts } = service.databases.of('acme');
  const note = sampleNote('seeded');
  for (const jobId of Object.values(JOBS))
    await jobs.insert(sampleJob({ jobId, submittedBy, engine: `of ${jobId}` }));
  for (const name of Object.keys(LEASES)) {
    const worker = { name: 'node-1', version: null };
    const room = { limit: 1, leaseSeconds: 120, maxRuntimeSeconds: 3600, maxRunningJobs: null };
    await attempts.claim({ worker, engines: [`of ${JOBS[name]}`], ...room }, note);
  }
  await jobs.setStatus(JOBS['retryJob'] ?? '', 'FAILED', null, note);
};

/** A service where every sample request finds what it names. */
export const sampleService = async (
  service: FakeService,
  ...roles: readonly Role[]
): Promise<FakeService> => {
  await seedSamples(service, `user-${roles.join('-')}`);
  await seedLeases(service, `user-${roles.join('-')}`);
  const { people } = service.metadata;
  const passwordHash = 'hash of secret';
  people.add({ userId: 'user-ada', email: 'ada@example.org', passwordHash, platformAdmin: true });
  people.add({ userId: `user-${roles.join('-')}`, email: 'caller@example.org', passwordHash });
  people.add({ userId: USER_ID, email: 'member@example.org' });
  people.offer(`user-${roles.join('-')}`, organization('beta'), ['member']);
  people.join(USER_ID, organization('acme'), ['member']);
  people.link(USER_ID, { identityId: IDENTITY_ID, issuer: 'https://idp.example', subject: 'member' });
  await people.sessions.open({ sessionId: 'session', userId: 'user-ada', organizationId: null }, 60);
  await people.sessions.addToken('session', Buffer.from('hash of a refresh token'));
  return service;
};
