import { z } from 'zod';
import type { ArtifactRequest } from '../../../application/jobs/add-artifact.ts';
import type { TaskResultRequest } from '../../../application/jobs/put-task-result.ts';
import { MAX_POSES, SUSPECT_REASONS } from '../../../domain/jobs/score.ts';
import { FILE_PREFIX } from '../../../domain/files/stored-file.ts';
import { jobParams, leaseHeaders } from '../jobs/job-schema.ts';
import { textCursor } from '../request/schema/cursor.ts';
import {
  count,
  fileName,
  generousLimit,
  jsonObject,
  mediaType,
  pageOf,
  printable,
  redirect,
  slug,
  text,
  timestamp,
  uuid,
} from '../request/schema/fields.ts';

const confidence = z.number().min(0).max(1);

/** Places where files are kept. A browser runs or shows none of these addresses in the name of this service. */
const SCHEMES = [
  'https',
  'http',
  's3',
  'gs',
  'az',
  'abfs',
  'abfss',
  'wasb',
  'wasbs',
  'ftp',
  'ftps',
  'sftp',
  'file',
];
/** RFC 3986 and RFC 3987: without spaces, and without the characters that end an address in text and markup. */
const URI = new RegExp(
  String.raw`^(?:${SCHEMES.join('|')})://[^\s"<>\\^\x60{|}\p{Cc}\p{Cf}\p{Cs}\p{Co}]+$`,
  'u',
);
/** The name of a function and what it gave, in hex or base64; or hex alone. */
const CHECKSUM = /^(?:[A-Za-z][A-Za-z0-9-]{1,19}:[A-Za-z0-9+/_-]+={0,2}|[0-9A-Fa-f]{8,})$/;

const energy = z.number();
const rmsd = z.number().min(0);

/** As it is kept, too. */
const pose = z.strictObject({
  rank: z.int().min(1).max(MAX_POSES),
  affinity_kcal_mol: energy,
  rmsd_lower_bound: rmsd.optional(),
  rmsd_upper_bound: rmsd.optional(),
  intra: energy.optional().meta({ description: "The ligand's inner energy in this pose" }),
  unbound: energy.optional().meta({ description: "The ligand's inner energy when it is free" }),
  reported_affinity_kcal_mol: energy
    .optional()
    .meta({ description: 'What the engine itself said, where the worker corrected it' }),
});
export const posesReply = z.array(pose.meta({ id: 'Pose' }));

const poses = z
  .array(pose)
  .max(MAX_POSES)
  .refine(
    (listed) => new Set(listed.map(({ rank }) => rank)).size === listed.length,
    'must have each rank once',
  )
  .default([])
  .meta({
    description: 'Where the docking puts the ligand. The lowest affinity ranks the job in its campaign',
  });

const reported = z
  .array(z.enum(SUSPECT_REASONS))
  .max(SUSPECT_REASONS.length)
  .default([])
  .meta({
    description:
      'Why the worker doubts these poses. The service adds what the poses show. A job with a suspect result is ' +
      'not answered from the cache',
  });

export const taskResultRequest = {
  params: jobParams.extend({ task_name: slug(100) }),
  headers: leaseHeaders,
  body: z
    .strictObject({
      service_name: printable(100),
      service_version: printable(100).optional(),
      schema_version: printable(100).optional(),
      confidence_score: confidence.optional(),
      result_data: jsonObject,
      poses,
      suspect: reported,
    })
    .meta({
      example: {
        service_name: 'vina',
        service_version: '1.2.3',
        confidence_score: 0.9,
        result_data: { seed: 42 },
        poses: [
          { rank: 1, affinity_kcal_mol: -12.5, rmsd_lower_bound: 0, rmsd_upper_bound: 0 },
          { rank: 2, affinity_kcal_mol: -11.9, rmsd_lower_bound: 1.2, rmsd_upper_bound: 2.1 },
        ],
      },
    }),
};
const BESIDE_FILE = 'must be left out beside "file"';
const isLeftOut =
  <Field extends string>(field: Field) =>
  (body: { readonly file?: string | undefined } & Readonly<Partial<Record<Field, unknown>>>): boolean =>
    body.file === undefined || body[field] === undefined;

export const artifactRequest = {
  params: jobParams,
  headers: leaseHeaders,
  body: z
    .strictObject({
      name: printable(255),
      purpose: printable(100),
      uri: text(2048)
        .regex(URI, `must be an address of one of the schemes ${SCHEMES.join(', ')}`)
        .optional()
        .meta({ description: 'Where the bytes are, when the service does not keep them' }),
      file: fileName
        .optional()
        .meta({ description: 'A file of the organization with the bytes, in place of `uri`' }),
      content_type: mediaType.optional(),
      size_bytes: count.optional(),
      checksum: text(200)
        .regex(CHECKSUM, 'must be a checksum, such as "sha256:" and its hex digits')
        .optional(),
    })
    .refine(({ uri, file }) => uri !== undefined || file !== undefined, {
      path: ['uri'],
      error: 'is required, unless "file" names the bytes',
      when: ({ value }) => typeof value === 'object' && value !== null,
    })
    // What the service keeps it knows the size and checksum of.
    .refine(isLeftOut('uri'), { path: ['uri'], error: BESIDE_FILE })
    .refine(isLeftOut('size_bytes'), { path: ['size_bytes'], error: BESIDE_FILE })
    .refine(isLeftOut('checksum'), { path: ['checksum'], error: BESIDE_FILE })
    .meta({
      example: {
        name: 'poses.pdbqt',
        purpose: 'poses',
        uri: 's3://acme-results/1iep/poses.pdbqt',
        content_type: 'chemical/x-pdbqt',
      },
    }),
};

/** @param body as `artifactRequest` takes it: it names one place */
export const artifactOf = ({
  name,
  purpose,
  ...place
}: z.output<typeof artifactRequest.body>): ArtifactRequest => {
  const contentType = place.content_type ?? null;
  if (place.file !== undefined)
    return { name, purpose, source: { sha256: place.file.slice(FILE_PREFIX.length), contentType } };
  return {
    name,
    purpose,
    source: {
      uri: place.uri ?? '',
      contentType,
      sizeBytes: place.size_bytes ?? null,
      checksum: place.checksum ?? null,
    },
  };
};

/** Task results are listed in the order of their task names. */
export const taskResultCursor = textCursor(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$/);
/** Artifacts are listed in the order in which they were made. A key is a sequence number. */
export const artifactCursor = textCursor(/^\d{1,18}$/);

export const artifactContentRequest = {
  params: jobParams.extend({ artifact_id: uuid }),
  query: z.strictObject({ redirect }),
};

export const listTaskResultsRequest = {
  params: jobParams,
  query: z.strictObject({ limit: generousLimit, cursor: taskResultCursor.schema }),
};
export const listArtifactsRequest = {
  params: jobParams,
  query: z.strictObject({ limit: generousLimit, cursor: artifactCursor.schema }),
};

export const taskResultReply = z
  .strictObject({
    task_result_id: z.guid(),
    job_id: z.guid(),
    task_name: z.string(),
    service_name: z.string(),
    service_version: z.string().nullable(),
    schema_version: z.string().nullable(),
    confidence_score: z.number().nullable(),
    result_data: jsonObject,
    poses: posesReply,
    suspect: z.array(z.string()).meta({ description: 'Why its scores are doubted' }),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: 'TaskResult' });
export const taskResultPage = pageOf(taskResultReply).meta({ id: 'TaskResultPage' });

export const artifactReply = z
  .strictObject({
    artifact_id: z.guid(),
    job_id: z.guid(),
    name: z.string(),
    purpose: z.string(),
    uri: z.string(),
    content_type: z.string().nullable(),
    size_bytes: z.int().nullable(),
    checksum: z.string().nullable(),
    created_at: timestamp,
  })
  .meta({ id: 'Artifact' });
export const artifactPage = pageOf(artifactReply).meta({ id: 'ArtifactPage' });

/** As the route of one result and the completion of a job take it. */
export const taskResultOf = (
  taskName: string,
  body: z.output<typeof taskResultRequest.body>,
): TaskResultRequest => ({
  taskName,
  serviceName: body.service_name,
  serviceVersion: body.service_version ?? null,
  schemaVersion: body.schema_version ?? null,
  confidenceScore: body.confidence_score ?? null,
  resultData: body.result_data,
  poses: body.poses.map((each) => ({
    rank: each.rank,
    affinity: each.affinity_kcal_mol,
    rmsdLowerBound: each.rmsd_lower_bound ?? null,
    rmsdUpperBound: each.rmsd_upper_bound ?? null,
    intra: each.intra ?? null,
    unbound: each.unbound ?? null,
    reportedAffinity: each.reported_affinity_kcal_mol ?? null,
  })),
  reported: body.suspect,
});

/** As the route of one artifact and the completion of a job take it. */
