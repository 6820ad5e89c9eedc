import { type Logger } from '../../../application/ports/runtime/logger.ts';
import type { LogLevel } from '../../../application/ports/runtime/log-events/log-event.ts';

/** How a logger writes lines is tested with lines that no catalogue has. */
export const anyLine = (logger: Logger) => {
  const at =
    (level: LogLevel) =>
    (fields: object, message: string): void =>
      logger.write('request.failed', fields as never, { level, message });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
};
