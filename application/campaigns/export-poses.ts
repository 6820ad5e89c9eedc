import type { RankingRequest } from '../../domain/jobs/ranking.ts';
import type { OrganizationId } from '../../domain/organizations/organization-id.ts';
import type { WithDatabase } from '../ports/databases/results-database.ts';
import type { FileStore } from '../ports/files/file-store.ts';
import { exportRanking, type PlacedJob } from './export-ranking.ts';
import { readFirstModel, type FirstModel } from './first-model.ts';

/** A ranked job, and its best pose as the job's file has it. */
export interface PlacedPose {
  readonly job: PlacedJob;
  readonly model: FirstModel;
}

/** Whose files are read, and how. */
export interface PoseSources {
  readonly withDatabase: WithDatabase;
  readonly fileStore: Pick<FileStore, 'open' | 'sizeOf'>;
  readonly organizationId: OrganizationId;
}

/** Files that are read side by side. Each pose is held until those beside it are there. */
const READ_AT_ONCE = 4;

/**
 * Reads the best pose of each of the first `top` jobs of a ranking from the file of its poses, some at a time. No database is
 * leased while files are read or taken. Every job comes, also one whose pose cannot be had.
 *
 * @throws {FilesUnavailableError}
 */
export async function* exportPoses(
  { withDatabase, fileStore, organizationId }: PoseSources,
  request: RankingRequest,
  top: number,
): AsyncGenerator<readonly PlacedPose[]> {
  const modelOf = async (sha256: string | null): Promise<FirstModel> => {
    if (sha256 === null) return { problem: 'the service keeps no file of its poses' };
    if ((await fileStore.sizeOf(organizationId, sha256)) === null)
      return { problem: 'the file of its poses is gone' };
    const { bytes, close } = await fileStore.open(organizationId, sha256, null);
    try {
      return await readFirstModel(bytes);
    } finally {
      close();
    }
  };
  let left = top;
  for await (const page of exportRanking(withDatabase, request)) {
    const jobs = page.slice(0, left);
    left -= jobs.length;
    const ids = jobs.flatMap(({ posesArtifactId }) => posesArtifactId ?? []);
    const files = await withDatabase(({ artifacts }) => artifacts.filesOf(ids));
    for (let at = 0; at < jobs.length; at += READ_AT_ONCE) {
      yield await Promise.all(
        jobs.slice(at, at + READ_AT_ONCE).map(async (job) => ({
          job,
          model: await modelOf(files.get(job.posesArtifactId ?? '') ?? null),
        })),
      );
    }
    if (left === 0) return;
  }
}
