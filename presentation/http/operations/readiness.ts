import type { TokenVerifier } from '../../../application/ports/identity/tokens.ts';
import type { HttpDependencies } from '../http-dependencies.ts';
import type { Reply } from '../routing/reply.ts';

/**
 * Whether to send requests here. One organization's database must not take the others out of rotation, so it decides
 * the `status` field but, unless asked to be strict, not the HTTP status.
 */
export const readiness = async (deps: HttpDependencies, bearer: string | null): Promise<Reply> => {
  const { health, options, tokenVerifier } = deps;
  const { metadata, servers, organizations } = await health.check();
  const allHealthy = metadata && Object.values(organizations).every(Boolean);
  const stopping = options.isStopping();
  const serves = metadata && !stopping && (allHealthy || !options.readyStrict);

  const namesShown = !options.hideOrganizationNames || (await isPlatformAdmin(tokenVerifier, bearer));
  const shown = Object.fromEntries(
    Object.entries(namesShown ? organizations : {}).map(([id, isHealthy]) => [`results_${id}`, isHealthy]),
  );
  return {
    status: serves ? 200 : 503,
    body: {
      status: allHealthy && !stopping ? 'ready' : 'not_ready',
      checks: {
        databases: { metadata, ...shown },
        metadata_db: metadata,
        org_databases: shown,
        servers,
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
