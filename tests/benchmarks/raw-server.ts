import type { RequestListener, ServerResponse } from 'node:http';
import { hash, randomUUID } from 'node:crypto';
import { Pool, type QueryResult } from 'pg';
import { listen } from '../../infrastructure/lifecycle/http-server.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const CONNECTIONS = 16;

const INSERT = `
  insert into docking_jobs
    (job_id, status, engine, pipeline_version, inputs, params, priority, input_signature, submitted_by)
  values ($1, 'PENDING', $2, $3, $4, $5, $6, $7, 'user-1') returning *`;

const answer = (response: ServerResponse, status: number, result: Promise<QueryResult>): void =>
  void result.then(
    ({ rows }) => send(response, status, rows[0]),
    (error: unknown) => send(response, 500, { error: String(error) }),
  );

const send = (response: ServerResponse, status: number, value: unknown): void => {
  const body = JSON.stringify(value);
  response.writeHead(status, { 'content-type': JSON_TYPE, 'content-length': Buffer.byteLength(body) });
  response.end(body);
};

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
  // No function with a name is made for a request: under tsx that alone costs some microseconds.
  const serve: RequestListener = (request, response) => {
    if (request.method === 'GET') {
      const path = request.url ?? '';
      answer(response, 200, find(path.slice(path.lastIndexOf('/') + 1)));
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => answer(response, 201, insert(Buffer.concat(chunks).toString())));
  };
  return listen(serve, '127.0.0.1', 0, { answerClientError: () => '' });
};
