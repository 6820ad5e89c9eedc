import type { TokenVerifier } from '../../../application/ports/identity/tokens.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import type { Reply } from '../request/reply.ts';

/**
 * Whether to send requests here. One organization's database must not take the others out of rotation, so it decides
 * the `status` field but, unless asked to be strict, not the HTTP status.
 */
export const readiness = async (deps: HttpDependencies, bearer: string | null): Promise<Reply> => {
  const { databases, options, tokenVerifier } = deps;
  const health = await databases.healthCheck();
  const metadata = health['metadata'] === true;
  const allHealthy = metadata && Object.values(health).every(Boolean);
  const stopping = options.isStopping();
  const serves = metadata && !stopping && (allHealthy || !options.readyStrict);

  const namesShown = !options.hideOrganizationNames || (await isPlatformAdmin(tokenVerifier, bearer));
  const organizations = Object.entries(health).filter(([name]) => namesShown && name !== 'metadata');
  return {
    status: serves ? 200 : 503,
    body: {
      status: allHealthy && !stopping ? 'ready' : 'not_ready',
      checks: {
        databases: Object.fromEntries([['metadata', metadata], ...organizations]),
        metadata_db: metadata,
        org_databases: Object.fromEntries(organizations),
      },
    },
    headers: serves ? {} : { 'Retry-After': '1' },
  };
};

/** A probe is answered whatever its token: one that does not verify is no administrator's. */
const isPlatformAdmin = async (tokenVerifier: TokenVerifier, bearer: string | null): Promise<boolean> => {
  if (bearer === null) return false;
  try {
    return (await tokenVerifier.verify(bearer)).roles.has('platform_admin');
  } catch {
    return false;
  }
};
