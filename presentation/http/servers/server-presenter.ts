import type { z } from 'zod';
import type { ServerView } from '../../../application/servers/server-view.ts';
import type { serverReply } from './server-schema.ts';

export const presentServer = (server: ServerView): z.output<typeof serverReply> => ({
  server_id: server.serverId,
  status: server.status,
  weight: server.weight,
  max_databases: server.maxDatabases,
  databases: server.databases,
  labels: server.labels,
  configured: server.isConfigured,
  available: server.isAvailable,
  problems: [...server.problems],
  connections: server.connections,
});
