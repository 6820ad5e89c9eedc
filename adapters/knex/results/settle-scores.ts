import { statement } from '../statement.ts';
import { filledText } from './filled-text.ts';

const MAX_LIGAND_NAME_LENGTH = 255;

/** The file of a job's ligand and its name, where the input is a stored file and not a text of another form. */
export const ligandColumns = (job: string): string => {
  const file = `${job}.inputs #>> '{ligand,file}'`;
  const isFile = `${file} ~ '^sha256:[0-9a-f]{64}$'`;
  const name = `${job}.inputs #>> '{ligand,name}'`;
  const isName = `jsonb_typeof(${job}.inputs #> '{ligand,name}') = 'string' and length(${name}) <= ${MAX_LIGAND_NAME_LENGTH}`;
  return `case when ${isFile} then ${file} end, case when ${isFile} and ${isName} then ${name} end`;
};

/**
 * All that follows from the task results of jobs that complete, in one statement: their scores, and their places in the
 * cache. Whoever writes several places of the cache locks them in the order of their signatures. Decision 0047.
 */
export const settleScores = statement<{ jobIds: string; signatures: string }>(
  'docking_job_settle_scores',
  (p) =>
    filledText(
      `with results as (
         select job_id, task_name, confidence_score, best_affinity, suspect, poses from task_results
         where job_id = any({jobIds}::uuid[])
       ), verdict as (
         select job_id, min(confidence_score) as confidence_score,
           coalesce(array_agg(distinct reason order by reason) filter (where reason is not null), '{}') as suspect
         from results left join lateral unnest(suspect) as reason on true group by job_id
       ), best as (
         select distinct on (job_id) * from results where best_affinity is not null
         order by job_id, best_affinity, task_name
       ), scored as (
         insert into job_scores (job_id, output_job_id, task_name, campaign_id, label, best_affinity, pose_count,
           top_pose, suspect, ligand_file, ligand_name, poses_artifact_id, created_at)
         select job.job_id, job.job_id, best.task_name, job.campaign_id, coalesce(job.label, ''), best.best_affinity,
           json_array_length(best.poses), best.poses -> 0, verdict.suspect, ${ligandColumns('job')},
           (select artifact_id from artifacts where artifacts.job_id = job.job_id and purpose = 'poses'
            order by position desc limit 1),
           job.created_at
         from best join verdict using (job_id) join docking_jobs as job using (job_id)
       )
       insert into input_signatures (signature, canonical_job_id, confidence_score)
       select distinct on (done.signature) done.signature, done.job_id, verdict.confidence_score
       from unnest({jobIds}::uuid[], {signatures}::text[]) with ordinality as done (job_id, signature, number)
       join verdict using (job_id) where verdict.suspect = '{}'
       order by done.signature, done.number desc
       on conflict (signature) do update set
         canonical_job_id = excluded.canonical_job_id,
         confidence_score = excluded.confidence_score,
         expires_at = excluded.expires_at
       where not input_signatures.pinned`,
      p,
    ),
  { isDeferrable: true },
);
