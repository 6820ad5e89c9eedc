import type { z } from 'zod';
import type { PlacedPose } from '../../../application/campaigns/export-poses.ts';
import type { PlacedJob } from '../../../application/campaigns/export-ranking.ts';
import type { JsonText } from '../../../domain/json-text.ts';
import { csvCell } from '../request/csv-cell.ts';
import { jsonObject } from '../request/json-object.ts';
import type { posesReply } from '../job-outputs/job-output-schema.ts';
import type { rankedJobReply } from './ranking-schema.ts';

type SmallFields = Omit<z.output<typeof rankedJobReply>, 'poses'>;

export const presentRankedJob = (job: PlacedJob): JsonText => {
  const fields: SmallFields = {
    rank: job.rank,
    job_id: job.jobId,
    label: job.label,
    best_affinity_kcal_mol: job.bestAffinity,
    pose_count: job.poseCount,
    suspect: [...job.suspect],
    ligand: job.ligand,
    artifacts: { poses: job.posesArtifactId },
    created_at: job.createdAt.toISOString(),
  };
  return jsonObject(fields, { poses: job.poses });
};

/** A job on each line, as JSON. */
export async function* asLines(pages: AsyncIterable<readonly PlacedJob[]>): AsyncGenerator<string> {
  for await (const jobs of pages) yield jobs.map((job) => `${presentRankedJob(job).text}\n`).join('');
}

/** A table as RFC 4180 says. Its header is there also without jobs. */
export async function* asCsv(pages: AsyncIterable<readonly PlacedJob[]>): AsyncGenerator<string> {
  let header = CSV_HEADER;
  for await (const jobs of pages) {
    yield header + jobs.map(csvRow).join('');
    header = '';
  }
}

/** The names of the cells of `csvRow`. Programs find columns by them: new ones go to the end. */
const CSV_HEADER =
  'rank,job_id,label,best_affinity_kcal_mol,pose_count,suspect,ligand_file,ligand_name,poses_artifact_id,created_at,reported_affinity_kcal_mol\r\n';

const csvRow = (job: PlacedJob): string =>
  `${[
    job.rank,
    job.jobId,
    csvCell(job.label),
    job.bestAffinity,
    job.poseCount,
    job.suspect.join(' '),
    csvCell(job.ligand?.file),
    csvCell(job.ligand?.name),
    job.posesArtifactId ?? '',
    job.createdAt.toISOString(),
    topPoseOf(job)?.reported_affinity_kcal_mol ?? '',
  ].join(',')}\r\n`;

type ShownPose = z.output<typeof posesReply>[number];

// Its type is the shape that poses are kept in: `posesJson` has written them.
const topPoseOf = ({ poses }: PlacedJob): ShownPose | undefined =>
  (poses.toJSON() as readonly ShownPose[])[0];

/** PDBQT. Each model says whose it is in remarks; a job without one is named by a remark in its place. */
export async function* asModels(groups: AsyncIterable<readonly PlacedPose[]>): AsyncGenerator<string> {
  for await (const poses of groups) yield poses.map(modelText).join('');
}

const modelText = ({ job, model }: PlacedPose): string => {
  if ('problem' in model)
    return `REMARK missing: rank ${job.rank}, job_id ${job.jobId}, label ${job.label ?? ''}: ${model.problem}\n`;
  const reported = topPoseOf(job)?.reported_affinity_kcal_mol;
  return `${[
    `MODEL ${job.rank}`,
    `REMARK rank: ${job.rank}`,
    `REMARK job_id: ${job.jobId}`,
    ...(job.label === null ? [] : [`REMARK label: ${job.label}`]),
    `REMARK affinity_kcal_mol: ${job.bestAffinity}`,
    ...(reported === undefined ? [] : [`REMARK reported_affinity_kcal_mol: ${reported}`]),
    ...model.lines,
    'ENDMDL',
  ].join('\n')}\n`;
};
