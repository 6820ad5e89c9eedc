import { sql, statement } from '../statement.ts';

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
 * All that follows from the task results of a job that completes, in one statement: its score, and its place in the cache.
 * Decision 0047.
 */
export const settleJob = statement<{ jobId: string; inputSignature: string }>('docking_job_settle', (p) =>
  sql.raw(
    `with results as (
         select task_name, confidence_score, best_affinity, suspect, poses from task_results where job_id = ?
       ), verdict as (
         select array(select distinct reason from results cross join unnest(suspect) as reason order by reason) as suspect
       ), best as (
         select * from results where best_affinity is not null order by best_affinity, task_name limit 1
       ), scored as (
         insert into job_scores (job_id, output_job_id, task_name, campaign_id, label, best_affinity, pose_count,
           top_pose, suspect, ligand_file, ligand_name, poses_artifact_id, created_at)
         select job.job_id, job.job_id, best.task_name, job.campaign_id, coalesce(job.label, ''), best.best_affinity,
           json_array_length(best.poses), best.poses -> 0, verdict.suspect, ${ligandColumns('job')},
           (select artifact_id from artifacts where artifacts.job_id = job.job_id and purpose = 'poses'
            order by position desc limit 1),
           job.created_at
         from docking_jobs as job cross join best cross join verdict where job.job_id = ?
       )
       insert into input_signatures (signature, canonical_job_id, confidence_score)
       select ?::text, ?::uuid, min(confidence_score) from results cross join verdict where verdict.suspect = '{}'
       having count(*) > 0
       on conflict (signature) do update set
         canonical_job_id = excluded.canonical_job_id,
         confidence_score = excluded.confidence_score,
         expires_at = excluded.expires_at
       where not input_signatures.pinned`,
    [p('jobId'), p('jobId'), p('inputSignature'), p('jobId')],
  ),
);
