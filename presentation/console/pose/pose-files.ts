import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { dataOf, fetchIn, useApi, useContextOfPages, type Schemas } from '../api/client.ts';
import { boxOf } from './box.ts';
import { readPdbqt } from './pdbqt-to-pdb.ts';
import type { PoseFiles } from './pose-scene.ts';
import { scored } from './scored.ts';

/** Larger files would stop the browser. */
const MOST_BYTES = 20_000_000;

export interface PoseSources {
  readonly files: PoseFiles;
  readonly job: Schemas['Job'];
  /** Where the poses are, as they were written; null where the job has none. */
  readonly original: { readonly path: string; readonly name: string } | null;
  /** What the engine said of the best pose, where the worker corrected it. */
  readonly reportedAffinity: number | null;
  /** Why there is no drawing. */
  readonly missing: string | null;
}

/** What a job docked and what came of it. Bytes never change: they are read once. */
export const usePoseSources = (jobId: string): UseQueryResult<PoseSources> => {
  const api = useApi();
  const context = useContextOfPages();
  return useQuery({
    // Not below what events refresh.
    queryKey: ['bytes', context, 'poses', jobId],
    staleTime: Infinity,
    queryFn: async ({ signal }): Promise<PoseSources> => {
      const path = { job_id: jobId };
      const job = await dataOf(api.GET('/jobs/{job_id}', { params: { path }, signal }));
      const { items } = await dataOf(
        api.GET('/jobs/{job_id}/artifacts', { params: { path, query: { limit: 200 } }, signal }),
      );
      const { items: results } = await dataOf(
        api.GET('/jobs/{job_id}/task-results', { params: { path, query: { limit: 200 } }, signal }),
      );
      const kept = results.find(({ poses: each }) => each.length > 0)?.poses ?? [];
      const artifact = items.findLast(({ purpose }) => purpose === 'poses');
      const read = (address: string): Promise<string> => readText(context, address, signal);
      const original =
        artifact === undefined
          ? null
          : {
              path: `/jobs/${artifact.job_id}/artifacts/${artifact.artifact_id}/content`,
              name: artifact.name,
            };
      const hash = fileHash(job.inputs['receptor']);
      const [poses, receptor] = await Promise.all([
        original === null ? '' : read(original.path),
        hash === null ? '' : read(`/files/${hash}`),
      ]);
      const files = {
        poses: scored(readPdbqt(poses), kept),
        receptor: readPdbqt(receptor)[0] ?? null,
        box: boxOf(job.params),
      };
      const reportedAffinity = kept[0]?.reported_affinity_kcal_mol ?? null;
      return { files, job, original, reportedAffinity, missing: missingIn(files, original) };
    },
  });
};

const missingIn = ({ poses }: PoseFiles, original: PoseSources['original']): string | null => {
  if (original === null) return 'this job has no file with poses';
  return poses.length === 0 ? 'its file holds no poses in the format PDBQT' : null;
};

/** The hex digits of a file that inputs name as `{"file": "sha256:…"}`. */
export const fileHash = (input: unknown): string | null => {
  if (typeof input !== 'object' || input === null || !('file' in input)) return null;
  return typeof input.file === 'string' ? input.file.replace(/^sha256:/, '') : null;
};

const readText = async (context: string | null, path: string, signal: AbortSignal): Promise<string> => {
  const response = await fetchIn(context, path, { signal });
  if (Number(response.headers.get('Content-Length') ?? 0) > MOST_BYTES) {
    await response.body?.cancel();
    throw new Error('The file has more than 20 MB. Download it, and open it in a program of its own.');
  }
  return response.text();
};
