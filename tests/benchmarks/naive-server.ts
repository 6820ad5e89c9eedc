import { createHash, randomUUID } from 'node:crypto';
import express from 'express';
import helmet from 'helmet';
import jwt from 'jsonwebtoken';
import knex, { type Knex } from 'knex';
import { z } from 'zod';
import { listen } from '../../infrastructure/http-server/http-server.ts';

const submission = z.object({
  engine: z.string().min(1),
  pipeline_version: z.string().default('1.0.0'),
  inputs: z.record(z.string(), z.unknown()),
  params: z.record(z.string(), z.unknown()).default({}),
  priority: z.number().int().default(0),
});

const params = z.object({ org_id: z.string(), job_id: z.uuid() });

/** The seed's shape in this stack, with every library as its own introduction shows it. */
export const startNaiveServer = async (
  environment: Readonly<Record<string, string>>,
): Promise<{ readonly url: string }> => {
  const urlPrefix = environment['NAIVE_URL_PREFIX'] ?? '';
  const secret = environment['JWT_SECRET'] ?? '';
  const databases = new Map<string, Knex>();
  const databaseOf = (organizationId: string): Knex => {
    let database = databases.get(organizationId);
    if (database === undefined) {
      const connection = `${urlPrefix}${organizationId}`;
      database = knex({ client: 'pg', connection, pool: { min: 0, max: 5 } });
      databases.set(organizationId, database);
    }
    return database;
  };
  const authorized: express.RequestHandler = (req, res, next) => {
    try {
      const token = (req.headers.authorization ?? '').replace('Bearer ', '');
      const claims = jwt.verify(token, secret, { issuer: 'mad.local', audience: 'mad' });
      if (typeof claims === 'object' && claims['org_id'] === req.params['org_id']) {
        next();
        return;
      }
      res.status(403).json({ error: 'forbidden' });
    } catch {
      res.status(401).json({ error: 'unauthenticated' });
    }
  };
  const app = express();
  app.use(helmet(), express.json());
  app.get('/organizations/:org_id/jobs/:job_id', authorized, (req, res, next) => {
    const { org_id: organizationId, job_id: jobId } = params.parse(req.params);
    databaseOf(organizationId)('docking_jobs')
      .where('job_id', jobId)
      .first()
      .then((row: unknown) => res.json(row), next);
  });
  app.post('/organizations/:org_id/jobs', authorized, (req, res, next) => {
    const { inputs, params: own, ...job } = submission.parse(req.body);
    const row = {
      ...job,
      job_id: randomUUID(),
      status: 'PENDING',
      inputs: JSON.stringify(inputs),
      params: JSON.stringify(own),
      input_signature: createHash('sha256').update(JSON.stringify(req.body)).digest('hex'),
      submitted_by: 'user-1',
    };
    databaseOf(req.params['org_id'] ?? '')('docking_jobs')
      .insert(row)
      .returning('*')
      .then(([made]: unknown[]) => res.status(201).json(made), next);
  });
  return listen(app, '127.0.0.1', 0, { answerClientError: () => '' });
};
