import type { RequestListener, ServerResponse } from 'node:http';
import { hash, randomUUID } from 'node:crypto';
import { Pool, type QueryResult } from 'pg';
import { listen } from '../../infrastructure/http-server/http-server.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const CONNECTIONS = 16;
const PATH_START = '/organizations/';

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

/** One database for all, or with `RAW_URL_PREFIX` a connection to the database of each organization that is asked for. */
const poolFinder = (environment: Readonly<Record<string, string>>): ((path: string) => Pool) => {
  const prefix = environment['RAW_URL_PREFIX'];
  if (prefix === undefined) {
    const pool = new Pool({ connectionString: environment['RAW_DATABASE_URL'], max: CONNECTIONS });
    return () => pool;
  }
  const pools = new Map<string, Pool>();
  return (path) => {
    const id = path.slice(PATH_START.length, path.indexOf('/', PATH_START.length));
    let pool = pools.get(id);
    if (pool === undefined) pools.set(id, (pool = new Pool({ connectionString: `${prefix}${id}`, max: 1 })));
    return pool;
  };
};

/** The least that a job's row costs over HTTP: no routing, no token, no checks. */
export const startRawServer = async (
  environment: Readonly<Record<string, string>>,
): Promise<{ readonly url: string }> => {
  const poolOf = poolFinder(environment);
  const find = (path: string, jobId: string) =>
    poolOf(path).query({
      name: 'find',
      text: 'select * from docking_jobs where job_id = $1',
      values: [jobId],
    });
  const insert = (path: string, text: string) => {
    const { engine, pipeline_version: version, inputs, params, priority } = JSON.parse(text);
    const signature = hash('sha256', text);
    return poolOf(path).query({
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
    const path = request.url ?? '';
    if (request.method === 'GET') {
      answer(response, 200, find(path, path.slice(path.lastIndexOf('/') + 1)));
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => answer(response, 201, insert(path, Buffer.concat(chunks).toString())));
  };
  return listen(serve, '127.0.0.1', 0, { answerClientError: () => '' });
};
