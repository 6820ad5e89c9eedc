/**
 * A structured log. Fields must not hold SQL parameters, tokens or connection strings. `error`: someone must act now.
 */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
