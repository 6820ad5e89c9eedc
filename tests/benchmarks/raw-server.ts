import type { RequestListener } from 'node:http';
import { hash, randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { listen } from '../../infrastructure/lifecycle/http-server.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const CONNECTIONS = 16;

const INSERT = `
  insert into docking_jobs
    (job_id, status, engine, pipeline_version, inputs, params, priority, input_signature, submitted_by)
  values ($1, 'PENDING', $2, $3, $4, $5, $6, $7, 'user-1') returning *`;

/** The least that a job's row costs over HTTP: no routing, no token, no checks, one database. */
export const startRawServer = async (
  environment: Readonly<Record<string, string>>,
): Promise<{ readonly url: string }> => {
  const pool = new Pool({ connectionString: environment['RAW_DATABASE_URL'], max: CONNECTIONS });
  const find = (jobId: string) =>
    pool.query({ name: 'find', text: 'select * from docking_jobs where job_id = $1', values: [jobId] });
  const insert = (text: string) => {
    const { engine, pipeline_version: version, inputs, params, priority } = JSON.parse(text);
    const signature = hash('sha256', text);
    return pool.query({
      name: 'insert',
      text: INSERT,
      values: [
        randomUUID(),
        engine,
        version,
        JSON.stringify(inputs),
        JSON.stringify(params),
        priority,
        signature,
      ],
    });
  };
  const serve: RequestListener = (request, response) => {
    const answer = (status: number, row: unknown): void => {
      const body = JSON.stringify(row);
      response.writeHead(status, {
        'content-type': JSON_TYPE,
        'content-length': Buffer.byteLength(body),
      });
      response.end(body);
    };
    const fail = (error: unknown): void => answer(500, { error: String(error) });
    if (request.method === 'GET') {
      const path = request.url ?? '';
      find(path.slice(path.lastIndexOf('/') + 1)).then(({ rows }) => answer(200, rows[0]), fail);
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      insert(Buffer.concat(chunks).toString()).then(({ rows }) => answer(201, rows[0]), fail);
    });
  };
  return listen(serve, '127.0.0.1', 0, { answerClientError: () => '' });
};
