import type { z } from 'zod';
import type { DatabaseView } from '../../../application/databases/database-view.ts';
import type { databaseReply } from './database-schema.ts';

export const presentDatabase = ({ record, pool }: DatabaseView): z.output<typeof databaseReply> => ({
  org_id: record.organizationId,
  server_id: record.serverId,
  database: record.databaseName,
  state: record.state,
  schema_version: record.schemaVersion,
  generation: record.generation,
  last_error: record.lastError,
  created_at: record.createdAt.toISOString(),
  updated_at: record.updatedAt.toISOString(),
  pool: pool && { open: pool.open, in_use: pool.inUse, idle: pool.idle, waiting: pool.waiting },
});
