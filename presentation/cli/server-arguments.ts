import { parseServerId, type ServerId } from '../../domain/databases/server.ts';

/** @throws {ValidationError} */
export const serverName = (text: string): ServerId => parseServerId(text, 'server');
