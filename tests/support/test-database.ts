import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { testServer } from './postgres-server.ts';

/** A fresh, empty database of a test. */
export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  /** Drops it, closing connections that are still open to it. Safe to call twice. */
  drop(): Promise<void>;
}

const execute = async (url: string, sql: string): Promise<void> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
};

/**
 * Creates a database with a name of its own on the shared test server.
 *
 * @param label part of the name, to know the database again in a log; letters, digits and underscores remain of it
 */
export const createTestDatabase = async (label = 'test'): Promise<TestDatabase> => {
  const server = await testServer();
  const readable = label
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .slice(0, 30);
  const name = `mad_${readable}_${randomBytes(6).toString('hex')}`;
  // template0, for nobody can be connected to it, which would make the creation wait
  await execute(server.url, `CREATE DATABASE ${name} TEMPLATE template0`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    name,
    drop: () => execute(server.url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
};
