import { ServerNotFoundError } from '../../domain/databases/errors.ts';
import type { PlacementPin } from '../../domain/databases/server.ts';
import { ValidationError } from '../../domain/validation-error.ts';

/** What the audit trail keeps of a pin. */
export const pinDetails = ({ serverId, labels }: PlacementPin) => ({ server_id: serverId, labels });

/** Turns the error of an unknown server, which the input names, into one of the input. */
export const asUnknownPin = (error: unknown): unknown =>
  error instanceof ServerNotFoundError
    ? new ValidationError([{ path: 'placement.server_id', message: 'must be the id of a recorded server' }])
    : error;
